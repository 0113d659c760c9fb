// Writes one table's rows, with statements made once.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Column, columnsOf, type TableName } from '#kernel/tables.ts'
import type { EncodedWrite } from './encode.ts'
import { name } from './sql.ts'

/** What a row's columns were made last, of so many rows: those at work are written again and again. */
const lastMax = 2_048

export class TableWriter {
  readonly #db: DatabaseSync
  readonly #table: string
  readonly #columns: readonly string[]
  readonly #known: StatementSync
  readonly #insert: StatementSync
  readonly #remove: StatementSync
  /** Nobody else writes the file, so this is what it says; a commit that fails makes it unknown. */
  readonly #last = new Map<string, readonly Column[]>()
  /** By which columns they set, one bit each; few sets ever occur. */
  readonly #updates = new Map<number, StatementSync>()

  constructor(db: DatabaseSync, table: TableName) {
    this.#db = db
    this.#table = name(table)
    this.#columns = Object.keys(columnsOf(table)).map(name)
    // `id` comes last so that the list is not empty where a table has no columns.
    this.#known = db.prepare(
      `SELECT ${[...this.#columns, 'id'].join(', ')} FROM ${this.#table} WHERE id = ?`,
    )
    this.#known.setReturnArrays(true)
    const all = ['id', ...this.#columns, 'body']
    this.#insert = db.prepare(
      `INSERT INTO ${this.#table} (${all.join(', ')}) VALUES (${all.map(() => '?').join(', ')})`,
    )
    this.#remove = db.prepare(`DELETE FROM ${this.#table} WHERE id = ?`)
  }

  write([, id, columns, body]: EncodedWrite): void {
    const last = this.#last.get(id)
    this.#last.delete(id)
    if (columns === null) return void this.#remove.run(id)
    const known = last ?? (this.#known.get(id) as unknown as readonly Column[] | undefined) // rows are arrays; no column holds a blob
    if (known === undefined) this.#insert.run(id, ...columns, body)
    else this.#update(known, id, columns, body)
    this.#keep(id, columns)
  }

  /** What was written is not so: its commit failed. */
  forget(): void {
    this.#last.clear()
  }

  #keep(id: string, columns: readonly Column[]): void {
    this.#last.set(id, columns)
    if (this.#last.size <= lastMax) return
    const oldest = this.#last.keys().next()
    if (!oldest.done) this.#last.delete(oldest.value)
  }

  /**
   * Sets the columns that changed and no others: SQLite rewrites an index when a statement names one of its
   * columns, changed or not, and an instance stands in a dozen (docs/decisions/0004-store.md).
   */
  #update(known: readonly Column[], id: string, columns: readonly Column[], body: string): void {
    const values: Column[] = []
    let changed = 0
    for (const [at, value] of columns.entries()) {
      if (value === known[at]) continue
      changed |= 1 << at
      values.push(value)
    }
    let update = this.#updates.get(changed)
    if (update === undefined) {
      const set = [...this.#columns.filter((_, at) => (changed >> at) & 1), 'body']
      update = this.#db.prepare(
        `UPDATE ${this.#table} SET ${set.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`,
      )
      this.#updates.set(changed, update)
    }
    update.run(...values, body, id)
  }
}
