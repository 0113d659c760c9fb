// A world for tests of notebooks: quick simulated flavors, billed and free, a clock that jumps, and a way to
// bring a notebook into any situation that can be reached.

import type { JsonObject } from '#kernel/json.ts'
import { situationOf } from '#kernel/instance.ts'
import type { SituationOf } from '#kernel/kinds.ts'
import type { CallerRequest, Receipt } from '#kernel/request.ts'
import { type Api, adminApi, userApi } from './api.ts'
import { type JumpingClock, jumpingClock } from './jumping-clock.ts'
import { until, type World, world, type WorldOptions } from './world.ts'

type NotebookSituation = SituationOf<'notebook'>

export interface NotebookWorld {
  readonly w: World
  readonly clock: JumpingClock
  readonly admin: Api
  readonly bob: Api
  readonly mia: Api
  readonly reader: Api
  readonly stranger: Api
  /** An admin in the stranger's project. */
  readonly root: Api
  /** Asks the kernel past every door, as bob or as the administrator. */
  direct(request: CallerRequest, as?: 'bob' | 'admin'): Promise<Receipt>
  /** A free flavor of its own, with a pool of its own. */
  freeFlavor(places: number): Promise<string>
  resize(flavor: string, places: number): Promise<void>
  /** Makes a notebook of this flavor in this situation; answers the instance's own id. */
  reach(situation: Reachable, flavor?: string): Promise<string>
  situation(id: string): Promise<string>
  becomes(id: string, situation: string): Promise<void>
  close(): Promise<void>
}

const quick = { createMs: 1, startMs: 3, stopMs: 3, hardStopMs: 3, removeMs: 1 }
const password = 'correct horse battery staple'
const roles: Readonly<Record<string, Record<string, string>>> = {
  bob: { default: 'member' },
  mia: { default: 'member' },
  rita: { default: 'reader' },
  olga: { other: 'member' },
  root: { other: 'admin' },
}
/** Longer than any test: what takes so long is still under way when it is looked at. */
const longMs = 60_000

export async function notebookWorld(options: WorldOptions = {}): Promise<NotebookWorld> {
  const clock = jumpingClock()
  const billed = {
    driver: 'simulated',
    kinds: ['notebook'],
    attributes: quick,
    releasesOnStop: true,
  }
  const w = await world({
    clock,
    ...options,
    config: {
      identity: {
        projects: [{ name: 'other' }],
        users: Object.entries(roles).map(([name, own]) => ({ name, password, roles: own })),
      },
      catalogue: {
        pools: [{ id: 'none', capacity: 0 }],
        flavors: [
          { id: 'sim.billed', ...billed },
          { id: 'sim.soldout', ...billed, pool: 'none' },
          { id: 'sim.gpu', ...billed, hardware: 'GPU', gpus: 1 },
        ],
        images: [{ id: 'server-only', kinds: ['server'] }],
      },
      ...options.config,
    },
  })
  const as = (user: string, project = 'default') => userApi(w, { user, password, project })
  const bob = await as('bob')
  const callers = { admin: await callerOf(w, 'admin'), bob: await callerOf(w, 'bob') }
  let requests = 0
  const direct: NotebookWorld['direct'] = async (request, who = 'admin') => {
    requests += 1
    const submission = { caller: callers[who], door: 'test', requestId: `r-${requests}` }
    const done = await w.plane.submit(request, submission)
    if (!done.ok) throw new Error(`${request.verb}: ${JSON.stringify(done.error)}`)
    return done.value
  }
  const situation = async (id: string): Promise<string> => {
    const row = await w.plane.read.get('instances', id)
    return row ? situationOf(row) : 'no row'
  }
  const becomes = async (id: string, wanted: string): Promise<void> => {
    await until(
      () => situation(id),
      (now) => now === wanted,
      15_000,
    )
  }
  let flavors = 0
  const resize = async (id: string, capacity: number): Promise<void> => {
    await direct({ verb: 'put', table: 'pools', row: { id, capacity } })
  }
  const freeFlavor = async (places: number): Promise<string> => {
    flavors += 1
    const id = `free.${flavors}`
    const like = await w.plane.read.get('flavors', 'sim.billed')
    if (!like) throw new Error('the billed flavor is missing')
    await resize(id, places)
    const hourMs = 3_600_000
    const row = {
      ...like,
      id,
      name: id,
      charge: 'free',
      poolId: id,
      autoStopMs: hourMs,
      storeMs: 72 * hourMs,
    } as const
    await direct({ verb: 'put', table: 'flavors', row })
    return id
  }
  const partial = { w, clock, direct, freeFlavor, resize, situation, becomes }
  return {
    ...partial,
    admin: adminApi(w),
    bob,
    mia: await as('mia'),
    reader: await as('rita'),
    stranger: await as('olga', 'other'),
    root: await as('root', 'other'),
    reach: (wanted, flavor) => reach(partial, wanted, flavor),
    close: () => w.close(),
  }
}

async function callerOf(w: World, name: string) {
  const domain = { id: 'default' }
  const user = await w.identity.directory.userNamed({ name, domain })
  const project = await w.identity.project({ name: 'default', domainId: domain.id })
  const caller = user && (await w.identity.callerOf(user.id, project?.id ?? null))
  if (!caller?.ok) throw new Error(`${name} is unknown`)
  return caller.value
}

type Tools = Pick<NotebookWorld, 'w' | 'direct' | 'freeFlavor' | 'resize' | 'situation' | 'becomes'>

/** Nothing takes an image of a notebook, so none ever fails to; and what is deleted has no name to ask by. */
export type Reachable = Exclude<NotebookSituation, 'failed/capture' | 'deleted'>

type Path = (tools: Tools, make: Make) => Promise<string>
type Make = (scenario: JsonObject, then?: string) => Promise<string>

const target = (id: string) => ({ kind: 'notebook', id }) as const

/** A running notebook, which then behaves otherwise. */
async function running(tools: Tools, make: Make, scenario: JsonObject): Promise<string> {
  const id = await make({}, 'running')
  await tools.direct({ verb: 'update', target: target(id), launch: { scenario } })
  return id
}

async function stopped(tools: Tools, make: Make, scenario: JsonObject = {}): Promise<string> {
  const id = await running(tools, make, scenario)
  await tools.direct({ verb: 'stop', target: target(id), rung: 'soft' })
  await tools.becomes(id, 'stopped')
  return id
}

async function failing(tools: Tools, id: string, request: CallerRequest, wanted: string) {
  await tools.direct(request)
  await tools.becomes(id, wanted)
  return id
}

const ways = {
  provisioning: (_, make) => make({ createMs: longMs }, 'provisioning'),
  running: (_, make) => make({}, 'running'),
  stopped: (tools, make) => stopped(tools, make),
  queued: async (tools, make) => {
    const id = await stopped(tools, make)
    const { flavorId } = (await tools.w.plane.read.get('instances', id)) ?? {}
    await tools.resize(flavorId ?? '', 0)
    await tools.direct({ verb: 'queue', target: target(id) })
    return id
  },
  reserved: async (tools, make) => {
    const id = await stopped(tools, make)
    await tools.direct({ verb: 'queue', target: target(id) })
    await tools.becomes(id, 'reserved')
    return id
  },
  starting: async (tools, make) => {
    const id = await stopped(tools, make, { startMs: longMs })
    await tools.direct({ verb: 'start', target: target(id) })
    return id
  },
  stopping: async (tools, make) => {
    const id = await running(tools, make, { stopMs: longMs, hardStopMs: longMs })
    await tools.direct({ verb: 'stop', target: target(id), rung: 'soft' })
    return id
  },
  restarting: async (tools, make) => {
    const id = await running(tools, make, { stopMs: longMs, hardStopMs: longMs })
    await tools.direct({ verb: 'restart', target: target(id), rung: 'soft' })
    return id
  },
  deleting: async (tools, make) => {
    const id = await running(tools, make, { hardStopMs: longMs })
    await tools.direct({ verb: 'delete', target: target(id) })
    return id
  },
  'failed/create': (_, make) => make({ refuse: ['create'] }, 'failed/create'),
  'failed/start': async (tools, make) => {
    const id = await stopped(tools, make, { refuse: ['start'] })
    return failing(tools, id, { verb: 'start', target: target(id) }, 'failed/start')
  },
  'failed/restart': async (tools, make) => {
    const id = await running(tools, make, { refuse: ['start'] })
    return failing(
      tools,
      id,
      { verb: 'restart', target: target(id), rung: 'soft' },
      'failed/restart',
    )
  },
  'failed/stop': async (tools, make) => {
    const id = await running(tools, make, { refuse: ['stop'] })
    return failing(tools, id, { verb: 'stop', target: target(id), rung: 'soft' }, 'failed/stop')
  },
  'failed/delete': async (tools, make) => {
    const id = await running(tools, make, { refuse: ['remove'] })
    return failing(tools, id, { verb: 'delete', target: target(id) }, 'failed/delete')
  },
  'failed/run': async (tools, make) => {
    const id = await running(tools, make, { driftDownAfterMs: 1 })
    await tools.becomes(id, 'failed/run')
    return id
  },
} as const satisfies Record<Reachable, Path>

/** Afterwards it behaves well again, but for what is still under way. */
async function reach(tools: Tools, wanted: Reachable, flavor?: string): Promise<string> {
  const flavorId = flavor ?? (await tools.freeFlavor(1))
  let made = 0
  const make: Make = async (scenario, then) => {
    made += 1
    const name = `${wanted.replace('/', '-')}-${flavorId.replace('.', '-')}-${made}`
    const launch = { scenario }
    const request = {
      verb: 'create',
      kind: 'notebook',
      name,
      flavorId,
      imageId: 'sim',
      launch,
    } as const
    const { instanceIds } = await tools.direct(request, 'bob')
    const id = String(instanceIds[0])
    if (then !== undefined) await tools.becomes(id, then)
    return id
  }
  const id = await ways[wanted](tools, make)
  await tools.becomes(id, wanted)
  if (wanted.startsWith('failed/'))
    await tools.direct({ verb: 'update', target: target(id), launch: { scenario: {} } })
  return id
}

export const reachable = Object.keys(ways) as readonly Reachable[] // keys of a const table
