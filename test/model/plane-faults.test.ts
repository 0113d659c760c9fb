// What goes wrong around the engine, one thing at a time: drivers that hang, break or answer late, a disk that
// is away, listeners that throw. Time is moved by hand.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Instance } from '#kernel/instance.ts'
import type { ActOptions, Driver, Thing } from '#kernel/ports/driver.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { Operation } from '#kernel/operation.ts'
import type { CallerRequest, Receipt } from '#kernel/request.ts'
import { startEngine } from '#engine/plane.ts'
import { simulatedDriver } from '#drivers/simulated/driver.ts'
import { memoryStore } from '#stores/memory/store.ts'
import { admin, flavor } from '#test/harness/board.ts'
import { type HandClock, handClock } from '#test/harness/hand-clock.ts'
import { type StoreView, viewOf } from '#test/harness/mortal-store.ts'

const quiet = (): void => undefined
const log = { error: quiet, warn: quiet, info: quiet, debug: quiet }
type Odd = (inner: Driver, clock: HandClock) => Partial<Driver>

class Bench {
  readonly clock = handClock()
  readonly store = memoryStore()
  readonly #odd: Odd
  plane!: Plane
  view!: StoreView
  close!: () => Promise<void>

  constructor(odd: Odd = () => ({})) {
    this.#odd = odd
  }

  static async of(odd?: Odd): Promise<Bench> {
    const bench = new Bench(odd)
    await bench.begin()
    const image = { id: 'sim', name: 'sim', launch: {}, hardware: 'CPU', attributes: {} } as const
    const driver = { id: 'simulated', available: true, reason: null }
    await bench.ask({ verb: 'put', table: 'drivers', row: driver })
    await bench.ask({ verb: 'put', table: 'images', row: { ...image, kinds: ['server'] } })
    await bench.ask({ verb: 'put', table: 'flavors', row: flavor() })
    return bench
  }

  /** Another process, on the same disk. */
  async begin(): Promise<void> {
    const clock = this.clock.life()
    this.view = viewOf(this.store, { died: () => clock.stop(), stir: () => this.clock.stir() })
    const inner = simulatedDriver({}, { clock, log })
    const odd = this.#odd(inner, this.clock)
    const driver: Driver = {
      name: 'simulated',
      capabilities: inner.capabilities,
      create: (thing, options) => inner.create(thing, options),
      start: (thing, options) => inner.start(thing, options),
      stop: (thing, options) => inner.stop(thing, options),
      pause: (thing, options) => inner.pause(thing, options),
      unpause: (thing, options) => inner.unpause(thing, options),
      suspend: (thing, options) => inner.suspend(thing, options),
      resume: (thing, options) => inner.resume(thing, options),
      capture: (thing, options) => inner.capture(thing, options),
      remove: (thing, options) => inner.remove(thing, options),
      observe: (thing, signal) => inner.observe(thing, signal),
      adopt: (thing) => inner.adopt(thing),
      watch: (hint) => inner.watch(hint),
      close: () => inner.close(),
      ...odd,
    }
    let ids = 0
    const engine = await startEngine({
      store: this.view.store,
      clock,
      drivers: new Map([['simulated', driver]]),
      worker: 'w',
      freshId: () => `00000000-0000-4000-8000-${String(++ids + this.clock.nowMs()).slice(-12)}`,
      log,
    })
    this.plane = engine.plane
    this.close = () => engine.close()
  }

  async ask(request: CallerRequest): Promise<Receipt> {
    const submission = { caller: admin, door: 'test', requestId: 'r' }
    const result = await this.plane.submit(request, submission)
    assert.ok(result.ok, JSON.stringify(result))
    return result.value
  }

  async create(): Promise<Receipt & { readonly id: Instance['id'] }> {
    const made = { kind: 'server', name: 'a', flavorId: 'small', imageId: 'sim' } as const
    const receipt = await this.ask({ verb: 'create', ...made })
    const [id] = receipt.instanceIds
    assert.ok(id)
    return { ...receipt, id }
  }

  async instance(id: string): Promise<Instance> {
    const row = await this.store.get('instances', id)
    assert.ok(row)
    return row
  }

  async operation({ operationId }: Receipt): Promise<Operation> {
    const row = await this.store.get('operations', operationId ?? '')
    assert.ok(row)
    return row
  }
}

const never = <T>(): Promise<T> => new Promise(quiet)

it('a driver that hangs and hears no abort does not keep its operation from ending', async () => {
  const bench = await Bench.of(() => ({ start: () => never() }))
  const created = await bench.create()
  await bench.clock.advance(240_000)
  const operation = await bench.operation(created)
  assert.equal(operation.state, 'failed')
  assert.match(operation.failure?.message ?? '', /did not answer to start within 30 s/)
})

it('a driver that hangs at taking up what lives keeps nobody from being looked at, nor the server from ending', async () => {
  const bench = await Bench.of(() => ({ adopt: () => never() }))
  const { id } = await bench.create()
  await bench.clock.advance(5_000)
  bench.view.die('now')
  await bench.begin()
  await bench.clock.advance(1_000)
  let isClosed = false
  void bench.close().then(() => (isClosed = true))
  await bench.clock.advance(5_000)
  assert.ok(isClosed)
  assert.equal((await bench.instance(id)).state, 'running')
})

it('each retry has a higher fence than the act that may still hang somewhere', async () => {
  const fences: number[] = []
  const start = (_: Thing, { attempt }: ActOptions): ReturnType<Driver['start']> => {
    fences.push(attempt)
    return Promise.resolve({ ok: false, error: { code: 'failed', message: 'no' } })
  }
  let killedWith = 0
  const bench = await Bench.of((inner) => ({
    start,
    stop: (thing, options) => {
      killedWith = options.attempt
      return inner.stop(thing, options)
    },
  }))
  await bench.create()
  await bench.clock.advance(30_000)
  assert.equal(fences.length, 4)
  assert.deepEqual(
    fences,
    [...new Set(fences)].toSorted((a, b) => a - b),
  )
  assert.ok(killedWith > (fences.at(-1) ?? 0), 'and so has what undoes it')
})

it('a look that began before an operation changes nothing of what that came to', async () => {
  let lateMs = 0
  const bench = await Bench.of((inner, clock) => ({
    observe: async (thing, signal) => {
      if (lateMs === 0) return inner.observe(thing, signal)
      const seen = await inner.observe(thing, signal)
      const delayMs = lateMs
      await new Promise<void>((resolve) => void clock.life().after(delayMs, resolve))
      return { ...seen, seen: 'up', reason: 'it started by itself' }
    },
  }))
  const { id } = await bench.create()
  const target = { kind: 'any', id } as const
  await bench.clock.advance(1_000)
  await bench.ask({ verb: 'stop', target, rung: 'hard' })
  await bench.clock.advance(1_000)
  // The sweep looks within two seconds, sees it up, and is slow to say so; all that comes after it is quick.
  lateMs = 6_000
  await bench.clock.advance(2_500)
  lateMs = 0
  await bench.ask({ verb: 'start', target })
  await bench.clock.advance(1_000)
  await bench.ask({ verb: 'stop', target, rung: 'hard' })
  await bench.clock.advance(10_000)
  const events = await bench.store.events({ after: 0, instanceId: id, limit: 100 })
  const states = events.filter((one) => one.type === 'instance.state').map((one) => one.data['to'])
  const down = ['stopping', 'stopped']
  assert.deepEqual(states, ['running', ...down, 'starting', 'running', ...down])
})

for (const [how, adopt] of [
  ['takes long to adopt', () => never<void>()],
  ['breaks at adopting', () => Promise.reject(new Error('planted'))],
] as const)
  it(`a driver that ${how} delays no operation and no timer`, async () => {
    const bench = await Bench.of(() => ({ adopt }))
    await bench.ask({ verb: 'put', table: 'flavors', row: flavor({ autoStopMs: 20_000 }) })
    const { id } = await bench.create()
    await bench.clock.advance(1_000)
    bench.view.die('now')
    await bench.begin()
    const later = await bench.create()
    await bench.clock.advance(25_000)
    assert.equal((await bench.operation(later)).state, 'succeeded')
    assert.equal((await bench.instance(id)).state, 'stopped', 'stopped by its timer')
  })

it('a disk that cannot be read refuses a request as one that cannot be written does', async () => {
  const bench = await Bench.of()
  const { id } = await bench.create()
  bench.view.fail(1)
  const submission = { caller: admin, door: 'test', requestId: 'r' }
  const stop = { verb: 'stop', target: { kind: 'any', id }, rung: 'soft' } as const
  const refused = await bench.plane.submit(stop, submission)
  assert.deepEqual(refused, { ok: false, error: { code: 'StoreUnavailable' } })
})

it('a stop whose acceptance by its driver is written down twice is awaited all the same', async () => {
  let lie = quiet
  const bench = await Bench.of(() => ({
    // It takes no notice, and what is written of its answer is said to have failed.
    stop: (thing) => {
      lie()
      return Promise.resolve({ ok: true, value: { handle: thing.handle ?? {} } })
    },
  }))
  const { id } = await bench.create()
  await bench.clock.advance(1_000)
  lie = () => {
    lie = quiet
    bench.view.lie()
  }
  const stop = { verb: 'stop', target: { kind: 'any', id }, rung: 'soft' } as const
  const stopping = await bench.ask(stop)
  await bench.clock.advance(1_500)
  assert.equal(bench.view.failed(), 1)
  const { state, log: steps } = await bench.operation(stopping)
  assert.deepEqual([state, steps.map(({ step }) => step)], ['running', ['stop']])
  assert.equal((await bench.instance(id)).state, 'stopping')
})

it('a listener that throws hides no event from the others, and spoils no answer', async () => {
  const bench = await Bench.of()
  bench.plane.follow(() => {
    throw new Error('planted')
  })
  let told = 0
  bench.plane.follow((events) => (told += events.length))
  const created = await bench.create()
  assert.ok(told > 0)
  await bench.clock.advance(1_000)
  assert.equal((await bench.operation(created)).state, 'succeeded')
})

it('what was said to run though it was never made is found out', async () => {
  const bench = await Bench.of((inner) => ({
    create: () =>
      Promise.resolve({ ok: false, error: { code: 'refused', message: 'no' } } as const),
    stop: (thing, options) => inner.stop(thing, options),
  }))
  const { id } = await bench.create()
  await bench.clock.advance(1_000)
  await bench.ask({ verb: 'reset', target: { kind: 'any', id }, to: 'running' })
  await bench.clock.advance(5_000)
  assert.equal((await bench.instance(id)).state, 'failed')
})

it('a clock that is set back does not stop the sweep: what is not so is found out as soon', async () => {
  let isDown = false
  const bench = await Bench.of((inner) => ({
    observe: async (thing, signal) => {
      const seen = await inner.observe(thing, signal)
      return isDown ? { ...seen, seen: 'down', ready: false } : seen
    },
  }))
  const { id } = await bench.create()
  await bench.clock.advance(5_000)
  assert.equal((await bench.instance(id)).state, 'running')
  bench.clock.jump(-3_600_000)
  isDown = true
  await bench.clock.advance(10_000)
  assert.equal((await bench.instance(id)).state, 'stopped')
})

const hourMs = 3_600_000
const stubborn: Odd = (inner) => ({
  // Only force ends it.
  stop: (thing, options) =>
    options.rung === 'hard'
      ? inner.stop(thing, options)
      : Promise.resolve({ ok: true, value: { handle: thing.handle ?? {} } }),
})

/** A soft stop that is not heeded, accepted five seconds ago. */
async function stopping(): Promise<readonly [Bench, Receipt & { readonly id: Instance['id'] }]> {
  const bench = await Bench.of(stubborn)
  const { id } = await bench.create()
  await bench.clock.advance(5_000)
  const target = { kind: 'any', id } as const
  const stop = await bench.ask({ verb: 'stop', target, rung: 'soft', graceMs: 20_000 })
  await bench.clock.advance(5_000)
  assert.equal((await bench.instance(id)).state, 'stopping')
  return [bench, { ...stop, id }]
}

it('a clock that is set back does not keep a stop from becoming harder in its time', async () => {
  const [bench, stop] = await stopping()
  bench.clock.jump(-hourMs)
  await bench.clock.advance(30_000)
  assert.equal((await bench.instance(stop.id)).state, 'stopped')
  const { log: steps } = await bench.operation(stop)
  assert.deepEqual(
    steps.map(({ step, rung, result }) => `${step} ${rung} ${result}`),
    ['stop soft done', 'await-down soft escalated', 'stop hard done', 'await-down hard done'],
  )
})

it('a clock that was set back while nobody ran leaves nothing untouched', async () => {
  const [bench, stop] = await stopping()
  bench.view.die('now')
  bench.clock.jump(-hourMs)
  await bench.begin()
  await bench.clock.advance(30_000)
  assert.equal((await bench.instance(stop.id)).state, 'stopped')
})

it('a clock that is set back does not put off a retry', async () => {
  let fails = 3
  const bench = await Bench.of((inner) => ({
    start: (thing, options) =>
      fails-- > 0
        ? Promise.resolve({ ok: false, error: { code: 'failed', message: 'not yet' } } as const)
        : inner.start(thing, options),
  }))
  const created = await bench.create()
  await bench.clock.advance(300)
  bench.clock.jump(-hourMs)
  await bench.clock.advance(10_000)
  assert.equal((await bench.operation(created)).state, 'succeeded')
  assert.ok(fails < 0)
})

it('a lease from before the clock was set back is brought back, for it would keep others from taking up', async () => {
  const bench = await Bench.of(stubborn)
  const { id } = await bench.create()
  await bench.clock.advance(5_000)
  const target = { kind: 'any', id } as const
  const stop = await bench.ask({ verb: 'stop', target, rung: 'soft', graceMs: hourMs })
  await bench.clock.advance(hourMs / 2)
  bench.clock.jump(-hourMs / 4)
  await bench.clock.advance(30_000)
  const { leaseUntilMs, state } = await bench.operation(stop)
  assert.equal(state, 'running')
  assert.ok(leaseUntilMs <= bench.clock.nowMs() + 60_000)
})

it('what nobody holds is taken up, also when the clock is set back before its lease ends', async () => {
  const bench = await Bench.of()
  const { id } = await bench.create()
  await bench.clock.advance(5_000)
  bench.view.lie()
  const stop = { verb: 'stop', target: { kind: 'any', id }, rung: 'hard' } as const
  const told = await bench.plane.submit(stop, { caller: admin, door: 'test', requestId: 'r' })
  assert.deepEqual(told, { ok: false, error: { code: 'StoreUnavailable' } })
  assert.equal((await bench.instance(id)).state, 'stopping', 'and yet it was written')
  bench.clock.jump(-hourMs)
  await bench.clock.advance(40_000)
  assert.equal((await bench.instance(id)).state, 'stopped')
})

it('a pass that was due before the clock was set back takes place', async () => {
  const bench = await Bench.of()
  await bench.ask({ verb: 'put', table: 'pools', row: { id: 'p', capacity: 1 } })
  const pool = await bench.store.get('pools', 'p')
  assert.ok(pool)
  const row = { ...pool, passAtMs: bench.clock.nowMs() + hourMs }
  await bench.store.commit({ writes: [{ table: 'pools', row }], events: [] })
  await bench.clock.advance(1_000)
  assert.equal((await bench.store.get('pools', 'p'))?.passAtMs, null)
})

it('a hint that comes during an act does not hurry whoever waits for the disk', async () => {
  let hint: (id: Instance['id']) => void = quiet
  const bench = await Bench.of((inner) => ({
    watch: (heard) => {
      hint = heard
      return quiet
    },
    stop: (thing, options) => {
      hint(thing.id)
      bench.view.fail(1_000)
      return inner.stop(thing, options)
    },
  }))
  const { id } = await bench.create()
  await bench.clock.advance(5_000)
  await bench.ask({ verb: 'stop', target: { kind: 'any', id }, rung: 'hard' })
  await bench.clock.advance(10_000)
  // Each second once by the operation, and a few times by the engine's rounds.
  assert.ok(bench.view.failed() < 100, `${bench.view.failed()} tries`)
})

it('a hint that comes during a look is followed by another look at once', async () => {
  let hint: (id: Instance['id']) => void = quiet
  let isDown = false
  const bench = await Bench.of((inner, clock) => ({
    ...stubborn(inner, clock),
    watch: (heard) => {
      hint = heard
      return quiet
    },
    observe: async (thing, signal) => {
      const seen = await inner.observe(thing, signal)
      const was = isDown ? { ...seen, seen: 'down' as const, ready: false } : seen
      await new Promise<void>((resolve) => void clock.life().after(500, resolve))
      return was
    },
  }))
  const { id } = await bench.create()
  await bench.clock.advance(5_000)
  const target = { kind: 'any', id } as const
  await bench.ask({ verb: 'stop', target, rung: 'soft', graceMs: 60_000 })
  // It is told after 250 ms; looks begin at 250, 800, 1500 and 2800 ms, and the one after would at 5300.
  await bench.clock.advance(2_900)
  isDown = true
  hint(id)
  await bench.clock.advance(2_000)
  assert.equal((await bench.instance(id)).state, 'stopped')
})
