// What a simulated thing looks like at a moment: pure, from its handle and its scenario. It can therefore also
// tell when that will next change, which is where hints come from.

import type { JsonObject } from '#kernel/json.ts'
import type { Observation } from '#kernel/observation.ts'
import type { Scenario } from './config.ts'
import type { Handle } from './handle.ts'

/**
 * absent     never made, removed or forgotten
 * down       at rest, or ended by itself
 * starting   told to start, to go on or to resume, not ready yet
 * up         ready
 * pausing, suspending  told to, and still up
 * paused, suspended    held still
 * stopping   told to stop, not down yet
 */
export type Condition =
  | 'absent'
  | 'down'
  | 'starting'
  | 'up'
  | 'pausing'
  | 'paused'
  | 'suspending'
  | 'suspended'
  | 'stopping'

/** What it is, whether or not it can be seen now. */
export function conditionOf(handle: Handle | null, scenario: Scenario, nowMs: number): Condition {
  if (handle === null || !handle.isMade) return 'absent'
  if (reached(nowMs, handle.sinceMs, scenario.forgetAfterMs)) return 'absent'
  const isSettled = nowMs >= handle.settlesAtMs
  if (handle.want === 'up') {
    if (!isSettled) return 'starting'
    return reached(nowMs, handle.settlesAtMs, scenario.driftDownAfterMs) ? 'down' : 'up'
  }
  if (handle.want === 'paused') return isSettled ? 'paused' : 'pausing'
  if (handle.want === 'suspended') return isSettled ? 'suspended' : 'suspending'
  if (!isSettled) return handle.wasUp ? 'stopping' : 'down'
  return reached(nowMs, handle.settlesAtMs, scenario.driftUpAfterMs) ? 'up' : 'down'
}

const reached = (nowMs: number, fromMs: number, afterMs: number | null): boolean =>
  afterMs !== null && nowMs >= fromMs + afterMs

export function observeAt(handle: Handle | null, scenario: Scenario, nowMs: number): Observation {
  const hidden = handle && hiddenBy(handle, scenario, nowMs)
  if (hidden) return { seen: 'unknown', ready: false, reason: hidden, atMs: nowMs, evidence: {} }
  const seen = seenAs[conditionOf(handle, scenario, nowMs)](handle, scenario)
  return { reason: null, evidence: {}, ...seen, atMs: nowMs }
}

type Seen = Pick<Observation, 'seen' | 'ready'> & {
  readonly reason?: string
  readonly evidence?: JsonObject
}

const seenAs: Readonly<Record<Condition, (handle: Handle | null, scenario: Scenario) => Seen>> = {
  absent: () => ({ seen: 'absent', ready: false, reason: 'it is not there' }),
  down: (handle, { exitCode }) =>
    // Wanted up and yet down: it ended by itself.
    handle?.want === 'up'
      ? {
          seen: 'down',
          ready: false,
          reason: `it exited with code ${exitCode}`,
          evidence: { exitCode },
        }
      : { seen: 'down', ready: false },
  starting: () => ({ seen: 'up', ready: false, reason: 'it is starting' }),
  up: (handle) =>
    handle?.want === 'down'
      ? { seen: 'up', ready: true, reason: 'it started by itself' }
      : { seen: 'up', ready: true, evidence: { startedAtMs: handle?.sinceMs ?? 0 } },
  pausing: () => ({ seen: 'up', ready: true, reason: 'it is being paused' }),
  paused: () => ({ seen: 'paused', ready: false }),
  suspending: () => ({ seen: 'up', ready: true, reason: 'it is being suspended' }),
  suspended: () => ({ seen: 'suspended', ready: false }),
  stopping: () => ({ seen: 'up', ready: false, reason: 'it is stopping' }),
}

function hiddenBy(handle: Handle, { unknownMs }: Scenario, nowMs: number): string | undefined {
  if (!handle.isMade) return undefined
  if (nowMs < handle.imagedUntilMs) return 'an image is being taken of it'
  const sinceMs = nowMs - handle.sinceMs
  const isHidden = unknownMs !== null && sinceMs >= unknownMs.from && sinceMs < unknownMs.to
  return isHidden ? 'its scenario hides it' : undefined
}

/** When it will next look different, as far as time alone changes it; null when it will not. */
export function nextChangeMs(
  handle: Handle | null,
  scenario: Scenario,
  nowMs: number,
): number | null {
  if (handle === null || !handle.isMade) return null
  const { unknownMs, forgetAfterMs, driftDownAfterMs, driftUpAfterMs } = scenario
  const drifts = { up: driftDownAfterMs, down: driftUpAfterMs, paused: null, suspended: null }
  const driftMs = drifts[handle.want]
  const moments = [
    handle.settlesAtMs,
    handle.imagedUntilMs,
    ...(unknownMs === null ? [] : [handle.sinceMs + unknownMs.from, handle.sinceMs + unknownMs.to]),
    ...(forgetAfterMs === null ? [] : [handle.sinceMs + forgetAfterMs]),
    ...(driftMs === null ? [] : [handle.settlesAtMs + driftMs]),
  ].filter((atMs) => atMs > nowMs && atMs < Number.POSITIVE_INFINITY)
  return moments.length === 0 ? null : Math.min(...moments)
}
