// Every route of the table does what it says, and refuses what cannot be. The two tables below have
// a row for each operation: one that is forgotten fails the first test.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { adminOf, type NativeApi, type Reply, type Sent } from '#test/harness/native-api.ts'
import { put, rows } from '#test/contract/rows.ts'
import { freshStore, type World, world } from '#test/harness/world.ts'
import { endpoints } from './routes.ts'
import type {
  AccountShown,
  ImageShown,
  InstanceShown,
  OutputShown,
  ProblemCode,
  ReceiptShown,
  UsageShown,
} from './wire.ts'

let w: World
let api: NativeApi
/** What the rows below are about. */
let server = ''
let service = ''
let operation = ''
let hold = ''

before(async () => {
  const store = freshStore()
  w = await world({ config: { starter: true }, store })
  api = adminOf(w)
  server = (await api.server({ name: 'target' })).id
  // One that the keeper of leases has not raised, so it lifts it only once it hears of it.
  const everybody = { id: 'registry', kind: 'registry', project: null } as const
  await store.commit(put('guards', rows.guards(everybody)))
  const held = await api.change('POST', `/instances/${server}/holds`, {
    kind: 'lock',
    why: 'to be released',
  })
  hold = held.hold ?? ''
  const services = await api.get<{ items: { id: string; kind: string }[] }>(
    '/services?kind=inference',
  )
  service = services.items[0]?.id ?? ''
  const operations = await api.get<{ items: { id: string }[] }>(`/instances/${server}/operations`)
  operation = operations.items[0]?.id ?? ''
})
after(() => w.close())

interface Case {
  readonly path: () => string
  readonly sent?: Sent
  readonly holds: (reply: Reply) => void
}

const has =
  (field: string, value: unknown) =>
  ({ body }: Reply): void =>
    assert.deepEqual((body as Record<string, unknown>)[field], value, field)
const hasRows = ({ body }: Reply): void =>
  assert.ok((body as { items: unknown[] }).items.length > 0)
const status =
  (expected: number) =>
  (reply: Reply): void =>
    assert.equal(reply.status, expected)
const at = (path: string) => (): string =>
  path
    .replace('{server}', server)
    .replace('{service}', service)
    .replace('{operation}', operation)
    .replace('{hold}', hold)

const successes: Readonly<Record<string, Case>> = {
  listInstances: { path: at('/instances?kind=server&nameContains=arge'), holds: hasRows },
  createInstance: {
    path: at('/instances'),
    sent: {
      body: { kind: 'notebook', name: 'fresh', flavor: 'modelarts.vm.cpu.2u', image: 'sim' },
      headers: { 'x-dry-run': 'true' },
    },
    holds: has('after', 'provisioning'),
  },
  getInstance: { path: at('/instances/{server}'), holds: has('name', 'target') },
  patchInstance: {
    path: at('/instances/{server}'),
    sent: { body: { description: 'said', labels: { team: 'a' }, launch: { scenario: {} } } },
    holds: status(200),
  },
  actOnInstance: {
    path: at('/instances/{server}/actions'),
    sent: { body: { action: 'restart', why: 'a test' } },
    holds: has('after', 'restarting'),
  },
  whyInstance: {
    path: at('/instances/{server}/why'),
    holds: ({ body }) =>
      assert.match((body as AccountShown).lines[0] ?? '', /^target \(server\) is /),
  },
  getInstanceLogs: {
    path: at('/instances/{server}/logs?lines=5'),
    holds: ({ body }) => assert.deepEqual((body as OutputShown).lines, []),
  },
  listInstanceOperations: {
    path: at('/instances/{server}/operations?state=succeeded'),
    holds: hasRows,
  },
  listInstanceEvents: {
    path: at('/instances/{server}/events?type=instance.created'),
    holds: hasRows,
  },
  getUsage: { path: at('/instances/{server}/usage'), holds: has('name', 'target') },
  listUsage: { path: at('/usage?kind=server&limit=1'), holds: hasRows },
  listHolds: { path: at('/instances/{server}/holds'), holds: hasRows },
  holdInstance: {
    path: at('/instances/{server}/holds'),
    sent: { body: { why: 'look', until: '2030-01-01T00:00:00Z' } },
    holds: status(201),
  },
  getHold: { path: at('/instances/{server}/holds/{hold}'), holds: has('reason', 'to be released') },
  releaseHold: { path: at('/instances/{server}/holds/{hold}'), holds: status(200) },
  deleteInstance: {
    path: at('/instances/{server}'),
    sent: { headers: { 'x-dry-run': 'true' } },
    holds: has('after', 'deleting'),
  },
  listServices: { path: at('/services?kind=microservice'), holds: hasRows },
  deployService: {
    path: at('/services'),
    sent: {
      body: { name: 'two', nodes: ['edge-1'], flavor: 'modelarts.vm.cpu.2u', image: 'sim' },
      headers: { prefer: 'wait=20' },
    },
    holds: status(200),
  },
  getService: { path: at('/services/{service}'), holds: has('name', 'defect-detect') },
  patchService: {
    path: at('/services/{service}'),
    sent: { body: { description: 'said', shared: false } },
    holds: status(200),
  },
  actOnService: {
    path: at('/services/{service}/actions'),
    sent: { body: { action: 'stop', why: 'night' }, headers: { prefer: 'wait=20' } },
    holds: status(200),
  },
  deleteService: {
    path: at('/services/{service}'),
    sent: { headers: { 'x-dry-run': 'true' } },
    holds: has('dryRun', true),
  },
  listGuards: { path: at('/guards'), holds: hasRows },
  actOnGuard: {
    path: at('/guards/registry/actions'),
    sent: { body: { action: 'release', why: 'a drill' } },
    holds: status(200),
  },
  listFlavors: { path: at('/flavors?limit=2'), holds: hasRows },
  getFlavor: { path: at('/flavors/sim.small'), holds: has('id', 'sim.small') },
  putFlavor: {
    path: at('/flavors/huge'),
    sent: { body: { kinds: ['server'], driver: 'simulated', vcpus: 64, pool: 'huge' } },
    holds: status(201),
  },
  listImages: { path: at('/images'), holds: hasRows },
  getImage: { path: at('/images/echo-http'), holds: has('id', 'echo-http') },
  putImage: {
    path: at('/images/mine'),
    sent: { body: { kinds: ['server'], launch: { command: ['true'] } } },
    holds: status(201),
  },
  listPools: { path: at('/pools'), holds: hasRows },
  getPool: { path: at('/pools/modelarts.vm.cpu.free'), holds: has('capacity', 2) },
  putPool: { path: at('/pools/huge'), sent: { body: { capacity: 1 } }, holds: status(201) },
  listNodes: { path: at('/nodes'), holds: hasRows },
  getNode: { path: at('/nodes/edge-1'), holds: has('state', 'ready') },
  putNode: { path: at('/nodes/edge-9'), sent: { body: {} }, holds: status(201) },
  listDrivers: { path: at('/drivers'), holds: hasRows },
  getDriver: { path: at('/drivers/simulated'), holds: has('available', true) },
  putDriver: {
    path: at('/drivers/simulated'),
    sent: { body: { available: true } },
    holds: status(200),
  },
  listProjects: { path: at('/projects'), holds: hasRows },
  getProject: {
    path: () => `/projects/${w.credentials['OS_PROJECT_ID']}`,
    holds: has('name', 'default'),
  },
  putProject: {
    path: () => `/projects/${w.credentials['OS_PROJECT_ID']}`,
    sent: { body: { description: 'ours' } },
    holds: status(200),
  },
  listOperations: { path: at('/operations?state=succeeded&limit=1'), holds: hasRows },
  getOperation: { path: at('/operations/{operation}'), holds: has('state', 'succeeded') },
  listEvents: { path: at('/events?after=1&limit=5'), holds: hasRows },
}

interface Fault {
  readonly path: string
  readonly body?: unknown
  readonly code: ProblemCode
}
const unknown = (path: string, body?: unknown): Fault => ({ path, body, code: 'NotFound' })
const badField = (path: string, body?: unknown): Fault => ({ path, body, code: 'BadField' })

const failures: Readonly<Record<string, Fault>> = {
  listInstances: badField('/instances?state=asleep'),
  createInstance: unknown('/instances', {
    kind: 'server',
    name: 'x',
    flavor: 'none',
    image: 'sim',
  }),
  getInstance: unknown('/instances/i-00000000000000000000'),
  patchInstance: unknown('/instances/none', { name: 'x' }),
  actOnInstance: {
    path: '/instances/{server}/actions',
    body: { action: 'status', status: 'up' },
    code: 'Unsupported',
  },
  whyInstance: unknown('/instances/none/why'),
  getInstanceLogs: badField('/instances/{server}/logs?lines=0'),
  listInstanceOperations: unknown('/instances/none/operations'),
  listInstanceEvents: unknown('/instances/none/events'),
  listHolds: unknown('/instances/none/holds'),
  holdInstance: badField('/instances/{server}/holds', { kind: 'grip' }),
  getHold: unknown('/instances/{server}/holds/none'),
  releaseHold: unknown('/instances/{server}/holds/none'),
  deleteInstance: unknown('/instances/DE-none'),
  getUsage: badField('/instances/{server}/usage?from=noon'),
  listUsage: badField('/usage?kind=service-instance'),
  listServices: badField('/services?status=asleep'),
  deployService: unknown('/services', {
    name: 's',
    nodes: ['none'],
    flavor: 'modelarts.vm.cpu.2u',
    image: 'sim',
  }),
  getService: unknown('/services/none'),
  patchService: unknown('/services/none', { shared: true }),
  actOnService: unknown('/services/none/actions', { action: 'start' }),
  deleteService: unknown('/services/none'),
  listGuards: badField('/guards?limit=x'),
  actOnGuard: unknown('/guards/none/actions', { action: 'release' }),
  listFlavors: badField('/flavors?limit=1001'),
  getFlavor: unknown('/flavors/none'),
  putFlavor: badField('/flavors/none', { driver: 'simulated' }),
  listImages: badField('/images?cursor=x'),
  getImage: unknown('/images/none'),
  putImage: badField('/images/none', {}),
  listPools: badField('/pools?colour=red'),
  getPool: unknown('/pools/none'),
  putPool: badField('/pools/none', { capacity: -1 }),
  listNodes: badField('/nodes?limit=x'),
  getNode: unknown('/nodes/none'),
  putNode: badField('/nodes/edge-1', { state: 'asleep' }),
  listDrivers: badField('/drivers?limit=x'),
  getDriver: unknown('/drivers/none'),
  putDriver: unknown('/drivers/none', { available: false }),
  listProjects: badField('/projects?limit=x'),
  getProject: unknown('/projects/none'),
  putProject: badField('/projects/0123456789abcdef0123456789abcdef', { frozen: true }),
  listOperations: badField('/operations?state=asleep'),
  getOperation: unknown('/operations/none'),
  listEvents: badField('/events?type=asleep'),
  streamEvents: badField('/events/stream?type=asleep'),
}

test('every route has a success and a failure here', () => {
  const operations = endpoints.map((row) => row.operation).toSorted()
  assert.deepEqual(Object.keys(failures).toSorted(), operations)
  // The stream has laws of its own, in stream.test.ts.
  assert.deepEqual([...Object.keys(successes), 'streamEvents'].toSorted(), operations)
})

for (const row of endpoints) {
  const success = successes[row.operation]
  if (success)
    test(`${row.operation} answers as it says`, async () => {
      const reply = await api.call(row.method, success.path(), success.sent)
      assert.ok(reply.status < 300, JSON.stringify(reply.body))
      success.holds(reply)
    })
}

for (const row of endpoints) {
  const failure = failures[row.operation]
  assert.ok(failure)
  test(`${row.operation} refuses what cannot be`, async () => {
    const sent = failure.body === undefined ? {} : { body: failure.body }
    assert.equal((await api.refused(row.method, at(failure.path)(), sent)).code, failure.code)
  })
}

test('an instance is found by every id that a door gave it', async () => {
  const { items } = await api.get<{ items: InstanceShown[] }>('/instances')
  const named = items.flatMap(({ id, aliases }) =>
    [aliases['ecs'], aliases['devenv'], aliases['lab']].flatMap((alias) =>
      alias === undefined ? [] : [[id, alias] as const],
    ),
  )
  assert.ok(named.length >= 4)
  for (const [id, alias] of named)
    assert.equal((await api.get<InstanceShown>(`/instances/${alias}`)).id, id)
})

test('a captured image says whose it is', async () => {
  const { id } = await api.server({ name: 'to-capture' })
  await api.act(id, { action: 'capture', imageName: 'captured' }, { prefer: 'wait=20' })
  const { project } = await api.get<InstanceShown>(`/instances/${id}`)
  // Each answer is held against its schema on the way, that of the whole list too.
  const { items } = await api.get<{ items: ImageShown[] }>('/images?limit=1000')
  assert.equal(items.find(({ name }) => name === 'captured')?.project, project)
})

test('what registered itself is not metered: its usage is empty', async () => {
  const { items } = await api.get<{ items: InstanceShown[] }>('/instances?kind=service-instance')
  const used = await api.get<UsageShown>(`/instances/${items[0]?.id}/usage`)
  assert.deepEqual([used.spans, used.chargedMs, used.unchargedMs], [[], 0, 0])
})

test('a registered instance shows its three facts; what an operator says stands until it is cleared', async () => {
  const { items } = await api.get<{ items: InstanceShown[] }>('/instances?kind=service-instance')
  const [one] = items
  assert.ok(one?.registration)
  assert.ok(Date.parse(one.registration.lease.expiresAt) > Date.now())
  await api.act(one.id, {
    action: 'status',
    status: 'out-of-service',
    why: 'drill',
    until: '2030-01-01T00:00:00Z',
  })
  const out = await api.get<InstanceShown>(`/instances/${one.id}`)
  assert.deepEqual(
    [out.state, out.registration?.reported, out.registration?.override?.why],
    ['out-of-service', 'up', 'drill'],
  )
  assert.match(
    (await api.get<AccountShown>(`/instances/${one.id}/why`)).lines.join('\n'),
    /operator set out-of-service.*until 2030/,
  )
  await api.act(one.id, { action: 'clear-status' })
  assert.equal((await api.get<InstanceShown>(`/instances/${one.id}`)).state, 'up')
  const left: ReceiptShown = await api.act(one.id, { action: 'delete' })
  assert.equal(left.after, 'unregistered')
})

test('a microservice without instances can be removed, by its id alone', async () => {
  const { items } = await api.get<{ items: { id: string }[] }>('/services?kind=microservice')
  const [one] = items
  assert.ok(one && !one.id.includes('/'))
  await api.change('DELETE', `/services/${one.id}`)
  assert.equal((await api.refused('GET', `/services/${one.id}`)).code, 'NotFound')
})

test('nothing that a driver was told is shown of an instance, and images show it to admins alone', async () => {
  const secret = 'password-in-the-environment'
  const one = await api.server({
    name: 'secretive',
    launch: { scenario: {}, environment: { PASSWORD: secret } },
  })
  const paths = [
    `/instances/${one.id}`,
    '/instances',
    `/instances/${one.id}/why`,
    `/instances/${one.id}/operations`,
    `/instances/${one.id}/events`,
    '/events?limit=1000',
  ]
  for (const path of paths)
    assert.ok(!JSON.stringify((await api.call('GET', path)).body).includes(secret), path)
})
