// What a store must do. Both stores pass one contract suite (test/contract/store.contract.ts).
//
// - `commit` is atomic and synced to disk before it resolves (law 1); it numbers events in order, without gaps.
// - Every list is keyset-paged: a page starts after a key, never at an offset.
// - A store decides nothing: no rule about rows lives here.

import type { Event, EventDraft } from '../event.ts'
import type { FacetTest } from '../facets.ts'
import type { Operation } from '../operation.ts'
import type { Column, ColumnName, Rows, TableName } from '../tables.ts'

export type Write =
  | { [T in TableName]: { readonly table: T; readonly row: Rows[T] } }[TableName]
  | { readonly table: TableName; readonly remove: string }

export interface Commit {
  readonly writes: readonly Write[]
  readonly events: readonly EventDraft[]
}

export type Where<T extends TableName> = {
  readonly [C in ColumnName<T>]?: Column | readonly Column[]
}

export interface Range<T extends TableName> {
  readonly column: ColumnName<T>
  readonly min?: number
  readonly max?: number
}

export interface Query<T extends TableName> {
  /** All must hold; a list means any of its values. Names are exact. */
  readonly where?: Where<T>
  /** The column contains this text; case-sensitive. */
  readonly contains?: { readonly column: ColumnName<T>; readonly text: string }
  /** Instances only: of each list at least one test must hold. */
  readonly facets?: readonly (readonly FacetTest[])[]
  /** column > min and < max, for time windows; all of several must hold. */
  readonly range?: Range<T> | readonly Range<T>[]
  /** Default: by id. Ties go by id, in the same direction. */
  readonly order?: { readonly by: ColumnName<T>; readonly dir: 'asc' | 'desc' }
  /** Continue after this row: its id (and, with `order`, its value of that column). */
  readonly after?: { readonly id: string; readonly value?: Column }
  /** 1 to 1_000. */
  readonly limit: number
}

export interface EventQuery {
  /** Only events with a greater seq. */
  readonly after: number
  readonly project?: string
  readonly instanceId?: string
  readonly subject?: string
  readonly types?: readonly string[]
  /** sinceMs <= atMs < untilMs. Then they come by time, and those of one moment by number. */
  readonly during?: { readonly sinceMs?: number; readonly untilMs?: number }
  readonly limit: number
  /** Newest first, then `after` is ignored and `before` is the cursor. */
  readonly newestFirst?: boolean
  readonly before?: number
}

export interface Store {
  get<T extends TableName>(table: T, id: string): Promise<Rows[T] | undefined>
  /** What `get` would resolve with, where that is at hand already; undefined says nothing. */
  kept<T extends TableName>(table: T, id: string): Rows[T] | undefined
  /** Rows whose indexed column has this value; at most 10_000. Used by decisions, so never paged. */
  find<T extends TableName>(
    table: T,
    column: ColumnName<T>,
    value: Column,
  ): Promise<readonly Rows[T][]>
  list<T extends TableName>(table: T, query: Query<T>): Promise<readonly Rows[T][]>
  count<T extends TableName>(
    table: T,
    query: Omit<Query<T>, 'limit' | 'order' | 'after'>,
  ): Promise<number>
  events(query: EventQuery): Promise<readonly Event[]>
  /** The greatest event number, 0 when there is none. */
  lastEvent(): Promise<number>
  /**
   * Takes up to `limit` running operations whose lease has passed, oldest first, and in the same commit gives
   * each to `worker` until `nowMs + leaseMs` with `attempt` raised by one (the fence). It never comes between
   * somebody's read and his commit, when those are made in one turn of the event loop.
   */
  claim(
    worker: string,
    nowMs: number,
    leaseMs: number,
    limit: number,
  ): Promise<readonly Operation[]>
  /**
   * Resolves with the seq of the first event of the commit (or the next one, when it has none). Commits are carried
   * out in the order in which they are handed over.
   *
   * @param after  one handed over before, which may be under way still: this one rests on it, and is carried out
   *   only if that one was. Else it rejects with `behind`.
   */
  commit(commit: Commit, after?: Commit): Promise<number>
  close(): Promise<void>
}

/**
 * What a store rejects with. A failed commit changed nothing, and the store may be used again.
 *
 * conflict: the rows break a constraint (a bug of whoever decided them); full, io, corrupt: the disk or the
 * file; busy: somebody else holds the file; closed: after `close`; behind: the commit that this one rests on failed.
 * The message names no row's content.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: 'conflict' | 'full' | 'io' | 'corrupt' | 'busy' | 'closed' | 'behind'

  constructor(code: StoreError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Of a commit whose `after` failed: it is not carried out. */
export const behind = (): StoreError =>
  new StoreError('behind', 'the commit that this one rests on failed')
