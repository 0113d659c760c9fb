// The rows of one table, and an index of each column that was ever looked up by.

import { assert } from '#kernel/assert.ts'
import { fitsFacets } from '#kernel/facets.ts'
import type { Query } from '#kernel/ports/store.ts'
import { type Column, columnsOf, type Rows, type TableName } from '#kernel/tables.ts'
import { compareColumns, compareTexts } from './order.ts'

const findMax = 10_000
const pageMax = 1_000

type Such<T extends TableName> = Omit<Query<T>, 'limit' | 'order' | 'after'>
type Index = Map<Column, Set<string>>

export class Table<T extends TableName> {
  readonly #name: T
  readonly #columns: Readonly<Record<string, (row: Rows[T]) => Column>>
  readonly #rows = new Map<string, Rows[T]>()
  readonly #indexes = new Map<string, Index>()

  constructor(name: T) {
    this.#name = name
    this.#columns = columnsOf(name)
  }

  get(id: string): Rows[T] | undefined {
    return this.#rows.get(id)
  }

  /** Puts a row in, or with undefined takes it out; returns what was there. */
  set(id: string, row: Rows[T] | undefined): Rows[T] | undefined {
    const before = this.#rows.get(id)
    for (const [column, index] of this.#indexes) {
      const read = this.#column(column)
      if (before !== undefined) drop(index, read(before), id)
      if (row !== undefined) add(index, read(row), id)
    }
    if (row === undefined) this.#rows.delete(id)
    else this.#rows.set(id, row)
    return before
  }

  find(column: string, value: Column): readonly Rows[T][] {
    const ids = [...this.#having(column, [value])]
    return this.#those(ids.toSorted(compareTexts).slice(0, findMax))
  }

  /** Rows whose number in this column has come, the earliest first. */
  due(column: string, nowMs: number, limit: number): readonly Rows[T][] {
    const read = this.#column(column)
    const values = [...this.#index(column).keys()]
    const ids = this.#having(
      column,
      values.filter((value) => typeof value === 'number' && value <= nowMs),
    )
    const compare = (a: Rows[T], b: Rows[T]): number =>
      compareColumns(read(a), read(b)) || compareTexts(a.id, b.id)
    return first(this.#those(ids), compare, limit)
  }

  list(query: Query<T>): readonly Rows[T][] {
    const { limit, order, after } = query
    assert(limit >= 1 && limit <= pageMax, `a page has 1 to ${pageMax} rows`)
    const read = order === undefined ? () => null : this.#column(order.by)
    const sign = order?.dir === 'desc' ? -1 : 1
    const value = order === undefined ? null : after?.value
    assert(after === undefined || value !== undefined, 'an ordered page continues after a value')
    const compare = (a: Rows[T], b: Rows[T]): number =>
      sign * (compareColumns(read(a), read(b)) || compareTexts(a.id, b.id))
    const isLater = (row: Rows[T]): boolean =>
      after === undefined ||
      sign * (compareColumns(read(row), value ?? null) || compareTexts(row.id, after.id)) > 0
    return first(this.#such(query).filter(isLater), compare, limit)
  }

  count(such: Such<T>): number {
    return this.#such(such).length
  }

  #such({ where = {}, contains, range, facets }: Such<T>): Rows[T][] {
    const wheres = Object.entries<Column | readonly Column[] | undefined>(where).map(
      ([column, value]) => {
        // Dropping a condition would show one tenant another's rows.
        assert(value !== undefined, `where.${column} has no value`)
        return { column, values: new Set(Array.isArray(value) ? value : [value as Column]) } // Array.isArray does not narrow readonly arrays away
      },
    )
    const tests = wheres.map(({ column, values }) => {
      const read = this.#column(column)
      return (row: Rows[T]) => values.has(read(row))
    })
    if (contains) {
      const read = this.#column(contains.column)
      tests.push((row) => String(read(row) ?? '').includes(contains.text) && read(row) !== null)
    }
    if (facets) {
      const read = this.#column('facets')
      tests.push((row) => fitsFacets(String(read(row)), facets))
    }
    for (const { column, min, max } of [range ?? []].flat()) {
      const read = this.#column(column)
      if (min !== undefined || max !== undefined)
        tests.push((row) => isBetween(read(row), min ?? -Infinity, max ?? Infinity))
    }
    return [...this.#nearby(wheres)].filter((row) => tests.every((test) => test(row)))
  }

  /** The smallest set of rows that an index can tell to hold all that are wanted. */
  #nearby(
    wheres: readonly { readonly column: string; readonly values: ReadonlySet<Column> }[],
  ): Iterable<Rows[T]> {
    let best: ReadonlySet<string> | undefined
    for (const { column, values } of wheres) {
      const having = this.#having(column, values)
      if (best === undefined || having.size < best.size) best = having
    }
    if (best === undefined) return this.#rows.values()
    return this.#those(best)
  }

  #those(ids: Iterable<string>): Rows[T][] {
    return Array.from(ids, (id) => this.#rows.get(id)).filter((row) => row !== undefined)
  }

  #having(column: string, values: Iterable<Column>): ReadonlySet<string> {
    const index = this.#index(column)
    const sets = [...values].flatMap((value) => index.get(value) ?? [])
    const [only] = sets
    if (only !== undefined && sets.length === 1) return only
    return new Set(sets.flatMap((set) => [...set]))
  }

  #index(column: string): Index {
    const known = this.#indexes.get(column)
    if (known) return known
    const read = this.#column(column)
    const index: Index = new Map()
    for (const [id, row] of this.#rows) add(index, read(row), id)
    this.#indexes.set(column, index)
    return index
  }

  #column(column: string): (row: Rows[T]) => Column {
    const read = Object.hasOwn(this.#columns, column) ? this.#columns[column] : undefined
    assert(read, `${this.#name} has no column ${column}`)
    return read
  }
}

const isBetween = (value: Column, min: number, max: number): boolean =>
  typeof value === 'number' && value > min && value < max

function add(index: Index, value: Column, id: string): void {
  const ids = index.get(value)
  if (ids) ids.add(id)
  else index.set(value, new Set([id]))
}

function drop(index: Index, value: Column, id: string): void {
  const ids = index.get(value)
  ids?.delete(id)
  if (ids?.size === 0) index.delete(value)
}

/** The first rows in order, without sorting those that come after them. */
function first<Row>(
  rows: readonly Row[],
  compare: (a: Row, b: Row) => number,
  limit: number,
): Row[] {
  const kept: Row[] = []
  for (const row of rows) {
    const last = kept.at(-1)
    if (last !== undefined && kept.length === limit && compare(row, last) > 0) continue
    let low = 0
    let high = kept.length
    while (low < high) {
      const middle = (low + high) >> 1
      const there = kept[middle]
      if (there !== undefined && compare(there, row) < 0) low = middle + 1
      else high = middle
    }
    kept.splice(low, 0, row)
    if (kept.length > limit) kept.pop()
  }
  return kept
}
