// The rows a decision reads and writes. A decision is pure, so it may be asked again: when it needs a row that
// is not loaded it throws `Missing`, the plane loads that row and asks once more. No list of "rows this request
// needs" has to be kept beside the code that needs them (decision record 0001).

import type { Cause } from './caller.ts'
import type { EventDraft, EventType } from './event.ts'
import type { JsonObject } from './json.ts'
import { type Column, type ColumnName, columnsOf, type Rows, type TableName } from './tables.ts'
import type { Commit, Write } from './ports/store.ts'

export interface Reader {
  get<T extends TableName>(table: T, id: string): Rows[T] | undefined
  find<T extends TableName>(table: T, column: ColumnName<T>, value: Column): readonly Rows[T][]
}

export type Wanted =
  | { readonly table: TableName; readonly id: string }
  | { readonly table: TableName; readonly column: string; readonly value: Column }

/** Thrown by readers; caught by the plane alone. Not an Error: it carries no stack and is no failure. */
export class Missing {
  readonly wanted: readonly Wanted[]
  constructor(...wanted: readonly Wanted[]) {
    this.wanted = wanted
  }
}

interface Named {
  readonly id: string
}

/** Writes on top of a reader: later reads see earlier writes. Drafts stack, so a refused item leaves no trace. */
export class Draft implements Reader {
  readonly #base: Reader
  readonly #tables = new Map<TableName, Map<string, Rows[TableName] | null>>()
  readonly #events: EventDraft[] = []

  constructor(base: Reader) {
    this.#base = base
  }

  get<T extends TableName>(table: T, id: string): Rows[T] | undefined {
    const own = this.#tables.get(table)?.get(id)
    if (own !== undefined) return (own as Rows[T] | null) ?? undefined // a table's map holds that table's rows only
    return this.#base.get(table, id)
  }

  find<T extends TableName>(table: T, column: ColumnName<T>, value: Column): readonly Rows[T][] {
    const below = this.#base.find(table, column, value)
    const own = this.#tables.get(table) as Map<string, Rows[T] | null> | undefined // as above
    if (!own) return below
    const read = columnsOf(table)[column]
    const kept = below.filter((row) => !own.has(row.id))
    for (const row of own.values()) if (row !== null && read?.(row) === value) kept.push(row)
    return kept
  }

  put<T extends TableName>(table: T, row: Rows[T]): void {
    this.#table(table).set((row satisfies Named).id, row)
  }

  remove(table: TableName, id: string): void {
    this.#table(table).set(id, null)
  }

  emit(event: {
    readonly type: EventType
    readonly project: EventDraft['project']
    readonly subject: string
    readonly instanceId?: string
    readonly atMs: number
    readonly cause: Cause
    readonly data?: JsonObject
  }): void {
    this.#events.push({ instanceId: null, data: {}, ...event })
  }

  /** What this one wrote, on top of another reader: for decisions that follow it before it is on disk. */
  over(base: Reader): Draft {
    const draft = new Draft(base)
    for (const [table, rows] of this.#tables) draft.#tables.set(table, rows)
    return draft
  }

  /** Takes over what a draft above this one wrote. */
  absorb(above: Draft): void {
    for (const [table, rows] of above.#tables) {
      const own = this.#table(table)
      for (const [id, row] of rows) own.set(id, row)
    }
    this.#events.push(...above.#events)
  }

  commit(): Commit {
    const writes: Write[] = []
    for (const [table, rows] of this.#tables) {
      for (const [id, row] of rows)
        writes.push(row === null ? { table, remove: id } : ({ table, row } as Write)) // the map pairs each table with its rows
    }
    return { writes, events: this.#events }
  }

  #table(table: TableName): Map<string, Rows[TableName] | null> {
    const known = this.#tables.get(table)
    if (known) return known
    const fresh = new Map<string, Rows[TableName] | null>()
    this.#tables.set(table, fresh)
    return fresh
  }
}
