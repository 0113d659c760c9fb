// A real process and the registered instance that it is: drained through our own door, seen by a registry client.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { at } from '#test/harness/api.ts'
import { adminOf, type NativeApi } from '#test/harness/native-api.ts'
import { jumpingClock } from '#test/harness/jumping-clock.ts'
import { client, type Client, find, revisionOf, stage } from '#test/harness/registry.ts'
import type { InstanceShown, OperationShown, ReceiptShown } from '#doors/native/wire.ts'
import { until, type World, world } from '#test/harness/world.ts'

const catalogue = {
  flavors: [{ id: 'real', driver: 'process', kinds: ['server'], graceMs: 5_000 }],
  images: [{ id: 'sleeper', kinds: ['server'], launch: { command: ['sleep', '1000'] } }],
}

const clock = jumpingClock()
let w: World
let api: NativeApi
let registry: Client
let server: InstanceShown
// In a suite, so that its server starts when they begin: the first of them needs one that has just started.
describe('a drained server', () => {
  before(async () => {
    const config = { catalogue, drivers: { process: { pollMs: 50 } } }
    w = await world({ store: 'sqlite', config, clock })
    api = adminOf(w)
    registry = client(w)
    await stage(registry)
    server = await api.server({ flavor: 'real', image: 'sleeper' })
  })
  after(() => w.close())

  const shownBy = async (rev = ''): Promise<readonly [number, unknown]> => {
    const reply = await registry.call('GET', `${find}&rev=${rev}`)
    return [reply.status, at(reply.body, 'instances', '0', 'status')]
  }

  it('a drain takes it out of service for every consumer before its process ends; a start puts it back', async () => {
    await api.act(server.id, { action: 'bind', service: 'svc1', instance: 'i1' })
    const bound = await api.get<InstanceShown>(`/instances/${server.id}`)
    assert.deepEqual(bound.serves, [{ service: 'svc1', instance: 'i1' }])
    const rev = revisionOf(await registry.call('GET', find))
    assert.deepEqual(await shownBy(rev), [304, undefined])
    const stop = { action: 'stop', mode: 'drain', graceMs: 20_000, why: 'a new version' }
    const drain: ReceiptShown = await api.act(server.id, stop)
    await until(
      () => shownBy(rev),
      ([status, shown]) => status === 200 && shown === 'OUTOFSERVICE',
    )
    assert.equal((await api.get<InstanceShown>(`/instances/${server.id}`)).power, 'up')
    // Nobody knows who its consumers are so soon after a start, so it waits its whole time.
    clock.jump(21_000)
    const ended: OperationShown = await api.ended(drain.operation)
    assert.equal(ended.state, 'succeeded')
    assert.deepEqual(
      ended.log.map(({ step, message }) => (message === null ? step : `${step}: ${message}`)),
      [
        'withdraw',
        'await-unseen: not all consumers were shown it within 20 s',
        'stop',
        'await-down',
      ],
    )
    assert.equal(
      (await registry.call('PUT', '{r}/microservices/svc1/instances/i1/heartbeat')).status,
      200,
    )
    assert.deepEqual(await shownBy(), [200, 'OUTOFSERVICE'], 'a beat does not put it back')
    const { items } = await api.get<{ items: InstanceShown[] }>('/instances?kind=service-instance')
    assert.equal(items[0]?.registration?.withdrawal?.operation, drain.operation)
    assert.equal(items[0]?.registration?.override, null, 'nobody set anything')
    await api.ended((await api.act(server.id, { action: 'start' })).operation)
    assert.deepEqual(await shownBy(), [200, 'UP'])
  })

  it('a process whose client says whose it is needs no binding by hand', async () => {
    const own = { instanceId: 'i2', properties: { 'runstate.instance': server.id } }
    const body = { instance: { hostName: 'h', endpoints: [], ...own } }
    await registry.call('POST', '{r}/microservices/svc1/instances', body)
    const { serves } = await api.get<InstanceShown>(`/instances/${server.id}`)
    assert.deepEqual(serves.at(-1), { service: 'svc1', instance: 'i2' })
    await api.act(server.id, { action: 'unbind', service: 'svc1', instance: 'i2' })
    const refused = await api.refused('POST', `/instances/${server.id}/actions`, {
      body: { action: 'unbind', service: 'svc1', instance: 'i2' },
    })
    assert.equal(refused.code, 'NotFound')
  })
})
