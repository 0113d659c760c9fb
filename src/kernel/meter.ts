// When an instance is charged for, and how long it was. The verdict is given once, in the commit that changes
// what it depends on, and stands in that commit's event; a usage is summed up from events and nothing else.
//
// - What counts is what was seen: the meter starts when the thing is first seen up, and a stop that gives the
//   capacity back ends it when the thing is seen down, not when it was asked.
// - While something is under way the meter goes on as it was.
// - Spans of one instance follow each other without gap or overlap, whatever crashed in between.

import type { Flavor } from './catalogue.ts'
import type { Event, EventType } from './event.ts'
import type { Instance } from './instance.ts'
import type { JsonObject } from './json.ts'
import type { Kind, State } from './kinds.ts'

type Meter = 'on' | 'off' | 'as-before' | 'by-mode' | 'unless-gone'

/** What each state means to the meter of an instance that is paid by use. */
const meters = {
  provisioning: 'as-before',
  deploying: 'as-before',
  queued: 'off',
  reserved: 'off',
  running: 'on',
  'not-ready': 'as-before',
  // Held still, it keeps its place.
  paused: 'on',
  suspended: 'on',
  stopped: 'by-mode',
  starting: 'as-before',
  stopping: 'as-before',
  restarting: 'as-before',
  pausing: 'as-before',
  unpausing: 'as-before',
  suspending: 'as-before',
  resuming: 'as-before',
  rebuilding: 'as-before',
  imaging: 'as-before',
  deleting: 'as-before',
  // What could not be started or was lost is not there; what could not be stopped still is.
  failed: 'unless-gone',
  deleted: 'off',
  // What registers itself is somebody else's to pay.
  up: 'off',
  down: 'off',
  testing: 'off',
  'out-of-service': 'off',
  expired: 'off',
  unregistered: 'off',
} as const satisfies Record<State, Meter>

/** The kinds that a meter is kept of. */
export const meteredKinds = [
  'server',
  'notebook',
  'edge-instance',
] as const satisfies readonly Kind[]

/** @param after  the instance as it comes to be; its `charged` is still what it was before. */
export function isCharged(
  after: Pick<
    Instance,
    'state' | 'charge' | 'charged' | 'launchedAtMs' | 'stoppedMode' | 'observation'
  >,
  flavor: Pick<Flavor, 'releasesOnStop'> | undefined,
): boolean {
  const meter: Meter = meters[after.state]
  if (after.charge === 'free' || meter === 'off') return false
  if (meter === 'on') return true
  if (after.launchedAtMs === null) return false
  // A term is paid for whether it is used or not.
  if (after.charge === 'PrePaid') return true
  if (meter === 'as-before') return after.charged
  if (meter === 'by-mode') return after.stoppedMode !== 'release' && !flavor?.releasesOnStop
  const { seen } = after.observation
  return after.charged && seen !== 'down' && seen !== 'absent'
}

/** The events that tell of a meter. Every one of them carries a whole reading, so the last before a period is enough. */
export const meteredTypes = [
  'instance.created',
  'instance.state',
  'instance.stopped-mode',
  'instance.charge',
] as const satisfies readonly EventType[]

/** What a metered event says besides what it is about. */
export const reading = (
  { charged, stoppedMode }: Pick<Instance, 'charged' | 'stoppedMode'>,
  to: string,
): JsonObject => ({ to, ...(stoppedMode === null ? {} : { mode: stoppedMode }), charged })

/** From `fromMs` on, and before `untilMs`. */
export interface Period {
  readonly fromMs: number
  readonly untilMs: number
}

/** Time in one situation and stopped mode, summed up. */
export interface UsageSpan {
  readonly situation: string
  readonly stoppedMode: 'keep' | 'release' | null
  readonly charged: boolean
  readonly ms: number
}

interface Reading extends Omit<UsageSpan, 'ms'> {
  readonly atMs: number
}

/** Takes the metered events of one instance, in their order, and sums up what of them lies within a period. */
export class Usage {
  readonly #period: Period
  readonly #spans = new Map<string, UsageSpan>()
  #last: Reading | undefined

  constructor(period: Period) {
    this.#period = period
  }

  take(event: Pick<Event, 'data' | 'atMs'>): void {
    this.#close(event.atMs)
    const { to, mode, charged } = event.data
    this.#last = {
      situation: typeof to === 'string' ? to : '',
      stoppedMode: mode === 'keep' || mode === 'release' ? mode : null,
      charged: charged === true,
      atMs: event.atMs,
    }
  }

  /** In order of appearance. What is gone takes no more time. */
  spans(): readonly UsageSpan[] {
    this.#close(this.#period.untilMs)
    return [...this.#spans.values()]
  }

  #close(atMs: number): void {
    if (this.#last === undefined || this.#last.situation === 'deleted') return
    const { fromMs, untilMs } = this.#period
    const { situation, stoppedMode, charged } = this.#last
    const ms = Math.min(atMs, untilMs) - Math.max(this.#last.atMs, fromMs)
    this.#last = { ...this.#last, atMs }
    if (ms <= 0) return
    const key = `${situation}/${stoppedMode}/${charged}`
    const known = this.#spans.get(key)?.ms ?? 0
    this.#spans.set(key, { situation, stoppedMode, charged, ms: known + ms })
  }
}
