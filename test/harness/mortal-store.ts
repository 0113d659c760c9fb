// One store that outlives the processes that use it. Each process has a view of it; a view can be told to fail, to
// be slow, and to die: before a commit reaches the disk, after it did, or at once. The dead never hear an answer.

import { behind, type Commit, type Store, StoreError } from '#kernel/ports/store.ts'

export type Death = 'now' | 'before-commit' | 'after-commit'

export interface StoreView {
  readonly store: Store
  /** So many of the next calls fail, having changed nothing. */
  fail(calls: number): void
  /** The next commit is on disk, and yet is said to have failed. */
  lie(): void
  /** So many of the next calls take this long. */
  slow(calls: number, ms: number): void
  /** How long the calls that are or will be slow take, one after another. */
  slowMs(): number
  /** Calls that failed so far. */
  failed(): number
  die(how: Death): void
  /** Takes back what was ordered and has not happened. */
  pardon(): void
}

/** A commit takes up to so many turns of the event loop. */
const turnsMax = 6

async function following<T>(
  before: Promise<unknown> | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await before
  } catch {
    throw behind()
  }
  return await work()
}

export function viewOf(
  inner: Store,
  process: {
    readonly died: () => void
    readonly stir: () => void
    /** Sees each commit when it is on disk, before anybody else can act on it. */
    readonly committed?: (commit: Commit) => Promise<void>
    readonly pause?: (ms: number) => Promise<void>
  },
): StoreView {
  let written = 0
  let failing = 0
  let failed = 0
  let isLying = false
  let slow = { calls: 0, ms: 0 }
  let slowNow = 0
  let dies: Death | null = null
  let isDead = false
  const never = new Promise<never>(() => undefined)

  function end(): Promise<never> {
    if (!isDead) process.died()
    isDead = true
    return never
  }

  async function call<T>(work: () => Promise<T>): Promise<T> {
    process.stir()
    if (isDead) return never
    if (slow.calls > 0) {
      const { ms } = slow
      slow.calls--
      slowNow += ms
      await process.pause?.(ms)
      slowNow -= ms
      if (isDead) return never
    }
    if (failing > 0) {
      failing--
      failed++
      throw new StoreError('io', 'the disk is away')
    }
    const value = await work()
    return isDead ? never : value
  }

  /** What came of each: one that rests on another waits for it, as it does in the queue of a thread. */
  const outcomes = new WeakMap<Commit, Promise<unknown>>()

  function commit(changes: Commit, after?: Commit): Promise<number> {
    const outcome = following(after && outcomes.get(after), () => write(changes))
    outcomes.set(changes, outcome)
    return outcome
  }

  async function write(changes: Commit): Promise<number> {
    // The next one is handed over meanwhile.
    for (let turns = ++written % turnsMax; turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve))
    return await carriedOut(changes)
  }

  const carriedOut = (changes: Commit): Promise<number> =>
    call(async () => {
      if (dies === 'before-commit') return end()
      const first = await inner.commit(changes)
      await process.committed?.(changes)
      if (dies === 'after-commit') return end()
      if (!isLying) return first
      isLying = false
      failed++
      throw new StoreError('io', 'nobody knows whether it was written')
    })

  return {
    store: {
      get: (table, id) => call(() => inner.get(table, id)),
      kept: (table, id) =>
        isDead || failing > 0 || slow.calls > 0 ? undefined : inner.kept(table, id),
      find: (table, column, value) => call(() => inner.find(table, column, value)),
      list: (table, query) => call(() => inner.list(table, query)),
      count: (table, query) => call(() => inner.count(table, query)),
      events: (query) => call(() => inner.events(query)),
      lastEvent: () => call(() => inner.lastEvent()),
      claim: (...asked) => call(() => inner.claim(...asked)),
      commit,
      close: () => Promise.resolve(),
    },
    fail(calls) {
      failing = calls
    },
    lie() {
      isLying = true
    },
    slow(calls, ms) {
      slow = { calls, ms }
    },
    slowMs: () => slowNow + slow.calls * slow.ms,
    failed: () => failed,
    die(how) {
      if (how === 'now') void end()
      else dies = how
    },
    pardon() {
      failing = 0
      isLying = false
      slow = { calls: 0, ms: 0 }
      dies = null
    },
  }
}
