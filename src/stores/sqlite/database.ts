// One connection to the file: statements kept prepared, rows in and out, transactions.

import { type DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Event, type EventDraft } from '#kernel/event.ts'
import { type Operation } from '#kernel/operation.ts'
import { type EventQuery, type Query } from '#kernel/ports/store.ts'
import { type Column, columnsOf, type Rows, type TableName } from '#kernel/tables.ts'
import { type Encoded, type EncodedWrite, encodeRow, eventColumns } from './encode.ts'
import { storeError } from './fault.ts'
import { countSql, eventsSql, findMax, findSql, listSql, name, type Sql } from './sql.ts'

/** Shapes of queries are few, but callers may combine filters freely; the oldest are prepared again. */
const statementsMax = 1_000

export class Database {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #numbered: string

  constructor(db: DatabaseSync) {
    this.#db = db
    const columns = [...eventColumns, 'body']
    this.#numbered = `INSERT INTO events (${columns.map(name).join(', ')}) VALUES (${marks(columns.length)})`
  }

  get<T extends TableName>(table: T, id: string): Rows[T] | undefined {
    const text = `SELECT body FROM ${name(table)} WHERE id = ?`
    return this.#bodies<Rows[T]>({ text, values: [id] })[0]
  }

  find<T extends TableName>(table: T, column: string, value: Column): readonly Rows[T][] {
    return this.#bodies<Rows[T]>(findSql(table, column, value), findMax)
  }

  list<T extends TableName>(table: T, query: Query<T>): readonly Rows[T][] {
    const page: Rows[T][] = []
    for (const sql of listSql(table, query)) {
      if (page.length < query.limit)
        page.push(...this.#bodies<Rows[T]>(sql, query.limit - page.length))
    }
    return page
  }

  count<T extends TableName>(table: T, query: Omit<Query<T>, 'limit' | 'order' | 'after'>): number {
    return this.#number(countSql(table, query))
  }

  events(query: EventQuery): readonly Event[] {
    return this.#rows(eventsSql(query), query.limit).map(([seq, body]) => ({
      ...(JSON.parse(String(body)) as EventDraft), // written by `apply` from a draft
      seq: Number(seq),
    }))
  }

  /** The greatest number ever given, which stays when its event is removed. */
  lastEvent(): number {
    return this.#number({
      text: `SELECT seq FROM sqlite_sequence WHERE name = 'events'`,
      values: [],
    })
  }

  /** All or nothing, on disk when it returns. */
  apply(encoded: Encoded): number {
    return this.#transaction(() => {
      for (const write of encoded.writes) this.#write(write)
      for (const event of encoded.events) this.#run(this.#numbered, event)
      return this.lastEvent() + 1 - encoded.events.length
    })
  }

  isDue(nowMs: number): boolean {
    return this.#rows(dueSql(nowMs), 1).length > 0
  }

  claim(worker: string, nowMs: number, leaseMs: number, limit: number): readonly Operation[] {
    const claimed = this.#bodies<Operation>(dueSql(nowMs), limit).map((operation) => ({
      ...operation,
      attempt: operation.attempt + 1,
      worker,
      leaseUntilMs: nowMs + leaseMs,
    }))
    const writes = claimed.map((row) => encodeRow('operations', row))
    if (writes.length > 0) this.apply({ writes, events: [] })
    return claimed
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  #transaction<T>(work: () => T): T {
    try {
      this.#run('BEGIN IMMEDIATE', [])
      const result = work()
      this.#run('COMMIT', [])
      return result
    } catch (thrown) {
      // SQLite ends the transaction by itself when the disk fails.
      if (this.#db.isTransaction) this.#run('ROLLBACK', [])
      throw storeError(thrown)
    }
  }

  /**
   * Only the columns that changed are set: an index is rewritten whenever one of its columns is named, changed
   * or not, and an instance stands in nine of them (docs/decisions/0004-store.md).
   */
  #write({ table, id, columns, body }: EncodedWrite): void {
    if (columns === null) return this.#run(`DELETE FROM ${name(table)} WHERE id = ?`, [id])
    const names = Object.keys(columnsOf(table))
    const known = this.#rows({ text: columnsSql(table), values: [id] })[0]
    if (known === undefined) return this.#run(insertSql(table), [id, ...columns, body])
    const changed = names.filter((_, at) => known[at] !== columns[at])
    const values = columns.filter((value, at) => known[at] !== value)
    const set = [...changed, 'body'].map((column) => `${name(column)} = ?`).join(', ')
    this.#run(`UPDATE ${name(table)} SET ${set} WHERE id = ?`, [...values, body, id])
  }

  #bodies<Row>(sql: Sql, limit?: number): Row[] {
    return this.#rows(sql, limit).map(([body]) => JSON.parse(String(body)) as Row) // written by `apply` from that table's rows
  }

  #number(sql: Sql): number {
    return Number(this.#rows(sql)[0]?.[0] ?? 0)
  }

  #rows(sql: Sql, limit?: number): readonly (readonly Column[])[] {
    const values = limit === undefined ? sql.values : [...sql.values, limit]
    try {
      return this.#statement(sql.text).all(...values) as unknown as Column[][] // rows are arrays; no column holds a blob
    } catch (thrown) {
      throw storeError(thrown)
    }
  }

  #run(text: string, values: readonly Column[]): void {
    this.#statement(text).run(...values)
  }

  #statement(text: string): StatementSync {
    let statement = this.#statements.get(text)
    if (statement) return statement
    const oldest = this.#statements.keys().next()
    if (this.#statements.size >= statementsMax && !oldest.done)
      this.#statements.delete(oldest.value)
    statement = this.#db.prepare(text)
    statement.setReturnArrays(true)
    this.#statements.set(text, statement)
    return statement
  }
}

function insertSql(table: TableName): string {
  const columns = ['id', ...Object.keys(columnsOf(table)), 'body']
  return `INSERT INTO ${name(table)} (${columns.map(name).join(', ')}) VALUES (${marks(columns.length)})`
}

function columnsSql(table: TableName): string {
  // `id` keeps the list from being empty: one table has no columns.
  const columns = [...Object.keys(columnsOf(table)), 'id'].map(name).join(', ')
  return `SELECT ${columns} FROM ${name(table)} WHERE id = ?`
}

/** The one that has waited longest comes first. */
export const dueSql = (nowMs: number): Sql => ({
  text: 'SELECT body FROM operations WHERE claimAtMs <= ? ORDER BY claimAtMs, id LIMIT ?',
  values: [nowMs],
})

const marks = (count: number): string => Array.from({ length: count }, () => '?').join(', ')
