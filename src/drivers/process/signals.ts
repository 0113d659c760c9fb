// Sends signals, and never one to a stranger.
//
// - Who is meant is verified (pid, start, boot) in the same turn as the signal is sent, nothing in between.
// - A group is signalled only while its leader, or the command in it, is verified to live.
// - What outlived both is known by the instance's id in its environment, and is signalled one by one.

import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../shared/world.ts'
import type { Identity } from './handle.ts'
import type { Host } from './host.ts'
import type { Run } from './runs.ts'

/** Only the command and what it starts have it: neither the supervising shell nor probes do. */
export const marker = 'RUNSTATE_INSTANCE_ID'

/** Signals a whole run: its group, and its command should that have left the group. False: nothing lives. */
export function signalRun(run: Run, signal: NodeJS.Signals, host: Host): boolean {
  const { leader, main } = run
  let isSent = false
  if (leader !== null && host.isAlive(leader)) isSent = send(-leader.pid, signal)
  const group = main === null ? null : host.groupOf(main)
  if (main === null || group === null) return isSent
  // The leader is gone, but its command holds the group's number: it cannot be another's group.
  if (group === leader?.pid) return isSent || send(-group, signal)
  // It leads a group of its own now, with what it started since.
  return send(group === main.pid ? -group : main.pid, signal) || isSent
}

/** Signals the shell alone that will record the end of a run. */
export function signalLeader({ leader }: Run, signal: NodeJS.Signals, host: Host): void {
  if (leader !== null && host.isAlive(leader)) send(leader.pid, signal)
}

/** What still runs in this instance's name: children that outlived their command, daemons that left its session. */
export const leftovers = (id: string, host: Host): Promise<readonly Identity[]> =>
  host.withVariable(marker, id)

export async function signalLeftovers(
  id: string,
  signal: NodeJS.Signals,
  host: Host,
): Promise<number> {
  const found = await leftovers(id, host)
  // Verified once more: the listing took a while.
  return found.filter((one) => host.isAlive(one) && send(one.pid, signal)).length
}

/** Kills all that runs in the instance's name and waits until it is gone. False when some of it would not go. */
export async function endLeftovers(
  id: string,
  host: Host,
  patience: { readonly untilMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  for (;;) {
    if ((await leftovers(id, host)).length === 0) return true
    if (Date.now() >= patience.untilMs || patience.signal.aborted) return false
    await signalLeftovers(id, 'SIGKILL', host)
    await sleep(lookAgainMs)
  }
}

/** How long to wait before looking at the system again for something that is about to happen. */
export const lookAgainMs = 5

/**
 * How many children of a run live on after their command has ended. The question costs one system call while
 * the answer is none, which it nearly always is.
 */
export async function survivors(run: Run, id: string, host: Host): Promise<number> {
  const group = run.leader?.pid
  if (group === undefined || run.leader?.boot !== host.boot || !isGroupThere(group)) return 0
  const found = await leftovers(id, host)
  return found.filter((one) => host.groupOf(one) === group).length
}

function isGroupThere(group: number): boolean {
  try {
    process.kill(-group, 0)
    return true
  } catch (thrown) {
    if (codeOf(thrown) === 'ESRCH') return false
    // It is there, and it is another user's.
    if (codeOf(thrown) === 'EPERM') return true
    throw thrown
  }
}

/** Ends all of a child's own group. The child has not been waited for, so its number is not another's yet. */
export function endGroup(pid: number): void {
  try {
    send(-pid, 'SIGKILL')
  } catch (thrown) {
    // macOS says so when all that is left of the group has ended and waits to be waited for.
    if (codeOf(thrown) !== 'EPERM') throw thrown
  }
}

/** False when there is nobody any more. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (thrown) {
    if (codeOf(thrown) === 'ESRCH') return false
    throw thrown
  }
}
