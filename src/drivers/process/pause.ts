// Holds a run still and lets it go on. Nothing of it is lost, and nothing else of the machine is touched.
//
// - The shell that leads the session is not held: it must live to record how the command ends.
// - Both may be repeated at will; what was held by a server that died halfway is held whole by the next one.

import { ok, type Result } from '#kernel/errors.ts'
import type { DriverError } from '#kernel/request.ts'
import { failed, stale } from '../shared/world.ts'
import { isThere } from './folder.ts'
import { takeFence } from './fence.ts'
import { phaseOf } from './runs.ts'
import { signalLeader, signalRun } from './signals.ts'
import { decided, type Deciding } from './stop.ts'

export interface Pausing extends Deciding {
  readonly attempt: number
}

export async function pauseRun(pausing: Pausing): Promise<Result<null, DriverError>> {
  const run = await living(pausing)
  if (!run.ok) return run
  const { host } = pausing
  if (!signalRun(run.value, 'SIGSTOP', host)) return failed('it has ended, so it cannot be paused')
  signalLeader(run.value, 'SIGCONT', host)
  return ok(null)
}

export async function unpauseRun(pausing: Pausing): Promise<Result<null, DriverError>> {
  const run = await living(pausing)
  if (!run.ok) return run
  const isSent = signalRun(run.value, 'SIGCONT', pausing.host)
  return isSent ? ok(null) : failed('it has ended, so it cannot go on')
}

async function living(pausing: Pausing) {
  const { folder, attempt, host } = pausing
  if (await isThere(folder.control)) {
    const fence = await takeFence(folder.control, attempt)
    if (!fence.ok) return stale(attempt, fence.error.latest)
  }
  const last = await decided(pausing)
  if (!last.ok) return last
  const run = last.value
  return run !== null && phaseOf(run, host) === 'up' ? ok(run) : failed('it does not run')
}
