// Every code of the contract's table of errors, each reached by a request through a real socket, with its status
// and its text. The list is the contract's own: a code that nobody reaches here fails the last test.
// Source: edge inference contract, section 3.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { DriverPart } from '#kernel/catalogue.ts'
import type { Project, Quotas } from '#kernel/project.ts'
import { at, type Reply } from '#test/harness/api.ts'
import { brittleStore } from '#test/harness/brittle-store.ts'
import {
  edgeFlavors,
  edgePassword,
  edgeUsers,
  type EdgeWorld,
  edgeWorld,
} from '#test/harness/edge-world.ts'
import { keyFor } from '#test/harness/ecs.ts'
import { tokenOf } from '#test/harness/native-api.ts'

const brittle = brittleStore()
let edge: EdgeWorld
/** A service of bob's on edge-1 that runs. */
let id: string

before(async () => {
  edge = await edgeWorld({
    store: brittle.store,
    // What a broken store makes the log say is not what is tested here.
    hear: () => undefined,
    config: {
      identity: {
        lockKeysAfter: 3,
        projects: [{ name: 'other' }],
        users: edgeUsers(),
      },
      catalogue: {
        flavors: [
          ...edgeFlavors,
          { ...edgeFlavors[0], id: 'sim.full', pool: 'full' },
          { ...edgeFlavors[0], id: 'modelarts.vm.custom' },
        ],
        pools: [{ id: 'full', capacity: 0 }],
        images: [
          { id: 'server-only', kinds: ['server'] },
          { id: 'unfinished', kinds: ['edge-instance'], publishing: true },
          { id: 'port-80', kinds: ['edge-instance'], hostPort: 80 },
        ],
        nodes: [{ id: 'edge-3', state: 'unconnected' }],
      },
    },
  })
  id = await edge.deploy('there', { nodes: ['edge-1'] })
})
after(() => edge.close())

const services = '/v1/{p}/services'
const one = () => `${services}/${id}`
const node = (name = 'edge-1') => `${one()}/nodes/${name}/status`
const entry = { model_id: 'sim', specification: 'sim.fast', nodes: ['edge-1'] }
const deploy = (change: object = {}, more: object = {}) =>
  edge.bob.call('POST', services, {
    service_name: 'tried',
    infer_type: 'edge',
    config: [{ ...entry, ...change }],
    ...more,
  })
const update = (change: object = {}) =>
  edge.bob.call('PUT', one(), { config: [{ ...entry, ...change }] })
const stop = (name?: string) => edge.bob.call('PUT', node(name), { status: 'stopped' })
const start = (name?: string) => edge.bob.call('PUT', node(name), { status: 'running' })
const list = (headers: Readonly<Record<string, string>>) =>
  edge.bob.call('GET', services, undefined, { 'x-auth-token': '', ...headers })
const signed = (header: string, more: Readonly<Record<string, string>> = {}) =>
  list({ authorization: `SDK-HMAC-SHA256 ${header}`, ...more })
const zeros = '0'.repeat(64)
const keyId = () => edge.w.credentials['HUAWEICLOUD_SDK_AK'] ?? ''

async function driver<T>(part: DriverPart | null, ask: () => Promise<T>): Promise<T> {
  const row = { id: 'simulated', available: false, reason: 'Drill.1', part }
  await edge.direct({ verb: 'put', table: 'drivers', row })
  try {
    return await ask()
  } finally {
    const back = { ...row, available: true, reason: null, part: null }
    await edge.direct({ verb: 'put', table: 'drivers', row: back })
  }
}

async function project<T>(change: Partial<Project>, ask: () => Promise<T>): Promise<T> {
  const row = await edge.w.plane.read.get('projects', edge.bob.project)
  assert.ok(row)
  await edge.direct({ verb: 'put', table: 'projects', row: { ...row, ...change } })
  try {
    return await ask()
  } finally {
    await edge.direct({ verb: 'put', table: 'projects', row })
  }
}

async function service<T>(
  change: { readonly shared?: boolean; readonly usedBy?: string | null },
  ask: () => Promise<T>,
): Promise<T> {
  const said = { verb: 'update-service', kind: 'inference', service: id } as const
  await edge.direct({ ...said, ...change })
  try {
    return await ask()
  } finally {
    await edge.direct({ ...said, shared: false, usedBy: null })
  }
}

async function nodeState<T>(state: 'ready' | 'failed', ask: () => Promise<T>): Promise<T> {
  const row = await edge.w.plane.read.get('nodes', 'edge-2')
  assert.ok(row)
  await edge.direct({ verb: 'put', table: 'nodes', row: { ...row, state } })
  try {
    return await ask()
  } finally {
    await edge.direct({ verb: 'put', table: 'nodes', row })
  }
}

const custom = (spec: object) => ({ specification: 'custom', custom_spec: spec })
const quota = (quotas: Quotas, ask = deploy) => project({ quotas }, () => ask())
const workspace = (change: object) =>
  [
    { id: '0', name: 'default', isAbnormal: false, denies: [], instancesMax: null, ...change },
  ] as const // the shape is checked where it is used
const commits = [{ call: 'commit' }] as const

type Way = readonly [status: number, text: RegExp, ask: () => Promise<Reply>]
const ways: Readonly<Record<string, Way>> = {
  '0201': [401, /^Token doesn't exist\.$/, () => list({})],
  '0202': [
    401,
    /^Invalid token header because the token has expired\.$/,
    async () => {
      const password = edgePassword
      const who = { user: 'bob', password, project: 'default', lifeMs: 1 }
      const token = await tokenOf(edge.w, who)
      return list({ 'x-auth-token': token })
    },
  ],
  '0203': [
    401,
    /^Invalid token\.$/,
    () => {
      const known = edge.w.credentials['RUNSTATE_TOKEN'] ?? ''
      const other = known.slice(0, -2) + (known.endsWith('aa') ? 'bb' : 'aa')
      return list({ 'x-auth-token': other })
    },
  ],
  '0204': [401, /^Failed to parse the token\.$/, () => list({ 'x-auth-token': 'no token at all' })],
  '0205': [
    401,
    /^No authorization request header\.$/,
    () => signed(`Access=${keyId()}, SignedHeaders=host, Signature=${zeros}`),
  ],
  '0206': [
    401,
    /^Incorrect authorization request header format\.$/,
    () => list({ authorization: 'Basic eDp5' }),
  ],
  '0208': [
    401,
    /^Failed to check the authorization request header\.$/,
    () => signed(`Access=AKNOBODY, SignedHeaders=host;x-sdk-date, Signature=${zeros}`),
  ],
  '0207': [
    401,
    /^Token must contain project info of current region\.$/,
    async () => list({ 'x-auth-token': await scoped({ domain: { id: 'default' } }) }),
  ],
  '0212': [
    401,
    /^Invalid token header because the token does not contain a project\.$/,
    async () => list({ 'x-auth-token': await scoped('unscoped') }),
  ],
  '0210': [
    403,
    /^The project id in the request URL does not match the token\.$/,
    () => edge.bob.call('GET', services.replace('{p}', edge.stranger.project)),
  ],
  '0108': [
    403,
    /^You are not authorized to perform the \(modelarts:nodeservice:action\) operation\.$/,
    () => edge.reader.call('PUT', node(), { status: 'stopped' }),
  ],
  '0112': [
    403,
    /^Policy doesn't allow modelarts:nodeservice:action 0 to be performed\.$/,
    () => project({ workspaces: [...workspace({ denies: ['stop'] })] }, () => stop()),
  ],
  '4105': [
    400,
    /^Incorrect JSON format of the input data\.$/,
    () => edge.bob.call('POST', services, '{'),
  ],
  '3610': [400, /^Parameter status cannot be empty\.$/, () => edge.bob.call('PUT', node(), {})],
  '3037': [
    400,
    /^Parameter \(status:paused\) is invalid\.$/,
    () => edge.bob.call('PUT', node(), { status: 'paused' }),
  ],
  '0101': [
    413,
    /^Invalid Argument\.$/,
    () => edge.bob.call('POST', services, ' '.repeat(3 * 1024 * 1024)),
  ],
  '0107': [
    400,
    /^The values of the request parameters \(Idempotency-Key\) are invalid\.$/,
    async () => {
      const key = { 'idempotency-key': 'one' }
      await edge.bob.call('PUT', one(), { description: 'first' }, key)
      return edge.bob.call('PUT', one(), { description: 'second' }, key)
    },
  ],
  '3502': [
    404,
    /^Service nowhere does not exist\.$/,
    () => edge.bob.call('GET', `${services}/nowhere`),
  ],
  '0015': [404, /^The resource you requested is not exist$/, () => stop('no-such-node')],
  '3507': [404, /^Model none does not exist\.$/, () => deploy({ model_id: 'none' })],
  '3503': [409, /^Service there already exists\.$/, () => deploy({}, { service_name: 'there' })],
  '3519': [
    400,
    /^Services only in one of states in \[deploying, running, stopping, deleting\] can be updated\.$/,
    () => start(),
  ],
  '3598': [
    400,
    /^Only nodes in the \[Running\] state can be selected\.$/,
    () => deploy({ nodes: ['edge-3'] }),
  ],
  '3540': [
    400,
    /^Operation failed because you are not the owner of service there\.$/,
    () => edge.mia.call('DELETE', one()),
  ],
  '3525': [
    400,
    /^Forbidden to update service there because it is a shared service\.$/,
    () => service({ shared: true }, () => edge.bob.call('PUT', one(), { description: 'x' })),
  ],
  '3515': [
    400,
    /^The model unfinished cannot be used for deploying services because it is still being published\.$/,
    () => deploy({ model_id: 'unfinished' }),
  ],
  '3589': [
    400,
    /^Model server-only cannot be used to deploy edge service\.$/,
    () => deploy({ model_id: 'server-only' }),
  ],
  '3533': [
    400,
    /^The selected edge node does not support GPU\.$/,
    () => deploy(custom({ cpu: 1, memory: 64, gpu_p4: 0.5 })),
  ],
  '3520': [400, /^A maximum of 1 edge services are allowed\.$/, () => quota({ services: 1 })],
  '3521': [
    400,
    /^A maximum of 1 edge services in running status are allowed\.$/,
    () => quota({ runningServices: 1 }),
  ],
  '3522': [
    400,
    /^A maximum of 1 edge service instances are allowed\.$/,
    () => quota({ serviceInstances: 1 }),
  ],
  '3561': [
    400,
    /^Insufficient node quota\.$/,
    () => quota({ nodes: 1 }, () => update({ nodes: ['edge-1', 'edge-2'] })),
  ],
  '3952': [
    400,
    /^Insufficient resources\. Please try later\.$/,
    () => deploy({ specification: 'sim.full' }),
  ],
  '3547': [400, /^Cluster c-1 does not exist\.$/, () => deploy({ cluster_id: 'c-1' })],
  '3518': [
    400,
    /^The edge service has not been enabled or authorized\.$/,
    () => project({ frozen: true }, () => deploy()),
  ],
  '3581': [500, /^Failed to create edge certificates\.$/, () => driver('certificates', deploy)],
  '3582': [400, /^Failed to create edge configurations\.$/, () => driver('configurations', deploy)],
  '3583': [
    400,
    /^Failed to create the edge application due to IEF error\.$/,
    () => driver('backend', deploy),
  ],
  '3586': [400, /^Failed to create the edge application\.$/, () => driver(null, deploy)],
  '3584': [400, /^Failed to update the edge application\.$/, () => driver(null, stop)],
  '3585': [
    400,
    /^The host port has been used by another edge application\.$/,
    async () => {
      await edge.deploy('at-80', { model: 'port-80', nodes: ['edge-1'] })
      return deploy({ model_id: 'port-80' })
    },
  ],
  '3587': [
    400,
    /^Failed to delete the edge application\.$/,
    () => driver(null, () => edge.bob.call('DELETE', one())),
  ],
  '3588': [
    400,
    /^Failed to create edge volumes and environments\.$/,
    () => driver('volumes', deploy),
  ],
  '3594': [400, /^Failed to query IEF instances\.$/, () => driver('lookup', deploy)],
  '3595': [400, /^Failed to create the IEF application mesh\.$/, () => driver('network', deploy)],
  '3596': [400, /^Failed to update the IEF application mesh\.$/, () => driver('network', update)],
  '3612': [
    400,
    /^Failed to update the service payload due to error code Drill\.1\. Please try later or /,
    () => driver('payload', update),
  ],
  '3953': [
    400,
    /^Failed to delete online service \S+ because it has been associated with AI service brain\. Please /,
    () => service({ usedBy: 'brain' }, () => edge.bob.call('DELETE', one())),
  ],
  '7004': [
    400,
    /^the status of workspace: 0 is abnormal, can not execute \[action: modelarts:service:create\]$/,
    () => project({ workspaces: [...workspace({ isAbnormal: true })] }, () => deploy()),
  ],
  '7005': [400, /^workspace:w-1 not existed$/, () => deploy({}, { workspace_id: 'w-1' })],
  '3501': [
    500,
    /^Failed to deploy the service\.$/,
    () => brittle.whileBroken(commits, () => deploy()),
  ],
  '3504': [
    500,
    /^Failed to delete the service\.$/,
    () => brittle.whileBroken(commits, () => edge.bob.call('DELETE', one())),
  ],
  '3505': [
    500,
    /^Failed to update the service\.$/,
    () => brittle.whileBroken(commits, () => edge.bob.call('PUT', one(), { status: 'stopped' })),
  ],
  '3508': [
    500,
    /^Failed to query the service monitoring information\.$/,
    () =>
      brittle.whileBroken([{ call: 'get', table: 'nodes' }], () =>
        edge.bob.call('GET', `${one()}/monitor`),
      ),
  ],
  '3509': [
    500,
    /^Failed to query edge nodes\.$/,
    () => brittle.whileBroken([{ call: 'get', table: 'nodes' }], () => edge.bob.call('GET', one())),
  ],
  '3511': [
    500,
    /^Failed to query edge tags\.$/,
    () =>
      brittle.whileBroken([{ call: 'list', table: 'services' }], () =>
        edge.bob.call('GET', `${services}?tags=line`),
      ),
  ],
  '0010': [
    500,
    /^Internal error\.$/,
    () =>
      brittle.whileBroken(
        [{ call: 'list', table: 'flavors' }],
        () => edge.bob.call('GET', `${services}/specifications`),
        new TypeError('a bug'),
      ),
  ],
  '4206': [
    429,
    /^Too many requests, reached api \S+\.$/,
    async () => {
      // One of its own: the others are still to be used.
      const key = (await keyFor(edge.w, 'mia', 'default')).accessKeyId
      const date = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
      const forged = () =>
        signed(`Access=${key}, SignedHeaders=host;x-sdk-date, Signature=${zeros}`, {
          'x-sdk-date': date,
        })
      for (let tries = 0; tries < 3; tries++) await forged()
      return forged()
    },
  ],
}

/** A token of the administrator in another scope than a project. */
async function scoped(scope: 'unscoped' | { readonly domain: { readonly id: string } }) {
  const domain = { id: 'default' }
  const name = edge.w.credentials['OS_USERNAME'] ?? ''
  const password = edge.w.credentials['OS_PASSWORD'] ?? ''
  const identity = { methods: ['password'], password: { user: { name, domain, password } } }
  const reply = await fetch(`${edge.w.url}/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity, scope } }),
  })
  return reply.headers.get('x-subject-token') ?? ''
}

describe('every code of the contract', () => {
  for (const [number, [status, text, ask]] of Object.entries(ways))
    it(`ModelArts.${number}`, async () => {
      const reply = await ask()
      const { body } = reply
      assert.equal(reply.status, status, reply.text)
      assert.equal(at(body, 'error_code'), `ModelArts.${number}`)
      assert.match(String(at(body, 'error_msg')), text)
      assert.equal(at(body, 'error_message'), at(body, 'error_msg'))
      assert.match(reply.headers.get('x-request-id') ?? '', /^[0-9a-f]{32}$/)
      assert.equal(reply.headers.get('retry-after') !== null, status === 429)
      const shown = (await edge.show(id)).body
      assert.equal(at(shown, 'status'), 'running', 'a refusal changes nothing')
      assert.equal(await edge.nodeStatus(id, 'edge-1'), 'running')
    })

  it('a node that lacks an NPU, and one that is down, are refused for a new configuration too', async () => {
    const npu = custom({ cpu: 1, memory: 64, ascend_a310: 1 })
    const bare = await edge.w.plane.read.get('nodes', 'edge-2')
    assert.ok(bare)
    const row = { ...bare, accelerators: [] }
    await edge.direct({ verb: 'put', table: 'nodes', row })
    const reply = await update({ ...npu, nodes: ['edge-2'] })
    assert.equal(at(reply.body, 'error_msg'), 'The selected edge node does not support NPU.')
    const down = await nodeState('failed', () => update({ nodes: ['edge-2'] }))
    assert.equal(at(down.body, 'error_code'), 'ModelArts.3598')
  })

  it('none of the contract\u2019s list is left out', () => {
    const listed =
      '0010 0015 0101 0107 0108 0112 0201 0202 0203 0204 0205 0206 0207 0208 0210 0212 3037 3501 3502 3503 3504 3505 3507 3508 3509 3511 3515 3518 3519 3520 3521 3522 3525 3533 3540 3547 3561 3581 3582 3583 3584 3585 3586 3587 3588 3589 3594 3595 3596 3598 3610 3612 3952 3953 4105 4206 7004 7005'
    assert.deepEqual(Object.keys(ways).toSorted(), listed.split(' '))
  })
})
