// Acts on nothing, and behaves like something that does: moves take their time, fail, hang, hide and drift as
// the scenario says. It ships in the product, for trying out and for testing clients.
//
// - A thing is its handle: nothing else is kept, but for counts of failures since the last act that worked
//   (an act that fails has no handle to keep them in) and timers for hints.
// - It is deterministic: clock, seed and scenario decide everything.

import { ok, type Result } from '#kernel/errors.ts'
import { type InstanceId } from '#kernel/ids.ts'
import { type Act } from '#kernel/operation.ts'
import { type Rung } from '#kernel/ladder.ts'
import { type Clock } from '#kernel/ports/clock.ts'
import { type ActOptions, type Driver, type Thing } from '#kernel/ports/driver.ts'
import { type DriverError } from '#kernel/request.ts'
import { err } from '#kernel/errors.ts'
import { type Acted, calledOff, type DriverWorld, failed, listeners, refused, stale } from '../shared/world.ts'
import { roll } from './chance.ts'
import { acts, type Scenario, scenarioOf, type SimulatedConfig } from './config.ts'
import { type Handle, made, readHandle, writeHandle } from './handle.ts'
import { conditionOf, nextChangeMs, observeAt } from './observe.ts'

/** What an act works with: everything read, checked and drawn. */
interface Work {
  readonly handle: Handle | null
  readonly scenario: Scenario
  readonly nowMs: number
  readonly attempt: number
  takes(act: Act | 'hardStop'): number
}

export function simulatedDriver(config: SimulatedConfig, world: DriverWorld): Driver {
  const { clock } = world
  const { seed = 1, jitter = 0 } = config
  const hints = hinting(config, clock)
  const failures = new Map<InstanceId, Record<string, number>>()

  const failuresOf = (thing: Thing, handle: Handle | null): Record<string, number> =>
    failures.get(thing.id) ?? { ...handle?.failures }

  /** Whether this call is one of those that fail; counts it when it is. */
  const misfortune = (act: Act, thing: Thing, work: Work): DriverError | undefined => {
    const counts = failuresOf(thing, work.handle)
    const count = counts[act] ?? 0
    const planned = work.scenario.failAt.find((one) => one.act === act && count < (one.times ?? Number.POSITIVE_INFINITY))
    const isUnlucky = roll(seed, 'fail', thing.id, act, work.attempt, count) < work.scenario.failRate
    if (!planned && !isUnlucky) return undefined
    failures.set(thing.id, { ...counts, [act]: count + 1 })
    return { code: planned?.code ?? 'failed', message: planned?.message ?? `the scenario lets ${act} fail` }
  }

  const workOf = (thing: Thing, attempt: number): Result<Work, DriverError> => {
    const handle = readHandle(thing.handle)
    if (!handle.ok) return refused(handle.error)
    if (handle.value && handle.value.attempt > attempt) return stale(attempt, handle.value.attempt)
    const scenario = scenarioOf(thing, config)
    if (!scenario.ok) return scenario
    const starts = handle.value?.starts ?? 0
    const spread = (act: string): number => 1 + jitter * (2 * roll(seed, 'time', thing.id, act, starts) - 1)
    return ok({
      handle: handle.value,
      scenario: scenario.value,
      nowMs: clock.nowMs(),
      attempt,
      takes: (act) => Math.round(scenario.value.durationMs[act] * spread(act)),
    })
  }

  const acting = async (act: Act, thing: Thing, { attempt, signal }: ActOptions, run: (work: Work) => Result<Handle, DriverError>): Promise<Acted> => {
    if (signal.aborted) return calledOff(act)
    const first = workOf(thing, attempt)
    if (!first.ok) return first
    if (first.value.scenario.hangAt.includes(act)) await aborted(signal)
    if (signal.aborted) return calledOff(act)
    const fault = misfortune(act, thing, first.value)
    if (fault) return err(fault)
    // Only these two answer late: what the others begin is waited for by looking.
    const answersInMs = act === 'create' || act === 'remove' ? needed(act, first.value) : 0
    if (!(await pause(clock, answersInMs, signal))) return calledOff(act)
    const done = run({ ...first.value, nowMs: clock.nowMs() })
    if (!done.ok) return done
    const handle = { ...done.value, attempt, failures: failuresOf(thing, first.value.handle) }
    failures.delete(thing.id)
    hints.arm({ ...thing, ...writeHandle(handle) })
    return ok(writeHandle(handle))
  }

  return {
    name: 'simulated',
    capabilities: { acts, rungs: ['drain', 'soft', 'hard'] },
    create: (thing, options) => acting('create', thing, options, create),
    start: (thing, options) => acting('start', thing, options, start),
    stop: (thing, options) => acting('stop', thing, options, (work) => stop(work, options.rung)),
    capture: (thing, options) => acting('capture', thing, options, capture),
    remove: (thing, options) => acting('remove', thing, options, remove),

    async observe(thing, signal) {
      const scenario = scenarioOf(thing, config)
      if (scenario.ok && scenario.value.hangAt.includes('observe')) await aborted(signal)
      const nowMs = clock.nowMs()
      const handle = readHandle(thing.handle)
      const cannot = signal.aborted ? 'called off' : !handle.ok ? handle.error : !scenario.ok ? scenario.error.message : null
      if (cannot !== null || !handle.ok || !scenario.ok) {
        return { seen: 'unknown', ready: false, reason: cannot, atMs: nowMs, evidence: {} }
      }
      // The scenario may have been changed since the last act.
      hints.arm(thing)
      return observeAt(handle.value, scenario.value, nowMs)
    },

    adopt(thing) {
      hints.arm(thing)
      return Promise.resolve()
    },
    watch: hints.watch,
    close() {
      hints.close()
      failures.clear()
      return Promise.resolve()
    },
  }
}

/** What is as it should be already is answered at once. */
function needed(act: 'create' | 'remove', work: Work): number {
  const isThere = conditionOf(work.handle, work.scenario, work.nowMs) !== 'absent'
  return isThere === (act === 'remove') ? work.takes(act) : 0
}

function create({ handle, scenario, nowMs, attempt }: Work): Result<Handle, DriverError> {
  if (handle && conditionOf(handle, scenario, nowMs) !== 'absent') return ok(handle)
  return ok(made(attempt, nowMs))
}

function start({ handle, scenario, nowMs, takes }: Work): Result<Handle, DriverError> {
  const condition = conditionOf(handle, scenario, nowMs)
  if (handle === null || condition === 'absent') return failed('it is not there, so it cannot start')
  if (condition === 'starting' || (condition === 'up' && handle.want === 'up')) return ok(handle)
  // Up by itself: now it is meant to be. Still on its way down: it comes up again afterwards.
  const fromMs = condition === 'stopping' ? handle.settlesAtMs : nowMs
  const settlesAtMs = condition === 'up' ? nowMs : fromMs + takes('start')
  return ok({ ...handle, want: 'up', sinceMs: nowMs, settlesAtMs, starts: handle.starts + 1 })
}

function stop(work: Work, rung: Rung): Result<Handle, DriverError> {
  const { handle, scenario, nowMs, attempt, takes } = work
  const condition = conditionOf(handle, scenario, nowMs)
  if (handle === null || condition === 'absent') return ok(handle ?? gone(attempt, nowMs))
  if (condition === 'down') {
    // Ended by itself: from now on it is meant to be down.
    return ok(handle.want === 'down' ? handle : { ...handle, want: 'down', sinceMs: nowMs, settlesAtMs: nowMs, wasUp: false })
  }
  if (rung !== 'hard' && scenario.ignoresSoftStop) return ok(handle)
  const downAtMs = nowMs + takes(rung === 'hard' ? 'hardStop' : 'stop')
  if (condition === 'stopping') return ok({ ...handle, settlesAtMs: Math.min(handle.settlesAtMs, downAtMs) })
  return ok({ ...handle, want: 'down', sinceMs: nowMs, settlesAtMs: downAtMs, wasUp: true })
}

function capture({ handle, scenario, nowMs, takes }: Work): Result<Handle, DriverError> {
  if (handle === null || conditionOf(handle, scenario, nowMs) === 'absent') {
    return failed('it is not there, so no image can be taken of it')
  }
  return ok(nowMs < handle.imagedUntilMs ? handle : { ...handle, imagedUntilMs: nowMs + takes('capture') })
}

function remove({ handle, scenario, nowMs, attempt }: Work): Result<Handle, DriverError> {
  const condition = conditionOf(handle, scenario, nowMs)
  if (condition !== 'absent' && condition !== 'down') return failed('it still runs')
  return ok({ ...(handle ?? gone(attempt, nowMs)), isMade: false })
}

const gone = (attempt: number, nowMs: number): Handle => ({ ...made(attempt, nowMs), isMade: false })

/** Tells of things when time alone has changed them. */
function hinting(config: SimulatedConfig, clock: Clock) {
  const hints = listeners<InstanceId>()
  const timers = new Map<InstanceId, () => void>()
  let isClosed = false

  const arm = (thing: Thing): void => {
    timers.get(thing.id)?.()
    timers.delete(thing.id)
    const handle = readHandle(thing.handle)
    const scenario = scenarioOf(thing, config)
    if (isClosed || !handle.ok || !scenario.ok) return
    const nowMs = clock.nowMs()
    const atMs = nextChangeMs(handle.value, scenario.value, nowMs)
    if (atMs === null) return
    const stop = clock.after(atMs - nowMs, () => {
      // First armed for what comes next: a listener may act on the thing at once, which arms it anew.
      arm(thing)
      hints.tell(thing.id)
    })
    timers.set(thing.id, stop)
  }

  return {
    arm,
    watch: (hint: (id: InstanceId) => void) => hints.add(hint),
    close() {
      isClosed = true
      hints.clear()
      for (const stop of timers.values()) stop()
      timers.clear()
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}

/** True when the delay has passed, false when it was called off. */
function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (delayMs <= 0) return Promise.resolve(!signal.aborted)
  return new Promise((done) => {
    const stop = clock.after(delayMs, () => {
      signal.removeEventListener('abort', callOff)
      done(true)
    })
    const callOff = () => {
      stop()
      done(false)
    }
    if (signal.aborted) callOff()
    else signal.addEventListener('abort', callOff, { once: true })
  })
}
