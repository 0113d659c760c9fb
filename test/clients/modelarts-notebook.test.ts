// The vendor's Node core makes every call of both notebook families, unmodified but for the endpoint: it signs, sends
// empty bodies and queries as the vendor's own SDKs do, and throws what is not 2xx.
// Source: notebook contract, sections 4.2 and 6.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js'
import { ClientBuilder } from '@huaweicloud/huaweicloud-sdk-core/ClientBuilder.js'
import type { HcClient } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js'
import { ClientRequestException } from '@huaweicloud/huaweicloud-sdk-core/exception/ClientRequestException.js'
import { at, listAt } from '#test/harness/api.ts'
import { type JumpingClock, jumpingClock } from '#test/harness/jumping-clock.ts'
import { until, world, type World } from '#test/harness/world.ts'

const attributes = { createMs: 1, startMs: 3, stopMs: 3, hardStopMs: 3, removeMs: 1 }
const sim = { driver: 'simulated', kinds: ['notebook'], attributes, releasesOnStop: true }
const catalogue = {
  pools: [{ id: 'free', capacity: 1 }],
  flavors: [
    { id: 'sim.fast', ...sim },
    { id: 'sim.brief', ...sim, autoStopMs: 60_000 },
    { id: 'sim.other', ...sim },
    { id: 'sim.free', ...sim, charge: 'free', pool: 'free', autoStopMs: 3_600_000 },
  ],
}

let w: World
let clock: JumpingClock
let client: HcClient

before(async () => {
  clock = jumpingClock()
  w = await world({ clock, config: { catalogue } })
  const credentials = new BasicCredentials()
    .withAk(w.credentials['HUAWEICLOUD_SDK_AK'] ?? '')
    .withSk(w.credentials['HUAWEICLOUD_SDK_SK'] ?? '')
    .withProjectId(w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? '')
  client = new ClientBuilder<HcClient>((one) => one)
    .withCredential(credentials)
    .withEndpoint(w.url)
    .build()
})
after(() => w.close())

interface More {
  readonly id?: string
  readonly query?: Record<string, string | number>
  readonly data?: Record<string, unknown>
}

const send = (method: string, url: string, { id, query = {}, data }: More = {}): Promise<unknown> =>
  client.sendRequest({
    method,
    url: `/v1/{project_id}${url}`,
    contentType: 'application/json',
    queryParams: query,
    pathParams: {
      project_id: w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? '',
      ...(id === undefined ? {} : { id }),
    },
    headers: {},
    ...(data === undefined ? {} : { data }),
  })

async function refused(sending: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(sending, (thrown) => {
    assert.ok(thrown instanceof ClientRequestException, String(thrown))
    assert.deepEqual([thrown.httpStatusCode, thrown.errorCode], [400, `ModelArts.${code}`])
    assert.notEqual(thrown.errorMsg ?? '', '')
    assert.match(thrown.requestId ?? '', /^[0-9a-f]{32}$/)
    return true
  })
}

const codeOf = (sending: Promise<unknown>): Promise<unknown> =>
  sending.then(
    () => 'there',
    (thrown: unknown) => at(thrown, 'errorCode'),
  )

suite('DevEnviron', () => {
  const all = '/demanager/instances'
  const one = `${all}/{id}`
  const spec = { storage: { type: 'evs' } }
  const make = async (name: string, flavor = 'sim.fast') => {
    const data = { name, profile_id: 'sim', flavor, spec }
    return String(at(await send('POST', all, { data }), 'id'))
  }
  const becomes = (id: string, status: string) =>
    until(
      () => send('GET', one, { id }),
      (reply) => at(reply, 'status') === status,
    )
  const act = (id: string, action: string) =>
    send('POST', `${one}/action`, { id, data: { action } })

  test('A1 to A7, with the pair of statuses that each action answers', async () => {
    const id = await make('by-sdk')
    await becomes(id, 'RUNNING')
    assert.match(String(at(await send('GET', `${one}/token`, { id }), 'token')), /^[0-9a-f]{32}$/)
    const autoStop = { auto_stop: { enable: true, duration: 3600 } }
    const updated = await send('PUT', one, { id, data: { description: 'new', spec: autoStop } })
    assert.equal(at(updated, 'spec', 'auto_stop', 'duration'), 3600)
    await refused(send('DELETE', one, { id }), '6304')
    const pair = (reply: unknown) => [at(reply, 'previous_state'), at(reply, 'current_status')]
    assert.deepEqual(pair(await act(id, 'restart')), ['RUNNING', 'RESTARTING'])
    const { spec: armed } = (await becomes(id, 'RUNNING')) as { spec: unknown } // the instance object
    assert.equal(typeof at(armed, 'auto_stop', 'stop_timestamp'), 'number')
    const brief = await make('brief', 'sim.brief')
    await becomes(brief, 'RUNNING')
    // Nobody calls, and it is stopped all the same. A signature is good for fifteen minutes.
    clock.jump(61_000)
    await becomes(brief, 'STOPPED')
    await refused(act(brief, 'stop'), '6307')
    await act(id, 'stop')
    await becomes(id, 'STOPPED')
    await refused(act(id, 'queue'), '6323')
    assert.deepEqual(pair(await act(id, 'start')), ['STOPPED', 'STARTING'])
    await becomes(id, 'RUNNING')
    await refused(act(id, 'start'), '6305')
    assert.deepEqual(pair(await act(id, 'stop')), ['RUNNING', 'STOPPING'])
    await becomes(id, 'STOPPED')
    const query = { de_type: 'Notebook', status: 'STOPPED', limit: 0 }
    assert.equal(at(await send('GET', all, { query }), 'total_count'), 2)
    assert.equal(at(await send('DELETE', one, { id }), 'instance_id'), id)
    await refused(send('GET', one, { id }), '6309')
  })

  test('a free flavor: queued with rank and time, left, reserved, started', async () => {
    const holder = await make('holder', 'sim.free')
    await becomes(holder, 'RUNNING')
    const waits = await make('waits', 'sim.free')
    const info = at(await becomes(waits, 'CREATE_QUEUING'), 'queuing_info')
    assert.equal(at(info, 'rank'), 1)
    assert.ok(Number(at(info, 'remain_time')) > 0)
    await act(waits, 'dequeue')
    await refused(act(waits, 'start'), '6329')
    assert.equal(at(await act(waits, 'queue'), 'current_status'), 'START_QUEUING')
    await act(holder, 'stop')
    await becomes(waits, 'READY_TO_START')
    assert.equal(at(await act(waits, 'start'), 'previous_state'), 'READY_TO_START')
    await becomes(waits, 'RUNNING')
  })
})

suite('notebooks', () => {
  const all = '/notebooks'
  const one = `${all}/{id}`
  const volume = { category: 'EVS', ownership: 'MANAGED', capacity: 10 }
  const show = (id: string) => send('GET', one, { id })
  const becomes = (id: string, status: string) =>
    until(
      () => show(id),
      (reply) => at(reply, 'status') === status,
    )

  test('B1 to B15, and then it is unknown', async () => {
    const images = await send('GET', '/images', { query: { limit: 50 } })
    assert.ok(listAt(images, 'data').some((image) => at(image, 'status') === 'ACTIVE'))
    const flavors = await send('GET', `${all}/flavors`, { query: { category: 'CPU' } })
    assert.ok(listAt(flavors, 'data').some((flavor) => at(flavor, 'id') === 'sim.fast'))
    const data = { name: 'by-sdk', flavor: 'sim.fast', image_id: 'sim', volume, duration: -1 }
    const made = await send('POST', all, { data })
    const id = String(at(made, 'id'))
    assert.equal(at(await becomes(id, 'RUNNING'), 'lease', 'enable'), false)
    const lease = await send('PATCH', `${one}/lease`, {
      id,
      data: { duration: 7_200_000, type: 'timing' },
    })
    assert.equal(
      Number(at(lease, 'duration')),
      Number(at(lease, 'update_at')) - Number(at(lease, 'create_at')) + 7_200_000,
    )
    const shown = await send('GET', `${one}/lease`, { id })
    assert.equal(at(shown, 'duration'), at(lease, 'duration'))
    assert.equal(at(await send('PATCH', `${one}/lease`, { id, data: {} }), 'type'), 'TIMING')
    await send('PUT', one, { id, data: { name: 'renamed', storage_new_size: 20 } })
    await send('POST', `${one}/tags/create`, { id, data: { tags: [{ key: 'k', value: 'v' }] } })
    const found = await send('GET', `${all}/all`, { query: { tags: 'k=v', name: 'renamed' } })
    assert.equal(at(found, 'data', 0, 'volume', 'capacity'), 20)
    assert.deepEqual(at(await send('GET', `${all}/tags`), 'tags'), [{ key: 'k', values: ['v'] }])
    await send('DELETE', `${one}/tags/delete`, { id, data: { tags: [{ key: 'k' }] } })
    assert.deepEqual(at(await show(id), 'tags'), [])
    assert.equal(at(await send('GET', `${one}/storage`, { id }), 'total'), 0)
    assert.equal(at(await send('POST', `${one}/stop`, { id }), 'status'), 'STOPPING')
    await becomes(id, 'STOPPED')
    await refused(send('POST', `${one}/stop`, { id }), '6357')
    const other = await send('GET', `${one}/flavors`, { id })
    assert.ok(listAt(other, 'flavors').some((flavor) => at(flavor, 'id') === 'sim.other'))
    await send('PUT', one, { id, data: { flavor: 'sim.other' } })
    const query = { duration: 3_600_000, type: 'timing' }
    assert.equal(at(await send('POST', `${one}/start`, { id, query }), 'status'), 'STARTING')
    assert.equal(at(await becomes(id, 'RUNNING'), 'flavor'), 'sim.other')
    assert.equal(at(await send('GET', all, { query: { limit: 10 } }), 'total'), 1)
    assert.equal(at(await send('DELETE', one, { id }), 'status'), 'DELETING')
    await until(
      () => codeOf(show(id)),
      (code) => code === 'ModelArts.6404',
    )
  })
})
