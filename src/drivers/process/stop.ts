// Stops a run: asks its command in the image's way, or kills its group. It returns without waiting for the end.
//
// - Nothing that was started before begins to run after a stop: the stop takes the next number first (fence.ts).
// - A run is asked once per attempt and rung, however often the act is repeated; a kill is repeated at will.

import { setTimeout as sleep } from 'node:timers/promises'
import { ok, type Result } from '#kernel/errors.ts'
import type { Rung } from '#kernel/ladder.ts'
import type { DriverError } from '#kernel/request.ts'
import { calledOff, failed, stale, timedOut } from '../shared/world.ts'
import type { Answer } from './call.ts'
import type { StopSignal } from './config.ts'
import { type Folder, isThere } from './folder.ts'
import { takeFence, takeFenceIfRoom } from './fence.ts'
import type { Handle } from './handle.ts'
import type { Host } from './host.ts'
import { lastRun, phaseOf, readRuns, recordStop, type Run } from './runs.ts'
import { lookAgainMs, signalLeftovers, signalRun, survivors } from './signals.ts'

export interface Stopping {
  readonly folder: Folder
  readonly host: Host
  readonly handle: Handle
  readonly attempt: number
  readonly rung: Rung
  readonly signal: AbortSignal
  readonly settleMs: number
  readonly stopSignal: StopSignal
  /** Asks the command to finish what it does, told its pid; null when the image has no such way. */
  readonly drain: ((pid: number) => Promise<Answer>) | null
}

export async function stopRun(stopping: Stopping): Promise<Result<null, DriverError>> {
  const { folder, attempt, host, rung } = stopping
  // Without its folder nothing can be on its way to run, but what the handle names may still do.
  if (await isThere(folder.control)) {
    const take = rung === 'hard' ? takeFenceIfRoom : takeFence
    const fence = await take(folder.control, attempt)
    if (!fence.ok) return stale(attempt, fence.error.latest)
  }
  const last = await decided(stopping)
  if (!last.ok) return last
  const run = last.value
  if (rung === 'hard') return kill(stopping, run)
  if (run === null || !(await isAnybodyThere(stopping, run))) return ok(null)
  const isFirst = await recordStop(folder.control, { fence: run.fence, attempt, rung })
  if (!isFirst) return ok(null)
  if (rung === 'drain' && stopping.drain) {
    // What is held still could not answer.
    signalRun(run, 'SIGCONT', host)
    return drain(stopping.drain, run)
  }
  if (signalRun(run, stopping.stopSignal, host)) {
    // A suspended process would not act on it.
    signalRun(run, 'SIGCONT', host)
  } else {
    await signalLeftovers(folder.id, stopping.stopSignal, host)
  }
  return ok(null)
}

export interface Deciding {
  readonly folder: Folder
  readonly host: Host
  readonly handle: Handle
  readonly signal: AbortSignal
  readonly settleMs: number
  readonly rung: Rung | null
}

/** The last run, once it is plain whether it became the command: a signal before that would be lost. */
export async function decided(stopping: Deciding): Promise<Result<Run | null, DriverError>> {
  const { folder, host, handle, signal } = stopping
  const untilMs = Date.now() + stopping.settleMs
  for (;;) {
    const runs = (await readRuns(folder.control)) ?? []
    if (runs.every((run) => phaseOf(run, host) !== 'pending')) return ok(lastRun(runs, handle))
    if (signal.aborted) return calledOff('stop')
    if (Date.now() >= untilMs) {
      // A shell that does nothing, suspended by somebody: only force moves it.
      if (stopping.rung === 'hard') return ok(runs.at(-1) ?? null)
      return timedOut('a start that is under way neither runs nor gives up')
    }
    await sleep(lookAgainMs)
  }
}

/** Its children may go on without it. */
export async function isAnybodyThere(
  { folder, host }: Pick<Stopping, 'folder' | 'host'>,
  run: Run,
): Promise<boolean> {
  return phaseOf(run, host) !== 'over' || (await survivors(run, folder.id, host)) > 0
}

async function kill(
  { folder, host, attempt, rung }: Stopping,
  run: Run | null,
): Promise<Result<null, DriverError>> {
  if (run !== null && phaseOf(run, host) !== 'over') {
    // Noted before: the kill takes along the shell that would have recorded the end.
    await recordStop(folder.control, { fence: run.fence, attempt, rung })
    signalRun(run, 'SIGKILL', host)
  }
  await signalLeftovers(folder.id, 'SIGKILL', host)
  return ok(null)
}

async function drain(
  ask: (pid: number) => Promise<Answer>,
  run: Run,
): Promise<Result<null, DriverError>> {
  const fault = await ask(run.main?.pid ?? 0)
  return fault === null ? ok(null) : failed(`it could not be asked to drain: ${fault}`)
}
