// The vendor's Node core, unmodified but for the endpoint: its generic client signs and sends any operation, and
// is the one published client of the vendor's that can make every call of these two doors.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js'
import { ClientBuilder } from '@huaweicloud/huaweicloud-sdk-core/ClientBuilder.js'
import { type HcClient } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js'
import { ClientRequestException } from '@huaweicloud/huaweicloud-sdk-core/exception/ClientRequestException.js'
import { at } from '#test/harness/api.ts'
import { edgeFlavors } from '#test/harness/edge-world.ts'
import { until, world, type World } from '#test/harness/world.ts'

let w: World
let send: Send

type Send = (
  method: string,
  url: string,
  more?: {
    readonly path?: Record<string, string>
    readonly query?: Record<string, string | number>
    readonly data?: Record<string, unknown>
  },
) => Promise<unknown>

before(async () => {
  w = await world({ config: { catalogue: { flavors: edgeFlavors } } })
  send = senderOf(w.credentials['HUAWEICLOUD_SDK_SK'] ?? '')
})
after(() => w.close())

function senderOf(secret: string, header = 'project header'): Send {
  const credentials = new BasicCredentials()
    .withAk(w.credentials['HUAWEICLOUD_SDK_AK'] ?? '')
    .withSk(secret)
  if (header === 'project header')
    credentials.withProjectId(w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? '')
  const client = new ClientBuilder<HcClient>((one) => one)
    .withCredential(credentials)
    .withEndpoint(w.url)
    .build()
  return (method, url, { path = {}, query = {}, data } = {}) =>
    client.sendRequest({
      method,
      url: `/v1/{project_id}${url}`,
      contentType: 'application/json',
      queryParams: query,
      pathParams: { project_id: w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? '', ...path },
      headers: {},
      ...(data === undefined ? {} : { data }),
    })
}

/** The client throws what is not 2xx; its exception has the code, the text and the request id. */
async function refused(sending: Promise<unknown>, status: number, code: string): Promise<void> {
  await assert.rejects(sending, (thrown) => {
    assert.ok(thrown instanceof ClientRequestException, String(thrown))
    assert.equal(thrown.httpStatusCode, status)
    assert.equal(thrown.errorCode, code)
    assert.notEqual(thrown.errorMsg ?? '', '')
    assert.match(thrown.requestId ?? '', /^[0-9a-f]{32}$/)
    return true
  })
}

const ok = (reply: unknown) => assert.equal(at(reply, 'httpStatusCode'), 200)

test('edge services: E1 to E6', async () => {
  const config = [{ model_id: 'sim', specification: 'sim.fast', nodes: ['edge-1', 'edge-2'] }]
  const data = { service_name: 'by-sdk', infer_type: 'edge', config }
  const made = await send('POST', '/services', { data })
  ok(made)
  const service = String(at(made, 'service_id'))
  const path = { service_id: service, node_id: 'edge-1' }
  const show = () => send('GET', '/services/{service_id}', { path })
  const becomes = (status: string) => until(show, (reply) => at(reply, 'status') === status)
  await becomes('running')
  const list = await send('GET', '/services', { query: { infer_type: 'edge', limit: 10 } })
  assert.equal(at(list, 'services', 0, 'service_name'), 'by-sdk')
  const node = (status: string) =>
    send('PUT', '/services/{service_id}/nodes/{node_id}/status', { path, data: { status } })
  ok(await node('stopped'))
  await until(show, (reply) => at(reply, 'config', 0, 'nodes', 0, 'instance_status') === 'stopped')
  await refused(node('stopped'), 400, 'ModelArts.3519')
  await refused(node('paused'), 400, 'ModelArts.3037')
  const none = { ...path, node_id: 'edge-9' }
  await refused(
    send('PUT', '/services/{service_id}/nodes/{node_id}/status', {
      path: none,
      data: { status: 'stopped' },
    }),
    404,
    'ModelArts.0015',
  )
  ok(await send('PUT', '/services/{service_id}', { path, data: { status: 'stopped' } }))
  await becomes('stopped')
  ok(await send('DELETE', '/services/{service_id}', { path }))
  await until(
    () =>
      show().then(
        () => 'there',
        (thrown: unknown) => at(thrown, 'httpStatusCode'),
      ),
    (status) => status === 404,
  )
})

suite('notebooks', () => {
  test('the first family: A1 and its refusals', async () => {
    const spec = { storage: { type: 'evs' } }
    const data = { name: 'by-sdk', profile_id: 'sim', flavor: 'sim.fast', spec }
    const made = await send('POST', '/demanager/instances', { data })
    ok(made)
    const path = { instance_id: String(at(made, 'id')) }
    const becomes = (status: string) =>
      until(
        () => send('GET', '/demanager/instances/{instance_id}', { path }),
        (reply) => at(reply, 'status') === status,
      )
    const act = (action: string) =>
      send('POST', '/demanager/instances/{instance_id}/action', { path, data: { action } })
    await becomes('RUNNING')
    const stopping = await act('stop')
    assert.equal(at(stopping, 'current_status'), 'STOPPING')
    assert.equal(at(stopping, 'previous_state'), 'RUNNING')
    await becomes('STOPPED')
    await refused(act('stop'), 400, 'ModelArts.6307')
    await refused(act('restart'), 400, 'ModelArts.6327')
    await refused(act('queue'), 400, 'ModelArts.6323')
    ok(await act('start'))
    await becomes('RUNNING')
    ok(await act('restart'))
    await becomes('RUNNING')
    await refused(
      send('GET', '/demanager/instances/{instance_id}', { path: { instance_id: 'DE-none' } }),
      400,
      'ModelArts.6309',
    )
  })

  test('the second family: B1, B2 and B10, with queries and empty bodies', async () => {
    const volume = { category: 'EVS', ownership: 'MANAGED' }
    const data = { name: 'by-sdk', flavor: 'sim.fast', image_id: 'sim', volume }
    const made = await send('POST', '/notebooks', { data })
    ok(made)
    const path = { id: String(at(made, 'id')) }
    const show = () => send('GET', '/notebooks/{id}', { path })
    const becomes = (status: string) => until(show, (reply) => at(reply, 'status') === status)
    await becomes('RUNNING')
    ok(await send('POST', '/notebooks/{id}/stop', { path }))
    await becomes('STOPPED')
    await refused(send('POST', '/notebooks/{id}/stop', { path }), 400, 'ModelArts.6357')
    const query = { duration: 3_600_000, type: 'timing' }
    const started = await send('POST', '/notebooks/{id}/start', { path, query })
    assert.equal(at(started, 'status'), 'STARTING')
    await becomes('RUNNING')
    assert.equal(at(await send('DELETE', '/notebooks/{id}', { path }), 'status'), 'DELETING')
    await until(
      () =>
        show().then(
          () => 'there',
          (thrown: unknown) => at(thrown, 'errorCode'),
        ),
      (code) => code === 'ModelArts.6404',
    )
  })
})

test('a wrong secret is refused by both doors', async () => {
  const forged = senderOf('not the secret')
  for (const url of ['/services', '/notebooks'])
    await refused(forged('GET', url), 401, 'ModelArts.0208')
})

test('signed without a project header, it acts in the project of the path', async () => {
  const bare = senderOf(w.credentials['HUAWEICLOUD_SDK_SK'] ?? '', 'no project header')
  ok(await bare('GET', '/services'))
})
