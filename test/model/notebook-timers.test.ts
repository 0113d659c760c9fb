// A notebook's deadlines over a whole plane whose clock is moved by hand and which dies: each fires at its moment,
// or as soon as somebody is there again, and once.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Flavor } from '#kernel/catalogue.ts'
import type { CallerRequest } from '#kernel/request.ts'
import { admin, flavor } from '#test/harness/board.ts'
import { chance } from '#test/harness/chance.ts'
import { MortalPlane } from '#test/harness/mortal-plane.ts'
import type { Death } from '#test/harness/mortal-store.ts'

const hourMs = 3_600_000
const runMs = 60_000
const attributes = { createMs: 10, startMs: 50, stopMs: 50, hardStopMs: 10, removeMs: 10 }
const free = flavor({
  id: 'free',
  charge: 'free',
  poolId: 'pool',
  releasesOnStop: true,
  autoStopMs: runMs,
  storeMs: 72 * hourMs,
  reserveMs: 30_000,
  attributes,
})
const billed = flavor({ id: 'billed', releasesOnStop: true, attributes })

class Lab {
  readonly #plane = new MortalPlane(chance(1))
  id = ''

  static async open(own: Flavor): Promise<Lab> {
    const lab = new Lab()
    lab.#plane.isUnruly = false
    await lab.#plane.clock.settle()
    const image = { id: 'sim', name: 'sim', launch: {}, hardware: 'CPU', attributes: {} } as const
    const drivers = { id: 'simulated', available: true, reason: null }
    await lab.ask({ verb: 'put', table: 'drivers', row: drivers })
    await lab.ask({ verb: 'put', table: 'images', row: { ...image, kinds: ['notebook'] } })
    await lab.ask({ verb: 'put', table: 'flavors', row: own })
    await lab.ask({ verb: 'put', table: 'pools', row: { id: 'pool', capacity: 1 } })
    return lab
  }

  async make(flavorId: string, isLease?: true): Promise<void> {
    const autoStop = { enabled: true, afterMs: runMs, ...(isLease ? { isLease } : {}) }
    const made = { kind: 'notebook', name: 'n', flavorId, imageId: 'sim', autoStop } as const
    const receipt = await this.ask({ verb: 'create', ...made })
    this.id = String(receipt.instanceIds[0])
    await this.becomes('running')
  }

  get target() {
    return { kind: 'any', id: this.id } as const
  }

  async ask(request: CallerRequest) {
    const submission = { caller: admin, door: 'test', requestId: 'r' }
    const submitted = this.#plane.plane?.submit(request, submission)
    await this.#plane.clock.settle()
    const done = await submitted
    assert.ok(done?.ok, JSON.stringify(done))
    return done.value
  }

  get nowMs(): number {
    return this.#plane.clock.nowMs()
  }

  async row() {
    const row = await this.#plane.store.get('instances', this.id)
    assert.ok(row)
    return row
  }

  async becomes(state: string): Promise<void> {
    for (let strides = 0; strides < 50; strides++) {
      if ((await this.row()).state === state) return
      await this.#plane.clock.advance(100)
    }
    assert.equal((await this.row()).state, state)
  }

  advance = (ms: number): Promise<void> => this.#plane.clock.advance(ms)

  /** Dies so, is away so long, and begins again. */
  async dieFor(awayMs: number, how: Death = 'now'): Promise<void> {
    this.#plane.die(how)
    await this.advance(awayMs)
    this.#plane.die('now')
    this.#plane.begin()
    await this.advance(500)
  }

  async started(verb: string): Promise<number> {
    const events = await this.#plane.store.events({ after: 0, instanceId: this.id, limit: 1_000 })
    const own = events.filter(
      ({ type, data }) => type === 'operation.started' && data['verb'] === verb,
    )
    for (const { cause } of own) assert.equal(cause.by, 'timer')
    return own.length
  }

  close = (): Promise<number> => this.#plane.close()
}

describe('auto stop', () => {
  for (const isLease of [undefined, true] as const)
    it(`${isLease ? 'of a lease' : 'of an instance'} fires at its moment, and not before`, async () => {
      const lab = await Lab.open(billed)
      await lab.make('billed', isLease)
      const { autoStopAtMs } = (await lab.row()).timers
      await lab.advance((autoStopAtMs ?? 0) - lab.nowMs - 1)
      assert.equal((await lab.row()).state, 'running')
      await lab.advance(300)
      await lab.becomes('stopped')
      assert.equal(await lab.started('stop'), 1)
      await lab.close()
    })

  for (const how of ['now', 'before-commit', 'after-commit'] as const)
    it(`fires once, whenever the server dies (${how})`, async () => {
      const lab = await Lab.open(billed)
      await lab.make('billed')
      // It dies with the very commit that would stop it.
      await lab.advance(runMs - 1_000)
      await lab.dieFor(5_000, how)
      await lab.becomes('stopped')
      await lab.advance(5_000)
      assert.equal(await lab.started('stop'), 1)
      assert.equal((await lab.row()).timers.autoStopAtMs, null)
      await lab.close()
    })

  it('of a renewed lease is the new one, also after a restart', async () => {
    const lab = await Lab.open(billed)
    await lab.make('billed', true)
    await lab.advance(runMs - 10_000)
    const autoStop = { enabled: true, afterMs: runMs, isLease: true } as const
    await lab.ask({ verb: 'update', target: lab.target, autoStop })
    const renewedAtMs = lab.nowMs
    await lab.dieFor(20_000)
    assert.equal((await lab.row()).state, 'running')
    assert.equal((await lab.row()).timers.autoStopAtMs, renewedAtMs + runMs)
    await lab.advance(40_000)
    await lab.becomes('stopped')
    assert.equal(await lab.started('stop'), 1)
    await lab.close()
  })
})

it('a reservation lapses once, whether or not somebody was there, and its place is free', async () => {
  for (const isAway of [false, true]) {
    const lab = await Lab.open(free)
    await lab.make('free')
    await lab.advance(runMs)
    await lab.becomes('stopped')
    await lab.ask({ verb: 'queue', target: lab.target })
    await lab.becomes('reserved')
    await (isAway ? lab.dieFor(40_000) : lab.advance(29_000))
    if (!isAway) {
      assert.equal((await lab.row()).state, 'reserved')
      await lab.advance(1_500)
    }
    await lab.becomes('stopped')
    assert.equal((await lab.row()).reason, 'the reservation lapsed')
    assert.equal((await lab.row()).place, null)
    await lab.close()
  }
})

it('what was unused for its storage time is removed once, also by the server that comes after', async () => {
  const lab = await Lab.open(free)
  await lab.make('free')
  await lab.dieFor(2 * hourMs)
  await lab.becomes('stopped')
  const { removeAtMs } = (await lab.row()).timers
  assert.ok(removeAtMs !== null && removeAtMs > lab.nowMs + 71 * hourMs)
  // Away over most of it: a server that idles so long would only tick.
  await lab.dieFor(removeAtMs - lab.nowMs - 5_000)
  assert.equal((await lab.row()).state, 'stopped')
  await lab.dieFor(10_000)
  await lab.becomes('deleted')
  assert.equal(await lab.started('delete'), 1)
  await lab.close()
})
