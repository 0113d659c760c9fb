// What a database would refuse by its constraints. Here too, or a model test would pass with rows that the
// store on disk does not take.

import { lifecycles } from '#kernel/kinds.ts'
import type { OperationState } from '#kernel/operation.ts'
import type { Rows, TableName } from '#kernel/tables.ts'

type Checks = { readonly [T in TableName]?: (row: Rows[T]) => boolean }

const operationStates: Readonly<Record<OperationState, true>> = {
  running: true,
  succeeded: true,
  failed: true,
  cancelled: true,
}

const checks: Checks = {
  instances: (row) =>
    Object.hasOwn(lifecycles, row.kind) && Object.hasOwn(lifecycles[row.kind].states, row.state),
  operations: (row) => Object.hasOwn(operationStates, row.state),
}

export const isLegal = <T extends TableName>(table: T, row: Rows[T]): boolean =>
  checks[table]?.(row) ?? true

/** Columns in which a value may stand once. */
export const uniqueColumns: { readonly [T in TableName]?: readonly string[] } = {
  services: ['key'],
}
