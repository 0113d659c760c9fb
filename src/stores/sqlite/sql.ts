// Queries as SQL text, nothing run: each text is a constant shape, every value is bound. A list of values is
// bound as one JSON text, so that the number of values never makes another statement to prepare.

import { assert } from '#kernel/assert.ts'
import { type EventQuery, type Query, type Where } from '#kernel/ports/store.ts'
import { type Column, columnsOf, type TableName } from '#kernel/tables.ts'

export interface Sql {
  readonly text: string
  readonly values: readonly Column[]
}

export const findMax = 10_000
const pageMax = 1_000

export function getSql(table: TableName): string {
  return `SELECT body FROM ${name(table)} WHERE id = ?`
}

/** `LIMIT` is the last value, to be added by whoever runs it; so it is with every list here. */
export function findSql(table: TableName, column: string, value: Column): Sql {
  const found = equals(table, column, value)
  return {
    text: `SELECT body FROM ${name(table)} WHERE ${found.text} ORDER BY id LIMIT ?`,
    values: found.values,
  }
}

/**
 * One page as one or two statements, to be run in turn until the page is full.
 *
 * Rows without a value come first going up and last going down. One statement for both would need an OR, and
 * an OR keeps SQLite from starting at the page's first key.
 */
export function listSql<T extends TableName>(table: T, query: Query<T>): readonly Sql[] {
  assert(query.limit >= 1 && query.limit <= pageMax, `a page has 1 to ${pageMax} rows`)
  const { order, after } = query
  const such = conditions(table, query)
  const page = (extra: Sql, by: string): Sql => {
    const all = and([such, extra])
    return {
      text: `SELECT body FROM ${name(table)}${where(all)} ORDER BY ${by} LIMIT ?`,
      values: all.values,
    }
  }
  if (order === undefined) return [page(after ? { text: 'id > ?', values: [after.id] } : all, 'id')]

  const column = columnOf(table, order.by)
  const [beyond, dir] = order.dir === 'asc' ? ['>', 'ASC'] : ['<', 'DESC']
  const value = after?.value
  assert(after === undefined || value !== undefined, 'an ordered page continues after a value')
  const withNone = (): Sql => {
    const isThere = after !== undefined && value === null
    const later = isThere ? { text: `id ${beyond} ?`, values: [after.id] } : all
    return page(and([{ text: `${column} IS NULL`, values: [] }, later]), `id ${dir}`)
  }
  const withOne = (): Sql => {
    const isThere = after !== undefined && value !== undefined && value !== null
    const later = isThere
      ? { text: `(${column}, id) ${beyond} (?, ?)`, values: [value, after.id] }
      : { text: `${column} IS NOT NULL`, values: [] }
    return page(later, `${column} ${dir}, id ${dir}`)
  }
  const isPastNone = order.dir === 'asc' && after !== undefined && value !== null
  const isPastOne = order.dir === 'desc' && after !== undefined && value === null
  if (order.dir === 'asc') return isPastNone ? [withOne()] : [withNone(), withOne()]
  return isPastOne ? [withNone()] : [withOne(), withNone()]
}

export function countSql<T extends TableName>(
  table: T,
  query: Omit<Query<T>, 'limit' | 'order' | 'after'>,
): Sql {
  const such = conditions(table, query)
  return { text: `SELECT count(*) FROM ${name(table)}${where(such)}`, values: such.values }
}

/** Rows are `[seq, body]`. */
export function eventsSql(query: EventQuery): Sql {
  const cursor = query.newestFirst
    ? query.before === undefined
      ? all
      : { text: 'seq < ?', values: [query.before] }
    : { text: 'seq > ?', values: [query.after] }
  const such = and([
    cursor,
    query.project === undefined ? all : { text: 'project = ?', values: [query.project] },
    query.subject === undefined ? all : { text: 'subject = ?', values: [query.subject] },
    query.types === undefined ? all : anyOf('type', query.types),
  ])
  const order = `ORDER BY seq ${query.newestFirst ? 'DESC' : 'ASC'} LIMIT ?`
  const from = (extra: Sql): Sql => {
    const both = and([such, extra])
    return { text: `SELECT seq, body FROM events${where(both)}`, values: both.values }
  }
  if (query.instanceId === undefined) {
    const { text, values } = from(all)
    return { text: `${text} ${order}`, values }
  }
  // An event about an instance has it as its subject nearly always, so one index finds both; a second one
  // holds only the others. SQLite merges the two, and each is already in order.
  const own = from({
    text: 'subject = ? AND instanceId = subject',
    values: [query.instanceId],
  })
  const other = from({
    text: 'instanceId = ? AND instanceId <> subject',
    values: [query.instanceId],
  })
  return {
    text: `${own.text} UNION ALL ${other.text} ${order}`,
    values: [...own.values, ...other.values],
  }
}

const all: Sql = { text: '', values: [] }

function conditions<T extends TableName>(
  table: T,
  query: Pick<Query<T>, 'where' | 'contains' | 'range'>,
): Sql {
  const wheres = Object.entries<Where<T>[keyof Where<T>]>(query.where ?? {}).map(
    ([column, value]) => {
      // Dropping a condition would show one tenant another's rows.
      assert(value !== undefined, `where.${column} has no value`)
      return equals(table, column, value as Column | readonly Column[]) // `Object.entries` forgets T
    },
  )
  const { contains, range } = query
  return and([
    ...wheres,
    contains === undefined
      ? all
      : { text: `instr(${columnOf(table, contains.column)}, ?) > 0`, values: [contains.text] },
    range?.min === undefined
      ? all
      : { text: `${columnOf(table, range.column)} > ?`, values: [range.min] },
    range?.max === undefined
      ? all
      : { text: `${columnOf(table, range.column)} < ?`, values: [range.max] },
  ])
}

function equals(table: TableName, column: string, value: Column | readonly Column[]): Sql {
  const named = columnOf(table, column)
  if (value === null) return { text: `${named} IS NULL`, values: [] }
  if (typeof value !== 'object') return { text: `${named} = ?`, values: [value] }
  const some = anyOf(
    named,
    value.filter((one) => one !== null),
  )
  if (!value.includes(null)) return some
  return { text: `(${some.text} OR ${named} IS NULL)`, values: some.values }
}

function anyOf(named: string, values: readonly (string | number)[]): Sql {
  const [only] = values
  if (only === undefined) return { text: 'FALSE', values: [] }
  if (values.length === 1) return { text: `${named} = ?`, values: [only] }
  return {
    text: `${named} IN (SELECT value FROM json_each(?))`,
    values: [JSON.stringify(values)],
  }
}

function and(parts: readonly Sql[]): Sql {
  const real = parts.filter((part) => part.text !== '')
  return {
    text: real.map((part) => part.text).join(' AND '),
    values: real.flatMap((part) => part.values),
  }
}

const where = (such: Sql): string => (such.text === '' ? '' : ` WHERE ${such.text}`)

/** Only names from the column table reach SQL text. */
function columnOf(table: TableName, column: string): string {
  assert(Object.hasOwn(columnsOf(table), column), `${table} has no column ${column}`)
  return name(column)
}

export const name = (text: string): string => `"${text}"`
