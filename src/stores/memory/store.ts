// The store of model tests: everything that the store on disk promises, except that it outlives the process.

import { setImmediate as turn } from 'node:timers/promises'
import { assert } from '#kernel/assert.ts'
import { freezeDeep } from '#kernel/json.ts'
import type { Operation } from '#kernel/operation.ts'
import { behind, type Commit, type Store, StoreError, type Write } from '#kernel/ports/store.ts'
import { type Column, columnsOf, type Rows, type TableName, tableNames } from '#kernel/tables.ts'
import { isLegal, uniqueColumns } from './checks.ts'
import { EventLog } from './log.ts'
import { Table } from './table.ts'

type Tables = { readonly [T in TableName]: Table<T> }

export function memoryStore(): Store {
  const tables = Object.fromEntries(tableNames.map((name) => [name, new Table(name)])) as Tables // one entry per name
  const events = new EventLog()
  let isOpen = true

  async function use<T>(work: () => T | Promise<T>): Promise<T> {
    if (!isOpen) throw new StoreError('closed', 'the store is closed')
    return work()
  }

  /** Those that failed: what rests on one of them fails as well. */
  const failed = new WeakSet<Commit>()

  function commit(asked: Commit, after?: Commit): number {
    try {
      if (after && failed.has(after)) throw behind()
      return apply(asked)
    } catch (thrown) {
      failed.add(asked)
      throw thrown
    }
  }

  function apply({ writes, events: drafts }: Commit): number {
    const undo: (() => void)[] = []
    try {
      const frozen = drafts.map((draft) => copy(draft))
      for (const write of writes) undo.push(put(tables, write))
      for (const draft of frozen) events.append(draft)
      return events.last + 1 - drafts.length
    } catch (thrown) {
      for (const back of undo.toReversed()) back()
      throw thrown
    }
  }

  async function claim(
    worker: string,
    nowMs: number,
    leaseMs: number,
    limit: number,
  ): Promise<readonly Operation[]> {
    if (tables.operations.due('claimAtMs', nowMs, 1).length === 0) return []
    // Never between somebody's read and his commit: those happen within one turn of the event loop.
    await turn()
    const claimed = tables.operations
      .due('claimAtMs', nowMs, limit)
      .map((row) => ({ ...row, attempt: row.attempt + 1, worker, leaseUntilMs: nowMs + leaseMs }))
    commit({ writes: claimed.map((row) => ({ table: 'operations', row })), events: [] })
    return claimed.flatMap(({ id }) => tables.operations.get(id) ?? [])
  }

  return {
    get: (table, id) => use(() => tables[table].get(id)),
    kept: (table, id) => (isOpen ? tables[table].get(id) : undefined),
    find: (table, column, value) => use(() => tables[table].find(column, value)),
    list: (table, query) => use(() => tables[table].list(query)),
    count: (table, query) => use(() => tables[table].count(query)),
    events: (query) => use(() => events.read(query)),
    lastEvent: () => use(() => events.last),
    claim: (worker, nowMs, leaseMs, limit) => use(() => claim(worker, nowMs, leaseMs, limit)),
    commit: (all, after) => use(() => commit(all, after)),
    close: async () => {
      isOpen = false
    },
  }
}

/** Returns how to undo it. */
function put(tables: Tables, write: Write): () => void {
  if ('remove' in write) return set(tables, write.table, write.remove, undefined)
  const { table } = write
  const row = copy(write.row)
  if (!isLegal(table, row)) throw new StoreError('conflict', `CHECK constraint failed: ${table}`)
  for (const column of uniqueColumns[table] ?? []) {
    const value = columnsOf(table)[column]?.(row) ?? null
    const isTaken =
      value !== null && found(tables, table, column, value).some(({ id }) => id !== row.id)
    if (isTaken) throw new StoreError('conflict', `UNIQUE constraint failed: ${table}.${column}`)
  }
  return set(tables, table, row.id, row)
}

function found<T extends TableName>(tables: Tables, table: T, column: string, value: Column) {
  const rows: Table<T> = tables[table]
  return rows.find(column, value)
}

function set<T extends TableName>(tables: Tables, table: T, id: string, row: Rows[T] | undefined) {
  const rows: Table<T> = tables[table]
  const before = rows.set(id, row)
  return () => void rows.set(id, before)
}

/** As a disk would give it back: a later change of the caller's object does not reach it, nor can it be changed. */
function copy<T>(value: T): T {
  assertPlain(value)
  return freezeDeep(JSON.parse(JSON.stringify(value)) as T) // the line above
}

/** A row that the disk would give back otherwise than it was decided is a bug of whoever decided it. */
function assertPlain(value: unknown): void {
  if (typeof value === 'number') assert(Number.isFinite(value), 'a row holds a number that is none')
  else assert(value !== undefined, 'a row holds a field without a value')
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(assertPlain)
}
