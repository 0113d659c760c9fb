// One connection to the file: rows out of it, and commits into it.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Event } from '#kernel/event.ts'
import type { Operation } from '#kernel/operation.ts'
import type { EventQuery, Query } from '#kernel/ports/store.ts'
import type { Column, Rows, TableName } from '#kernel/tables.ts'
import { decodeEvent, decodeRow, type Encoded, encodeRow, eventColumns } from './encode.ts'
import { storeError } from './fault.ts'
import {
  countSql,
  eventsSql,
  facetSumsSql,
  fewSql,
  findMax,
  findSql,
  listSql,
  name,
  type Sql,
} from './sql.ts'
import { TableWriter } from './table-writer.ts'
import type { Claim } from './writer.ts'

/** Shapes of queries are few, but callers may combine filters freely; the oldest are prepared again. */
const statementsMax = 1_000

/** So many rows are sooner read and sorted than found along an order. */
const fewDefault = 1_000

export class Database {
  readonly #db: DatabaseSync
  readonly #fewMax: number
  readonly #statements = new Map<string, StatementSync>()
  readonly #writers = new Map<TableName, TableWriter>()

  constructor(db: DatabaseSync, fewMax = fewDefault) {
    this.#db = db
    this.#fewMax = fewMax
  }

  get<T extends TableName>(table: T, id: string): Rows[T] | undefined {
    const text = `SELECT body FROM ${name(table)} WHERE id = ?`
    return this.#bodies(table, { text, values: [id] })[0]
  }

  find<T extends TableName>(table: T, column: string, value: Column): readonly Rows[T][] {
    return this.#bodies(table, findSql(table, column, value), findMax)
  }

  list<T extends TableName>(table: T, query: Query<T>): readonly Rows[T][] {
    const sums = query.facets && facetSumsSql(table, query)
    if (sums) {
      const [whole = 0, such = 0] = (this.#rows(sums)[0] ?? []).map(Number)
      if (such === 0) return []
      const isSorted = query.order === undefined || query.order.by === 'createdAtMs'
      if (whole <= this.#fewMax && isSorted)
        return this.#bodies(table, fewSql(table, query), query.limit)
    }
    const page: Rows[T][] = []
    for (const sql of listSql(table, query)) {
      if (page.length === query.limit) break
      page.push(...this.#bodies(table, sql, query.limit - page.length))
    }
    return page
  }

  count<T extends TableName>(table: T, query: Omit<Query<T>, 'limit' | 'order' | 'after'>): number {
    const sums = query.facets && !query.contains && !query.range && facetSumsSql(table, query)
    return sums ? Number(this.#rows(sums)[0]?.[1] ?? 0) : this.#number(countSql(table, query))
  }

  events(query: EventQuery): readonly Event[] {
    return this.#rows(eventsSql(query), query.limit).map(decodeEvent)
  }

  /** The greatest number ever given, which stays when its event is removed. */
  lastEvent(): number {
    const text = `SELECT seq FROM sqlite_sequence WHERE name = 'events'`
    return this.#number({ text, values: [] })
  }

  /** All or nothing, on disk when it returns. */
  apply(encoded: Encoded): number {
    return this.#transaction(() => {
      for (const write of encoded.writes) this.#writer(write[0]).write(write)
      if (encoded.events.length > 0) {
        const add = this.#statement(addEventSql)
        for (const event of encoded.events) add.run(...event)
      }
      return this.lastEvent() + 1 - encoded.events.length
    })
  }

  isDue(nowMs: number): boolean {
    return this.#rows(dueSql(nowMs), 1).length > 0
  }

  claim({ worker, nowMs, leaseMs, limit }: Claim): readonly Operation[] {
    const claimed = this.#bodies('operations', dueSql(nowMs), limit).map((operation) => ({
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
    this.#db.close()
  }

  #transaction<T>(work: () => T): T {
    try {
      this.#statement('BEGIN IMMEDIATE').run()
      const result = work()
      this.#statement('COMMIT').run()
      return result
    } catch (thrown) {
      for (const writer of this.#writers.values()) writer.forget()
      // SQLite ends the transaction by itself when the disk fails.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw storeError(thrown)
    }
  }

  #bodies<T extends TableName>(table: T, sql: Sql, limit?: number): Rows[T][] {
    return this.#rows(sql, limit).map(([body = null]) => decodeRow(table, body))
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

  #writer(table: TableName): TableWriter {
    let writer = this.#writers.get(table)
    if (writer === undefined) this.#writers.set(table, (writer = new TableWriter(this.#db, table)))
    return writer
  }
}

const addEventSql =
  `INSERT INTO events (${eventColumns.map(name).join(', ')}, body)` +
  ` VALUES (${eventColumns.map(() => '?').join(', ')}, ?)`

/** The one that has waited longest comes first. */
export const dueSql = (nowMs: number): Sql => ({
  text:
    'SELECT body FROM operations INDEXED BY operations_running' +
    ` WHERE state = 'running' AND claimAtMs <= ? ORDER BY claimAtMs, id LIMIT ?`,
  values: [nowMs],
})
