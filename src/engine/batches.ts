// Group commit. What arrives while one batch is being written is decided meanwhile, in order, each request seeing
// what those before it decided. It is handed over when that batch is on disk, or behind it once there is enough of it;
// each batch has one sync, and is answered after it.
//
// - Nobody is answered before the sync, not even a refusal: it may rest on an earlier request.
// - A commit that fails changed nothing, and every request of its batch is told so. What was decided on top of
//   it is decided again, on what is really there.
// - A decision that throws is a bug in that request alone: it leaves no trace, and its batch goes on.

import { decide } from '#kernel/decide.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Event } from '#kernel/event.ts'
import { type Commit, type Store, StoreError } from '#kernel/ports/store.ts'
import type { Context, Receipt, Request } from '#kernel/request.ts'
import { Draft, type Reader } from '#kernel/rows.ts'
import { Loaded, withRows } from './loaded.ts'

/** Requests in one transaction: large enough to share a sync, small enough to answer soon. */
export const batchMax = 256
/**
 * So many are worth a commit of their own while another is being written: the writer then never waits for us. Fewer
 * are better off sharing the next sync.
 */
const secondMinDefault = 12
/** Callers' requests that may wait; the next one is told to come back. The engine's own are never refused. */
export const waitingMax = 4_096
const retryAfterMs = 1_000

export type Draftable = Omit<Context, 'ids'>

interface Waiting {
  readonly request: Request
  readonly context: Draftable
  readonly dryRun: boolean
  readonly answer: (result: Result<Receipt>) => void
  readonly fail: (bug: unknown) => void
}

export interface Batches {
  submit(
    request: Request,
    context: Draftable,
    options: { readonly dryRun: boolean; readonly internal: boolean },
  ): Promise<Result<Receipt>>
  /** Runs while nothing is decided or written: for who changes rows by another way (claims). */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>
  depth(): number
}

interface Parts {
  readonly store: Store
  readonly freshId: () => string
  /** After each commit, before its requests are answered. Must not throw: what is on disk is accepted. */
  readonly committed: (commit: Commit, events: readonly Event[]) => void
  /** The store could not be read or written. */
  readonly failed: (cause: unknown) => void
  readonly secondMin?: number
}

export function batches(parts: Parts): Batches {
  const { secondMin = secondMinDefault } = parts
  const waiting: Waiting[] = []
  const inProcess = new Map<string, string>()
  const alone: (() => Promise<void>)[] = []
  /** What is decided and not handed over yet. */
  let open = new Batch(parts, [])
  /** What is being written, the oldest first. */
  const flights: Flight[] = []
  let working: Promise<void> | null = null
  let wake = (): void => undefined

  function begin(): void {
    working ??= work()
    wake()
  }

  async function work(): Promise<void> {
    // One turn of the event loop, so that all that arrived together is one batch.
    await new Promise((resolve) => setImmediate(resolve))
    open = new Batch(parts, [])
    while (flights.length > 0 || open.size > 0 || waiting.length > 0 || alone.length > 0) {
      while (alone.length === 0 && open.size < batchMax) {
        const next = waiting.shift()
        if (!next) break
        await open.decide(next)
      }
      if (handOver()) continue
      const [first] = flights
      if (first) {
        const mayTakeMore = alone.length === 0 && open.size < batchMax
        const written: Written | null = await (mayTakeMore
          ? Promise.race([first.written, arrival()])
          : first.written)
        if (written === null) continue
        flights.shift()
        if (written.ok) handOver()
        else await decideAgain()
        // Only now: what waits for the disk is not kept waiting by those who are answered.
        first.batch.answer(written)
      } else {
        await alone.shift()?.()
        // What was decided on top of what is no longer so.
        open = new Batch(parts, [])
      }
    }
    working = null
  }

  function handOver(): boolean {
    const isWorthIt = flights.length === 0 ? open.size > 0 : open.size >= secondMin
    if (!isWorthIt || flights.length === flightsMax) return false
    const batch = open
    flights.push({ batch, written: batch.write() })
    open = new Batch(
      parts,
      flights.map((flight) => flight.batch),
    )
    return true
  }

  /** A commit failed, and with it what rests on it. */
  async function decideAgain(): Promise<void> {
    const again: Waiting[] = []
    for (const { batch, written } of flights.splice(0)) {
      const outcome = await written
      // One that is well after all had nothing to write: it refused on the strength of what failed.
      if (outcome.ok || outcome.error === 'behind') again.push(...batch.requests())
      else batch.answer(outcome)
    }
    waiting.unshift(...again, ...open.requests())
    open = new Batch(parts, [])
  }

  /** Resolves with null when there is more to decide. */
  const arrival = (): Promise<null> =>
    new Promise((resolve) => {
      if (waiting.length > 0 || alone.length > 0) resolve(null)
      wake = () => resolve(null)
    })

  function refused(
    context: Draftable,
    options: { readonly dryRun: boolean; readonly internal: boolean },
  ): Result<Receipt> | undefined {
    if (!options.internal && waiting.length + open.size >= waitingMax)
      return err({ code: 'Overloaded', retryAfterMs })
    const token = context.idempotency
    const running = token && inProcess.get(token.token)
    if (!token || running === undefined) return undefined
    return err(
      running === token.fingerprint
        ? { code: 'TokenInProcess', token: token.token }
        : { code: 'TokenReused', token: token.token },
    )
  }

  async function submit(
    request: Request,
    context: Draftable,
    options: { readonly dryRun: boolean; readonly internal: boolean },
  ): Promise<Result<Receipt>> {
    const refusal = refused(context, options)
    if (refusal) return refusal
    const token = context.idempotency
    if (token) inProcess.set(token.token, token.fingerprint)
    const answered = new Promise<Result<Receipt>>((answer, fail) =>
      waiting.push({ request, context, dryRun: options.dryRun, answer, fail }),
    )
    begin()
    try {
      return await answered
    } finally {
      if (token) inProcess.delete(token.token)
    }
  }

  return {
    submit,
    alone: (work) =>
      new Promise((resolve, reject) => {
        alone.push(() => work().then(resolve, reject))
        begin()
      }),
    idle: async () => working ?? undefined,
    depth: () => waiting.length + open.size,
  }
}

/** How many batches may be handed over and not yet on disk. */
const flightsMax = 2

/** The number of its first event. `behind`: it was not carried out, because one that it rests on failed. */
type Written = Result<number, 'failed' | 'behind'>

/** A batch that is being written. Never rejects. */
interface Flight {
  readonly batch: Batch
  readonly written: Promise<Written>
}

type Outcome =
  | { readonly waiting: Waiting; readonly result: Result<Receipt> }
  | { readonly waiting: Waiting; readonly bug: unknown }

class Batch {
  readonly #parts: Parts
  readonly #loaded: Loaded
  readonly #draft: Draft
  readonly #outcomes: Outcome[] = []
  /** The last of those before it that changes something. */
  readonly #after: Commit | undefined
  /** What is handed over; null while nothing is, or when there is nothing to change. */
  #commit: Commit | null = null

  /** `before`: batches that are being written, the oldest first: this one is decided on top of them. */
  constructor(parts: Parts, before: readonly Batch[]) {
    this.#parts = parts
    this.#loaded = new Loaded(parts.store)
    this.#after =
      before.map((batch) => batch.#commit).findLast((commit) => commit !== null) ?? undefined
    this.#draft = new Draft(
      before.reduce<Reader>((below, batch) => batch.#draft.over(below), this.#loaded),
    )
  }

  get size(): number {
    return this.#outcomes.length
  }

  requests(): readonly Waiting[] {
    return this.#outcomes.map(({ waiting }) => waiting)
  }

  async decide(waiting: Waiting): Promise<void> {
    this.#outcomes.push(await decideOne(this.#parts, this.#loaded, this.#draft, waiting))
  }

  async write(): Promise<Written> {
    const commit = this.#draft.commit()
    if (commit.writes.length === 0 && commit.events.length === 0) return ok(0)
    this.#commit = commit
    try {
      return ok(await this.#parts.store.commit(commit, this.#after))
    } catch (cause) {
      if (cause instanceof StoreError && cause.code === 'behind') return err('behind')
      this.#parts.failed(cause)
      return err('failed')
    }
  }

  answer(written: Written): void {
    if (written.ok && this.#commit) this.#tell(this.#commit, written.value)
    for (const outcome of this.#outcomes) {
      if ('bug' in outcome) outcome.waiting.fail(outcome.bug)
      else outcome.waiting.answer(written.ok ? outcome.result : unavailable)
    }
  }

  #tell(commit: Commit, first: number): void {
    const events = commit.events.map((event, index) => ({ ...event, seq: first + index }))
    this.#parts.committed(commit, events)
  }
}

const unavailable = err({ code: 'StoreUnavailable' } as const)

async function decideOne(
  parts: Parts,
  loaded: Loaded,
  draft: Draft,
  waiting: Waiting,
): Promise<Outcome> {
  const ids = deck(parts.freshId)
  try {
    const decision = await withRows(loaded, () => {
      ids.rewind()
      return decide(waiting.request, { ...waiting.context, ids }, draft)
    })
    if (!decision.ok) return { waiting, result: decision }
    if (!waiting.dryRun) draft.absorb(decision.value.draft)
    return { waiting, result: ok(decision.value.receipt) }
  } catch (thrown) {
    if (thrown instanceof StoreError) {
      parts.failed(thrown)
      return { waiting, result: err({ code: 'StoreUnavailable' }) }
    }
    // A bug: rejected to its caller, who logs it whole; the rest of the batch is untouched.
    return { waiting, bug: thrown }
  }
}

/** Fresh ids, handed out again in the same order when the same question is asked again. */
function deck(fresh: () => string): { next(): string; rewind(): void } {
  const drawn: string[] = []
  let at = 0
  return {
    next() {
      const id = drawn[at] ?? fresh()
      drawn[at++] = id
      return id
    },
    rewind() {
      at = 0
    },
  }
}
