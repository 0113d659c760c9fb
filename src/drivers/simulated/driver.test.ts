import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { instanceId } from '#kernel/ids.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { Clock } from '#kernel/ports/clock.ts'
import type { Driver, Thing } from '#kernel/ports/driver.ts'
import { type Bench, driverContract, Held, never } from '#test/contract/driver.contract.ts'
import { quiet, realWorld } from '#test/harness/real-world.ts'
import type { SimulatedConfig } from './config.ts'
import { simulatedDriver } from './driver.ts'

const thingWith = (scenario: JsonObject, more: Partial<Thing> = {}): Thing => ({
  id: instanceId(randomUUID()),
  name: 'thing',
  handle: null,
  launch: { scenario },
  flavor: null,
  image: null,
  ...more,
})

/** Nothing lives but in handles, so what lives is what is seen up. */
function bench(): Promise<Bench> {
  const scenario = { startMs: 20, stopMs: 20, hardStopMs: 10, removeMs: 5 }
  const drivers: Driver[] = []
  const another = (): Driver => {
    const driver = simulatedDriver({ scenario }, realWorld)
    drivers.push(driver)
    return driver
  }
  const driver = another()
  return Promise.resolve({
    driver,
    another,
    thing: (nature) => thingWith(nature === 'plain' ? {} : { ignoreSoftStop: true }),
    live: async (thing) => Number((await driver.observe(thing, never())).seen === 'up'),
    close: async () => {
      for (const one of drivers) await one.close()
    },
  })
}

driverContract('simulated', bench)

interface HandClock extends Clock {
  /** Moves the time and calls back, in order, everything that falls due. */
  pass(ms: number): Promise<void>
}

function handClock(): HandClock {
  let nowMs = 1_000_000
  let timers: { readonly atMs: number; readonly ring: () => void }[] = []
  return {
    nowMs: () => nowMs,
    after(delayMs, then) {
      const timer = { atMs: nowMs + delayMs, ring: then }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
    async pass(ms) {
      const untilMs = nowMs + ms
      for (;;) {
        // Whatever waits for a promise first goes on; it may set timers of its own.
        await new Promise(setImmediate)
        const [next] = timers.toSorted((a, b) => a.atMs - b.atMs)
        if (!next || next.atMs > untilMs) break
        timers = timers.filter((one) => one !== next)
        nowMs = next.atMs
        next.ring()
      }
      nowMs = untilMs
    },
  }
}

/** A thing under a scenario, with the time in one's hand. */
function stage(scenario: JsonObject, config: SimulatedConfig = {}) {
  const clock = handClock()
  const driver = simulatedDriver(config, { clock, log: quiet })
  const held = new Held(driver, thingWith(scenario))
  const hinted: number[] = []
  driver.watch(() => hinted.push(clock.nowMs()))
  const does = async (...[act, rung]: Parameters<Held['do']>): Promise<void> => {
    const done = held.do(act, rung)
    await clock.pass(0)
    await done
  }
  const seen = async (): Promise<string> => {
    const { seen, ready, reason } = await held.look()
    return [seen, ...(ready ? ['ready'] : []), ...(reason === null ? [] : [reason])].join(', ')
  }
  return { clock, driver, held, hinted, does, seen }
}

const running = async (scenario: JsonObject) => {
  const on = stage(scenario)
  await on.does('create')
  await on.does('start')
  await on.clock.pass(200)
  assert.equal(await on.seen(), 'up, ready')
  return on
}

describe('simulated: time', () => {
  test('moves take as long as they are said to, and hints come when they end', async () => {
    const on = stage({ startMs: 300, stopMs: 70, hardStopMs: 7 })
    await on.does('create')
    const startedMs = on.clock.nowMs()
    await on.does('start')
    await on.clock.pass(299)
    assert.equal(await on.seen(), 'up, it is starting')
    assert.deepEqual(on.hinted, [])
    await on.clock.pass(1)
    assert.equal(await on.seen(), 'up, ready')
    assert.deepEqual(on.hinted, [startedMs + 300])
    await on.does('stop', 'soft')
    await on.clock.pass(69)
    assert.equal(await on.seen(), 'up, it is stopping')
    await on.clock.pass(1)
    assert.equal(await on.seen(), 'down')
    assert.deepEqual(on.hinted, [startedMs + 300, startedMs + 370])
  })

  test('a create and a remove answer when they are done', async () => {
    const on = stage({ createMs: 50, removeMs: 30 })
    for (const [act, ms] of [
      ['create', 50],
      ['remove', 30],
    ] as const) {
      on.held.attempt += 1
      let isDone = false
      const done = on.held.try(act).finally(() => (isDone = true))
      await on.clock.pass(ms - 1)
      assert.equal(isDone, false, act)
      await on.clock.pass(1)
      assert.ok((await done).ok)
    }
    assert.equal((await on.held.look()).seen, 'absent')
  })

  test('a wait that is called off ends at once and leaves nothing', async () => {
    const on = stage({ createMs: 50 })
    const off = new AbortController()
    const done = on.held.try('create', { signal: off.signal })
    await on.clock.pass(10)
    off.abort()
    const { ok } = await done
    assert.equal(ok, false)
    assert.equal((await on.held.look()).seen, 'absent')
  })

  test('a harder stop is not held up by a softer one, nor a softer one by being repeated', async () => {
    const on = await running({ stopMs: 1000, hardStopMs: 10 })
    await on.does('stop', 'soft')
    await on.clock.pass(990)
    await on.does('stop', 'soft')
    await on.clock.pass(10)
    assert.equal(await on.seen(), 'down')
    await on.does('start')
    await on.clock.pass(200)
    await on.does('stop', 'drain')
    await on.does('stop', 'hard')
    await on.clock.pass(10)
    assert.equal(await on.seen(), 'down')
  })

  test('what is told to start while it is going down comes up again afterwards', async () => {
    const on = await running({ stopMs: 100 })
    await on.does('stop', 'soft')
    await on.clock.pass(50)
    await on.does('start')
    await on.clock.pass(249)
    assert.equal(await on.seen(), 'up, it is starting')
    await on.clock.pass(1)
    assert.equal(await on.seen(), 'up, ready')
  })

  test('it cannot be seen while an image is taken of it, and is what it was afterwards', async () => {
    const on = await running({ captureMs: 40 })
    await on.does('capture')
    assert.equal(await on.seen(), 'unknown, an image is being taken of it')
    await on.clock.pass(40)
    assert.equal(await on.seen(), 'up, ready')
  })

  test('durations spread with the seed, within bounds, and repeat', async () => {
    const settled = (seed: number, id: string): Promise<number> =>
      startMsOf({ seed, jitter: 0.5 }, id)
    const ids = Array.from({ length: 20 }, (_, n) => `thing-${n}`)
    const first = await Promise.all(ids.map((id) => settled(1, id)))
    assert.deepEqual(await Promise.all(ids.map((id) => settled(1, id))), first)
    assert.notDeepEqual(await Promise.all(ids.map((id) => settled(2, id))), first)
    assert.ok(new Set(first).size > 10, 'they differ')
    assert.ok(
      first.every((ms) => ms >= 500 && ms <= 1500),
      String(first),
    )
  })
})

async function startMsOf(config: SimulatedConfig, id: string): Promise<number> {
  const clock = handClock()
  const driver = simulatedDriver(config, { clock, log: quiet })
  const held = new Held(driver, thingWith({ startMs: 1000 }, { id: instanceId(id) }))
  await held.do('create')
  const handle = await held.do('start')
  await driver.close()
  return Number(handle['settlesAtMs']) - clock.nowMs()
}

describe('simulated: misbehaviour', () => {
  test('an act fails as often as it is said to, over restarts of what worked in between', async () => {
    const on = stage({ failAt: [{ act: 'start', times: 2, message: 'no power' }] })
    await on.does('create')
    for (const _ of [1, 2]) {
      const done = await on.held.try('start')
      assert.deepEqual(!done.ok && [done.error.code, done.error.message], ['failed', 'no power'])
    }
    await on.does('start')
    await on.clock.pass(200)
    await on.does('stop', 'hard')
    await on.clock.pass(50)
    // Another driver knows from the handle that this act has had its failures.
    on.held.driver = simulatedDriver({}, { clock: on.clock, log: quiet })
    await on.does('start')
  })

  test('an act that always fails fails always, and one that is refused is refused', async () => {
    const on = stage({ failAt: ['start'], refuse: ['stop'] })
    await on.does('create')
    for (const _ of [1, 2, 3]) assert.equal((await on.held.try('start')).ok, false)
    const done = await on.held.try('stop')
    assert.equal(!done.ok && done.error.code, 'refused')
  })

  test('a share of the acts fails by chance, and the same ones again', async () => {
    const failing = async (): Promise<readonly string[]> => {
      const ids = Array.from({ length: 100 }, (_, n) => `thing-${n}`)
      const driver = simulatedDriver({ seed: 7 }, { clock: handClock(), log: quiet })
      const options = { attempt: 1, signal: never() }
      const failed: string[] = []
      for (const id of ids) {
        const done = await driver.create(
          thingWith({ failRate: 0.3 }, { id: instanceId(id) }),
          options,
        )
        if (!done.ok) failed.push(id)
      }
      return failed
    }
    const first = await failing()
    assert.ok(first.length > 15 && first.length < 45, String(first.length))
    assert.deepEqual(await failing(), first)
  })

  test('an act that hangs answers when it is called off', async () => {
    const on = stage({ hangAt: ['create', 'observe'] })
    const off = new AbortController()
    const done = on.held.try('create', { signal: off.signal })
    const look = on.driver.observe(on.held.thing, off.signal)
    await on.clock.pass(1_000_000)
    off.abort()
    const created = await done
    assert.equal(!created.ok && created.error.code, 'timeout')
    assert.equal((await look).seen, 'unknown')
  })

  test('it ends by itself, says how, and a hint tells of it', async () => {
    const on = await running({ driftDownAfterMs: 5000, exitCode: 3 })
    on.hinted.length = 0
    await on.clock.pass(5000)
    assert.deepEqual(on.hinted, [on.clock.nowMs()])
    assert.equal(await on.seen(), 'down, it exited with code 3')
    assert.deepEqual((await on.held.look()).evidence, { exitCode: 3 })
    await on.does('start')
    await on.clock.pass(200)
    assert.equal(await on.seen(), 'up, ready')
  })

  test('it starts by itself, and can then be stopped', async () => {
    const on = stage({ driftUpAfterMs: 400 })
    await on.does('create')
    await on.clock.pass(400)
    assert.equal(await on.seen(), 'up, ready, it started by itself')
    assert.equal(on.hinted.length, 1)
    await on.does('stop', 'hard')
    await on.clock.pass(50)
    assert.equal(await on.seen(), 'down')
  })

  test('it hides for a while after each act, and for ever when told so', async () => {
    const on = await running({ reportUnknown: { fromMs: 250, toMs: 300 } })
    await on.clock.pass(50)
    assert.equal(await on.seen(), 'unknown, its scenario hides it')
    await on.clock.pass(50)
    assert.equal(await on.seen(), 'up, ready')
    on.held.thing = { ...on.held.thing, launch: { scenario: { reportUnknown: true } } }
    assert.equal(await on.seen(), 'unknown, its scenario hides it')
  })

  test('it is forgotten, and can be made again', async () => {
    const on = await running({ forgetAfterMs: 1000 })
    await on.clock.pass(800)
    assert.equal(await on.seen(), 'absent, it is not there')
    const done = await on.held.try('start')
    assert.equal(!done.ok && done.error.code, 'failed')
    await on.does('create')
    await on.does('start')
    await on.clock.pass(200)
    assert.equal(await on.seen(), 'up, ready')
  })
})

describe('simulated: what it accepts', () => {
  const refusedFor = async (thing: Thing): Promise<string> => {
    const driver = simulatedDriver({}, { clock: handClock(), log: quiet })
    const done = await driver.create(thing, { attempt: 1, signal: never() })
    return done.ok ? 'accepted' : `${done.error.code}: ${done.error.message}`
  }

  test('a scenario with a fault is refused, and the message names the place', async () => {
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ startMS: 1 }, 'refused: launch.scenario does not know startMS'],
      [{ startMs: -1 }, 'refused: launch.scenario.startMs must be >= 0'],
      [
        { failAt: ['boot'] },
        'refused: launch.scenario.failAt.0 must be equal to one of the allowed values',
      ],
      [
        { failAt: [{ act: 'start', time: 1 }] },
        'refused: launch.scenario.failAt.0 does not know time',
      ],
      [{ reportUnknown: { fromMs: 1 } }, 'refused: launch.scenario.reportUnknown lacks toMs'],
    ]
    for (const [scenario, message] of cases)
      assert.equal(await refusedFor(thingWith(scenario)), message)
  })

  test('the instance says more than its image, and that more than the flavor', async () => {
    const flavor = {
      id: 'f',
      vcpus: 1,
      memoryMiB: 1,
      attributes: { startMs: 1, stopMs: 1, rack: 'r7' },
    }
    const image = { id: 'i', launch: { command: ['x'], scenario: { startMs: 2, hardStopMs: 2 } } }
    const clock = handClock()
    const driver = simulatedDriver({ scenario: { captureMs: 9 } }, { clock, log: quiet })
    const held = new Held(driver, thingWith({ startMs: 3 }, { flavor, image }))
    await held.do('create')
    assert.equal((await held.do('start'))['settlesAtMs'], clock.nowMs() + 3)
    await clock.pass(3)
    assert.equal((await held.do('capture'))['imagedUntilMs'], clock.nowMs() + 9)
    assert.equal((await held.do('stop', 'soft'))['settlesAtMs'], clock.nowMs() + 1)
  })
})
