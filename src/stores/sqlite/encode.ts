// A commit as plain texts and numbers: what is bound to statements, and what may cross to another thread; and rows and
// events made of them again.

import type { Event, EventDraft } from '#kernel/event.ts'
import type { Commit, Write } from '#kernel/ports/store.ts'
import { type Column, columnsOf, type Rows, type TableName, usual } from '#kernel/tables.ts'

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
  /** Values of `eventColumns`, and the rest of it. */
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
  return [table, row.id, columns, JSON.stringify(unusual(row, usual[table]))]
}

/** The fields that say something else than usual, as far as that is seen at a glance. */
function unusual<Row extends object>(row: Row, said: Partial<Row> | undefined): Partial<Row> {
  if (said === undefined) return row
  const kept: Partial<Row> = {}
  for (const key in row) if (row[key] !== said[key]) kept[key] = row[key]
  return kept
}

/** `body`: as `encodeRow` made it of a row of that table. */
export const decodeRow = <T extends TableName>(table: T, body: Column): Rows[T] => ({
  ...usual[table],
  ...(JSON.parse(String(body)) as Rows[T]), // complete with what is usual
})

const readers = new Map<TableName, readonly ((row: never) => Column)[]>()

function readersOf<T extends TableName>(table: T): readonly ((row: Rows[T]) => Column)[] {
  const known = readers.get(table) ?? Object.values(columnsOf(table))
  readers.set(table, known)
  return known as readonly ((row: Rows[T]) => Column)[] // kept under its own table
}

const encodeEvent = ({ cause, data, ...event }: EventDraft): readonly Column[] => [
  ...eventColumns.map((column) => event[column]),
  JSON.stringify({ cause, data }),
]

/** `[seq, …eventColumns, body]`: as `encodeEvent` made them. */
export function decodeEvent([seq, ...values]: readonly Column[]): Event {
  const columns = Object.fromEntries(eventColumns.map((column, at) => [column, values[at]]))
  const rest = JSON.parse(String(values[eventColumns.length])) as Pick<EventDraft, 'cause' | 'data'>
  return { ...columns, ...rest, seq: Number(seq) } as Event // all of it
}
