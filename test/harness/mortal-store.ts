// One store that outlives the processes that use it. Each process has a view of it; a view can be told to fail,
// and to die: before a commit reaches the disk, after it did, or at once. The dead never hear an answer.

import { type Commit, type Store, StoreError } from '#kernel/ports/store.ts'

export type Death = 'now' | 'before-commit' | 'after-commit'

export interface StoreView {
  readonly store: Store
  /** So many of the next calls fail, having changed nothing. */
  fail(calls: number): void
  die(how: Death): void
  /** Takes back what was ordered and has not happened. */
  pardon(): void
}

export function viewOf(
  inner: Store,
  process: {
    readonly died: () => void
    readonly stir: () => void
    /** Sees each commit when it is on disk, before anybody else can act on it. */
    readonly committed?: (commit: Commit) => Promise<void>
  },
): StoreView {
  let failing = 0
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
    if (failing > 0) {
      failing--
      throw new StoreError('io', 'the disk is away')
    }
    const value = await work()
    return isDead ? never : value
  }

  const commit = (changes: Commit): Promise<number> =>
    call(async () => {
      if (dies === 'before-commit') return end()
      const first = await inner.commit(changes)
      await process.committed?.(changes)
      return dies === 'after-commit' ? end() : first
    })

  return {
    store: {
      get: (table, id) => call(() => inner.get(table, id)),
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
    die(how) {
      if (how === 'now') void end()
      else dies = how
    },
    pardon() {
      failing = 0
      dies = null
    },
  }
}
