// How long a place in a queue takes at most. In a pool that queues every run has an end, so the places come free
// when the runs in them are stopped by their flavor, and each one ahead may reserve, start and run as long as it
// may. That is a bound, not a guess: whoever leaves early only makes it shorter.
//
// It is exceeded only for a reason that stands in the event log: another project's turn came between, a place was
// taken out of the pool, a run was begun anew or its lease renewed, a hold kept one from being stopped, an act
// failed or escalated, or the server was away. Where no end is known at all, one run is counted on in its place.

import type { Flavor, Pool } from './catalogue.ts'
import type { Instance } from './instance.ts'
import { actTimeoutMs, hardPatienceMs } from './reconcile.ts'

type Size = Pick<Flavor, 'units' | 'reserveMs' | 'startMs' | 'graceMs' | 'autoStopMs'>

export interface Line {
  readonly pool: Pick<Pool, 'capacity' | 'taken'>
  /** Who has a place of the pool. */
  readonly holders: readonly Instance[]
  /** Who waits, in any order. */
  readonly waiting: readonly Instance[]
  readonly flavorOf: (instance: Instance) => Size | undefined
  readonly nowMs: number
}

export interface Turn {
  /** 1 is served next. */
  readonly rank: number
  /** When its place is free at the latest. */
  readonly atMs: number
}

/** Between two steps: a timer that ticks, a commit, a look. */
const handoverMs = 2_000
/** The run that is counted on where none has an end. */
const runMsUnknown = 3_600_000
const unitsUnknown = 1
/** How long until a run whose end a hold outlasted is looked at again. */
export const autoStopAgainMs = 60_000

/** @returns by instance id; and for one that would join now with this flavor, under ''. */
export function turns(line: Line, joining?: Size): ReadonlyMap<string, Turn> {
  const places = placesOf(line)
  const found = new Map<string, Turn>()
  const sorted = line.waiting.toSorted((a, b) => ticketOf(a) - ticketOf(b))
  let atMs = line.nowMs
  for (const [index, instance] of sorted.entries()) {
    const size = line.flavorOf(instance)
    atMs = places.take(atMs, size?.units ?? unitsUnknown, holdMs(instance, size))
    found.set(instance.id, { rank: index + 1, atMs })
  }
  if (joining) {
    atMs = places.take(atMs, joining.units, 0)
    found.set('', { rank: sorted.length + 1, atMs })
  }
  return found
}

const ticketOf = ({ queue }: Instance): number => queue?.ticket ?? 0

/** Places by when they come free; taking them in order is what the pool's passes do. */
function placesOf(line: Line) {
  let free = line.pool.capacity - line.pool.taken
  const ends = line.holders
    .map((one) => ({ atMs: endOf(one, line), units: one.place?.units ?? 0 }))
    .toSorted((a, b) => a.atMs - b.atMs)
  return {
    take(fromMs: number, units: number, forMs: number): number {
      let freeAtMs = line.nowMs
      while (free < units) {
        const next = ends.shift()
        // More than the pool has, or will have: nobody can say when.
        if (next === undefined) return Math.max(fromMs, freeAtMs) + runMsUnknown
        free += next.units
        freeAtMs = Math.max(freeAtMs, next.atMs)
      }
      free -= units
      const atMs = Math.max(fromMs, freeAtMs + handoverMs)
      const untilMs = atMs + forMs
      const at = ends.findIndex((other) => other.atMs > untilMs)
      ends.splice(at === -1 ? ends.length : at, 0, { atMs: untilMs, units })
      return atMs
    },
  }
}

const stopMs = (size: Size | undefined): number =>
  (size?.graceMs ?? 0) + hardPatienceMs + handoverMs
const bringMs = (size: Size | undefined): number =>
  (size?.startMs ?? 0) + 2 * actTimeoutMs + handoverMs

function runMs({ autoStop }: Instance, size: Size | undefined): number {
  return size?.autoStopMs ?? (autoStop?.enabled ? autoStop.afterMs : runMsUnknown)
}

/** How long one who gets a place may keep it. */
function holdMs(instance: Instance, size: Size | undefined): number {
  const reserved = instance.queue?.awaits === 'start' ? (size?.reserveMs ?? 0) + handoverMs : 0
  return reserved + bringMs(size) + runMs(instance, size) + stopMs(size)
}

/** When a holder's place is free at the latest. */
function endOf(instance: Instance, { flavorOf, nowMs }: Line): number {
  const size = flavorOf(instance)
  const { state, stateSinceMs, timers } = instance
  const run = runMs(instance, size) + stopMs(size)
  switch (state) {
    case 'reserved':
      return (timers.reservedUntilMs ?? nowMs) + handoverMs + bringMs(size) + run
    case 'provisioning':
    case 'starting':
      return Math.max(nowMs, stateSinceMs + bringMs(size)) + run
    case 'restarting':
      return Math.max(nowMs, stateSinceMs + stopMs(size) + bringMs(size)) + run
    case 'running':
      return (
        (timers.autoStopAtMs === null ? nowMs + run : stoppedAtMs(instance, run, nowMs)) +
        stopMs(size)
      )
    case 'stopping':
    case 'deleting':
      return Math.max(nowMs, stateSinceMs + stopMs(size) + actTimeoutMs)
    default:
      // It rests on its place, or failed there: nothing that is known will end it.
      return nowMs + run
  }
}

/** A hold outlasts the end of a run. */
function stoppedAtMs({ holds, timers }: Instance, run: number, nowMs: number): number {
  const atMs = timers.autoStopAtMs ?? nowMs
  const ends = holds.map(({ untilMs }) => untilMs ?? Math.max(nowMs, atMs) + run)
  return ends.length === 0 ? atMs : Math.max(atMs, ...ends) + autoStopAgainMs
}
