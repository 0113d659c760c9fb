// Pages of lists by key, never by offset: a page starts after a row, so what comes and goes
// meanwhile neither repeats nor hides a row. A cursor says after which one; to callers it is an
// opaque text.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Reads } from '#kernel/ports/plane.ts'
import type { Query } from '#kernel/ports/store.ts'
import {
  type Column,
  type ColumnName,
  columnsOf,
  type Rows,
  type TableName,
} from '#kernel/tables.ts'
import { type Fault, faultOf } from './faults.ts'

const pageDefault = 100
const chunk = 500
/** The most that a store lists at once. */
const listMax = 1_000
/**
 * A page looks at no more rows than this; one that found fewer than asked still says where to go
 * on.
 */
const scannedMax = 5_000

export interface Wanted<T extends TableName> {
  readonly where?: Query<T>['where']
  readonly contains?: Query<T>['contains']
  readonly range?: Query<T>['range']
  readonly order?: Query<T>['order']
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
  /** For what no column knows: rows are read until enough of them fit. */
  readonly keep?: (row: Rows[T]) => boolean
}

interface Page<Row> {
  readonly rows: readonly Row[]
  readonly nextCursor: string | null
}

export async function pageOfRows<T extends TableName>(
  read: Reads,
  table: T,
  wanted: Wanted<T>,
): Promise<Result<Page<Rows[T]>, Fault>> {
  const { where, contains, range, order, limit = pageDefault, cursor, keep = () => true } = wanted
  const start = cursor === undefined ? undefined : decodeCursor(cursor, order)
  if (start === null)
    return err(
      faultOf({
        code: 'BadField',
        field: 'cursor',
        fault: 'value',
        expected: 'the nextCursor of a page with the same sort',
      }),
    )
  const rows: Rows[T][] = []
  let after = start
  for (let scanned = 0; scanned < scannedMax; ) {
    const size = wanted.keep ? chunk : Math.min(listMax, limit - rows.length + 1)
    const found = await read.list(table, {
      ...(where ? { where } : {}),
      ...(contains ? { contains } : {}),
      ...(range ? { range } : {}),
      ...(order ? { order } : {}),
      ...(after ? { after } : {}),
      limit: size,
    })
    for (const row of found) {
      if (keep(row)) {
        // One more than asked proves that there is a next page.
        if (rows.length === limit) return ok({ rows, nextCursor: encodeCursor(after, order) })
        rows.push(row)
      }
      after = keyOf(table, row, order)
    }
    if (found.length < size) return ok({ rows, nextCursor: null })
    scanned += found.length
  }
  return ok({ rows, nextCursor: encodeCursor(after, order) })
}

interface Key {
  readonly id: string
  readonly value?: Column
}
interface Order {
  readonly by: string
  readonly dir: 'asc' | 'desc'
}

function keyOf<T extends TableName>(
  table: T,
  row: Rows[T],
  order: { readonly by: ColumnName<T> } | undefined,
): Key {
  const value = order === undefined ? undefined : columnsOf(table)[order.by]?.(row)
  return value === undefined ? { id: row.id } : { id: row.id, value }
}

const sortOf = (order: Order | undefined): string =>
  order === undefined ? '' : `${order.by} ${order.dir}`

function encodeCursor(key: Key | undefined, order: Order | undefined): string | null {
  if (key === undefined) return null
  const { id, value = null } = key
  return Buffer.from(JSON.stringify([sortOf(order), id, value])).toString('base64url')
}

/** Null: not a cursor of ours, or one of a list in another order. */
function decodeCursor(cursor: string, order: Order | undefined): Key | null {
  const parts = parse(Buffer.from(cursor, 'base64url').toString())
  if (!Array.isArray(parts) || parts.length !== 3 || parts[0] !== sortOf(order)) return null
  const [, id, value] = parts as readonly unknown[]
  if (typeof id !== 'string') return null
  if (order === undefined) return { id }
  return typeof value === 'string' || typeof value === 'number' || value === null
    ? { id, value }
    : null
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON, so not made by `encodeCursor`.
    return undefined
  }
}
