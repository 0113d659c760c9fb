// Leases over a whole plane with time moved by hand: who expires when, what a mass loss holds, and what a restart
// or a sleeping machine must not do. Decision record 0013.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Event } from '#kernel/event.ts'
import type { Guard } from '#kernel/guard.ts'
import type { InstanceId } from '#kernel/ids.ts'
import type { Clock } from '#kernel/ports/clock.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { CallerRequest, Receipt } from '#kernel/request.ts'
import type { Result } from '#kernel/errors.ts'
import { startEngine } from '#engine/plane.ts'
import { memoryStore } from '#stores/memory/store.ts'
import { admin, member } from '#test/harness/board.ts'
import { chance } from '#test/harness/chance.ts'
import { handClock } from '#test/harness/hand-clock.ts'
import { viewOf, type StoreView } from '#test/harness/mortal-store.ts'

const quiet = (): void => undefined
const log = { error: quiet, warn: quiet, info: quiet, debug: quiet }
/** Removals come with a tick of the keeper, and their commit. */
const promptMs = 1_000

class Registry {
  readonly clock = handClock()
  readonly store = memoryStore()
  readonly gone = new Map<string, number>()
  readonly told: Event[] = []
  #sleptMs = 0
  plane!: Plane
  view!: StoreView

  static async of(): Promise<Registry> {
    const registry = new Registry()
    await registry.begin()
    const service = { freshId: 's', key: 's', name: 's', attributes: {} }
    await registry.must({ verb: 'register-service', id: 's', ...service })
    return registry
  }

  /** Another process, on the same disk. */
  async begin(): Promise<void> {
    const life = this.clock.life()
    const clock: Clock = { nowMs: () => this.nowMs, after: (ms, then) => life.after(ms, then) }
    this.view = viewOf(this.store, { died: () => life.stop(), stir: () => this.clock.stir() })
    let ids = 0
    const engine = await startEngine({
      store: this.view.store,
      clock,
      drivers: new Map(),
      worker: 'w',
      freshId: () => `00000000-0000-4000-8000-${String(++ids + this.nowMs).slice(-12)}`,
      log,
    })
    this.plane = engine.plane
    this.plane.follow((events) => {
      for (const event of events) {
        if (event.type.startsWith('guard.')) this.told.push(event)
        if (event.data['to'] === 'expired') this.gone.set(event.subject, event.atMs)
      }
    })
  }

  get nowMs(): number {
    return this.clock.nowMs() + this.#sleptMs
  }

  /** The machine sleeps: time passes and nothing runs. */
  sleep(ms: number): void {
    this.#sleptMs += ms
  }

  ask(request: CallerRequest, caller = member): Promise<Result<Receipt>> {
    return this.plane.submit(request, { caller, door: 'test', requestId: 'r' })
  }

  async must(request: CallerRequest, caller = member): Promise<Receipt> {
    const result = await this.ask(request, caller)
    assert.ok(result.ok, JSON.stringify(result))
    return result.value
  }

  async register(count: number, ttlMs = 20_000): Promise<readonly InstanceId[]> {
    const host = { hostName: 'h', endpoints: [], healthCheck: {}, dataCenter: null, version: '1' }
    const told = { ...host, ttlMs, properties: {} }
    const receipts = await Promise.all(
      Array.from({ length: count }, (_, n) =>
        this.must({ verb: 'register', service: 's', instance: `i${n}`, ...told }),
      ),
    )
    return receipts.flatMap((receipt) => receipt.instanceIds)
  }

  guards(): Promise<readonly Guard[]> {
    return this.store.list('guards', { limit: 100 })
  }

  tale(): readonly string[] {
    return this.told.map((event) => `${event.type} ${event.subject.split('/')[0]}`)
  }
}

it('of a thousand with 30 s of jitter none is evicted wrongly, and the dead are gone within a second', async () => {
  const registry = await Registry.of()
  const { plane, clock } = registry
  const ttlMs = 120_000
  const ids = await registry.register(1_000, ttlMs)
  const { roll, upTo } = chance(7)
  const diesAtMs = new Map(
    ids.filter(() => roll() < 0.1).map((id) => [id, registry.nowMs + upTo(200_000)]),
  )
  const heardMs = new Map(ids.map((id) => [id, registry.nowMs]))
  const nextMs = new Map(ids.map((id) => [id, registry.nowMs + upTo(30_000)]))
  const untilMs = registry.nowMs + 480_000
  while (registry.nowMs < untilMs) {
    const due = ids.filter(
      (id) =>
        (nextMs.get(id) ?? 0) <= registry.nowMs && registry.nowMs < (diesAtMs.get(id) ?? Infinity),
    )
    const lived = await plane.beat(due)
    assert.ok(lived.every(Boolean), 'whoever beats in time is never told that it is gone')
    for (const id of due) {
      heardMs.set(id, registry.nowMs)
      nextMs.set(id, registry.nowMs + 15_000 + upTo(30_000))
    }
    await clock.advance(500)
  }
  assert.deepEqual(new Set(registry.gone.keys()), new Set(diesAtMs.keys()))
  for (const [id, goneMs] of registry.gone) {
    const lateMs = goneMs - (heardMs.get(id as InstanceId) ?? 0) - ttlMs // an event's subject is an instance here
    assert.ok(lateMs >= 0 && lateMs <= promptMs, `${id} went ${lateMs} ms after its term`)
  }
  assert.deepEqual(registry.told, [], 'a tenth is no mass loss')
})

it('five of six that fall silent together are held, one term longer and no more; a beat frees at once', async () => {
  const registry = await Registry.of()
  const [alive, back, ...dead] = await registry.register(6)
  assert.ok(alive && back)
  const { plane, clock } = registry
  const beat = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 1_000) {
      assert.deepEqual(await plane.beat([alive]), [true])
      await clock.advance(1_000)
    }
  }
  await beat(22_000)
  assert.equal(registry.gone.size, 0, 'their term is over, and none is gone')
  assert.deepEqual(plane.leases(), { living: 6, held: 5 })
  assert.deepEqual(registry.tale(), ['guard.raised service', 'guard.raised project'])
  assert.deepEqual(
    (await registry.guards()).map(({ living, silent }) => ({ living, silent })),
    [
      { living: 6, silent: 5 },
      { living: 6, silent: 5 },
    ],
  )
  assert.deepEqual(await plane.beat([back]), [true], 'it is heard, though it was held')
  await clock.advance(250)
  assert.deepEqual(registry.tale().slice(2).toSorted(), [
    'guard.lifted project',
    'guard.lifted service',
  ])
  await beat(1_000)
  assert.deepEqual(
    [...registry.gone.keys()].toSorted(),
    [...dead].toSorted(),
    'four of six is no mass loss any more',
  )
})

it('what really is dead is removed when its hold ends, and then nothing is guarded', async () => {
  const registry = await Registry.of()
  const ids = await registry.register(8)
  await registry.clock.advance(39_000)
  assert.equal(registry.gone.size, 0)
  await registry.clock.advance(2_000)
  assert.equal(registry.gone.size, ids.length)
  assert.deepEqual(await registry.guards(), [])
  assert.deepEqual(registry.plane.leases(), { living: 0, held: 0 })
})

it('the same registration again renews a lease as a beat does, at whatever moment it comes', async () => {
  for (const restMs of [1_000, 9_999, 10_000, 19_900, 20_000]) {
    const registry = await Registry.of()
    const [id] = await registry.register(1)
    assert.ok(id)
    await registry.clock.advance(restMs)
    const [again] = await registry.register(1)
    await registry.clock.advance(19_500)
    assert.equal(registry.gone.has(again ?? ''), false, `after ${restMs} ms`)
    await registry.clock.advance(2_000)
    assert.equal(registry.gone.has(again ?? ''), true, `after ${restMs} ms`)
  }
})

it('a guard holds no removal that somebody asks for', async () => {
  const registry = await Registry.of()
  await registry.register(6)
  await registry.clock.advance(21_000)
  for (const nth of [0, 1, 2, 3, 4]) {
    const target = { kind: 'service-instance', service: 's', instance: `i${nth}` } as const
    await registry.must({ verb: 'unregister', target })
  }
  assert.equal((await registry.store.list('instances', { limit: 10 })).length, 1)
})

it('an administrator releases what is held, at once and with a reason; nobody else may', async () => {
  const registry = await Registry.of()
  const ids = await registry.register(6)
  await registry.clock.advance(21_000)
  for (const { id: guard } of await registry.guards()) {
    const refused = await registry.ask({ verb: 'release-guard', guard })
    assert.deepEqual(refused, { ok: false, error: { code: 'Forbidden', needs: 'release-guard' } })
    await registry.must({ verb: 'release-guard', guard, why: 'they were scrapped' }, admin)
    const again = await registry.must({ verb: 'release-guard', guard }, admin)
    assert.equal(again.unchanged, 'already')
  }
  await registry.clock.advance(promptMs)
  assert.equal(registry.gone.size, ids.length)
  assert.deepEqual(await registry.guards(), [], 'a circle that is empty has recovered')
  const released = registry.told.filter((event) => event.type === 'guard.released')
  assert.deepEqual(
    released.map(({ cause }) => [cause.by, cause.userName, cause.why]),
    [0, 1].map(() => ['user', 'admin', 'they were scrapped']),
  )
})

it('a machine that slept past every term removes nobody: their beats are heard before anything is gone', async () => {
  const registry = await Registry.of()
  const ids = await registry.register(50)
  assert.ok((await registry.plane.beat(ids)).every(Boolean))
  registry.sleep(8 * 3_600_000)
  // It wakes: the ticker comes first, and what waits in the sockets is read after it.
  await registry.clock.advance(250)
  assert.deepEqual(registry.plane.leases(), { living: 50, held: 50 })
  assert.ok((await registry.plane.beat(ids)).every(Boolean))
  await registry.clock.advance(15_000)
  assert.equal(registry.gone.size, 0)
  assert.deepEqual(await registry.guards(), [])
})

it('a restart gives every lease a full term, and what it found guarded goes on from there', async () => {
  const registry = await Registry.of()
  const ids = await registry.register(6)
  await registry.clock.advance(30_000)
  assert.equal((await registry.guards()).length, 2)
  registry.view.die('now')
  await registry.clock.advance(300_000)
  await registry.begin()
  await registry.clock.advance(19_000)
  assert.equal(registry.gone.size, 0)
  assert.deepEqual(await registry.guards(), [], 'nobody is silent yet')
  const row = await registry.store.get('instances', ids[0] ?? '')
  assert.ok(row)
  const { renewedAtMs, expiresAtMs } = registry.plane.lease(row)
  assert.equal(renewedAtMs, row.registration?.lease.renewedAtMs, 'when it was heard is not made up')
  assert.ok(expiresAtMs > registry.nowMs)
  await registry.clock.advance(22_000)
  assert.equal(registry.gone.size, 6, 'held once more for one term')
})

it('a disk that is away while everybody is silent loses no guard: nothing goes before it is raised', async () => {
  const registry = await Registry.of()
  await registry.register(10)
  await registry.clock.advance(19_000)
  registry.view.fail(200)
  await registry.clock.advance(3_000)
  registry.view.fail(0)
  await registry.clock.advance(10_000)
  assert.equal(registry.gone.size, 0)
  assert.equal((await registry.guards()).length, 2)
})
