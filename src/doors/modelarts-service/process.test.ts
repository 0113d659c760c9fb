// The same calls on real processes: what E1 stops is gone, and only that.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { at } from '#test/harness/api.ts'
import { type EdgeWorld, edgeWorld } from '#test/harness/edge-world.ts'
import { until } from '#test/harness/world.ts'

let edge: EdgeWorld
before(async () => {
  edge = await edgeWorld()
})
after(() => edge.close())

const model = '6c0f2d5e-0d63-4c6b-9a53-2b1e54f1a7d0'

test('a node answers at its predict_url until E1 stops it; the other one answers on', async () => {
  const id = await edge.deploy('real', { model, specification: 'modelarts.vm.cpu.2u' })
  const pids = await pidsOf(id)
  assert.equal(pids.size, 2)
  const nodes = at((await edge.show(id)).body, 'config', 0, 'nodes')
  const url = (index: number) => String(at(nodes, index, 'predict_url'))
  assert.equal((await fetch(url(0))).status, 200)
  assert.equal((await fetch(url(1))).status, 200)
  const path = `/v1/{p}/services/${id}/nodes/edge-1/status`
  assert.equal((await edge.bob.call('PUT', path, { status: 'stopped' })).status, 200)
  await edge.settles(id, 'edge-1', 'stopped')
  await until(
    async () => isAlive(pids.get('edge-1')),
    (alive) => !alive,
  )
  await assert.rejects(fetch(url(0)))
  assert.equal((await fetch(url(1))).status, 200)
  assert.ok(isAlive(pids.get('edge-2')))
  assert.equal((await edge.bob.call('PUT', path, { status: 'running' })).status, 200)
  await edge.settles(id, 'edge-1', 'running')
  assert.notEqual((await pidsOf(id)).get('edge-1'), pids.get('edge-1'))
})

async function pidsOf(service: string): Promise<ReadonlyMap<string, number>> {
  const instances = await edge.w.plane.read.find('instances', 'serviceId', service)
  return new Map(
    instances.map((one) => [one.nodeId ?? '', Number(one.observation.evidence['pid'])]),
  )
}

function isAlive(pid = 0): boolean {
  assert.ok(pid > 1)
  try {
    return process.kill(pid, 0)
  } catch {
    // Nothing to signal: it is gone.
    return false
  }
}
