// A notebook on a real process answers at its address while it runs, and not after.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { at } from '#test/harness/api.ts'
import { type NotebookWorld, notebookWorld } from '#test/harness/notebook-world.ts'
import { until } from '#test/harness/world.ts'

let lab: NotebookWorld
before(async () => {
  lab = await notebookWorld()
})
after(() => lab.close())

test('in both families the address answers while RUNNING, and not after STOPPED', async () => {
  const flavor = 'modelarts.vm.cpu.2u'
  const image = 'Multi-Engine 2.0 (python3)'
  const spec = { storage: { type: 'evs' } }
  const volume = { category: 'EVS', ownership: 'MANAGED' }
  const families = [
    {
      path: '/v1/{p}/demanager/instances',
      body: { name: 'real', profile_id: image, flavor, spec },
      url: ['spec', 'annotations', 'url'],
      stop: (id: string) => [`${id}/action`, { action: 'stop' }] as const,
    },
    {
      path: '/v1/{p}/notebooks',
      body: { name: 'real', image_id: image, flavor, volume },
      url: ['url'],
      stop: (id: string) => [`${id}/stop`, undefined] as const,
    },
  ]
  for (const { path, body, url, stop } of families) {
    const made = await lab.bob.call('POST', path, body)
    const id = String(at(made.body, 'id'))
    const becomes = (status: string) =>
      until(
        () => lab.bob.call('GET', `${path}/${id}`),
        (reply) => at(reply.body, 'status') === status,
      )
    const { launch } = (await lab.w.plane.read.get('instances', id.replace('DE-', ''))) ?? {}
    assert.match(String(at(launch, 'env', 'NOTEBOOK_TOKEN')), /^[0-9a-f]{32}$/)
    const address = String(at((await becomes('RUNNING')).body, ...url))
    assert.equal((await fetch(address)).status, 200)
    const [where, sent] = stop(id)
    assert.equal((await lab.bob.call('POST', `${path}/${where}`, sent)).status, 200)
    assert.equal(at((await becomes('STOPPED')).body, ...url), '')
    await assert.rejects(fetch(address))
  }
})
