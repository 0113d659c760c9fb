// Laws of a server's metadata (contract, section 6.6).

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gatedStore } from '#test/harness/gated-store.ts'
import { as, type OpenStackCaller, settled, twoProjects } from '#test/harness/openstack.ts'
import { until, type World, world } from '#test/harness/world.ts'

const servers = '/compute/v2.1/servers'
const quick = { startMs: 10, stopMs: 10, hardStopMs: 10, removeMs: 5 }
const plain = { name: 'one', flavorRef: 'quick', imageRef: 'sim' }

const gated = gatedStore()
let w: World
let mary: OpenStackCaller
let rita: OpenStackCaller
let ada: OpenStackCaller
let otto: OpenStackCaller

before(async () => {
  const flavors = [
    { id: 'quick', driver: 'simulated', attributes: quick },
    { id: 'slow', driver: 'simulated', attributes: { ...quick, startMs: 60_000 } },
  ]
  const config = { identity: twoProjects, catalogue: { flavors } }
  w = await world({ config, store: gated.store })
  mary = await as(w, 'mary')
  rita = await as(w, 'rita')
  ada = await as(w, 'ada')
  otto = await as(w, 'otto')
})
after(() => w.close())

async function made(server: object): Promise<string> {
  const heard = await mary.call('POST', servers, { body: { server } })
  return heard.textAt('server.id')
}

async function running(server: object = plain): Promise<string> {
  const id = await made(server)
  await settled(mary, id, 'ACTIVE')
  return id
}

test('metadata: merge, replace, one item, and each refusal', async () => {
  const id = await running({ ...plain, metadata: { a: '1' } })
  const at = (key = '') => `${servers}/${id}/metadata${key}`
  const all = async () => (await mary.call('GET', at())).at('metadata')
  const merged = await mary.call('POST', at(), { body: { metadata: { b: '2' } } })
  assert.deepEqual(merged.json, { metadata: { a: '1', b: '2' } })
  const item = await mary.call('PUT', at('/a'), { body: { meta: { a: '3' } } })
  assert.deepEqual(item.json, { meta: { a: '3' } })
  assert.deepEqual((await mary.call('GET', at('/a'))).json, { meta: { a: '3' } })
  assert.equal((await mary.call('DELETE', at('/b'))).status, 204)
  assert.deepEqual(await all(), { a: '3' })
  const replaced = await mary.call('PUT', at(), { body: { metadata: { c: '4' } } })
  assert.deepEqual(replaced.json, { metadata: { c: '4' } })
  const missing = await mary.call('GET', at('/toString'))
  assert.equal(missing.at('itemNotFound.message'), 'Metadata item was not found')
  assert.equal((await mary.call('DELETE', at('/a'))).status, 404)
  const mismatch = await mary.call('PUT', at('/x'), { body: { meta: { y: '1' } } })
  assert.equal(mismatch.at('badRequest.message'), 'Request body and URI mismatch')
  assert.equal((await mary.call('PUT', at())).status, 400)
  assert.equal((await mary.call('POST', at(), { body: { metadata: { a: 1 } } })).status, 400)
  const many = Object.fromEntries(Array.from({ length: 128 }, (_, n) => [`k${n}`, 'v']))
  const over = await mary.call('POST', at(), { body: { metadata: many } })
  assert.equal(over.status, 403)
  assert.equal((await rita.call('POST', at(), { body: { metadata: {} } })).status, 403)
  assert.equal((await otto.call('GET', at())).status, 404)
  await mary.call('POST', `${servers}/${id}/action`, { body: { lock: null } })
  const locked = await mary.call('POST', at(), { body: { metadata: { d: '5' } } })
  assert.equal(locked.at('conflictingRequest.message'), `Instance ${id} is locked`)
  assert.deepEqual(await all(), { c: '4' })
})

test('metadata of a server that is being built or has failed is refused', async () => {
  const id = await made({ ...plain, flavorRef: 'slow' })
  const write = () =>
    mary.call('POST', `${servers}/${id}/metadata`, { body: { metadata: { a: 'b' } } })
  const cannot = (state: string) =>
    `Cannot 'update metadata' instance ${id} while it is in vm_state ${state}`
  assert.equal((await write()).at('conflictingRequest.message'), cannot('building'))
  const body = { 'os-resetState': { state: 'error' } }
  await ada.call('POST', `${servers}/${id}/action`, { body })
  assert.equal((await write()).at('conflictingRequest.message'), cannot('error'))
})

test('two writers of metadata do not undo each other', async () => {
  const id = await running()
  const path = `${servers}/${id}/metadata`
  const write = (key: string) => mary.call('POST', path, { body: { metadata: { [key]: 'v' } } })
  // Both read the server before either has changed it.
  const pending = await gated.whileHeld(
    () => write('a'),
    async () => {
      const others = ['b', 'c'].map(write)
      for (let looks = 0; looks < 5; looks++) {
        assert.deepEqual((await mary.call('GET', path)).at('metadata'), {})
      }
      return { others }
    },
  )
  await Promise.all(pending.others)
  const heard = await until(
    () => mary.call('GET', path),
    ({ text }) => text.includes('"a"'),
  )
  assert.deepEqual(heard.at('metadata'), { a: 'v', b: 'v', c: 'v' })
})
