// Group commit. Requests that arrive while a commit is under way form the next batch: each is decided in order
// against what those before it decided, all is written in one transaction with one sync, then all are answered.
//
// - Nobody is answered before the sync, not even a refusal: it may rest on an earlier request of its batch.
// - A commit that fails changed nothing, and every request of its batch is told so.
// - A decision that throws is a bug in that request alone: it leaves no trace, and its batch goes on.

import { decide } from '#kernel/decide.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { type Event } from '#kernel/event.ts'
import { type Commit, type Store, StoreError } from '#kernel/ports/store.ts'
import { type Context, type Receipt, type Request } from '#kernel/request.ts'
import { Draft } from '#kernel/rows.ts'
import { Loaded, withRows } from './loaded.ts'

/** Requests in one transaction: large enough to share a sync, small enough to answer soon. */
export const batchMax = 256
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
}

export function batches(parts: Parts): Batches {
  const waiting: Waiting[] = []
  const inProcess = new Map<string, string>()
  let working: Promise<void> | null = null

  async function work(): Promise<void> {
    // One turn of the event loop, so that all that arrived together is one batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) await carryOut(parts, waiting.splice(0, batchMax))
    working = null
  }

  function refused(
    context: Draftable,
    options: { readonly dryRun: boolean; readonly internal: boolean },
  ): Result<Receipt> | undefined {
    if (!options.internal && waiting.length >= waitingMax)
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
    working ??= work()
    try {
      return await answered
    } finally {
      if (token) inProcess.delete(token.token)
    }
  }

  return { submit, idle: async () => working ?? undefined, depth: () => waiting.length }
}

type Outcome =
  | { readonly waiting: Waiting; readonly result: Result<Receipt> }
  | { readonly waiting: Waiting; readonly bug: unknown }

async function carryOut(parts: Parts, batch: readonly Waiting[]): Promise<void> {
  const loaded = new Loaded(parts.store)
  const draft = new Draft(loaded)
  const outcomes: Outcome[] = []
  for (const one of batch) outcomes.push(await decideOne(parts, loaded, draft, one))
  const failure = await write(parts, draft.commit())
  for (const outcome of outcomes) {
    if ('bug' in outcome) outcome.waiting.fail(outcome.bug)
    else outcome.waiting.answer(failure ?? outcome.result)
  }
}

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

async function write(parts: Parts, commit: Commit): Promise<Result<Receipt> | undefined> {
  if (commit.writes.length === 0 && commit.events.length === 0) return undefined
  let first: number
  try {
    first = await parts.store.commit(commit)
  } catch (cause) {
    parts.failed(cause)
    return err({ code: 'StoreUnavailable' })
  }
  parts.committed(
    commit,
    commit.events.map((event, index) => ({ ...event, seq: first + index })),
  )
  return undefined
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
