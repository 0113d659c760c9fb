// E1 to the letter, through real sockets: what it accepts, every refusal in its order, and what all answers of
// this door have in common.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at, type Reply } from '#test/harness/api.ts'
import { type EdgeWorld, edgeWorld } from '#test/harness/edge-world.ts'
import { until } from '#test/harness/world.ts'

let edge: EdgeWorld
before(async () => {
  edge = await edgeWorld()
})
after(() => edge.close())

const codeOf = (reply: Reply) => `${reply.status} ${String(at(reply.body, 'error_code'))}`
const nodePath = (service: string, node: string) =>
  `/v1/{p}/services/${service}/nodes/${node}/status`
const power = (service: string, node: string, status: unknown) =>
  edge.bob.call('PUT', nodePath(service, node), { status })

suite('E1, one node', () => {
  test('a stop is accepted at once, and the node stops while the other runs on', async () => {
    const id = await edge.deploy('stop-one')
    const reply = await power(id, 'edge-1', 'stopped')
    assert.equal(reply.status, 200)
    assert.equal(reply.text, '{}')
    await edge.settles(id, 'edge-1', 'stopped')
    assert.equal(await edge.nodeStatus(id, 'edge-2'), 'running')
    assert.equal(at((await edge.show(id)).body, 'status'), 'running')
  })

  test('it is not idempotent: what is so already is refused, and nothing changes', async () => {
    const id = await edge.deploy('strict')
    assert.equal(codeOf(await power(id, 'edge-1', 'running')), '400 ModelArts.3519')
    assert.equal(await edge.nodeStatus(id, 'edge-1'), 'running')
    await power(id, 'edge-1', 'stopped')
    await edge.settles(id, 'edge-1', 'stopped')
    assert.equal(codeOf(await power(id, 'edge-1', 'stopped')), '400 ModelArts.3519')
    assert.equal(await edge.nodeStatus(id, 'edge-1'), 'stopped')
    assert.equal((await power(id, 'edge-1', 'running')).status, 200)
    await edge.settles(id, 'edge-1', 'running')
  })

  test('what is under way shows notReady and takes neither value', async () => {
    const id = await edge.deploy('half-way')
    const node = 'edge-1'
    await edge.scenario(id, node, { stopMs: 3000 })
    assert.equal((await power(id, node, 'stopped')).status, 200)
    assert.equal(await edge.nodeStatus(id, node), 'notReady')
    assert.equal(codeOf(await power(id, node, 'stopped')), '400 ModelArts.3519')
    assert.equal(codeOf(await power(id, node, 'running')), '400 ModelArts.3519')
  })

  test('a failed one takes neither value: the way out is the whole service', async () => {
    const id = await edge.deploy('broken', {
      specification: 'sim.broken',
      nodes: ['edge-1'],
      until: 'failed',
    })
    assert.equal(await edge.nodeStatus(id, 'edge-1'), 'failed')
    const shown = await edge.show(id)
    assert.equal(typeof at(shown.body, 'error_msg'), 'string')
    assert.equal(typeof at(shown.body, 'config', 0, 'nodes', 0, 'message'), 'string')
    assert.equal(codeOf(await power(id, 'edge-1', 'running')), '400 ModelArts.3519')
    assert.equal(codeOf(await power(id, 'edge-1', 'stopped')), '400 ModelArts.3519')
    assert.equal(
      (await edge.bob.call('PUT', `/v1/{p}/services/${id}`, { status: 'stopped' })).status,
      200,
    )
    await edge.becomes(id, 'stopped')
    assert.equal(await edge.nodeStatus(id, 'edge-1'), 'stopped')
  })

  test('of many who stop one node at once, exactly one is told yes', async () => {
    const id = await edge.deploy('race')
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => power(id, 'edge-1', 'stopped')),
    )
    const accepted = replies.filter((reply) => reply.status === 200)
    assert.equal(accepted.length, 1)
    assert.ok(
      replies
        .filter((reply) => reply.status !== 200)
        .every((reply) => codeOf(reply) === '400 ModelArts.3519'),
    )
    await edge.settles(id, 'edge-1', 'stopped')
    const [instance] = (await edge.w.plane.read.find('instances', 'serviceId', id)).filter(
      (one) => one.nodeId === 'edge-1',
    )
    const operations = await edge.w.plane.read.find('operations', 'instanceId', instance?.id ?? '')
    assert.equal(operations.filter((one) => one.verb === 'stop').length, 1)
  })

  test('a start on a node out of contact is refused, after its state has been checked', async () => {
    const id = await edge.deploy('node-down', { nodes: ['edge-2'] })
    await power(id, 'edge-2', 'stopped')
    await edge.settles(id, 'edge-2', 'stopped')
    await setNode('edge-2', 'failed')
    assert.equal(codeOf(await power(id, 'edge-2', 'stopped')), '400 ModelArts.3519')
    assert.equal(codeOf(await power(id, 'edge-2', 'running')), '400 ModelArts.3598')
    const shown = await edge.show(id)
    assert.equal(at(shown.body, 'config', 0, 'nodes', 0, 'state'), 'FAIL')
    await setNode('edge-2', 'ready')
    assert.equal((await power(id, 'edge-2', 'running')).status, 200)
    await edge.settles(id, 'edge-2', 'running')
  })

  test('a running instance whose node loses contact is notReady and says why', async () => {
    const id = await edge.deploy('node-lost', { nodes: ['edge-2'] })
    await setNode('edge-2', 'unconnected')
    await edge.settles(id, 'edge-2', 'notReady')
    const node = at((await edge.show(id)).body, 'config', 0, 'nodes', 0)
    assert.equal(at(node, 'state'), 'UNCONNECTED')
    assert.match(String(at(node, 'message')), /unconnected/)
    assert.equal(codeOf(await power(id, 'edge-2', 'stopped')), '400 ModelArts.3519')
    await setNode('edge-2', 'ready')
    await edge.settles(id, 'edge-2', 'running')
  })

  test('a driver that is out refuses with the code of an update that failed', async () => {
    const id = await edge.deploy('driver-out')
    const driver = (available: boolean) =>
      edge.direct({
        verb: 'put',
        table: 'drivers',
        row: { id: 'simulated', available, reason: null },
      })
    await driver(false)
    const reply = await power(id, 'edge-1', 'stopped')
    await driver(true)
    assert.equal(codeOf(reply), '400 ModelArts.3584')
    assert.equal(await edge.nodeStatus(id, 'edge-1'), 'running')
  })

  test('a hold is somebody\u2019s word against it: the policy forbids', async () => {
    const id = await edge.deploy('held')
    const target = { kind: 'edge-instance', service: id, node: 'edge-1' } as const
    await edge.direct({ verb: 'hold', target, kind: 'hold', why: 'maintenance' })
    assert.equal(codeOf(await power(id, 'edge-1', 'stopped')), '403 ModelArts.0112')
    assert.equal(await edge.nodeStatus(id, 'edge-1'), 'running')
  })
})

suite('E1, refusals in their order', () => {
  let id: string
  before(async () => {
    id = await edge.deploy('refusals')
  })

  const bodies: readonly (readonly [string, string, string])[] = [
    ['no JSON', '{"status":', '400 ModelArts.4105'],
    ['no body', '', '400 ModelArts.4105'],
    ['a list', '[]', '400 ModelArts.4105'],
    ['nothing', '{}', '400 ModelArts.3610'],
    ['null', '{"status":null}', '400 ModelArts.3610'],
    ['an empty text', '{"status":""}', '400 ModelArts.3610'],
    ['a number', '{"status":1}', '400 ModelArts.3037'],
    ['an object', '{"status":{}}', '400 ModelArts.3037'],
    ['another word', '{"status":"paused"}', '400 ModelArts.3037'],
    ['the wrong case', '{"status":"Running"}', '400 ModelArts.3037'],
  ]
  for (const [name, body, code] of bodies) {
    test(`a body of ${name} is ${code}`, async () => {
      const reply = await edge.bob.call('PUT', nodePath(id, 'edge-1'), body)
      assert.equal(codeOf(reply), code)
      assert.equal(await edge.nodeStatus(id, 'edge-1'), 'running')
    })
  }

  test('the body is checked before the service is looked for', async () => {
    assert.equal(
      codeOf(await edge.bob.call('PUT', nodePath('nowhere', 'edge-1'), '{}')),
      '400 ModelArts.3610',
    )
  })

  test('an unknown service, a foreign one and one of another kind are not found', async () => {
    assert.equal(codeOf(await power('nowhere', 'edge-1', 'stopped')), '404 ModelArts.3502')
    const foreign = await edge.stranger.call('PUT', nodePath(id, 'edge-1'), { status: 'stopped' })
    assert.equal(codeOf(foreign), '404 ModelArts.3502')
    assert.equal(at(foreign.body, 'error_msg'), `Service ${id} does not exist.`)
  })

  test('an admin of another project does not reach it by a path of that project', async () => {
    const stopped = { status: 'stopped' }
    for (const [method, path, body] of [
      ['PUT', nodePath(id, 'edge-1'), stopped],
      ['PUT', `/v1/{p}/services/${id}`, stopped],
      ['DELETE', `/v1/{p}/services/${id}`, undefined],
      ['GET', `/v1/{p}/services/${id}`, undefined],
      ['GET', `/v1/{p}/services/${id}/events`, undefined],
    ] as const)
      assert.equal(codeOf(await edge.root.call(method, path, body)), '404 ModelArts.3502')
    assert.equal(await edge.nodeStatus(id, 'edge-1'), 'running')
  })

  test('another owner comes before an unknown node', async () => {
    const path = nodePath(id, 'no-such-node')
    assert.equal(
      codeOf(await edge.mia.call('PUT', path, { status: 'stopped' })),
      '400 ModelArts.3540',
    )
    assert.equal(
      codeOf(await edge.bob.call('PUT', path, { status: 'stopped' })),
      '404 ModelArts.0015',
    )
    // A node that there is, but not of this service.
    assert.equal(codeOf(await power(id, 'edge-3', 'stopped')), '404 ModelArts.0015')
  })

  test('a service that does not run on nodes has none to name', async () => {
    const body = {
      service_name: 'kept',
      infer_type: 'real-time',
      config: [{ model_id: 'sim', specification: 'x', instance_count: 1, weight: 100 }],
    }
    const made = await edge.bob.call('POST', '/v1/{p}/services', body)
    const kept = String(at(made.body, 'service_id'))
    const reply = await power(kept, 'edge-1', 'stopped')
    assert.equal(codeOf(reply), '400 ModelArts.3037')
  })

  test('a service that is being deleted takes nothing', async () => {
    const leaving = await edge.deploy('leaving', { nodes: ['edge-1'] })
    await edge.scenario(leaving, 'edge-1', { removeMs: 3000 })
    assert.equal((await edge.bob.call('DELETE', `/v1/{p}/services/${leaving}`)).text, '{}')
    assert.equal(at((await edge.show(leaving)).body, 'status'), 'deleting')
    assert.equal(codeOf(await power(leaving, 'edge-1', 'stopped')), '400 ModelArts.3519')
  })
})

suite('who may come in', () => {
  let id: string
  before(async () => {
    id = await edge.deploy('gate')
  })
  const stop = { status: 'stopped' }

  test('no credentials, unknown and malformed tokens are told apart', async () => {
    const path = nodePath(id, 'edge-1')
    const call = (headers: Record<string, string>) =>
      edge.bob.call('PUT', path, stop, { 'x-auth-token': '', ...headers })
    assert.equal(codeOf(await call({})), '401 ModelArts.0201')
    assert.equal(codeOf(await call({ 'x-auth-token': 'no token at all' })), '401 ModelArts.0204')
    assert.equal(codeOf(await call({ authorization: 'Basic eDp5' })), '401 ModelArts.0206')
    const signed = 'SDK-HMAC-SHA256 Access=AKNOBODY, SignedHeaders=host;x-sdk-date, Signature='
    assert.equal(
      codeOf(await call({ authorization: `${signed}${'0'.repeat(64)}` })),
      '401 ModelArts.0208',
    )
  })

  test('a well-formed token that nobody issued, and one without a project', async () => {
    const list = (token: string) =>
      edge.bob.call('GET', '/v1/{p}/services', undefined, { 'x-auth-token': token })
    const known = edge.w.credentials['RUNSTATE_TOKEN'] ?? ''
    const other = known.slice(0, -2) + (known.endsWith('aa') ? 'bb' : 'aa')
    assert.equal(codeOf(await list(other)), '401 ModelArts.0203')
    assert.equal(codeOf(await list(await adminToken('unscoped'))), '401 ModelArts.0212')
    assert.equal(
      codeOf(await list(await adminToken({ domain: { id: 'default' } }))),
      '401 ModelArts.0207',
    )
  })

  test('a signature without its date, and with one of yesterday', async () => {
    const key = edge.w.credentials['HUAWEICLOUD_SDK_AK'] ?? ''
    const sign = (signed: string) =>
      `SDK-HMAC-SHA256 Access=${key}, SignedHeaders=${signed}, Signature=${'0'.repeat(64)}`
    const list = (headers: Record<string, string>) =>
      edge.bob.call('GET', '/v1/{p}/services', undefined, { 'x-auth-token': '', ...headers })
    assert.equal(codeOf(await list({ authorization: sign('host') })), '401 ModelArts.0205')
    const old = { 'x-sdk-date': '20200101T000000Z', authorization: sign('host;x-sdk-date') }
    assert.equal(codeOf(await list(old)), '401 ModelArts.0208')
    assert.equal(
      codeOf(await list({ authorization: 'SDK-HMAC-SHA256 nonsense' })),
      '401 ModelArts.0206',
    )
  })

  test('a path of another project is refused before the body is read', async () => {
    const reply = await edge.bob.call(
      'PUT',
      nodePath(id, 'edge-1').replace('{p}', edge.stranger.project),
      '{',
    )
    assert.equal(codeOf(reply), '403 ModelArts.0210')
  })

  test('a reader reads, and is told the right that it lacks for each change', async () => {
    assert.equal((await edge.reader.call('GET', `/v1/{p}/services/${id}`)).status, 200)
    const rights: readonly (readonly [string, string, unknown, string])[] = [
      ['PUT', nodePath(id, 'edge-1'), stop, 'modelarts:nodeservice:action'],
      ['POST', '/v1/{p}/services', edge.deploying('by-reader'), 'modelarts:service:create'],
      ['PUT', `/v1/{p}/services/${id}`, stop, 'modelarts:service:action'],
      ['PUT', `/v1/{p}/services/${id}`, {}, 'modelarts:service:update'],
      ['DELETE', `/v1/{p}/services/${id}`, undefined, 'modelarts:service:delete'],
    ]
    for (const [method, path, body, right] of rights) {
      const reply = await edge.reader.call(method, path, body)
      assert.equal(codeOf(reply), '403 ModelArts.0108')
      assert.match(String(at(reply.body, 'error_msg')), new RegExp(`\\(${right}\\)`))
    }
  })
})

suite('what all answers have in common', () => {
  test('a request id of 32 hex digits, the content type, and three error keys', async () => {
    const good = await edge.bob.call('GET', '/v1/{p}/services')
    const bad = await edge.bob.call('GET', '/v1/{p}/services/nowhere')
    const stray = await edge.bob.call('GET', '/v1/{p}/services/a/b/c')
    for (const reply of [good, bad, stray]) {
      assert.match(reply.headers.get('x-request-id') ?? '', /^[0-9a-f]{32}$/)
      assert.equal(reply.headers.get('content-type'), 'application/json; charset=UTF-8')
    }
    assert.equal(codeOf(stray), '404 ModelArts.0015')
    for (const { body } of [bad, stray]) {
      assert.deepEqual(Object.keys(body as object).toSorted(), [
        'error_code',
        'error_message',
        'error_msg',
      ])
      assert.equal(at(body, 'error_msg'), at(body, 'error_message'))
    }
  })

  test('too much, and a path that is none, are said in the same words', async () => {
    const big = await edge.bob.call('POST', '/v1/{p}/services', ' '.repeat(3 * 1024 * 1024))
    assert.equal(codeOf(big), '413 ModelArts.0101')
    const broken = await edge.bob.call('GET', '/v1/{p}/services/%zz')
    assert.equal(codeOf(broken), '400 ModelArts.0101')
    const other = await edge.bob.call('GET', '/v1/{p}/models')
    assert.equal(codeOf(other), '404 ModelArts.0015')
    const method = await edge.bob.call('PATCH', '/v1/{p}/services')
    assert.equal(codeOf(method), '404 ModelArts.0015')
  })

  test('a slash behind the path and any JSON content type are welcome', async () => {
    const list = await edge.bob.call('GET', '/v1/{p}/services/')
    assert.equal(list.status, 200)
    const id = await edge.deploy('slash')
    const path = `${nodePath(id, 'edge-1')}/`
    const type = { 'content-type': 'application/json;charset=UTF-8', 'x-language': 'en-us' }
    assert.equal(
      (await edge.bob.call('PUT', path, { status: 'stopped', extra: 1 }, type)).status,
      200,
    )
  })

  test('an idempotency key repeated gives the same answer once; with another request it is refused', async () => {
    const id = await edge.deploy('idempotent')
    const key = { 'idempotency-key': 'k-1' }
    const stopped = { status: 'stopped' }
    assert.equal((await edge.bob.call('PUT', nodePath(id, 'edge-1'), stopped, key)).status, 200)
    await edge.settles(id, 'edge-1', 'stopped')
    assert.equal((await edge.bob.call('PUT', nodePath(id, 'edge-1'), stopped, key)).text, '{}')
    const other = await edge.bob.call('PUT', nodePath(id, 'edge-2'), stopped, key)
    assert.equal(codeOf(other), '400 ModelArts.0107')
    assert.equal(await edge.nodeStatus(id, 'edge-2'), 'running')
    const blank = await edge.bob.call('PUT', nodePath(id, 'edge-2'), stopped, {
      'x-dry-run': 'maybe',
    })
    assert.equal(codeOf(blank), '400 ModelArts.3037')
  })

  test('a dry run answers the plan and changes nothing', async () => {
    const id = await edge.deploy('dry')
    const dry = { 'x-dry-run': 'true' }
    const reply = await edge.bob.call('PUT', nodePath(id, 'edge-1'), { status: 'stopped' }, dry)
    assert.equal(reply.status, 200)
    assert.equal(at(reply.body, 'dry_run'), true)
    assert.equal(at(reply.body, 'plan', 'from'), 'running')
    assert.equal(at(reply.body, 'plan', 'to'), 'stopping')
    const wrong = await edge.bob.call('PUT', nodePath(id, 'edge-1'), { status: 'running' }, dry)
    assert.equal(codeOf(wrong), '400 ModelArts.3519')
    await until(
      () => edge.nodeStatus(id, 'edge-1'),
      (status) => status === 'running',
    )
  })
})

async function adminToken(scope: unknown): Promise<string> {
  const { credentials } = edge.w
  const user = {
    name: credentials['OS_USERNAME'],
    domain: { id: 'default' },
    password: credentials['OS_PASSWORD'],
  }
  const auth = { identity: { methods: ['password'], password: { user } }, scope }
  const reply = await edge.bob.call('POST', '/v3/auth/tokens', { auth }, { 'x-auth-token': '' })
  return reply.headers.get('x-subject-token') ?? reply.text
}

async function setNode(id: string, state: 'ready' | 'failed' | 'unconnected') {
  const row = await edge.w.plane.read.get('nodes', id)
  assert.ok(row)
  await edge.direct({ verb: 'put', table: 'nodes', row: { ...row, state } })
}
