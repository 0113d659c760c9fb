// The vendor's Node core, unmodified but for the endpoint: its generic client signs and sends any operation, and
// is the one published client of the vendor's that can make every call of this door.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at } from '#test/harness/api.ts'
import { edgeFlavors } from '#test/harness/edge-world.ts'
import { accepted, refused, type Send, senderOf } from '#test/harness/huawei-core.ts'
import { until, world, type World } from '#test/harness/world.ts'

let w: World
let send: Send

before(async () => {
  w = await world({ config: { catalogue: { flavors: edgeFlavors } } })
  send = senderOf(w)
})
after(() => w.close())

const ok = accepted

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

test('a wrong secret is refused', async () => {
  await refused(senderOf(w, 'not the secret')('GET', '/notebooks'), 401, 'ModelArts.0208')
})
