// A commit as plain texts and numbers: what is bound to statements, and what may cross to another thread.

import type { EventDraft } from '#kernel/event.ts'
import type { Commit, Write } from '#kernel/ports/store.ts'
import { type Column, columnsOf, type Rows, type TableName } from '#kernel/tables.ts'

/**
 * Table, id, columns in the order of the column table (null removes the row), body. A list, because names would
 * cross to the other thread with each row.
 */
export type EncodedWrite = readonly [
  table: TableName,
  id: string,
  columns: readonly Column[] | null,
  body: string,
]

export interface Encoded {
  readonly writes: readonly EncodedWrite[]
  /** Values of `eventColumns`, and the body. */
  readonly events: readonly (readonly Column[])[]
}

export const eventColumns = [
  'project',
  'instanceId',
  'subject',
  'type',
  'atMs',
] as const satisfies readonly (keyof EventDraft)[]

export function encode(commit: Commit): Encoded {
  return { writes: commit.writes.map(encodeWrite), events: commit.events.map(encodeEvent) }
}

function encodeWrite(write: Write): EncodedWrite {
  if ('remove' in write) return [write.table, write.remove, null, '']
  return encodeRow(write.table, write.row)
}

export function encodeRow<T extends TableName>(table: T, row: Rows[T]): EncodedWrite {
  const columns = readersOf(table).map((read) => read(row))
  return [table, row.id, columns, JSON.stringify(row)]
}

const readers = new Map<TableName, readonly ((row: never) => Column)[]>()

function readersOf<T extends TableName>(table: T): readonly ((row: Rows[T]) => Column)[] {
  const known = readers.get(table) ?? Object.values(columnsOf(table))
  readers.set(table, known)
  return known as readonly ((row: Rows[T]) => Column)[] // kept under its own table
}

const encodeEvent = (event: EventDraft): readonly Column[] => [
  ...eventColumns.map((column) => event[column]),
  JSON.stringify(event),
]
