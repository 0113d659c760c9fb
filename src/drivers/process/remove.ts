// Removes a thing: its folder, its port and what it left behind. Never while something of it lives, because
// with the folder the means to find and stop it would go.

import { ok, type Result } from '#kernel/errors.ts'
import type { DriverError } from '#kernel/request.ts'
import { failed, stale } from '../shared/world.ts'
import { takeFenceIfRoom } from './fence.ts'
import { isThere, removeFolder } from './folder.ts'
import type { Host } from './host.ts'
import { returnPort } from './ports.ts'
import { lastRun, phaseOf, readRuns } from './runs.ts'
import { endLeftovers } from './signals.ts'
import type { Site } from './site.ts'

export interface Removing extends Site {
  readonly host: Host
  readonly attempt: number
  readonly signal: AbortSignal
  readonly settleMs: number
}

export async function removeThing(removing: Removing): Promise<Result<null, DriverError>> {
  const { folder, handle, host, attempt, signal } = removing
  if (await isThere(folder.control)) {
    const fence = await takeFenceIfRoom(folder.control, attempt)
    if (!fence.ok) return stale(attempt, fence.error.latest)
  }
  const runs = (await readRuns(folder.control)) ?? []
  const last = lastRun(runs, handle)
  const alive = [...runs, ...(last ? [last] : [])].find((run) => phaseOf(run, host) !== 'over')
  if (alive) return failed(`process ${(alive.main ?? alive.leader)?.pid ?? 0} still runs`)
  const untilMs = Date.now() + removing.settleMs
  if (!(await endLeftovers(folder.id, host, { untilMs, signal }))) {
    return failed('what it left behind does not end')
  }
  await returnPort(folder)
  await removeFolder(folder)
  return ok(null)
}
