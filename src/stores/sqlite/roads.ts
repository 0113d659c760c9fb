// Which index answers which query.
//
// SQLite's planner guesses from statistics, or from none; a page of a hundred among a million rows must not
// depend on a guess. So the road is chosen here and named in the statement (INDEXED BY). plans.test.ts has
// SQLite explain each of them.

import type { Column, ColumnName, TableName } from '#kernel/tables.ts'

export interface Road<Name extends string = string> {
  readonly index: string
  /** Columns that the index starts with: the query gives each a value, or a list of values. */
  readonly by: readonly Name[]
  /** The order in which rows then come. Null: none, for the few rows that are left are sorted. */
  readonly order: Name | 'id' | null
  /** The query bounds this column, and the index begins with it. */
  readonly within?: Name
  /** The index holds only rows with this value. */
  readonly only?: { readonly column: Name; readonly value: string }
}

type Roads = { readonly [T in TableName]?: readonly Road<ColumnName<T>>[] }

/** The first that fits is taken, so the narrowest stand first. */
export const roads: Roads = {
  instances: [
    { index: 'instances_wake', by: [], within: 'wakeAtMs', order: null },
    { index: 'instances_name', by: ['project', 'kind', 'name'], order: null },
    { index: 'instances_service', by: ['serviceId'], order: 'createdAtMs' },
    { index: 'instances_node', by: ['nodeId'], order: 'createdAtMs' },
    { index: 'instances_queue', by: ['queuePool'], order: 'queueTicket' },
    { index: 'instances_state', by: ['project', 'kind', 'state'], order: 'createdAtMs' },
    { index: 'instances_project_kind', by: ['project', 'kind'], order: 'createdAtMs' },
    { index: 'instances_project', by: ['project'], order: 'createdAtMs' },
    { index: 'instances_kind', by: ['kind'], order: 'createdAtMs' },
    { index: 'instances_created', by: [], order: 'createdAtMs' },
    { index: 'instances_name', by: ['project', 'kind'], order: 'name' },
    { index: 'instances_driver', by: ['driver'], order: 'id' },
    { index: 'instances_project_id', by: ['project'], order: 'id' },
  ],
  operations: [
    { index: 'operations_instance', by: ['instanceId'], order: 'startedAtMs' },
    { index: 'operations_request', by: ['requestId'], order: null },
    {
      index: 'operations_running',
      by: [],
      order: null,
      only: { column: 'state', value: 'running' },
    },
    { index: 'operations_project', by: ['project'], order: 'startedAtMs' },
    { index: 'operations_started', by: [], order: 'startedAtMs' },
  ],
  services: [{ index: 'services_project', by: ['project', 'kind'], order: 'createdAtMs' }],
  idempotency: [{ index: 'idempotency_expiry', by: [], within: 'expiresAtMs', order: null }],
  batches: [{ index: 'batches_expiry', by: [], within: 'expiresAtMs', order: null }],
  pools: [{ index: 'pools_pass', by: [], within: 'passAtMs', order: null }],
  tokens: [{ index: 'tokens_expiry', by: [], within: 'expiresAtMs', order: null }],
}

export type Wheres = Readonly<Record<string, Column | readonly Column[]>>

/** A list of values is as many walks, merged; beyond this many a wider road is shorter. */
const walksMax = 32

export interface Wish {
  readonly wheres: Wheres
  /** The column that is bounded; null: none is. */
  readonly within: string | null
  /** Null: any will do. */
  readonly order: string | null
}

export function roadOf(table: TableName, { wheres, within, order }: Wish): Road | undefined {
  const all: readonly Road[] = roads[table] ?? []
  return all.find(
    (road) =>
      (road.order === null || order === null || road.order === order) &&
      (road.within === undefined || road.within === within) &&
      (road.only === undefined || wheres[road.only.column] === road.only.value) &&
      road.by.reduce((walks, column) => walks * valueCount(wheres[column]), 1) <= walksMax,
  )
}

/** One set of conditions for each combination of listed values: each is one walk along the road. */
export function walksOf(road: Road | undefined, wheres: Wheres): readonly Wheres[] {
  let walks: readonly Wheres[] = [wheres]
  if (road === undefined || road.order === null) return walks
  for (const column of road.by) {
    const values = wheres[column]
    if (typeof values === 'object' && values !== null)
      walks = walks.flatMap((walk) => values.map((value) => ({ ...walk, [column]: value })))
  }
  return walks
}

/** NULL is no place to start from: some of the indexes leave such rows out. */
function valueCount(value: Column | readonly Column[] | undefined): number {
  if (value === undefined || value === null) return Infinity
  if (typeof value !== 'object') return 1
  return value.includes(null) ? Infinity : value.length
}

/**
 * What `instanceTallies` counts by: how many instances have each combination of these. Triggers keep it
 * (0001_first.sql), so a total costs the same for ten instances and for a million.
 */
export const tallied: ReadonlySet<string> = new Set<ColumnName<'instances'>>([
  'project',
  'kind',
  'state',
  'situation',
  'schemes',
  'flavorId',
  'createdBy',
])
