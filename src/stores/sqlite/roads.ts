// Which index answers which query.
//
// SQLite's planner guesses from statistics, or from none; a page of a hundred among a million rows must not
// depend on a guess. So the road is chosen here and named in the statement (INDEXED BY). plans.test.ts has
// SQLite explain each of them.

import { type Column, type ColumnName, type TableName } from '#kernel/tables.ts'

export interface Road<Name extends string = string> {
  readonly index: string
  /** Columns that the index starts with: the query gives each a value, or a list of values. */
  readonly by: readonly Name[]
  /** The order in which rows then come. Null: none, for the few rows that are left are sorted. */
  readonly then: Name | 'id' | null
  /** The index holds only rows with this value. */
  readonly only?: { readonly column: Name; readonly value: string }
}

type Roads = { readonly [T in TableName]?: readonly Road<ColumnName<T>>[] }

/** The first that fits is taken, so the narrowest stand first. */
export const roads: Roads = {
  instances: [
    { index: 'instances_name', by: ['project', 'kind', 'name'], then: null },
    { index: 'instances_service', by: ['serviceId'], then: 'createdAtMs' },
    { index: 'instances_node', by: ['nodeId'], then: 'createdAtMs' },
    { index: 'instances_queue', by: ['queuePool'], then: 'queueTicket' },
    { index: 'instances_state', by: ['project', 'kind', 'state'], then: 'createdAtMs' },
    { index: 'instances_project_kind', by: ['project', 'kind'], then: 'createdAtMs' },
    { index: 'instances_project', by: ['project'], then: 'createdAtMs' },
    { index: 'instances_kind', by: ['kind'], then: 'createdAtMs' },
    { index: 'instances_created', by: [], then: 'createdAtMs' },
    { index: 'instances_name', by: ['project', 'kind'], then: 'name' },
    { index: 'instances_driver', by: ['driver'], then: 'id' },
    { index: 'instances_project_id', by: ['project'], then: 'id' },
  ],
  operations: [
    { index: 'operations_instance', by: ['instanceId'], then: 'startedAtMs' },
    { index: 'operations_request', by: ['requestId'], then: null },
    {
      index: 'operations_running',
      by: ['project'],
      then: 'startedAtMs',
      only: { column: 'state', value: 'running' },
    },
    {
      index: 'operations_running',
      by: [],
      then: null,
      only: { column: 'state', value: 'running' },
    },
    { index: 'operations_project', by: ['project'], then: 'startedAtMs' },
    { index: 'operations_started', by: [], then: 'startedAtMs' },
  ],
  services: [{ index: 'services_project', by: ['project', 'kind'], then: 'createdAtMs' }],
}

export type Wheres = Readonly<Record<string, Column | readonly Column[]>>

/** A list of values is as many walks, merged; beyond this many a wider road is shorter. */
const walksMax = 32

/** `order` null: any will do. */
export function roadOf(table: TableName, wheres: Wheres, order: string | null): Road | undefined {
  const all: readonly Road[] = roads[table] ?? []
  return all.find(
    ({ by, then, only }) =>
      (then === null || order === null || then === order) &&
      (only === undefined || wheres[only.column] === only.value) &&
      by.reduce((walks, column) => walks * valueCount(wheres[column]), 1) <= walksMax,
  )
}

/** One set of conditions for each combination of listed values: each is one walk along the road. */
export function walksOf(road: Road | undefined, wheres: Wheres): readonly Wheres[] {
  let walks: readonly Wheres[] = [wheres]
  if (road === undefined || road.then === null) return walks
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
