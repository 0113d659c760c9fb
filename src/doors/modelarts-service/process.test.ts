// The same calls on real processes: what E1 stops is gone, and only that.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { at, listAt } from '#test/harness/api.ts'
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

test('another configuration is another process with its environment; what it uses and wrote can be read', async () => {
  const of = { model, specification: 'modelarts.vm.cpu.2u', nodes: ['edge-1'] }
  const id = await edge.deploy('renewed', of)
  const before = (await pidsOf(id)).get('edge-1')
  const config = [{ ...of, model_id: model, envs: { GREETING: 'renewed' } }]
  const reply = await edge.bob.call('PUT', `/v1/{p}/services/${id}`, { config })
  assert.equal(reply.status, 200)
  await edge.becomes(id, 'running', 30_000)
  const pid = (await pidsOf(id)).get('edge-1')
  assert.notEqual(pid, before)
  assert.ok(!isAlive(before))
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8')
  assert.ok(environment.split('\0').includes('GREETING=renewed'))
  const monitor = await edge.bob.call('GET', `/v1/{p}/services/${id}/monitor`)
  const used = at(monitor.body, 'monitors', 0)
  assert.ok(Number(at(used, 'cpu_memory_usage')) > 1)
  assert.equal(at(used, 'cpu_core_total'), 2)
  assert.equal(at(used, 'cpu_memory_total'), 8192)
})

test('a process that ends at once says why in E4 and in E8, with what it wrote last', async () => {
  const command = ['sh', '-c', 'echo no license for this node >&2; exit 3']
  await edge.direct({
    verb: 'put',
    table: 'images',
    row: {
      id: 'ill',
      name: 'ill',
      kinds: ['edge-instance'],
      // Ready only when it answers, so it is never taken for running before it ends.
      launch: { command, port: 'auto', probe: { kind: 'tcp' } },
      hardware: 'CPU',
      attributes: {},
    },
  })
  const id = await edge.deploy('ill', {
    model: 'ill',
    specification: 'modelarts.vm.cpu.2u',
    nodes: ['edge-1'],
    until: 'failed',
  })
  assert.match(String(at((await edge.show(id)).body, 'error_msg')), /exited with code 3/)
  const logs = await edge.bob.call('GET', `/v1/{p}/services/${id}/logs`)
  const why = String(at(logs.body, 'logs', 0, 'result_detail', 0, 'message'))
  assert.match(why, /exited with code 3[\s\S]*no license for this node/)
  const [instance] = await edge.w.plane.read.find('instances', 'serviceId', id)
  const native = await fetch(`${edge.w.url}/api/v1/instances/${instance?.id}/logs`, {
    headers: { authorization: `Bearer ${edge.w.credentials['RUNSTATE_TOKEN']}` },
  })
  // Once for each try: a start whose shell is gone before it was seen is tried again.
  const lines = new Set(listAt(await native.json(), 'lines'))
  assert.deepEqual([...lines], ['no license for this node'])
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
