// What each act makes of a simulated thing: pure, from one handle to the next. Each may run twice.

import { ok, type Result } from '#kernel/errors.ts'
import type { Rung } from '#kernel/ladder.ts'
import type { Act } from '#kernel/operation.ts'
import type { DriverError } from '#kernel/request.ts'
import { failed } from '../shared/world.ts'
import type { Scenario } from './config.ts'
import { type Handle, made } from './handle.ts'
import { conditionOf } from './observe.ts'

/** What an act works with: everything read, checked and drawn. */
export interface Work {
  readonly handle: Handle | null
  readonly scenario: Scenario
  readonly nowMs: number
  readonly attempt: number
  readonly takes: (act: Act | 'hardStop') => number
}

/** What is as it should be already is answered at once. */
export function needed(act: 'create' | 'remove', work: Work): number {
  const isThere = conditionOf(work.handle, work.scenario, work.nowMs) !== 'absent'
  return isThere === (act === 'remove') ? work.takes(act) : 0
}

export function create({ handle, scenario, nowMs, attempt }: Work): Result<Handle, DriverError> {
  if (handle && conditionOf(handle, scenario, nowMs) !== 'absent') return ok(handle)
  return ok(made(attempt, nowMs))
}

export function start({ handle, scenario, nowMs, takes }: Work): Result<Handle, DriverError> {
  const condition = conditionOf(handle, scenario, nowMs)
  if (handle === null || condition === 'absent')
    return failed('it is not there, so it cannot start')
  if (condition === 'starting' || (condition === 'up' && handle.want === 'up')) return ok(handle)
  // Up by itself: now it is meant to be. Still on its way down: it comes up again afterwards.
  const fromMs = condition === 'stopping' ? handle.settlesAtMs : nowMs
  const settlesAtMs = condition === 'up' ? nowMs : fromMs + takes('start')
  return ok({ ...handle, want: 'up', sinceMs: nowMs, settlesAtMs, starts: handle.starts + 1 })
}

export function stop(work: Work, rung: Rung): Result<Handle, DriverError> {
  const { handle, scenario, nowMs, attempt, takes } = work
  const condition = conditionOf(handle, scenario, nowMs)
  if (handle === null || condition === 'absent') return ok(handle ?? gone(attempt, nowMs))
  if (condition === 'down') {
    // Ended by itself: from now on it is meant to be down.
    return ok(
      handle.want === 'down'
        ? handle
        : { ...handle, want: 'down', sinceMs: nowMs, settlesAtMs: nowMs, wasUp: false },
    )
  }
  if (rung !== 'hard' && scenario.ignoresSoftStop) return ok(handle)
  const downAtMs = nowMs + takes(rung === 'hard' ? 'hardStop' : 'stop')
  if (condition === 'stopping')
    return ok({ ...handle, settlesAtMs: Math.min(handle.settlesAtMs, downAtMs) })
  const wasUp = condition !== 'suspended'
  return ok({ ...handle, want: 'down', sinceMs: nowMs, settlesAtMs: downAtMs, wasUp })
}

const stillness = {
  pause: { want: 'paused', during: 'pausing' },
  suspend: { want: 'suspended', during: 'suspending' },
} as const

/** Holds it still. It is the same thing still, so what tells when it began stays. */
export function hold(
  { handle, scenario, nowMs, takes }: Work,
  act: keyof typeof stillness,
): Result<Handle, DriverError> {
  const { want, during } = stillness[act]
  const condition = conditionOf(handle, scenario, nowMs)
  if (handle && (condition === want || condition === during)) return ok(handle)
  if (handle === null || (condition !== 'up' && condition !== 'starting'))
    return failed(`it is ${condition}, so it cannot be ${want}`)
  return ok({ ...handle, want, settlesAtMs: nowMs + takes(act) })
}

const wakings = { unpause: 'pause', resume: 'suspend' } as const

/** Lets it go on. */
export function wake(
  { handle, scenario, nowMs, takes }: Work,
  act: keyof typeof wakings,
): Result<Handle, DriverError> {
  const { want, during } = stillness[wakings[act]]
  const condition = conditionOf(handle, scenario, nowMs)
  if (handle && (condition === 'up' || condition === 'starting')) return ok(handle)
  if (handle === null || (condition !== want && condition !== during))
    return failed(`it is ${condition}, so it is not ${want}`)
  return ok({ ...handle, want: 'up', settlesAtMs: nowMs + takes(act) })
}

export function capture({ handle, scenario, nowMs, takes }: Work): Result<Handle, DriverError> {
  if (handle === null || conditionOf(handle, scenario, nowMs) === 'absent') {
    return failed('it is not there, so no image can be taken of it')
  }
  return ok(
    nowMs < handle.imagedUntilMs ? handle : { ...handle, imagedUntilMs: nowMs + takes('capture') },
  )
}

export function remove({ handle, scenario, nowMs, attempt }: Work): Result<Handle, DriverError> {
  const condition = conditionOf(handle, scenario, nowMs)
  if (condition !== 'absent' && condition !== 'down') return failed('it still runs')
  return ok({ ...(handle ?? gone(attempt, nowMs)), isMade: false })
}

const gone = (attempt: number, nowMs: number): Handle => ({
  ...made(attempt, nowMs),
  isMade: false,
})
