// What an answer says of a notebook beyond its own row: its flavor, image and user, and for a flavor with counted
// places how the sale of them stands. Read once per answer, however many notebooks it shows.

import type { Flavor, Image, Pool } from '#kernel/catalogue.ts'
import type { Instance } from '#kernel/instance.ts'
import { lifecycles } from '#kernel/kinds.ts'
import { isA } from '#kernel/lifecycle.ts'
import { type Line, type Turn, turns } from '#kernel/waiting.ts'
import { walk } from '../shared/offset-page.ts'
import type { Asked } from '../shared/project-route.ts'

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
  /** Whose turn comes when, of those who wait in its pool; under '' that of one who would join now. */
  readonly turns: ReadonlyMap<string, Turn>
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
  turns: new Map(),
}

async function readSale(asked: Asked, flavor: Flavor, nowMs: number): Promise<Sale> {
  const { read } = asked.plane
  const project = await read.get('projects', asked.project)
  const pool = flavor.poolId === null ? undefined : await read.get('pools', flavor.poolId)
  const isFull = pool !== undefined && pool.capacity - pool.taken < flavor.units
  const waiting = pool?.waiting ?? 0
  return {
    // Nobody who asks directly overtakes those who wait, so to them it is sold out.
    isSoldOut: isFull || waiting > 0,
    isPermitted: project?.deniedFlavors.includes(flavor.id) !== true,
    ownCount: await read.count('instances', {
      where: {
        project: asked.project,
        kind: 'notebook',
        flavorId: flavor.id,
        createdBy: asked.caller.userId,
        state: there,
      },
    }),
    waiting,
    turns:
      pool && (isFull || waiting > 0) ? turns(await lineOf(asked, pool, nowMs), flavor) : new Map(),
  }
}

/** All states but that in which it is history. */
const there = Object.keys(lifecycles.notebook.states).filter(
  (state) => !isA(lifecycles.notebook, state, 'final'),
)

async function lineOf(asked: Asked, pool: Pool, nowMs: number): Promise<Line> {
  const { read } = asked.plane
  const flavors = new Map<string, Flavor>()
  for await (const flavor of walk(read, 'flavors', {}))
    if (flavor.poolId === pool.id) flavors.set(flavor.id, flavor)
  const where = { kind: 'notebook', flavorId: [...flavors.keys()], state: there } as const
  const holders: Instance[] = []
  for await (const one of walk(read, 'instances', { where }))
    if (one.place?.poolId === pool.id) holders.push(one)
  return {
    pool,
    holders,
    waiting: await read.find('instances', 'queuePool', pool.id),
    flavorOf: ({ flavorId }) => flavors.get(flavorId ?? ''),
    nowMs,
  }
}
