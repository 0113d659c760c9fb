// The rows of one batch, as they were on disk when the batch began to read them. A row that is neither here nor at
// hand in the store is `Missing`: the batcher loads it and asks the decision again.

import type { Column, ColumnName, Rows, TableName } from '#kernel/tables.ts'
import type { Store } from '#kernel/ports/store.ts'
import { Missing, type Reader, type Wanted } from '#kernel/rows.ts'

type Row = Rows[TableName]

export class Loaded implements Reader {
  readonly #store: Pick<Store, 'get' | 'kept' | 'find'>
  /** Undefined: there is none. */
  readonly #rows = new Map<TableName, Map<string, Row | undefined>>()
  readonly #found = new Map<string, readonly unknown[]>()

  constructor(store: Pick<Store, 'get' | 'kept' | 'find'>) {
    this.#store = store
  }

  get<T extends TableName>(table: T, id: string): Rows[T] | undefined {
    const rows = this.#rowsOf(table)
    const known = rows.get(id)
    if (known !== undefined || rows.has(id)) return known as Rows[T] | undefined // a table's map holds its rows only
    const kept = this.#store.kept(table, id)
    if (kept === undefined) throw new Missing({ table, id })
    rows.set(id, kept)
    return kept
  }

  find<T extends TableName>(table: T, column: ColumnName<T>, value: Column): readonly Rows[T][] {
    const rows = this.#found.get(`${table} ${column} ${String(value)}`)
    if (rows === undefined) throw new Missing({ table, column, value })
    return rows as readonly Rows[T][] // filled by `load` from that table
  }

  async load(wanted: Wanted): Promise<void> {
    const { table } = wanted
    if ('id' in wanted) {
      this.#rowsOf(table).set(wanted.id, await this.#store.get(table, wanted.id))
    } else {
      const column = wanted.column as ColumnName<typeof table> // the reader that threw it took a column of that table
      this.#found.set(
        `${table} ${wanted.column} ${String(wanted.value)}`,
        await this.#store.find(table, column, wanted.value),
      )
    }
  }

  #rowsOf(table: TableName): Map<string, Row | undefined> {
    let rows = this.#rows.get(table)
    if (rows === undefined) this.#rows.set(table, (rows = new Map<string, Row | undefined>()))
    return rows
  }
}

/** Asks a pure question until every row it needs is loaded. */
export async function withRows<T>(loaded: Loaded, question: () => T): Promise<T> {
  for (;;) {
    try {
      return question()
    } catch (thrown) {
      // Missing is a request for rows; anything else is a bug and not ours to hide.
      if (!(thrown instanceof Missing)) throw thrown
      await Promise.all(thrown.wanted.map((one) => loaded.load(one)))
    }
  }
}
