// A mass loss of leases over real sockets: what clients find, what probes and scrapers are told, and its release.

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import type { GuardShown } from '#doors/native/wire.ts'
import { at } from '#test/harness/api.ts'
import { jumpingClock } from '#test/harness/jumping-clock.ts'
import { adminOf, type NativeApi } from '#test/harness/native-api.ts'
import { client, type Client, find, registered, stage } from '#test/harness/registry.ts'
import { until, type World, world } from '#test/harness/world.ts'

const clock = jumpingClock()
let w: World
let api: NativeApi
let registry: Client
before(async () => {
  w = await world({ clock })
  api = adminOf(w)
  registry = client(w)
})
after(() => w.close())

const told = async (path: string): Promise<string> => (await fetch(w.url + path)).text()
const found = async (): Promise<number> => {
  const instances = at((await registry.call('GET', find)).body, 'instances')
  return Array.isArray(instances) ? instances.length : 0
}

it('six that fall silent are still found, health says so without a name, and an admin releases them', async () => {
  assert.equal(await told('/readyz'), 'ready\n')
  const healthCheck = { mode: 'push', interval: 5, times: 3 }
  await stage(registry, { healthCheck })
  for (const nth of [2, 3, 4, 5, 6])
    await registered(registry, { instanceId: `i${nth}`, healthCheck })
  clock.jump(20_500)
  await until(
    () => told('/readyz'),
    (text) => text === 'ready\nguarded: 6 leases are held\n',
  )
  assert.equal(await found(), 6)
  const metrics = await told('/metrics')
  assert.match(metrics, /^runstate_leases\{state="held"\} 6$/m)
  assert.match(metrics, /^runstate_guards 2$/m)
  assert.ok(!metrics.includes('svc1'), 'no name')
  const beat = await registry.call('PUT', '{r}/microservices/svc1/instances/i1/heartbeat')
  assert.equal(beat.status, 200, 'one that is held is heard')
  const { items } = await api.get<{ items: GuardShown[] }>('/guards')
  assert.deepEqual(items.map(({ circle }) => circle).toSorted(), ['project', 'service'])
  for (const { id } of items)
    await api.change('POST', `/guards/${encodeURIComponent(id)}/actions`, {
      action: 'release',
      why: 'a drill',
    })
  assert.equal(await until(found, (count) => count === 1), 1, 'the one that was heard')
  await until(
    () => told('/readyz'),
    (text) => text === 'ready\n',
  )
})
