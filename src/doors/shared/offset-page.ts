// Pages by record offset, as several clouds ask for them, over a store that knows only pages after a key. Rows
// before the offset are walked over, so a deep page costs what all pages before it cost.

import type { Reads } from '#kernel/ports/plane.ts'
import type { Query } from '#kernel/ports/store.ts'
import { columnsOf, type Rows, type TableName } from '#kernel/tables.ts'

const stepRows = 1000

/** Every row that fits, in order, page by page from the store. */
export async function* walk<T extends TableName>(
  read: Reads,
  table: T,
  query: Omit<Query<T>, 'limit' | 'after'>,
): AsyncGenerator<Rows[T]> {
  const { order } = query
  let after: Query<T>['after']
  for (;;) {
    const limit = stepRows
    const rows = await read.list(table, { ...query, limit, ...(after ? { after } : {}) })
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < limit) return
    const value = order && columnsOf(table)[order.by]?.(last)
    after = { id: last.id, ...(value === undefined ? {} : { value }) }
  }
}

export interface OffsetPage<Row> {
  /** Of all that fit, on this page or not. */
  readonly total: number
  readonly rows: readonly Row[]
}

/**
 * @param limit  Infinity: all that remain.
 * @param keep  what the store has no column for; then every row is read, for the total.
 */
export async function offsetPage<T extends TableName>(
  read: Reads,
  table: T,
  query: Omit<Query<T>, 'limit' | 'after'>,
  {
    offset,
    limit,
    keep,
  }: {
    readonly offset: number
    readonly limit: number
    readonly keep?: ((row: Rows[T]) => boolean) | undefined
  },
): Promise<OffsetPage<Rows[T]>> {
  const { order: _, ...filter } = query
  const counted = keep === undefined ? await read.count(table, filter) : null
  const rows: Rows[T][] = []
  let seen = 0
  for await (const row of walk(read, table, query)) {
    if (keep && !keep(row)) continue
    seen += 1
    if (seen > offset && rows.length < limit) rows.push(row)
    if (counted !== null && rows.length >= limit) break
  }
  return { total: counted ?? seen, rows }
}
