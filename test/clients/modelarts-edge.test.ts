// The vendor's Node core runs every call of the edge door, E1 to E11, unmodified but for the endpoint. It is the
// one published client of the vendor's that can make them all.
// Source: edge inference contract, sections 4 and 6.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { at, listAt } from '#test/harness/api.ts'
import { edgeFlavors } from '#test/harness/edge-world.ts'
import { accepted, refused, type Send, senderOf, statusOf } from '#test/harness/huawei-core.ts'
import { until, world, type World } from '#test/harness/world.ts'

let w: World
let send: Send
before(async () => {
  w = await world({ config: { catalogue: { flavors: edgeFlavors } } })
  send = senderOf(w)
})
after(() => w.close())

const one = '/services/{service_id}'
const entry = { model_id: 'sim', specification: 'sim.fast' }

test('the conformance checklist of the contract, from deployment to 404', async () => {
  const config = [{ ...entry, nodes: ['edge-1', 'edge-2'] }]
  const data = { service_name: 'by-sdk', infer_type: 'edge', config }
  const made = await send('POST', '/services', { data })
  accepted(made)
  const path = { service_id: String(at(made, 'service_id')), node_id: 'edge-1' }
  const show = () => send('GET', one, { path })
  const becomes = (status: string) => until(show, (reply) => at(reply, 'status') === status)
  const node = (status: string, node_id = 'edge-1') =>
    send('PUT', `${one}/nodes/{node_id}/status`, { path: { ...path, node_id }, data: { status } })
  const shows = (index: number, status: string) =>
    until(show, (reply) => at(reply, 'config', 0, 'nodes', index, 'instance_status') === status)
  await becomes('running')
  accepted(await node('stopped'))
  assert.equal(at(await shows(0, 'stopped'), 'status'), 'running')
  await refused(node('stopped'), 400, 'ModelArts.3519')
  accepted(await node('running'))
  await shows(0, 'running')
  await refused(node('running', 'edge-2'), 400, 'ModelArts.3519')
  await refused(node('paused'), 400, 'ModelArts.3037')
  await refused(node('stopped', 'edge-9'), 404, 'ModelArts.0015')
  const put = (sent: Record<string, unknown>) => send('PUT', one, { path, data: sent })
  await refused(
    send('PUT', `${one}/nodes/{node_id}/status`, { path, data: {} }),
    400,
    'ModelArts.3610',
  )
  accepted(await node('stopped', 'edge-1'))
  accepted(await node('stopped', 'edge-2'))
  await becomes('stopped')
  accepted(await put({ status: 'running' }))
  await becomes('running')
  accepted(await put({ config: [{ ...entry, envs: { MODE: 'new' }, nodes: ['edge-2'] }] }))
  const again = await becomes('running')
  assert.equal(at(again, 'config', 0, 'envs', 'MODE'), 'new')
  accepted(await send('DELETE', one, { path }))
  await until(
    () => statusOf(show()),
    (status) => status === 404,
  )
})

test('what is read: the list, events, updates, monitoring, specifications, clusters', async () => {
  const config = [{ ...entry, nodes: ['edge-1'] }]
  const data = { service_name: 'read-by-sdk', infer_type: 'edge', config }
  const made = await send('POST', '/services', { data })
  const path = { service_id: String(at(made, 'service_id')) }
  const list = () => send('GET', '/services', { query: { infer_type: 'edge', limit: 10 } })
  await until(list, (reply) => at(reply, 'services', 0, 'status') === 'running')
  const read = async (url: string, query: Record<string, string | number> = {}) => {
    const reply = await send('GET', url, { path, query })
    accepted(reply)
    return reply
  }
  const events = await read(`${one}/events`, { order: 'asc' })
  assert.equal(at(events, 'events', 0, 'event_info'), 'start to deploy service')
  assert.equal(at(await read(`${one}/logs`), 'logs', 0, 'result'), 'SUCCESS')
  assert.equal(at(await read(`${one}/monitor`), 'monitors', 0, 'node_id'), 'edge-1')
  const specifications = await read('/services/specifications', { infer_type: 'edge' })
  assert.ok(listAt(specifications, 'specifications').length > 0)
  assert.equal(at(await read('/clusters'), 'total_count'), 0)
  await refused(send('GET', `${one}/logs`, { path: { service_id: 'none' } }), 404, 'ModelArts.3502')
})

test('a wrong secret is refused; without a project header it acts in the project of the path', async () => {
  await refused(senderOf(w, 'not the secret')('GET', '/services'), 401, 'ModelArts.0208')
  accepted(await senderOf(w, undefined, 'no project header')('GET', '/services'))
})
