// A world with two projects and one of everything in the first, so that every route of every door can be asked
// about something that is there: users of each role, and a path for each route of each door's own table.

import type { Instance } from '#kernel/instance.ts'
import type { Route } from '#doors/shared/http.ts'
import { everyDoor } from '../../tools/pages/doors.ts'
import { keyFor, type KeyPair } from './ecs.ts'
import { type NativeApi, nativeApi, tokenOf } from './native-api.ts'
import { client, stage as register } from './registry.ts'
import { until, type World, world, type WorldOptions } from './world.ts'

export const doorNames = [
  'native',
  'volcengine',
  'keystone',
  'modelarts-service',
  'modelarts-notebook',
  'servicecomb',
  'huawei',
  'nova',
] as const
export type DoorName = (typeof doorNames)[number]

export interface DoorRoute extends Route {
  readonly door: DoorName
  readonly verb: string
}

/** Every (method, path) of every door, from the doors' own tables. */
export const everyRoute: readonly DoorRoute[] = everyDoor().flatMap(({ name, routes }) => {
  const door = doorNames.find((one) => one === name)
  if (door === undefined) throw new Error(`the door ${name} is not among those that are tested`)
  return routes.flatMap((route) => [route.method].flat().map((verb) => ({ ...route, door, verb })))
})

/** For whom no credentials are asked, by the operation's name: what is said of versions, logins, our document. */
export const openOperations: ReadonlySet<string> = new Set([
  'native getDocument',
  'keystone list_versions',
  'keystone get_version',
  'keystone issue_token',
  'nova listVersions',
  'nova showVersion',
  'nova listImageVersions',
  'volcengine MethodNotAllowed',
])

/** Its lease outlives the slowest run. */
const patient = { healthCheck: { mode: 'push', interval: 3_600, times: 3 } }

/** The registry has no accounts by protocol: whoever reaches it may ask. */
export const isOpen = ({ door, operation }: DoorRoute): boolean =>
  door === 'servicecomb' || openOperations.has(`${door} ${operation}`)

export interface Somebody {
  readonly token: string
  readonly project: string
  readonly projectName: string
  readonly userId: string
  readonly keys: KeyPair
  readonly native: NativeApi
}

const password = 'a-password-nobody-guesses'
const users = {
  mary: { one: 'member' },
  rita: { one: 'reader' },
  ada: { one: 'admin' },
  otto: { two: 'member' },
} as const
export type UserName = keyof typeof users

export interface Stage {
  readonly w: World
  readonly password: string
  readonly people: Readonly<Record<UserName, Somebody>>
  /** A token of mary's that has expired. */
  readonly expired: string
  /** One of each kind in the first project. */
  readonly server: Instance
  readonly notebook: Instance
  readonly edge: Instance
  readonly registered: Instance
  /** The id that a route's parameter stands for, of what is really there. */
  idFor(route: DoorRoute, parameter: string): string
  /** All that a refusal must leave as it was. */
  rows(): Promise<string>
}

const attributes = { createMs: 1, startMs: 1, stopMs: 1, hardStopMs: 1, removeMs: 1 }
const kinds = ['server', 'notebook', 'edge-instance']

export async function doorStage(
  hear: (line: string) => void,
  store: WorldOptions['store'] = 'memory',
): Promise<Stage> {
  const w = await world({
    hear,
    store,
    config: {
      identity: {
        projects: [{ name: 'one' }, { name: 'two' }],
        users: Object.entries(users).map(([name, roles]) => ({ name, password, roles })),
      },
      catalogue: {
        flavors: [
          { id: 'instant', driver: 'simulated', kinds, attributes },
          { id: 'flavor-of-one', driver: 'simulated', kinds, bareMetal: true, projects: ['one'] },
        ],
      },
    },
  })
  const people = {
    mary: await somebody(w, 'mary', 'one'),
    rita: await somebody(w, 'rita', 'one'),
    ada: await somebody(w, 'ada', 'one'),
    otto: await somebody(w, 'otto', 'two'),
  }
  const { native } = people.mary
  const of = { flavor: 'instant', image: 'sim' }
  const made = async (path: string, asked: object) =>
    (await native.change('POST', path, { ...asked, ...of })).instances[0] ?? ''
  const server = await made('/instances', {
    kind: 'server',
    name: 'server-of-one',
    labels: { colour: 'blue' },
  })
  const notebook = await made('/instances', { kind: 'notebook', name: 'notebook-of-one' })
  const edge = await made('/services', { name: 'service-of-one', nodes: ['edge-1'] })
  await register(client(w, { project: 'one' }), patient)
  const held = await made('/instances', { kind: 'server', name: 'held-of-one' })
  await rowAtRest(w, held)
  await native.change('POST', `/instances/${held}/holds`, { kind: 'hold' })
  const [hold] = (await rowAtRest(w, held)).holds
  const [registeredRow] = await w.plane.read.list('instances', {
    where: { kind: 'service-instance' },
    limit: 1,
  })
  const [first] = await w.plane.read.find('operations', 'instanceId', server)
  if (!hold || !registeredRow || !first) throw new Error('not everything is there')
  const settled = (id: string) => rowAtRest(w, id)
  const rows = {
    server: await settled(server),
    notebook: await settled(notebook),
    edge: await settled(edge),
    registered: registeredRow,
  }
  const ids = {
    held,
    hold: hold.id,
    operation: first.id,
    request: `req-${first.cause.requestId}`,
    batch: await batchOf(w, people.mary, server),
    accessKey: await accessKeyOf(w, people.mary),
  }
  const expired = await tokenOf(w, { user: 'mary', password, project: 'one', lifeMs: 1 })
  return {
    w,
    password,
    people,
    expired,
    ...rows,
    idFor: (route, parameter) => idFor(route, parameter, { ...rows, ...ids, ...people.mary }),
    rows: () => snapshot(w),
  }
}

async function somebody(w: World, user: UserName, projectName: string): Promise<Somebody> {
  const token = await tokenOf(w, { user, password, project: projectName })
  const known = await w.identity.byToken(token)
  if (!known.ok) throw new Error(`${user} is unknown`)
  const { caller } = known.value
  const keys = await keyFor(w, user, projectName)
  const project = caller.projectId ?? ''
  return { token, project, projectName, userId: caller.userId, keys, native: nativeApi(w, token) }
}

/** One batch that is kept, of which every item was refused: it left everything as it was. */
async function batchOf(w: World, { token }: Somebody, server: string): Promise<string> {
  const known = await w.identity.byToken(token)
  if (!known.ok) throw new Error('nobody')
  const target = { kind: 'server', id: server } as const
  const receipt = await w.plane.submit(
    {
      verb: 'batch',
      items: [{ verb: 'start', target, from: ['stopped'] }],
      kept: { family: 'ecs', action: 'os-start' },
    },
    { caller: known.value.caller, door: 'huawei', requestId: 'of-one' },
  )
  if (!receipt.ok || receipt.value.batchId === undefined) throw new Error('no batch is kept')
  return receipt.value.batchId
}

async function accessKeyOf(w: World, { userId }: Somebody): Promise<string> {
  const user = await w.identity.user(userId)
  if (!user) throw new Error('nobody')
  const made = await w.identity.createAccessKey({ user, description: '' })
  if (!made.ok) throw new Error(made.error.code)
  return made.value.key.id
}

const rowAtRest = (w: World, id: string): Promise<Instance> =>
  until(
    async () => {
      const row = await w.plane.read.get('instances', id)
      if (!row) throw new Error(`no instance ${id}`)
      return row
    },
    ({ underway, state }) => underway === null && state === 'running',
  )

/** One of everything that a path can name. */
export interface Known extends Pick<Stage, 'server' | 'notebook' | 'edge' | 'registered'> {
  readonly held: string
  readonly hold: string
  readonly operation: string
  readonly request: string
  readonly batch: string
  readonly accessKey: string
  readonly project: string
  readonly projectName: string
  readonly userId: string
}

/** What `:id` is depends on the collection that it is in. */
const collections: Readonly<Record<string, (known: Known) => string>> = {
  '/api/v1/instances/': ({ server }) => server.id,
  '/api/v1/services/': ({ edge }) => edge.serviceId ?? '',
  '/api/v1/flavors/': () => 'instant',
  '/api/v1/images/': () => 'sim',
  '/api/v1/pools/': () => 'ecs.g3i.large',
  '/api/v1/nodes/': () => 'edge-1',
  '/api/v1/drivers/': () => 'simulated',
  '/api/v1/projects/': ({ project }) => project,
  '/api/v1/operations/': ({ operation }) => operation,
  '/v3/roles/': () => 'member',
  '/v3/services/': () => 'compute',
  '/v3/endpoints/': () => 'compute',
  '/notebooks/': ({ notebook }) => notebook.id,
}

const parameters: Readonly<Record<string, (known: Known) => string>> = {
  hold: ({ hold }) => hold,
  guard: () => 'registry',
  project_id: ({ project }) => project,
  project: ({ projectName }) => projectName,
  user_id: ({ userId }) => userId,
  domain_id: () => 'default',
  region_id: () => 'RegionOne',
  service_id: ({ edge }) => edge.serviceId ?? '',
  node_id: ({ edge }) => edge.nodeId ?? '',
  instance_id: ({ notebook }) => notebook.aliases['devenv'] ?? '',
  serviceId: () => 'svc1',
  instanceId: () => 'i1',
  schemaId: () => 'schema1',
  server_id: ({ server }) => server.id,
  access_key: ({ accessKey }) => accessKey,
  job_id: ({ batch }) => batch.replaceAll('-', ''),
  request_id: ({ request }) => request,
  key: () => 'colour',
  name: () => 'somebody',
  tag: () => 'night',
  network: () => 'private',
  key_name: () => 'key',
  quota_project: ({ project }) => project,
  alias: () => 'os-lock-server',
  flavor_id: () => 'instant',
  image_id: () => 'sim',
}

export function idFor({ path }: DoorRoute, parameter: string, known: Known): string {
  const [, inCollection] =
    Object.entries(collections).find(([part]) => path.includes(`${part}:id`)) ?? []
  const isCredential = parameter === 'id' && path.includes('/application_credentials/')
  const own = isCredential
    ? () => 'no-credential'
    : parameter === 'id' && path.endsWith('/holds/:hold')
      ? ({ held }: Known) => held
      : parameter === 'id' && inCollection
        ? inCollection
        : parameters[parameter]
  if (!own) throw new Error(`${path} has a parameter :${parameter} that no test knows of`)
  return own(known)
}

const tables = [
  'instances',
  'operations',
  'services',
  'flavors',
  'images',
  'pools',
  'nodes',
  'drivers',
  'projects',
  'batches',
  'users',
  'grants',
  'accessKeys',
  'appCredentials',
  'keyPairs',
] as const

async function snapshot({ plane }: World): Promise<string> {
  const all = await Promise.all(tables.map((table) => plane.read.list(table, { limit: 1000 })))
  // When a lease was last renewed, or a thing was last looked at, is not what a request changes.
  return JSON.stringify(all, (key, value: unknown) =>
    key === 'observation' || key === 'renewedAtMs' ? null : value,
  )
}
