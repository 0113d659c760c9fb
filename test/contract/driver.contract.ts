// What every driver must do, run by each driver's own test with a world of its own. A law that holds for one
// driver only is not in here; where drivers differ on purpose, the table below has an answer for each.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InstanceId } from '#kernel/ids.ts'
import type { JsonObject } from '#kernel/json.ts'
import { type Rung, rungs } from '#kernel/ladder.ts'
import type { Observation } from '#kernel/observation.ts'
import type { Act } from '#kernel/operation.ts'
import type { Driver, Thing } from '#kernel/ports/driver.ts'
import type { DriverError } from '#kernel/request.ts'

const expected = {
  process: { capture: 'unsupported', pause: 'works', suspend: 'unsupported' },
  simulated: { capture: 'works', pause: 'works', suspend: 'works' },
} as const satisfies Record<
  string,
  { readonly [A in 'capture' | 'pause' | 'suspend']: 'works' | 'unsupported' }
>

export type DriverName = keyof typeof expected

/** A driver in a world of its own, with real time. */
export interface Bench {
  readonly driver: Driver
  /** A driver over the same world, as the next server makes one. */
  readonly another: () => Driver
  /** Something that can run, made new each time; a stubborn one takes no notice of drain and soft. */
  readonly thing: (nature: 'plain' | 'stubborn') => Thing
  /** How many live things there are in the name of this instance; asked of the world, where there is one. */
  readonly live: (thing: Thing) => Promise<number>
  /** Ends everything, and fails when something is left. */
  readonly close: () => Promise<void>
}

const patienceMs = 8000

/** Waits until it is true; says what it waited for when it never is. */
export async function until<T>(
  what: string,
  look: () => Promise<T | false | undefined | null> | T | false | undefined | null,
): Promise<T> {
  const lateMs = Date.now() + patienceMs
  for (;;) {
    const seen = await look()
    if (seen !== false && seen !== undefined && seen !== null) return seen
    assert.ok(Date.now() < lateMs, `never happened: ${what}`)
    await sleep(10)
  }
}

export const never = (): AbortSignal => new AbortController().signal

/** One thing as the engine holds it: the handle of the last act that worked, and an attempt that rises. */
export class Held {
  thing: Thing
  attempt = 1
  driver: Driver

  constructor(driver: Driver, thing: Thing) {
    this.driver = driver
    this.thing = thing
  }

  async try(act: Act, how: { readonly rung?: Rung; readonly signal?: AbortSignal } = {}) {
    const { rung = 'soft', signal = never() } = how
    const options = { attempt: this.attempt, signal, rung, graceMs: 1000, imageName: 'image' }
    const done = await this.driver[act](this.thing, options)
    if (done.ok) this.thing = { ...this.thing, handle: plain(done.value.handle) }
    return done
  }

  /** The next operation: a new attempt that has to work. */
  async do(act: Act, rung?: Rung): Promise<JsonObject> {
    this.attempt += 1
    const done = await this.try(act, rung === undefined ? {} : { rung })
    assert.ok(done.ok, done.ok ? '' : `${act}: ${done.error.message}`)
    return done.value.handle
  }

  look(): Promise<Observation> {
    return this.driver.observe(this.thing, never())
  }

  comes(what: string, is: (seen: Observation) => boolean): Promise<Observation> {
    return until(`${what}`, async () => {
      const seen = await this.look()
      return is(seen) ? seen : false
    })
  }

  /** Up, and one of it: a thing may be seen up a moment before it shows in the world. */
  async isOne(bench: Pick<Bench, 'live'>): Promise<void> {
    await this.up()
    await until('it lives', async () => (await bench.live(this.thing)) > 0)
    assert.equal(await bench.live(this.thing), 1)
  }

  up = (): Promise<Observation> =>
    this.comes('up and ready', ({ seen, ready }) => seen === 'up' && ready)
  down = (): Promise<Observation> => this.comes('down', ({ seen }) => seen === 'down')
}

/** What a store would make of it; a handle that is not plain JSON is not the same afterwards. */
function plain(handle: JsonObject): JsonObject {
  const kept = JSON.parse(JSON.stringify(handle)) as JsonObject // what was written as JSON
  assert.deepEqual(kept, handle)
  return kept
}

const errorOf = (done: {
  readonly ok: boolean
  readonly error?: DriverError
}): DriverError['code'] | undefined => (done.ok ? undefined : done.error?.code)

export function driverContract(name: DriverName, make: () => Promise<Bench>): void {
  const law = (claim: string, check: (bench: Bench, t: TestContext) => Promise<void>): void => {
    test(claim, async (t) => {
      const bench = await make()
      try {
        await check(bench, t)
      } finally {
        await bench.close()
      }
    })
  }

  describe(`${name}: the driver contract`, () => {
    lawsOfLife(law)
    lawsOfRepetition(law)
    lawsOfOrder(law)
    lawsOfRestart(law)
    lawsOfStillness(law, name)
    lawsOfCapability(law, name)
  })
}

type Law = (claim: string, check: (bench: Bench) => Promise<void>) => void

function lawsOfLife(law: Law): void {
  for (const rung of rungs) {
    law(`a thing is made, started, stopped (${rung}), started again and removed`, async (bench) => {
      const held = new Held(bench.driver, bench.thing('plain'))
      await held.do('create')
      assert.equal((await held.look()).seen, 'down', 'made is not started')
      await held.do('start')
      await held.isOne(bench)
      await held.do('stop', rung)
      await held.down()
      assert.equal(await bench.live(held.thing), 0)
      await held.do('start')
      await held.up()
      await held.do('stop', 'hard')
      await held.down()
      await held.do('remove')
      assert.equal((await held.look()).seen, 'absent')
    })
  }

  law('what was never made is absent', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    const seen = await held.look()
    assert.deepEqual([seen.seen, seen.ready], ['absent', false])
  })

  law('what takes no notice of a soft stop lives, until it is stopped hard', async (bench) => {
    const held = new Held(bench.driver, bench.thing('stubborn'))
    await held.do('create')
    await held.do('start')
    await held.up()
    await held.do('stop', 'soft')
    await sleep(300)
    assert.equal((await held.look()).seen, 'up')
    await held.do('stop', 'hard')
    await held.down()
  })

  law('nothing that lives is removed', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('create')
    await held.do('start')
    await held.up()
    assert.equal(errorOf(await held.try('remove')), 'failed')
    assert.equal((await held.look()).seen, 'up')
  })
}

function lawsOfRepetition(law: Law): void {
  law('an act that is repeated changes nothing', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    // Once more by the same worker, and once by one that took over.
    const thrice = async (act: Act, rung?: Rung): Promise<void> => {
      await held.do(act, rung)
      assert.ok((await held.try(act, rung === undefined ? {} : { rung })).ok, `${act} again`)
      await held.do(act, rung)
    }
    await thrice('create')
    assert.equal((await held.look()).seen, 'down')
    await thrice('start')
    const first = await held.up()
    await thrice('create')
    await thrice('start')
    assert.deepEqual((await held.up()).evidence, first.evidence, 'it is the same thing still')
    await thrice('stop', 'soft')
    await held.down()
    await thrice('stop', 'hard')
    assert.equal((await held.look()).seen, 'down')
    await thrice('remove')
    assert.equal((await held.look()).seen, 'absent')
  })

  law('starts at one moment leave one live thing', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('create')
    // Each is given the same handle, as two workers would be of which one has lost its lease.
    const options = (attempt: number) => ({ attempt, signal: never() })
    const starts = [
      held.driver.start(held.thing, options(5)),
      bench.another().start(held.thing, options(6)),
    ]
    const done = await Promise.all(starts)
    assert.ok(
      done.some(({ ok }) => ok),
      'at least one of them works',
    )
    held.attempt = 6
    await held.do('start')
    await held.isOne(bench)
  })

  law('a stop of what is down, and a remove of what is gone, do nothing', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('stop', 'soft')
    await held.do('remove')
    await held.do('create')
    for (const rung of rungs) await held.do('stop', rung)
    assert.equal((await held.look()).seen, 'down')
  })
}

function lawsOfOrder(law: Law): void {
  law('an act of an earlier attempt is refused and changes nothing', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    held.attempt = 10
    await held.do('create')
    await held.do('start')
    await held.up()
    const early = { attempt: 9, signal: never(), graceMs: 0 }
    assert.equal(errorOf(await held.driver.stop(held.thing, { ...early, rung: 'hard' })), 'refused')
    assert.equal((await held.look()).seen, 'up')
    await held.do('stop', 'hard')
    await held.down()
    assert.equal(errorOf(await held.driver.start(held.thing, early)), 'refused')
    assert.equal(errorOf(await held.driver.remove(held.thing, early)), 'refused')
    assert.equal((await held.look()).seen, 'down')
  })

  law('an act that was called off before it began changes nothing', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    const off = AbortSignal.abort()
    assert.equal(errorOf(await held.try('create', { signal: off })), 'timeout')
    assert.equal((await held.look()).seen, 'absent')
    await held.do('create')
    assert.equal(errorOf(await held.try('start', { signal: off })), 'timeout')
    assert.equal((await held.look()).seen, 'down')
    await held.do('start')
    await held.up()
    assert.equal(errorOf(await held.try('stop', { signal: off, rung: 'hard' })), 'timeout')
    assert.equal((await held.look()).seen, 'up')
  })

  law('a bad launch is refused in one sentence, and makes nothing', async (bench) => {
    const thing = bench.thing('plain')
    const held = new Held(bench.driver, { ...thing, launch: { env: 1, scenario: 1 } })
    const done = await held.try('create')
    assert.ok(!done.ok && done.error.code === 'refused')
    assert.match(done.error.message, /^launch\.(env|scenario) must be object$/)
    assert.equal((await bench.driver.observe(thing, never())).seen, 'absent')
  })
}

function lawsOfRestart(law: Law): void {
  law('a new driver finds the thing by its handle alone, and stops it', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('create')
    await held.do('start')
    const before = await held.up()
    await bench.driver.close()
    held.driver = bench.another()
    await held.driver.adopt(held.thing)
    const after = await held.up()
    assert.deepEqual(after.evidence, before.evidence)
    await held.do('start')
    await held.isOne(bench)
    await held.do('stop', 'soft')
    await held.down()
  })

  law('hints tell of a start, and of an end, also of what was adopted', async (bench) => {
    const hinted: InstanceId[] = []
    const next = async (what: string): Promise<void> => {
      await until(`a hint of ${what}`, () => hinted.length > 0)
      hinted.length = 0
    }
    const held = new Held(bench.driver, bench.thing('plain'))
    bench.driver.watch((id) => hinted.push(id))
    await held.do('create')
    await held.do('start')
    await next('readiness')
    await held.up()
    hinted.length = 0
    await held.do('stop', 'soft')
    await next('an end')
    await held.down()
    await held.do('start')
    await held.up()
    await bench.driver.close()
    held.driver = bench.another()
    const off = held.driver.watch((id) => hinted.push(id))
    await held.driver.adopt(held.thing)
    hinted.length = 0
    await held.do('stop', 'soft')
    await next('an adopted one that ended')
    off()
    await held.do('start')
    await held.up()
    hinted.length = 0
    await held.do('stop', 'hard')
    await held.down()
    assert.deepEqual(hinted, [], 'who has stopped watching is told nothing')
  })

  law('a handle of another driver is not taken for one of its own', async (bench) => {
    const held = new Held(bench.driver, { ...bench.thing('plain'), handle: { vm: 'x-1' } })
    assert.equal((await held.look()).seen, 'unknown')
    for (const act of ['start', 'stop', 'remove'] as const) {
      assert.equal(errorOf(await held.try(act)), 'refused', act)
    }
  })
}

const stillness = [
  { act: 'pause', back: 'unpause', seen: 'paused' },
  { act: 'suspend', back: 'resume', seen: 'suspended' },
] as const

function lawsOfStillness(law: Law, name: DriverName): void {
  for (const { act, back, seen } of stillness) {
    if (expected[name][act] === 'unsupported') {
      law(`it says that it cannot ${act}, and does nothing`, async (bench) => {
        const held = new Held(bench.driver, bench.thing('plain'))
        await held.do('create')
        await held.do('start')
        await held.up()
        for (const one of [act, back]) assert.equal(errorOf(await held.try(one)), 'unsupported')
        assert.equal((await held.look()).seen, 'up')
      })
      continue
    }
    const still = (held: Held): Promise<Observation> =>
      held.comes(seen, (look) => look.seen === seen && !look.ready)

    law(
      `what is ${seen} is the same thing when it goes on, however often it is told`,
      async (bench) => {
        const held = new Held(bench.driver, bench.thing('plain'))
        await held.do('create')
        await held.do('start')
        const before = await held.up()
        for (const one of [act, act]) await held.do(one)
        assert.ok((await held.try(act)).ok, `${act} again`)
        await still(held)
        // The next server finds it so, and lets it go on.
        await bench.driver.close()
        held.driver = bench.another()
        await held.driver.adopt(held.thing)
        await still(held)
        for (const one of [back, back]) await held.do(one)
        assert.deepEqual((await held.up()).evidence, before.evidence)
        await held.isOne(bench)
      },
    )

    law(`what is ${seen} can be stopped, softly and at once`, async (bench) => {
      const held = new Held(bench.driver, bench.thing('plain'))
      await held.do('create')
      for (const rung of rungs) {
        await held.do('start')
        await held.up()
        await held.do(act)
        await still(held)
        await held.do('stop', rung)
        await held.down()
        assert.equal(await bench.live(held.thing), 0)
      }
    })

    law(`what does not run cannot be ${seen}, nor can an earlier attempt do it`, async (bench) => {
      const held = new Held(bench.driver, bench.thing('plain'))
      assert.equal(errorOf(await held.try(act)), 'failed')
      await held.do('create')
      for (const one of [act, back]) assert.equal(errorOf(await held.try(one)), 'failed', one)
      assert.equal((await held.look()).seen, 'down')
      held.attempt = 10
      await held.do('start')
      await held.up()
      const early = { attempt: 9, signal: never() }
      assert.equal(errorOf(await held.driver[act](held.thing, early)), 'refused')
      assert.equal((await held.up()).seen, 'up')
    })
  }
}

function lawsOfCapability(law: Law, name: DriverName): void {
  law('what it says it can do is what it does', async (bench) => {
    const { capabilities } = bench.driver
    const captures = capabilities.acts.includes('capture')
    assert.equal(captures, expected[name].capture === 'works')
    assert.equal(bench.driver.name, name)
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('create')
    await held.do('start')
    await held.up()
    const captured = await held.try('capture')
    assert.equal(errorOf(captured), captures ? undefined : 'unsupported')
    await held.up()
  })
}
