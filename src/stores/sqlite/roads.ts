// Which index answers which query. SQLite's planner guesses from statistics that change with the data; a page
// of a hundred among a million rows must not depend on a guess. So the road is chosen here, named in the
// statement (INDEXED BY), and checked by EXPLAIN in store-plans.test.ts.

import { type Column, type ColumnName, type TableName } from '#kernel/tables.ts'

export interface Road<T extends TableName = TableName> {
  readonly index: string
  /** Columns that the index starts with; the query gives each a value or a list of values. */
  readonly by: readonly ColumnName<T>[]
  /** The order in which rows then come; null: any order, for the few rows that are left are sorted. */
  readonly then: ColumnName<T> | 'id' | null
  /** The index holds only these rows. */
  readonly only?: { readonly column: ColumnName<T>; readonly value: string }
}

/** The first that fits is taken: the narrowest stand first. */
const roads: { readonly [T in TableName]?: readonly Road<T>[] } = {
  instances: [
    { index: 'instances_name', by: ['project', 'kind', 'name'], then: null },
    { index: 'instances_service', by: ['serviceId'], then: 'createdAtMs' },
    { index: 'instances_node', by: ['nodeId'], then: 'createdAtMs' },
    { index: 'instances_queue', by: ['queuePool'], then: 'queueTicket' },
    { index: 'instances_situation', by: ['project', 'kind', 'situation'], then: 'createdAtMs' },
    { index: 'instances_project_kind', by: ['project', 'kind'], then: 'createdAtMs' },
    { index: 'instances_project', by: ['project'], then: 'createdAtMs' },
    { index: 'instances_kind', by: ['kind'], then: 'createdAtMs' },
    { index: 'instances_created', by: [], then: 'createdAtMs' },
    { index: 'instances_name', by: ['project', 'kind'], then: 'name' },
    { index: 'instances_driver', by: ['driver'], then: 'id' },
  ],
  operations: [
    { index: 'operations_instance', by: ['instanceId'], then: 'startedAtMs' },
    { index: 'operations_request', by: ['requestId'], then: null },
    { index: 'operations_running', by: ['project'], then: 'startedAtMs', only: { column: 'state', value: 'running' } },
    { index: 'operations_running', by: [], then: null, only: { column: 'state', value: 'running' } },
    { index: 'operations_project', by: ['project'], then: 'startedAtMs' },
    { index: 'operations_started', by: [], then: 'startedAtMs' },
  ],
  services: [{ index: 'services_project', by: ['project', 'kind'], then: 'createdAtMs' }],
}

export type Wheres = Readonly<Record<string, Column | readonly Column[]>>

/** `order` null: any will do. */
export function roadOf(table: TableName, wheres: Wheres, order: string | null): Road | undefined {
  const all: readonly Road[] = roads[table] ?? []
  return all.find(
    ({ by, then, only }) =>
      by.every((column) => isGiven(wheres[column])) &&
      (then === null || order === null || then === order) &&
      (only === undefined || wheres[only.column] === only.value),
  )
}

/** NULL is not a value that an index with a condition holds. */
const isGiven = (value: Column | readonly Column[] | undefined): boolean =>
  value !== undefined && value !== null && !(typeof value === 'object' && value.includes(null))
