// Queries as SQL text, nothing run: each text is a constant shape, every value is bound. A list of values is
// bound as one JSON text, so that the number of values does not make another statement to prepare.

import { assert } from '#kernel/assert.ts'
import type { EventQuery, Query } from '#kernel/ports/store.ts'
import { meteredTypes } from '#kernel/meter.ts'
import { type Column, columnsOf, type TableName } from '#kernel/tables.ts'
import { eventColumns } from './encode.ts'
import { type Road, roadOf, tallied, walksOf, type Wheres } from './roads.ts'

export interface Sql {
  readonly text: string
  readonly values: readonly Column[]
}

type Conditions<T extends TableName> = Pick<Query<T>, 'where' | 'contains' | 'range' | 'facets'>

export const findMax = 10_000
const pageMax = 1_000
const none: Sql = { text: '', values: [] }

/** `LIMIT` is the last value, added by whoever runs it; so it is with every list here. */
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
  const { order, after, limit } = query
  assert(limit >= 1 && limit <= pageMax, `a page has 1 to ${pageMax} rows`)
  assert(!order || !after || after.value !== undefined, 'an ordered page continues after a value')
  const asked = wheresOf(table, query)
  if (Object.values(asked).some(isNoValue)) return []
  const { wheres, rest, sets } = byFacets(table, query, asked)
  const dir = order?.dir ?? 'asc'
  const beyond = dir === 'asc' ? '>' : '<'
  const within = withinOf(query)
  const walk = (by: string, start: Sql): Sql =>
    withSets(sets, walkSql({ table, wheres, rest, within, by, dir, start }))
  const byId = (extra: Sql, isStarted: boolean): Sql => {
    const later = isStarted && after ? { text: `id ${beyond} ?`, values: [after.id] } : none
    return walk('id', and([extra, later]))
  }

  // Where one value is asked for, ordering by it is ordering by id.
  if (order === undefined || typeof (wheres[order.by] ?? []) !== 'object') return [byId(none, true)]
  const column = columnOf(table, order.by)
  const value = after?.value ?? null
  const isAmongNone = after !== undefined && value === null
  const isAmongSome = after !== undefined && value !== null
  const without = byId({ text: `${column} IS NULL`, values: [] }, isAmongNone)
  const withSome = walk(
    order.by,
    isAmongSome && after
      ? { text: `(${column}, id) ${beyond} (?, ?)`, values: [value, after.id] }
      : { text: `${column} IS NOT NULL`, values: [] },
  )
  if (dir === 'asc') return isAmongSome ? [withSome] : [without, withSome]
  return isAmongNone ? [without] : [withSome, without]
}

interface Walk {
  readonly table: TableName
  readonly wheres: Wheres
  readonly rest: Sql
  readonly within: string | null
  readonly by: string
  readonly dir: 'asc' | 'desc'
  readonly start: Sql
}

/** Several walks along one index are merged by SQLite as they come: nothing is sorted, nothing read too far. */
function walkSql({ table, wheres, rest, within, by, dir, start }: Walk): Sql {
  const road = roadOf(table, { wheres, within, order: by })
  const keys = by === 'id' ? ['id'] : [name(by), 'id']
  const order = keys.map((key) => `${key} ${dir}`).join(', ')
  const walks = walksOf(road, wheres).map((walk) => and([allOf(table, walk, road), rest, start]))
  const [only] = walks
  if (walks.length === 1 && only) {
    const text = `SELECT body FROM ${from(table, road)}${whereSql(only)} ORDER BY ${order} LIMIT ?`
    return { text, values: only.values }
  }
  const parts = walks.map(
    (walk) => `SELECT ${keys.join(', ')}, body FROM ${from(table, road)}${whereSql(walk)}`,
  )
  return {
    text: `SELECT body FROM (${parts.join(' UNION ALL ')} ORDER BY ${order} LIMIT ?)`,
    values: walks.flatMap((walk) => walk.values),
  }
}

/** The same page where few instances have such facets: all of them are read, and sorted. */
export function fewSql<T extends TableName>(table: T, query: Query<T>): Sql {
  const { order, after } = query
  const { wheres, rest, sets } = byFacets(table, query, wheresOf(table, query))
  const { by, dir } = order ?? { by: 'id', dir: 'asc' }
  const beyond = dir === 'asc' ? '>' : '<'
  const keys = by === 'id' ? ['id'] : [name(by), 'id']
  const start: Sql =
    after === undefined
      ? none
      : by === 'id'
        ? { text: `id ${beyond} ?`, values: [after.id] }
        : { text: `(${name(by)}, id) ${beyond} (?, ?)`, values: [after.value ?? null, after.id] }
  const partial: Sql = { text: `facets <> ''`, values: [] }
  const such = and([partial, allOf(table, wheres), rest, start])
  return withSets(sets, {
    text:
      `SELECT body FROM instances INDEXED BY instances_facets${whereSql(such)}` +
      ` ORDER BY ${keys.map((key) => `${key} ${dir}`).join(', ')} LIMIT ?`,
    values: such.values,
  })
}

/**
 * Of the sets of facets that fit: how many instances they have in whatever state, and how many in those asked for.
 * Undefined when the query is not one that sets of facets answer.
 */
export function facetSumsSql<T extends TableName>(table: T, query: Conditions<T>): Sql | undefined {
  const asked = wheresOf(table, query)
  const { state, ...wheres } = asked
  const sets = setsOf(query, wheres)
  if (sets === undefined || Object.values(asked).some(isNoValue)) return undefined
  const isSuch: Sql =
    state === undefined ? { text: 'TRUE', values: [] } : equals(table, 'state', state)
  return {
    text:
      'SELECT sum(whole), sum(such) FROM (SELECT sum(tally) AS whole,' +
      ` sum(CASE WHEN ${isSuch.text} THEN tally ELSE 0 END) AS such` +
      ` FROM facetTallies${whereSql(sets)} GROUP BY facetKey) WHERE such > 0`,
    values: [...isSuch.values, ...sets.values],
  }
}

/** What stands beside facets without a row being read for it: a set's key stands for the flavor and schemes too. */
const inSets: ReadonlySet<string> = new Set(['project', 'kind', 'schemes', 'flavorId'])

/** Which rows of `facetTallies` fit; undefined when it has no column for something that is asked. */
function setsOf({ facets }: Pick<Query<TableName>, 'facets'>, wheres: Wheres): Sql | undefined {
  const isOne = (value: Wheres[string] | undefined): boolean => typeof value === 'string'
  const fits =
    facets !== undefined &&
    isOne(wheres['project']) &&
    isOne(wheres['kind']) &&
    Object.keys(wheres).every((column) => inSets.has(column))
  return fits ? and([allOf('instances', wheres), facetsSql(facets)]) : undefined
}

const facetsSql = (facets: NonNullable<Query<TableName>['facets']>): Sql =>
  and(
    facets.map((some) => ({
      text: `(${some.map((one) => `instr(facets, ?) ${one.isAbsent ? '=' : '>'} 0`).join(' OR ') || 'FALSE'})`,
      values: some.map(({ text }) => text),
    })),
  )

interface ByFacets {
  readonly wheres: Wheres
  readonly rest: Sql
  /** The keys of the sets that fit, for `withSets`; undefined when nothing refers to them. */
  readonly sets: Sql | undefined
}

/** Facets as conditions of a row: by the keys of the sets that fit, or else by the text of each row. */
function byFacets<T extends TableName>(table: T, query: Conditions<T>, asked: Wheres): ByFacets {
  const rest = restOf(table, query)
  const { facets } = query
  if (facets === undefined) return { wheres: asked, rest, sets: undefined }
  assert(table === 'instances', 'only instances have facets')
  const { state, ...others } = asked
  const fitting = setsOf({ facets }, others)
  const { project, kind } = others
  if (fitting === undefined || project === undefined || kind === undefined)
    return { wheres: asked, rest: and([rest, facetsSql(facets)]), sets: undefined }
  const inState = state === undefined ? none : equals(table, 'state', state)
  return {
    wheres: { project, kind, ...(state === undefined ? {} : { state }) },
    rest: and([{ text: 'facetKey IN sets', values: [] }, rest]),
    sets: and([fitting, inState]),
  }
}

/** The texts of sets are searched once, however many walks ask for their keys. */
function withSets(sets: Sql | undefined, { text, values }: Sql): Sql {
  if (sets === undefined) return { text, values }
  const keys = `SELECT DISTINCT facetKey FROM facetTallies${whereSql(sets)}`
  return {
    text: `WITH sets AS MATERIALIZED (${keys}) ${text}`,
    values: [...sets.values, ...values],
  }
}

export function countSql<T extends TableName>(table: T, query: Conditions<T>): Sql {
  const asked = wheresOf(table, query)
  if (Object.values(asked).some(isNoValue)) return { text: 'SELECT 0', values: [] }
  const { wheres, rest, sets } = byFacets(table, query, asked)
  const columns = [...Object.keys(wheres), ...(query.contains ? [query.contains.column] : [])]
  if (
    table === 'instances' &&
    !query.range &&
    !query.facets &&
    columns.every((column) => tallied.has(column))
  ) {
    const such = and([allOf(table, wheres), rest])
    return { text: `SELECT sum(tally) FROM instanceTallies${whereSql(such)}`, values: such.values }
  }
  const road = roadOf(table, { wheres, within: withinOf(query), order: null })
  const such = and([allOf(table, wheres, road), rest])
  return withSets(sets, {
    text: `SELECT count(*) FROM ${from(table, road)}${whereSql(such)}`,
    values: such.values,
  })
}

const eventFields = ['seq', ...eventColumns, 'body'].join(', ')

/** Rows are `[seq, …eventColumns, body]`. */
export function eventsSql(query: EventQuery): Sql {
  const { newestFirst, before, after, project, subject, types, instanceId } = query
  if (query.during !== undefined) return eventsDuringSql(query, query.during)
  const cursor = newestFirst
    ? before === undefined
      ? none
      : { text: 'seq < ?', values: [before] }
    : { text: 'seq > ?', values: [after] }
  const such = and([
    cursor,
    project === undefined ? none : { text: 'project = ?', values: [project] },
    subject === undefined ? none : { text: 'subject = ?', values: [subject] },
    types === undefined ? none : anyOf('type', types),
  ])
  const select = (extra: Sql): Sql => {
    const all = and([extra, such])
    return { text: `SELECT ${eventFields} FROM events${whereSql(all)}`, values: all.values }
  }
  // An event about an instance nearly always has it as its subject, so one index finds both; a second index
  // holds the others, and SQLite merges the two.
  const parts =
    instanceId === undefined
      ? [select(none)]
      : ['subject = ? AND instanceId = subject', 'instanceId = ? AND instanceId <> subject'].map(
          (text) => select({ text, values: [instanceId] }),
        )
  const order = `ORDER BY seq ${newestFirst ? 'DESC' : 'ASC'} LIMIT ?`
  return {
    text: `${parts.map((part) => part.text).join(' UNION ALL ')} ${order}`,
    values: parts.flatMap((part) => part.values),
  }
}

/** SQLite takes a partial index only when it reads the index's own condition in the statement. */
const isMetered = `type IN (${meteredTypes.map((type) => `'${type}'`).join(', ')})`
const metered: ReadonlySet<string> = new Set(meteredTypes)

/** By time: made for meters, which have an index for it. Anything else is sorted. */
function eventsDuringSql(
  { newestFirst, before, after, project, subject, types, instanceId }: EventQuery,
  { sinceMs, untilMs }: NonNullable<EventQuery['during']>,
): Sql {
  const isMeter = instanceId !== undefined && types?.every((type) => metered.has(type)) === true
  const equal = (column: string, value: Column | undefined): Sql =>
    value === undefined ? none : { text: `${column} = ?`, values: [value] }
  const such = and([
    equal('instanceId', instanceId),
    isMeter ? { text: isMetered, values: [] } : none,
    types === undefined || (isMeter && new Set(types).size === metered.size)
      ? none
      : anyOf('type', types),
    sinceMs === undefined ? none : { text: 'atMs >= ?', values: [sinceMs] },
    untilMs === undefined ? none : { text: 'atMs < ?', values: [untilMs] },
    newestFirst
      ? before === undefined
        ? none
        : { text: 'seq < ?', values: [before] }
      : { text: 'seq > ?', values: [after] },
    equal('project', project),
    equal('subject', subject),
  ])
  const dir = newestFirst ? 'DESC' : 'ASC'
  const road = isMeter ? ' INDEXED BY events_meter' : ''
  return {
    text: `SELECT ${eventFields} FROM events${road}${whereSql(such)} ORDER BY atMs ${dir}, seq ${dir} LIMIT ?`,
    values: such.values,
  }
}

/** What `where` asks for, and what follows from it. */
function wheresOf<T extends TableName>(table: T, { where = {} }: Conditions<T>): Wheres {
  const wheres: Record<string, Column | readonly Column[]> = {}
  for (const [column, value] of Object.entries<Wheres[string] | undefined>(where)) {
    // Dropping a condition would show one tenant another's rows.
    assert(value !== undefined, `where.${column} has no value`)
    wheres[column] = value
  }
  const { situation, state } = wheres
  if (table === 'instances' && situation !== undefined && state === undefined) {
    // A situation begins with its state (`failed/start`), and the state is what an index leads by.
    const situations = typeof situation === 'object' ? (situation ?? []) : [situation]
    wheres['state'] = [...new Set(situations.map((one) => String(one).replace(/\/.*/, '')))]
  }
  return wheres
}

function restOf<T extends TableName>(table: T, { contains, range }: Conditions<T>): Sql {
  return and([
    contains
      ? { text: `instr(${columnOf(table, contains.column)}, ?) > 0`, values: [contains.text] }
      : none,
    ...[range ?? []]
      .flat()
      .flatMap(({ column, min, max }) => [
        min === undefined ? none : { text: `${columnOf(table, column)} > ?`, values: [min] },
        max === undefined ? none : { text: `${columnOf(table, column)} < ?`, values: [max] },
      ]),
  ])
}

/** Of several, the first is the one that a road may begin with. */
const withinOf = <T extends TableName>({ range }: Conditions<T>): string | null =>
  [range ?? []].flat().find(({ min, max }) => (min ?? max) !== undefined)?.column ?? null

function allOf(table: TableName, wheres: Wheres, road?: Road): Sql {
  return and(
    Object.entries(wheres).map(([column, value]) =>
      // SQLite takes a partial index only when it reads the index's own condition in the statement.
      column === road?.only?.column
        ? { text: `${columnOf(table, column)} = '${road.only.value}'`, values: [] }
        : equals(table, column, value),
    ),
  )
}

function equals(table: TableName, column: string, value: Column | readonly Column[]): Sql {
  const named = columnOf(table, column)
  if (value === null) return { text: `${named} IS NULL`, values: [] }
  if (typeof value !== 'object') return { text: `${named} = ?`, values: [value] }
  const given = value.filter((one) => one !== null)
  const some = anyOf(named, given)
  if (given.length === value.length) return some
  return { text: `(${some.text} OR ${named} IS NULL)`, values: some.values }
}

function anyOf(named: string, values: readonly (string | number)[]): Sql {
  const [first] = values
  if (first === undefined) return { text: 'FALSE', values: [] }
  if (values.length === 1) return { text: `${named} = ?`, values: [first] }
  const text = `${named} IN (SELECT value FROM json_each(?))`
  return { text, values: [JSON.stringify(values)] }
}

function and(parts: readonly Sql[]): Sql {
  const real = parts.filter((part) => part.text !== '')
  return {
    text: real.map((part) => part.text).join(' AND '),
    values: real.flatMap((part) => part.values),
  }
}

const isNoValue = (value: Column | readonly Column[]): boolean =>
  typeof value === 'object' && value?.length === 0

const whereSql = (such: Sql): string => (such.text === '' ? '' : ` WHERE ${such.text}`)

const from = (table: TableName, road: Road | undefined): string =>
  road === undefined ? name(table) : `${name(table)} INDEXED BY ${road.index}`

/** Only names from the column table reach SQL text. */
function columnOf(table: TableName, column: string): string {
  assert(Object.hasOwn(columnsOf(table), column), `${table} has no column ${column}`)
  return name(column)
}

export const name = (text: string): string => `"${text}"`
