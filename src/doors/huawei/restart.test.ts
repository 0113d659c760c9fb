// A job outlives the server that accepted it: nothing of it is kept in memory.
// Source: contracts/openstack-compute.md section 11.4.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { batch, job, jobEnded, partsOf, serversOf } from '#test/harness/huawei.ts'
import { as, settled, twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'runstate-job-'))
const attributes = { startMs: 5, hardStopMs: 5, removeMs: 5, ignoreSoftStop: true }
const flavors = [{ id: 'stubborn', driver: 'simulated', graceMs: 60_000, attributes }]
const config = { identity: twoProjects, catalogue: { flavors } }
let w: World | undefined
after(async () => {
  await w?.close()
  await rm(dataDir, { recursive: true, force: true })
})

test('a job that runs while the server goes away is found again, and ends', async () => {
  w = await world({ store: 'sqlite', dataDir, config })
  const before = await as(w, 'mary')
  const wanted = { name: 'web', flavorRef: 'stubborn', imageRef: 'sim' }
  const made = await before.call('POST', '/compute/v2.1/servers', { body: { server: wanted } })
  const id = made.textAt('server.id')
  await settled(before, id, 'ACTIVE')
  const stop = { 'os-stop': { type: 'SOFT', servers: serversOf(id, 'nobody') } }
  const jobId = await batch(before, 'cloudservers', stop)
  const seen = await job(before, jobId)
  assert.equal(seen.at('status'), 'RUNNING')
  await w.server.close()

  w = await world({ store: 'sqlite', dataDir, config })
  const again = await as(w, 'mary')
  assert.deepEqual((await job(again, jobId)).json, seen.json)
  await again.call('POST', `/api/v1/instances/${id}/actions`, {
    body: { action: 'stop', mode: 'hard' },
    headers: { authorization: `Bearer ${again.token}` },
  })
  const ended = await jobEnded(again, jobId)
  assert.deepEqual(partsOf(ended), [
    [id, 'SUCCESS', null],
    ['nobody', 'FAIL', 'Ecs.0114'],
  ])
})
