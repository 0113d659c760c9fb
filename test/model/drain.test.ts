// A drain over a whole plane with time moved by hand: who is waited for, and that a death at any commit of it
// leaves neither a registered instance that nobody puts back nor one that is called though it is down.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Instance } from '#kernel/instance.ts'
import type { InstanceId, ServiceId } from '#kernel/ids.ts'
import type { Operation } from '#kernel/operation.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { CallerRequest, Receipt } from '#kernel/request.ts'
import { startEngine } from '#engine/plane.ts'
import { simulatedDriver } from '#drivers/simulated/driver.ts'
import { memoryStore } from '#stores/memory/store.ts'
import { admin, flavor } from '#test/harness/board.ts'
import { handClock } from '#test/harness/hand-clock.ts'
import { type Death, type StoreView, viewOf } from '#test/harness/mortal-store.ts'

const quiet = (): void => undefined
const log = { error: quiet, warn: quiet, info: quiet, debug: quiet }

class Bench {
  readonly clock = handClock()
  readonly store = memoryStore()
  plane!: Plane
  server!: InstanceId
  registered!: InstanceId
  service!: ServiceId
  #view!: StoreView
  #commitsLeft = Infinity
  #death: Death = 'now'
  #ids = 0
  isDead = false

  static async of(attributes = {}): Promise<Bench> {
    const bench = new Bench()
    await bench.begin()
    await bench.#furnish(attributes)
    return bench
  }

  async #furnish(attributes: object): Promise<void> {
    const image = { id: 'sim', name: 'sim', launch: {}, hardware: 'CPU', attributes: {} } as const
    const driver = { id: 'simulated', available: true, reason: null }
    await this.must({ verb: 'put', table: 'drivers', row: driver })
    await this.must({ verb: 'put', table: 'images', row: { ...image, kinds: ['server'] } })
    const row = flavor({ graceMs: 1_000, attributes: { ...attributes } })
    await this.must({ verb: 'put', table: 'flavors', row })
    const service = { freshId: 's', key: 's', name: 's', attributes: {} }
    const { serviceId } = await this.must({ verb: 'register-service', id: 's', ...service })
    const host = { hostName: 'h', endpoints: [], healthCheck: {}, dataCenter: null, version: '1' }
    const told = { ...host, ttlMs: 3_600_000, properties: {} }
    const registered = await this.must({ verb: 'register', service: 's', instance: 'i', ...told })
    const named = { name: 'a', flavorId: 'small', imageId: 'sim' } as const
    const created = await this.must({ verb: 'create', kind: 'server', ...named })
    const [server] = created.instanceIds
    const [row1] = registered.instanceIds
    assert.ok(server && row1 && serviceId)
    this.server = server
    this.registered = row1
    this.service = serviceId
    await this.must({ verb: 'bind', target: this.target, service: 's', instance: 'i' })
    await this.clock.advance(5_000)
    assert.equal((await this.row(server)).state, 'running')
  }

  get target(): { readonly kind: 'any'; readonly id: string } {
    return { kind: 'any', id: this.server }
  }

  async begin(): Promise<void> {
    const clock = this.clock.life()
    this.isDead = false
    this.#commitsLeft = Infinity
    this.#view = viewOf(this.store, {
      died: () => {
        this.isDead = true
        clock.stop()
      },
      stir: () => this.clock.stir(),
      committed: () => {
        if (--this.#commitsLeft === 1) this.#view.die(this.#death)
        return Promise.resolve()
      },
    })
    const engine = await startEngine({
      store: this.#view.store,
      clock,
      drivers: new Map([['simulated', simulatedDriver({}, { clock, log })]]),
      worker: 'w',
      freshId: () => `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, '0')}`,
      log,
    })
    this.plane = engine.plane
  }

  /** It dies at the nth commit from now on. */
  dieAt(nth: number, how: Death): void {
    this.#commitsLeft = nth
    this.#death = how
    if (nth === 1) this.#view.die(how)
  }

  ask(request: CallerRequest): ReturnType<Plane['submit']> {
    return this.plane.submit(request, { caller: admin, door: 'test', requestId: 'r' })
  }

  async must(request: CallerRequest): Promise<Receipt> {
    const result = await this.ask(request)
    assert.ok(result.ok, JSON.stringify(result))
    return result.value
  }

  async row(id: InstanceId): Promise<Instance> {
    const row = await this.store.get('instances', id)
    assert.ok(row)
    return row
  }

  async states(): Promise<readonly string[]> {
    return [(await this.row(this.server)).state, (await this.row(this.registered)).state]
  }

  async operations(verb: Operation['verb']): Promise<readonly Operation[]> {
    const all = await this.store.list('operations', {
      where: { instanceId: this.server },
      limit: 99,
    })
    return all.filter((one) => one.verb === verb)
  }

  async revision(): Promise<number> {
    return (await this.store.get('services', this.service))?.revision ?? 0
  }

  drain(graceMs?: number): CallerRequest {
    const grace = graceMs === undefined ? {} : { graceMs }
    return { verb: 'stop', target: this.target, rung: 'drain', ...grace }
  }
}

it('a drain waits until whoever has asked lately has been shown it, and for nobody else', async () => {
  const bench = await Bench.of()
  await bench.clock.advance(60_000)
  const { plane, service } = bench
  const shown = async (by: string): Promise<void> =>
    plane.shown(service, by, await bench.revision())
  await shown('long ago')
  await bench.clock.advance(59_000)
  await shown('polls')
  await shown('is pushed to')
  await bench.clock.advance(2_000)
  await bench.must(bench.drain())
  await bench.clock.advance(2_000)
  assert.deepEqual(await bench.states(), ['stopping', 'out-of-service'])
  await shown('is pushed to')
  await bench.clock.advance(10_000)
  assert.deepEqual(await bench.states(), ['stopping', 'out-of-service'], 'one has not seen it')
  await shown('polls')
  await bench.clock.advance(3_000)
  assert.deepEqual(await bench.states(), ['stopped', 'out-of-service'])
  const [stop] = await bench.operations('stop')
  assert.deepEqual(
    stop?.log.map(({ step }) => step),
    ['withdraw', 'await-unseen', 'stop', 'await-down'],
  )
  await bench.must({ verb: 'start', target: bench.target })
  await bench.clock.advance(5_000)
  assert.deepEqual(await bench.states(), ['running', 'up'])
})

it('without consumers nobody is waited for; a server that has just started knows of none, and waits', async () => {
  const bench = await Bench.of()
  await bench.must(bench.drain())
  await bench.clock.advance(30_000)
  assert.deepEqual(await bench.states(), ['stopping', 'out-of-service'])
  await bench.clock.advance(10_000)
  assert.deepEqual(await bench.states(), ['stopped', 'out-of-service'])
  await bench.must({ verb: 'start', target: bench.target })
  await bench.clock.advance(60_000)
  await bench.must(bench.drain())
  await bench.clock.advance(3_000)
  assert.deepEqual(await bench.states(), ['stopped', 'out-of-service'])
})

it('the wait is bounded by the grace that was asked for', async () => {
  const bench = await Bench.of()
  await bench.clock.advance(60_000)
  bench.plane.shown(bench.service, 'never comes back', 0)
  await bench.must(bench.drain(4_000))
  await bench.clock.advance(3_000)
  assert.deepEqual(await bench.states(), ['stopping', 'out-of-service'])
  await bench.clock.advance(4_000)
  assert.deepEqual(await bench.states(), ['stopped', 'out-of-service'])
})

for (const how of ['before-commit', 'after-commit'] as const)
  it(`a death at any commit (${how}) of a drain and a start leaves both as they were asked to be`, async () => {
    let deaths = 0
    for (let nth = 1; nth <= 14; nth++) {
      const bench = await Bench.of()
      bench.dieAt(nth, how)
      void bench.ask(bench.drain(2_000))
      await bench.clock.advance(4_000)
      if (!bench.isDead) {
        void bench.ask({ verb: 'start', target: bench.target })
        await bench.clock.advance(4_000)
      }
      if (!bench.isDead) continue
      deaths++
      await bench.begin()
      await bench.clock.advance(45_000)
      const [server, registered] = await bench.states()
      const stops = await bench.operations('stop')
      // Neither half of it: it runs and is called, or it is down and is not.
      const expected = server === 'running' ? 'up' : 'out-of-service'
      assert.equal(registered, expected, `${server} after a death at commit ${nth}`)
      assert.ok(stops.every(({ state }) => state === 'succeeded') && stops.length <= 1)
      await bench.must({ verb: 'start', target: bench.target })
      await bench.clock.advance(5_000)
      assert.deepEqual(await bench.states(), ['running', 'up'], `started after commit ${nth}`)
    }
    assert.ok(deaths >= 8, `it died ${deaths} times`)
  })

it('a drain that cannot stop it puts it back, also when the server dies on the way', async () => {
  for (let nth = 2; nth <= 8; nth++) {
    const bench = await Bench.of({ failAt: [{ act: 'stop', code: 'refused' }] })
    bench.dieAt(nth, 'after-commit')
    void bench.ask(bench.drain(2_000))
    await bench.clock.advance(6_000)
    if (bench.isDead) await bench.begin()
    await bench.clock.advance(60_000)
    const [, registered] = await bench.states()
    assert.equal(registered, 'up', `after a death at commit ${nth}`)
    const [stop] = await bench.operations('stop')
    assert.equal(stop?.state, 'failed')
  }
})
