// Which calls fail: those that the scenario names, and those that chance picks.
//
// An act that fails has no handle to count in, so its failures are counted here until an act works and carries
// them into the handle. A server that restarts in between counts from the handle again.

import type { InstanceId } from '#kernel/ids.ts'
import type { Act } from '#kernel/operation.ts'
import type { Thing } from '#kernel/ports/driver.ts'
import type { DriverError } from '#kernel/request.ts'
import { roll } from './chance.ts'
import type { Handle } from './handle.ts'
import type { Work } from './moves.ts'

export interface Misfortunes {
  /** Whether this call is one of those that fail; counts it when it is. */
  strike(act: Act, thing: Thing, work: Work): DriverError | undefined
  /** The counts to keep in the handle of an act that worked. */
  settle(thing: Thing, handle: Handle | null): Handle['failures']
  clear(): void
}

export function misfortunes(seed: number): Misfortunes {
  const since = new Map<InstanceId, Handle['failures']>()
  const countsOf = (thing: Thing, handle: Handle | null) =>
    since.get(thing.id) ?? handle?.failures ?? {}
  return {
    strike(act, thing, { handle, scenario, attempt }) {
      const counts = countsOf(thing, handle)
      const count = counts[act] ?? 0
      const planned = scenario.failAt.find(
        (one) => one.act === act && count < (one.times ?? count + 1),
      )
      const isUnlucky =
        scenario.failRate > 0 &&
        roll(seed, 'fail', thing.id, act, attempt, count) < scenario.failRate
      if (!planned && !isUnlucky) return undefined
      since.set(thing.id, { ...counts, [act]: count + 1 })
      const message = planned?.message ?? `the scenario lets ${act} fail`
      return { code: planned?.code ?? 'failed', message }
    },
    settle(thing, handle) {
      const counts = countsOf(thing, handle)
      since.delete(thing.id)
      return counts
    },
    clear: () => since.clear(),
  }
}
