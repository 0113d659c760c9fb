// A world for tests of services on edge nodes: quick simulated flavors, three nodes, and users of every role.

import type { JsonObject } from '#kernel/json.ts'
import type { CallerRequest, Receipt } from '#kernel/request.ts'
import { type Api, adminApi, at, listAt, type Reply, userApi } from './api.ts'
import { until, type World, world, type WorldOptions } from './world.ts'

export interface EdgeWorld {
  readonly w: World
  readonly admin: Api
  /** A member, the owner of the services in most tests. */
  readonly bob: Api
  /** Another member of the same project. */
  readonly mia: Api
  readonly reader: Api
  /** A member of another project. */
  readonly stranger: Api
  /** An admin in that other project. */
  readonly root: Api
  /** Asks the kernel past every door, as the administrator. */
  direct(request: CallerRequest): Promise<Receipt>
  /** How the simulated instance of a service on a node behaves from now on. */
  scenario(service: string, node: string, scenario: JsonObject): Promise<void>
  /** Deploys as bob and answers the service's id, once it runs. */
  deploy(name: string, options?: DeployOptions): Promise<string>
  /** The body of a deploy. */
  deploying(name: string, options?: DeployOptions): object
  show(service: string): Promise<Reply>
  /** `instance_status` of one node. */
  nodeStatus(service: string, node: string): Promise<unknown>
  settles(service: string, node: string, status: string): Promise<void>
  /** Default 10 s; a real process on a busy machine may take longer. */
  becomes(service: string, status: string, timeoutMs?: number): Promise<Reply>
  close(): Promise<void>
}

export interface DeployOptions {
  readonly nodes?: readonly string[]
  readonly specification?: string
  readonly model?: string
  readonly envs?: Readonly<Record<string, string>>
  readonly until?: string
}

const quick = { createMs: 1, startMs: 5, stopMs: 5, hardStopMs: 5, removeMs: 1 }
const anyKind = ['server', 'notebook', 'edge-instance']
const names = ['bob', 'mia', 'rita', 'olga', 'root']
const password = 'correct horse battery staple'

/** As runstate.yaml would say it. */
export const edgeUsers = () => names.map((name) => ({ name, password, roles: rolesOf(name) }))

export const edgePassword = password

export const edgeFlavors = [
  { id: 'sim.fast', driver: 'simulated', kinds: anyKind, attributes: quick },
  {
    id: 'sim.broken',
    driver: 'simulated',
    kinds: anyKind,
    attributes: { ...quick, refuse: ['start'] },
  },
]

export async function edgeWorld(options: WorldOptions = {}): Promise<EdgeWorld> {
  const w = await world({
    ...options,
    config: {
      identity: {
        projects: [{ name: 'other' }],
        users: edgeUsers(),
      },
      catalogue: {
        flavors: edgeFlavors,
        nodes: [{ id: 'edge-3', state: 'unconnected' }],
        images: [{ id: 'server-only', kinds: ['server'] }],
      },
      ...options.config,
    },
  })
  const as = (user: string, project = 'default') => userApi(w, { user, password, project })
  const bob = await as('bob')
  const show = (service: string) => bob.call('GET', `/v1/{p}/services/${service}`)
  const nodeStatus = async (service: string, node: string): Promise<unknown> => {
    const nodes = listAt((await show(service)).body, 'config', 0, 'nodes')
    return at(
      nodes.find((one) => at(one, 'id') === node),
      'instance_status',
    )
  }
  const becomes = (service: string, status: string, timeoutMs?: number) =>
    until(
      () => show(service),
      (reply) => at(reply.body, 'status') === status,
      timeoutMs,
    )
  const known = await w.identity.byToken(w.credentials['RUNSTATE_TOKEN'] ?? '')
  if (!known.ok) throw new Error('the administrator is unknown')
  const { caller } = known.value
  let requests = 0
  const direct = async (request: CallerRequest): Promise<Receipt> => {
    requests += 1
    const done = await w.plane.submit(request, { caller, door: 'test', requestId: `r-${requests}` })
    if (!done.ok) throw new Error(`${request.verb}: ${JSON.stringify(done.error)}`)
    return done.value
  }
  return {
    w,
    direct,
    scenario: async (service, node, scenario) => {
      const target = { kind: 'edge-instance', service, node } as const
      await direct({ verb: 'update', target, launch: { scenario } })
    },
    admin: adminApi(w),
    bob,
    mia: await as('mia'),
    reader: await as('rita'),
    stranger: await as('olga', 'other'),
    root: await as('root', 'other'),
    show,
    nodeStatus,
    becomes,
    settles: async (service, node, status) => {
      await until(
        () => nodeStatus(service, node),
        (one) => one === status,
      )
    },
    deploying,
    deploy: async (name, options = {}) => {
      const reply = await bob.call('POST', '/v1/{p}/services', deploying(name, options))
      const id = String(at(reply.body, 'service_id'))
      if (reply.status !== 200) throw new Error(`deploy ${name}: ${reply.text}`)
      await becomes(id, options.until ?? 'running', 30_000)
      return id
    },
    close: () => w.close(),
  }
}

function deploying(
  name: string,
  {
    nodes = ['edge-1', 'edge-2'],
    specification = 'sim.fast',
    model = 'sim',
    envs,
  }: DeployOptions = {},
): object {
  const config = [{ model_id: model, specification, nodes, ...(envs ? { envs } : {}) }]
  return { service_name: name, infer_type: 'edge', config }
}

function rolesOf(name: string): Record<string, string> {
  if (name === 'olga') return { other: 'member' }
  if (name === 'root') return { other: 'admin' }
  return { default: name === 'rita' ? 'reader' : 'member' }
}
