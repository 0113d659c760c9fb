// Tells of simulated things when time alone has changed them: started, stopped, drifted, hidden or forgotten.

import type { InstanceId } from '#kernel/ids.ts'
import type { Clock } from '#kernel/ports/clock.ts'
import type { Thing } from '#kernel/ports/driver.ts'
import { listeners } from '../shared/world.ts'
import { scenarioOf, type SimulatedConfig } from './config.ts'
import { readHandle } from './handle.ts'
import { nextChangeMs } from './observe.ts'

export interface Hints {
  /** Told from now on when this thing, as it is now, next changes; what was armed for it before is off. */
  readonly arm: (thing: Thing) => void
  readonly watch: (hint: (id: InstanceId) => void) => () => void
  readonly close: () => void
}

/** What it was armed by: both are made anew when they change. */
interface Armed {
  readonly handle: Thing['handle']
  readonly scenario: ReturnType<typeof scenarioOf>
  readonly stop: () => void
}

export function hinting(config: SimulatedConfig, clock: Clock): Hints {
  const hints = listeners<InstanceId>()
  const timers = new Map<InstanceId, Armed>()
  let isClosed = false

  const arm = (thing: Thing): void => {
    const scenario = scenarioOf(thing, config)
    const before = timers.get(thing.id)
    // A look finds it as it was told before, most of the time.
    if (before?.handle === thing.handle && before.scenario === scenario) return
    before?.stop()
    timers.delete(thing.id)
    const handle = readHandle(thing.handle)
    if (isClosed || !handle.ok || !scenario.ok) return
    const nowMs = clock.nowMs()
    const atMs = nextChangeMs(handle.value, scenario.value, nowMs)
    if (atMs === null) return
    const stop = clock.after(atMs - nowMs, () => {
      timers.delete(thing.id)
      // First armed for what comes next: a listener may act on the thing at once, which arms it anew.
      arm(thing)
      hints.tell(thing.id)
    })
    timers.set(thing.id, { handle: thing.handle, scenario, stop })
  }

  return {
    arm,
    watch: (hint) => hints.add(hint),
    close() {
      isClosed = true
      hints.clear()
      for (const { stop } of timers.values()) stop()
      timers.clear()
    },
  }
}
