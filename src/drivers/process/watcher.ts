// Looks after things that run: notices their end and their readiness soon, and keeps their logs within bounds.
//
// - What it tells are hints. Whoever is told looks for himself; a hint that is lost costs a poll's time.
// - Own children tell their end at once; adopted ones are looked at every `pollMs`.
// - Its timers are real, not the kernel's clock: a process runs no faster when a test moves the time by hand.

import type { ChildProcess } from 'node:child_process'
import type { InstanceId } from '#kernel/ids.ts'
import { type Listeners, type Log, messageOf } from '../shared/world.ts'
import { ask, type Place } from './call.ts'
import type { Call, ProcessSettings } from './config.ts'
import type { Folder } from './folder.ts'
import type { Host } from './host.ts'
import { boundLog } from './log.ts'
import { phaseOf, type Run } from './runs.ts'
import { survivors } from './signals.ts'

export interface Watched {
  readonly id: InstanceId
  readonly folder: Folder
  readonly run: Run
  readonly child: ChildProcess | null
  readonly probe: Call | null
  readonly place: Omit<Place, 'signal'>
}

export interface Watcher {
  /** Takes the place of what was watched for the same instance. */
  watch(watched: Watched): void
  forget(id: InstanceId): void
  close(): Promise<void>
}

type World = {
  readonly host: Host
  readonly settings: ProcessSettings
  readonly hints: Listeners<InstanceId>
  readonly log: Log
}

interface Entry extends Watched {
  readonly stop: AbortController
  hasEnded: boolean
}

export function watcher({ host, settings, hints, log }: World): Watcher {
  const entries = new Map<InstanceId, Entry>()
  let timer: NodeJS.Timeout | null = null
  let round = Promise.resolve()
  let isClosed = false

  const forget = (id: InstanceId): void => {
    entries.get(id)?.stop.abort()
    entries.delete(id)
  }

  /** False once there is nothing left to look after. */
  const lookAfter = async (entry: Entry): Promise<boolean> => {
    await boundLog(entry.folder.log, settings.logBytesMax)
    if (phaseOf(entry.run, host) !== 'over') return true
    if (!entry.hasEnded) hints.tell(entry.id)
    entry.hasEnded = true
    const isWhole = (await survivors(entry.run, entry.id, host)) === 0
    if (isWhole) hints.tell(entry.id)
    return !isWhole
  }

  const lookAround = async (): Promise<void> => {
    for (const entry of entries.values()) {
      if (entry.stop.signal.aborted) continue
      try {
        if (!(await lookAfter(entry)) && entries.get(entry.id) === entry) forget(entry.id)
      } catch (thrown) {
        // One thing that cannot be looked after keeps nobody from the others; the next round tries again.
        log.warn(
          { instance: entry.id, cause: messageOf(thrown) },
          'a process could not be looked after',
        )
      }
    }
  }

  const wake = (): void => {
    if (timer !== null || isClosed || entries.size === 0) return
    timer = setTimeout(() => {
      round = lookAround().finally(() => {
        timer = null
        wake()
      })
    }, settings.pollMs)
    timer.unref()
  }

  return {
    forget,
    watch(watched) {
      forget(watched.id)
      if (isClosed) return
      const entry: Entry = { ...watched, stop: new AbortController(), hasEnded: false }
      entries.set(watched.id, entry)
      watched.child?.once('exit', () => {
        if (!entry.stop.signal.aborted) hints.tell(watched.id)
      })
      if (watched.probe) awaitReady(entry, watched.probe, () => hints.tell(watched.id))
      // Without a probe it is ready by now; told after the act that started it has answered.
      else if (watched.child) setImmediate(() => hints.tell(watched.id))
      wake()
    },
    async close() {
      isClosed = true
      if (timer) clearTimeout(timer)
      for (const id of entries.keys()) forget(id)
      await round
    },
  }
}

/** Asks until it is ready, for the hint only: whoever observes asks again. */
function awaitReady({ stop: { signal }, place }: Entry, probe: Call, then: () => void): void {
  const again = async (): Promise<void> => {
    const fault = await ask(probe, { ...place, signal })
    if (signal.aborted) return
    if (fault === null) then()
    else later()
  }
  const later = (): void => {
    setTimeout(() => {
      // `ask` answers with text whatever happens, so nothing is lost here.
      if (!signal.aborted) void again()
    }, probe.intervalMs).unref()
  }
  later()
}
