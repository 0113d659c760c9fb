// Carries operations out: asks reconcile.ts what to do next, has a driver do it, and settles what came of it.
// One lane per instance, so two acts never meet at one thing (law 4); a pre-empted operation is told to let go,
// and its successor waits until it has.

import type { Clock } from '#kernel/ports/clock.ts'
import type { ActOptions, Driver, Thing } from '#kernel/ports/driver.ts'
import type { Store } from '#kernel/ports/store.ts'
import type { Instance } from '#kernel/instance.ts'
import type { InstanceId } from '#kernel/ids.ts'
import type { Observation } from '#kernel/observation.ts'
import type { Operation, Withdrawn } from '#kernel/operation.ts'
import { type Doing, judge, nextMove } from '#kernel/reconcile.ts'
import type { EngineRequest, Receipt, Report } from '#kernel/request.ts'
import type { Result } from '#kernel/errors.ts'
import { callOff, within } from './clock.ts'
import { Gate } from './gate.ts'
import type { Log } from './log.ts'
import { type Parts, partsOf, thingWith } from './thing.ts'

/** The rows are as they were last committed: whoever holds the operation is told of each commit. */
interface Lane {
  operation: Operation
  instance: Instance | undefined
  readonly abort: AbortController
  /** Ends its pause; null while it is in none. */
  wake: (() => void) | null
  /** Something has changed since it began what it does. */
  isNudged: boolean
  /** How long it waits for its next look; 0 when it waits for nothing. */
  lookMs: number
  done: Promise<void>
}

export interface RunnerParts {
  readonly store: Pick<Store, 'get'>
  readonly clock: Clock
  readonly drivers: ReadonlyMap<string, Driver>
  readonly leaseMs: number
  readonly settle: (request: EngineRequest) => Promise<Result<Receipt>>
  /** Whether all consumers have been shown what was withdrawn. */
  readonly hasSeen: (withdrawn: readonly Withdrawn[]) => boolean
  readonly log: Log
}

/** Looks at a thing that an operation waits for: soon at first, then less often; a hint comes sooner. */
const lookFirstMs = 50
const lookFactor = 4
const lookLastMs = 2_000
/** When something changed during the look before. */
const nudgedMs = 10
/** After a write that failed. */
const retryMs = 1_000
export const observeTimeoutMs = 10_000
/** Acts at one driver at a time. */
const actsMax = 128

export class Runner {
  readonly #parts: RunnerParts
  readonly #lanes = new Map<InstanceId, Lane>()
  readonly #gates = new Map<string, Gate>()
  #closed = false

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  /** Takes an operation that this worker holds, or its newer row. Taking it twice is harmless. */
  take(operation: Operation): void {
    if (this.#closed) return
    const before = this.#lanes.get(operation.instanceId)
    if (before?.operation.id === operation.id) {
      before.operation = operation
      return nudge(before)
    }
    if (before) letGo(before)
    const lane: Lane = {
      operation,
      instance: undefined,
      abort: new AbortController(),
      wake: null,
      isNudged: false,
      lookMs: 0,
      done: Promise.resolve(),
    }
    this.#lanes.set(operation.instanceId, lane)
    lane.done = this.#carry(lane, before?.done)
      .catch((bug: unknown) => this.#stumbled(operation, bug))
      .finally(() => {
        if (this.#lanes.get(operation.instanceId) === lane) this.#lanes.delete(operation.instanceId)
      })
  }

  #stumbled({ id }: Operation, bug: unknown): void {
    const fields = { err: bug, operation: id }
    this.#parts.log.error(fields, 'an operation stumbled; it is claimed again when its lease ends')
  }

  /** The instance's row as it was just committed. */
  refresh(instance: Instance): void {
    const lane = this.#lanes.get(instance.id)
    if (lane) lane.instance = instance
  }

  /** Says that those at work live, well before their leases end: a driver may be slow, its operation is not lost. */
  async renew(): Promise<void> {
    const { clock, leaseMs } = this.#parts
    const nowMs = clock.nowMs()
    // One that lasts too long is from before the clock was set back: nobody could take its operation up.
    const isDue = ({ leaseUntilMs }: Operation): boolean =>
      leaseUntilMs < nowMs + leaseMs / 2 || leaseUntilMs > nowMs + 2 * leaseMs
    const due = [...this.#lanes.values()].filter(
      ({ operation, abort }) => !abort.signal.aborted && isDue(operation),
    )
    await Promise.all(due.map((lane) => this.#renew(lane)))
  }

  async #renew(lane: Lane): Promise<void> {
    const { id, attempt } = lane.operation
    const settled = await this.#settle({ verb: 'extend', operation: id, attempt })
    // Another worker has it by now.
    if (settled === 'fenced' && lane.operation.attempt === attempt) letGo(lane)
  }

  /** An operation that ended, or was cancelled, lets go of its thing. */
  drop(operation: Operation): void {
    const lane = this.#lanes.get(operation.instanceId)
    if (lane?.operation.id !== operation.id) return
    lane.operation = operation
    letGo(lane)
  }

  /** Something may have changed: whoever waits for this thing looks now. Returns whether anybody does. */
  hint(id: InstanceId): boolean {
    const lane = this.#lanes.get(id)
    if (lane) nudge(lane)
    return lane !== undefined
  }

  /** Lets go of everything without undoing anything; what is under way is resumed at the next start. */
  async close(): Promise<void> {
    this.#closed = true
    for (const lane of this.#lanes.values()) letGo(lane)
    await Promise.all([...this.#lanes.values()].map((lane) => lane.done))
  }

  async #carry(lane: Lane, before: Promise<void> | undefined): Promise<void> {
    await before
    const { store } = this.#parts
    const read = await store.get('instances', lane.operation.instanceId)
    // What was committed while it was read is newer.
    lane.instance ??= read
    let made = lane.instance
    let parts = made && (await partsOf(store, made))
    while (!lane.abort.signal.aborted && lane.instance && parts) {
      lane.isNudged = false
      const { instance } = lane
      // An operation that makes it anew gave it another flavor and image on the way.
      if (made?.flavorId !== instance.flavorId || made.imageId !== instance.imageId) {
        made = instance
        parts = await partsOf(store, instance)
      }
      const pauseMs = await this.#turn(lane, instance, parts)
      if (pauseMs === null) return
      if (pauseMs > 0) await this.#pause(lane, pauseMs)
    }
  }

  /**
   * Does what is to be done now. Returns for how long there is nothing more, unless something hints; null: for good.
   * It is apart from the loop so that who waits keeps nothing of it in memory.
   */
  async #turn(lane: Lane, instance: Instance, parts: Parts): Promise<number | null> {
    const { clock } = this.#parts
    const { operation } = lane
    const doing = nextMove(operation, clock.nowMs())
    if (doing.do === 'nothing') return null
    if (doing.do === 'sleep') return doing.untilMs - clock.nowMs()
    const report = await this.#report(operation, instance, parts, doing, lane.abort.signal)
    if (lane.abort.signal.aborted) return null
    if (!('act' in report) && judge(operation, report, clock.nowMs()).do === 'wait') {
      lane.lookMs = Math.min(lookLastMs, Math.max(lookFirstMs, lane.lookMs * lookFactor))
      const untilVerdictMs = operation.stepDeadlineMs - clock.nowMs()
      return Math.max(1, Math.min(lane.lookMs, untilVerdictMs))
    }
    lane.lookMs = 0
    const { id, attempt } = operation
    const settled = await this.#tell(lane, { verb: 'settle', operation: id, attempt, report })
    // Fenced by a claim of this same worker, it goes on as what it was claimed as.
    if (settled === 'fenced' && lane.operation.attempt === attempt) return null
    // It was told twice, and the first time was written though nobody was told so.
    if (settled === 'ok' && lane.operation === operation) await this.#reread(lane)
    return settled === 'unavailable' ? retryMs : 0
  }

  /** What was committed while it was read is newer. */
  async #reread(lane: Lane): Promise<void> {
    const { store } = this.#parts
    const { operation, instance } = lane
    const rows = [
      store.get('operations', operation.id),
      store.get('instances', operation.instanceId),
    ] as const
    const [newer, seen] = await Promise.all(rows)
    if (newer && lane.operation === operation) lane.operation = newer
    if (lane.instance === instance) lane.instance = seen
  }

  /**
   * A look that cannot be written down is looked again. An act is not done again with the same fence, for it may
   * hang on somewhere: what it came to is told until it is written.
   */
  async #tell(
    lane: Lane,
    request: Extract<EngineRequest, { verb: 'settle' }>,
  ): Promise<'ok' | 'fenced' | 'unavailable'> {
    for (;;) {
      const settled = await this.#settle(request)
      const isLast = settled !== 'unavailable' || lane.abort.signal.aborted
      if (isLast || !('act' in request.report)) return settled
      await this.#pause(lane, retryMs)
    }
  }

  async #settle(request: EngineRequest): Promise<'ok' | 'fenced' | 'unavailable'> {
    const result = await this.#parts.settle(request)
    if (result.ok) return 'ok'
    if (result.error.code === 'Fenced') return 'fenced'
    this.#parts.log.warn(
      { error: result.error.code },
      'what a step came to could not be written down yet',
    )
    return 'unavailable'
  }

  /** Until the delay is over, something has changed, or the lane is told to let go. */
  #pause(lane: Lane, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (lane.abort.signal.aborted) return resolve()
      // What changed while it looked may have come too late for that look. A driver that hints whenever it is looked
      // at still gives others their turn.
      const untilMs = lane.isNudged ? Math.min(delayMs, nudgedMs) : delayMs
      lane.isNudged = false
      const stop = this.#parts.clock.after(untilMs, wake)
      function wake(): void {
        stop()
        lane.wake = null
        resolve()
      }
      lane.wake = wake
    })
  }

  async #report(
    operation: Operation,
    instance: Instance,
    parts: Parts,
    doing: Exclude<Doing, { do: 'sleep' | 'nothing' }>,
    signal: AbortSignal,
  ): Promise<Report> {
    const driver = instance.driver === null ? undefined : this.#parts.drivers.get(instance.driver)
    const thing = thingWith(parts, instance)
    if (doing.do === 'shift') return { shift: true }
    if (doing.do === 'rows') return { rows: true }
    if (doing.do === 'hear')
      return { unseen: this.#parts.hasSeen(operation.drain?.withdrawn ?? []) }
    if (doing.do === 'observe') return { observation: await this.#observe(driver, thing, signal) }
    const { act } = doing
    if (!driver) {
      const message = `driver ${instance.driver ?? 'none'} is not configured`
      return { act, ok: false, error: { code: 'failed', message } }
    }
    const done = await this.#act(driver, thing, operation, doing, signal)
    return done.ok
      ? { act, ok: true, handle: done.value.handle }
      : { act, ok: false, error: done.error }
  }

  async #observe(
    driver: Driver | undefined,
    thing: Thing,
    signal: AbortSignal,
  ): Promise<Observation> {
    const atMs = this.#parts.clock.nowMs()
    if (!driver)
      return {
        seen: 'unknown',
        ready: false,
        atMs,
        reason: 'its driver is not configured',
        evidence: {},
      }
    return observe(driver, thing, signal, this.#parts.clock)
  }

  /** A kill never waits for its turn: it is what makes room. */
  async #act(
    driver: Driver,
    thing: Thing,
    operation: Operation,
    doing: Extract<Doing, { do: 'act' }>,
    signal: AbortSignal,
  ): ReturnType<Driver['start']> {
    if (doing.rung === 'hard') return this.#call(driver, thing, operation, doing, signal)
    const leave = await this.#gate(driver.name).enter(signal)
    if (leave === null) return { ok: false, error: { code: 'timeout', message: 'called off' } }
    try {
      return await this.#call(driver, thing, operation, doing, signal)
    } finally {
      leave()
    }
  }

  #gate(driver: string): Gate {
    const known = this.#gates.get(driver)
    if (known) return known
    const gate = new Gate(actsMax)
    this.#gates.set(driver, gate)
    return gate
  }

  /** One call of a driver, ended at its deadline whatever the driver does. */
  async #call(
    driver: Driver,
    thing: Thing,
    operation: Operation,
    doing: Extract<Doing, { do: 'act' }>,
    signal: AbortSignal,
  ): ReturnType<Driver['start']> {
    const { clock } = this.#parts
    try {
      return await within(
        { clock, timeoutMs: doing.timeoutMs, signal },
        (bounded) =>
          call(driver, thing, operation, doing, { attempt: fenceOf(operation), signal: bounded }),
        () => {
          const message = `the driver did not answer to ${doing.act} within ${doing.timeoutMs / 1000} s`
          return { ok: false, error: { code: 'timeout', message } }
        },
      )
    } catch (bug) {
      // A driver returns its failures; one that throws is broken, and its operation fails with what it said.
      this.#parts.log.error(
        { err: bug, driver: driver.name, act: doing.act },
        'a driver threw: this is a bug',
      )
      return { ok: false, error: { code: 'failed', message: `driver ${driver.name} broke` } }
    }
  }
}

function nudge(lane: Lane): void {
  lane.isNudged = true
  lane.wake?.()
}

function letGo(lane: Lane): void {
  callOff(lane.abort)
  lane.wake?.()
}

function call(
  driver: Driver,
  thing: Thing,
  operation: Operation,
  doing: Extract<Doing, { do: 'act' }>,
  options: ActOptions,
): ReturnType<Driver['start']> {
  if (doing.act === 'stop')
    return driver.stop(thing, {
      ...options,
      rung: doing.rung ?? 'hard',
      graceMs: operation.graceMs,
    })
  if (doing.act === 'capture')
    return driver.capture(thing, { ...options, imageName: operation.imageName ?? thing.name })
  return driver[doing.act](thing, options)
}

/** Rises with every operation of an instance, every claim and every retry, so no older act gets past a newer. */
const fenceOf = (operation: Operation): number =>
  operation.generation * 1_000_000 + operation.attempt

/** A look that takes too long, or throws, saw nothing: unknown, never absent (law 5). */
export async function observe(
  driver: Driver,
  thing: Thing,
  signal: AbortSignal,
  clock: Clock,
): Promise<Observation> {
  const unseen = (reason: string): Observation => ({
    seen: 'unknown',
    ready: false,
    atMs: clock.nowMs(),
    reason,
    evidence: {},
  })
  try {
    return await within(
      { clock, timeoutMs: observeTimeoutMs, signal },
      (bounded) => driver.observe(thing, bounded),
      () => unseen('the driver did not answer in time'),
    )
  } catch (bug) {
    return unseen(`driver ${driver.name} broke: ${bug instanceof Error ? bug.message : 'it threw'}`)
  }
}
