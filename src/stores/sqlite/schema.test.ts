// The migrations, once run, fit the kernel's tables: hand-written SQL repeats them, so it is compared here.

import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { instanceId } from '#kernel/ids.ts'
import { kindNames, lifecycles, type State } from '#kernel/kinds.ts'
import type { OperationState } from '#kernel/operation.ts'
import { columnsOf, type TableName, tableNames } from '#kernel/tables.ts'
import { put, rows } from '#test/contract/rows.ts'
import { Database } from './database.ts'
import { encode, eventColumns } from './encode.ts'
import { migrate, migrations, versionOf } from './migrate.ts'
import { roads, tallied } from './roads.ts'

function migrated(): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  migrate(db, migrations())
  return db
}

const columnsIn = (db: DatabaseSync, table: string): readonly string[] =>
  db
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map(({ name }) => String(name))

test('every table has its id, its columns and its body, and nothing else', () => {
  const db = migrated()
  for (const table of tableNames)
    assert.deepEqual(columnsIn(db, table), ['id', ...Object.keys(columnsOf(table)), 'body'], table)
  assert.deepEqual(columnsIn(db, 'events'), ['seq', ...eventColumns, 'body'])
  assert.deepEqual(new Set(columnsIn(db, 'instanceTallies')), new Set([...tallied, 'tally']))
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    .all()
  assert.equal(
    tables.length,
    tableNames.length + ['events', 'instanceTallies', 'facetTallies'].length,
  )
})

test('a column takes numbers exactly when its rows give numbers', () => {
  const db = migrated()
  for (const table of tableNames) {
    const types = new Map(
      db
        .prepare('SELECT name, type FROM pragma_table_info(?)')
        .all(table)
        .map(({ name, type }) => [name, type]),
    )
    for (const [column, value] of Object.entries(encodeColumns(table)))
      if (value !== null)
        assert.equal(types.get(column), typeof value === 'number' ? 'INTEGER' : 'TEXT', column)
  }
})

function encodeColumns<T extends TableName>(table: T): Record<string, unknown> {
  const row = rows[table]()
  return Object.fromEntries(
    Object.entries(columnsOf(table)).map(([column, read]) => [column, read(row)]),
  )
}

test('an instance may be in each state of its lifecycle, and in no other', () => {
  const database = new Database(migrated())
  const allStates = kindNames.flatMap((kind) => Object.keys(lifecycles[kind].states))
  for (const kind of kindNames) {
    for (const state of new Set([...allStates, 'nonsense', ''])) {
      const row = rows.instances({ id: instanceId('i'), kind, state: state as State }) // illegal ones are the point
      const write = (): unknown => database.apply(encode(put('instances', row)))
      if (Object.hasOwn(lifecycles[kind].states, state)) assert.doesNotThrow(write)
      else assert.throws(write, /CHECK constraint/, `${kind} ${state}`)
    }
  }
  const odd = { kind: 'toaster' as 'server', state: 'running' } as const // no such kind
  assert.throws(() => database.apply(encode(put('instances', rows.instances(odd)))), /CHECK/)
})

test('an operation may be in each state that operations have, and in no other', () => {
  const database = new Database(migrated())
  const states = {
    running: true,
    succeeded: true,
    failed: true,
    cancelled: true,
  } as const satisfies Record<OperationState, true>
  const write = (state: string): unknown =>
    database.apply(encode(put('operations', rows.operations({ state: state as OperationState })))) // illegal ones are the point
  for (const state of Object.keys(states)) assert.doesNotThrow(() => write(state))
  assert.throws(() => write('paused'), /CHECK constraint/)
})

test('each road is an index that begins with its columns and then comes in its order', () => {
  const db = migrated()
  let seen = 0
  for (const [table, some] of Object.entries(roads)) {
    for (const { index, by, within, order } of some) {
      const has = db
        .prepare('SELECT name FROM pragma_index_info(?) ORDER BY seqno')
        .all(index)
        .map(({ name }) => String(name))
      assert.ok(has.length > 0, `${index} exists`)
      const keys = order === null ? [] : order === 'id' ? ['id'] : [order, 'id']
      const wanted = [...by, ...(within === undefined ? [] : [within]), ...keys]
      assert.deepEqual(has.slice(0, wanted.length), wanted, index)
      const on = db.prepare('SELECT tbl_name FROM sqlite_schema WHERE name = ?').get(index)
      assert.equal(on?.['tbl_name'], table)
      seen += 1
    }
  }
  assert.ok(seen > 10)
})

test('migrations run once, each as a whole', () => {
  const db = migrated()
  const known = migrations()
  assert.deepEqual(versionOf(db), { isOurs: true, version: known.length })
  migrate(db, known)
  const broken = { version: known.length + 1, sql: 'CREATE TABLE half (a); CREATE TABLE half (a)' }
  assert.throws(() => migrate(db, [...known, broken]), /already exists/)
  assert.deepEqual(columnsIn(db, 'half'), [])
  const next = { version: known.length + 1, sql: 'CREATE TABLE whole (a)' }
  migrate(db, [...known, next])
  assert.deepEqual(versionOf(db), { isOurs: true, version: known.length + 1 })
})
