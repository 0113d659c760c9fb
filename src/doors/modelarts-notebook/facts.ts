// What an answer says of a notebook beyond its own row: its flavor, image and user, and for a flavor with counted
// places how the sale of them stands. Read once per answer, however many notebooks it shows.

import { type Flavor, type Image, type Pool } from '#kernel/catalogue.ts'
import { type Instance } from '#kernel/instance.ts'
import { type Asked } from '../shared/project-route.ts'
import { latestTurnMs, type Line } from './queue-estimate.ts'

export interface Facts {
  readonly flavor: Flavor | undefined
  readonly image: Image | undefined
  readonly userName: string
  readonly domain: { readonly id: string; readonly name: string }
  readonly sale: Sale
  readonly nowMs: number
}

/** How the sale of a flavor stands for one caller. */
export interface Sale {
  readonly isSoldOut: boolean
  readonly isPermitted: boolean
  /** Instances of this flavor that the caller has. */
  readonly ownCount: number
  readonly waiting: number
  /** Until the one of this rank has a place, at most; 0 when that cannot be told. */
  readonly waitMs: (rank: number) => number
}

/** Both keep their rows for one answer: an answer that takes long shows one moment. */
export interface FactReader {
  readonly of: (instance: Instance) => Promise<Facts>
  readonly saleOf: (flavor: Flavor) => Promise<Sale>
}

export function factReader(asked: Asked): FactReader {
  const { read } = asked.plane
  const nowMs = asked.plane.nowMs()
  const once = <Value>(load: (id: string) => Promise<Value>) => {
    const known = new Map<string, Promise<Value>>()
    return (id: string): Promise<Value> => {
      const value = known.get(id) ?? load(id)
      known.set(id, value)
      return value
    }
  }
  const flavorOf = once((id) => read.get('flavors', id))
  const imageOf = once((id) => read.get('images', id))
  const userOf = once((id) => asked.identity.user(id))
  const saleById = once(async (id) => {
    const flavor = await flavorOf(id)
    return flavor === undefined ? nothingSold : readSale(asked, flavor, nowMs)
  })
  const { domainId } = asked.caller
  const domain = asked.identity.domains.find(({ id }) => id === domainId)
  return {
    saleOf: (flavor) => saleById(flavor.id),
    of: async (instance) => ({
      flavor: instance.flavorId === null ? undefined : await flavorOf(instance.flavorId),
      image: instance.imageId === null ? undefined : await imageOf(instance.imageId),
      userName: (await userOf(instance.createdBy))?.name ?? '',
      domain: { id: domainId, name: domain?.name ?? '' },
      sale: instance.flavorId === null ? nothingSold : await saleById(instance.flavorId),
      nowMs,
    }),
  }
}

const nothingSold: Sale = {
  isSoldOut: false,
  isPermitted: true,
  ownCount: 0,
  waiting: 0,
  waitMs: () => 0,
}

async function readSale(asked: Asked, flavor: Flavor, nowMs: number): Promise<Sale> {
  const { read } = asked.plane
  const project = await read.get('projects', asked.project)
  const pool = flavor.poolId === null ? undefined : await read.get('pools', flavor.poolId)
  const isFull = pool !== undefined && pool.capacity - pool.taken < flavor.units
  const line = pool && isFull ? await lineOf(asked, flavor, pool, nowMs) : null
  return {
    // Nobody who asks directly overtakes those who wait, so to them it is sold out.
    isSoldOut: isFull || (pool?.waiting ?? 0) > 0,
    isPermitted: project?.deniedFlavors.includes(flavor.id) !== true,
    ownCount: await read.count('instances', {
      where: {
        project: asked.project,
        kind: 'notebook',
        flavorId: flavor.id,
        createdBy: asked.caller.userId,
        state: [...placed, 'stopped', 'queued', 'failed'],
      },
    }),
    waiting: pool?.waiting ?? 0,
    waitMs: (rank) => Math.max(0, (line && latestTurnMs(rank, line)) ?? nowMs) - nowMs,
  }
}

/** The states in which a notebook holds its place. */
const placed = [
  'provisioning',
  'reserved',
  'starting',
  'running',
  'restarting',
  'stopping',
] as const

/** Runs without an end of their own are counted on for so long; free flavors have one. */
const runMsUnknown = 3_600_000

async function lineOf(asked: Asked, flavor: Flavor, pool: Pool, nowMs: number): Promise<Line> {
  const runMs = flavor.autoStopMs ?? runMsUnknown
  const holdMs = flavor.reserveMs + flavor.startMs + runMs
  const holders = await asked.plane.read.list('instances', {
    where: { kind: 'notebook', flavorId: flavor.id, state: placed },
    limit: 1000,
  })
  const ends = holders
    .filter((one) => one.place?.poolId === pool.id)
    .map((one) => endOf(one, { nowMs, startMs: flavor.startMs, runMs, graceMs: flavor.graceMs }))
  const free = Math.max(0, Math.floor(pool.capacity / flavor.units) - ends.length)
  return { freeAtMs: [...ends, ...Array.from({ length: free }, () => nowMs)], holdMs, nowMs }
}

function endOf(
  instance: Instance,
  times: {
    readonly nowMs: number
    readonly startMs: number
    readonly runMs: number
    readonly graceMs: number
  },
): number {
  const { nowMs, startMs, runMs, graceMs } = times
  const { autoStopAtMs, reservedUntilMs } = instance.timers
  if (instance.state === 'stopping') return instance.stateSinceMs + graceMs
  if (autoStopAtMs !== null) return autoStopAtMs + graceMs
  const readyAtMs = reservedUntilMs ?? nowMs
  return readyAtMs + startMs + runMs + graceMs
}

/** 1 for the one who is served next. */
export async function rankOf(asked: Asked, instance: Instance): Promise<number> {
  const { queue } = instance
  if (queue === null) return 0
  const ahead = await asked.plane.read.count('instances', {
    where: { queuePool: queue.poolId },
    range: { column: 'queueTicket', max: queue.ticket },
  })
  return ahead + 1
}
