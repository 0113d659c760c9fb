// Rows by id as they are on disk, so that what is read again and again is parsed once. This process alone writes
// the file (folder.ts), so nothing here can be old:
//
// - A row that a commit is writing is not here from the moment the commit is handed over: until it is known what
//   came of it, readers ask the disk. A reader that has seen the new row never sees the old one again.
// - What a failed commit wrote is forgotten, not guessed.
// - An operation that has ended is not kept: nobody decides on it again, and it would push out an instance. Nor is
//   what a repeated request is answered from: it is large, and seldom asked for.
// - A row that is read once is not kept: who walks through a large fleet would push out what is at work, and each row
//   would live just long enough to be costly garbage.
// - Kept rows are shared with whoever committed or reads them, so they are frozen.

import { freezeDeep } from '#kernel/json.ts'
import type { Commit, Write } from '#kernel/ports/store.ts'
import type { Rows, TableName } from '#kernel/tables.ts'

/** Of each table: about 20 MiB of instances, and less of all others. */
const rowsMax = 4_096

export class RowCache {
  readonly #shelves = new Map<TableName, Shelf>()

  peek<T extends TableName>(table: T, id: string): Rows[T] | undefined {
    return this.#shelf(table).rows.get(id) as Rows[T] | undefined // a shelf holds its own table's rows
  }

  get<T extends TableName>(
    table: T,
    id: string,
    read: () => Rows[T] | undefined,
  ): Rows[T] | undefined {
    const known = this.peek(table, id)
    if (known !== undefined) return known
    const row = read()
    const shelf = this.#shelf(table)
    if (row !== undefined && !shelf.inFlight.has(id) && isAskedAgain(shelf, id)) keep(shelf, row)
    return row
  }

  /** A commit is handed over. Returns what to call when it is known what came of it. */
  writing({ writes }: Commit): (isOnDisk: boolean) => void {
    for (const write of writes) {
      if ('row' in write) freezeDeep(write.row)
      const { rows, inFlight } = this.#shelf(write.table)
      const id = idOf(write)
      rows.delete(id)
      inFlight.set(id, (inFlight.get(id) ?? 0) + 1)
    }
    return (isOnDisk) => {
      for (const write of writes) {
        const shelf = this.#shelf(write.table)
        const id = idOf(write)
        const left = (shelf.inFlight.get(id) ?? 1) - 1
        if (left > 0) shelf.inFlight.set(id, left)
        else shelf.inFlight.delete(id)
        if (isOnDisk && left === 0 && 'row' in write) keep(shelf, write.row)
      }
    }
  }

  /** Rows that were written without being handed over: claims. */
  forget(table: TableName, ids: readonly string[]): void {
    for (const id of ids) this.#shelf(table).rows.delete(id)
  }

  #shelf(table: TableName): Shelf {
    let shelf = this.#shelves.get(table)
    if (shelf === undefined)
      this.#shelves.set(
        table,
        (shelf = { table, rows: new Map(), once: new Set(), inFlight: new Map() }),
      )
    return shelf
  }
}

interface Shelf {
  readonly table: TableName
  /** The one that was read or written longest ago comes first; what is at work is written again and again. */
  readonly rows: Map<string, Rows[TableName]>
  /** What was read lately and not kept, the first read first. */
  readonly once: Set<string>
  /** How many commits that are under way write this row. */
  readonly inFlight: Map<string, number>
}

const idOf = (write: Write): string => ('remove' in write ? write.remove : write.row.id)

function isAskedAgain({ once }: Shelf, id: string): boolean {
  if (once.delete(id)) return true
  once.add(id)
  if (once.size > rowsMax) dropOldest(once)
  return false
}

function keep({ table, rows }: Shelf, row: Rows[TableName]): void {
  freezeDeep(row)
  if (table === 'operations' && 'state' in row && row.state !== 'running') return
  if (table === 'idempotency' || table === 'batches') return
  rows.set(row.id, row)
  if (rows.size > rowsMax) dropOldest(rows)
}

function dropOldest(some: Pick<Map<string, unknown>, 'keys' | 'delete'>): void {
  const oldest = some.keys().next()
  if (!oldest.done) some.delete(oldest.value)
}
