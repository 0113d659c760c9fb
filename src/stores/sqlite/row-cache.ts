// Rows by id as they are on disk, so that what is read again and again is parsed once. This process alone writes
// the file (folder.ts), so nothing here can be old:
//
// - A row that a commit is writing is not here from the moment the commit is handed over: until it is known what
//   came of it, readers ask the disk. A reader that has seen the new row never sees the old one again.
// - What a failed commit wrote is forgotten, not guessed.
// - An operation that has ended is not kept: nobody decides on it again, and it would push out an instance.
// - Rows are shared with whoever committed or reads them, so they are frozen.

import { freezeDeep } from '#kernel/json.ts'
import { type Commit } from '#kernel/ports/store.ts'
import { type Rows, type TableName } from '#kernel/tables.ts'

/** About 10 MiB of instances and operations. */
const rowsMax = 4_096

export class RowCache {
  /** The one that was read or written longest ago comes first; what is at work is written again and again. */
  readonly #rows = new Map<string, Rows[TableName]>()
  /** How many commits that are under way write this row. */
  readonly #inFlight = new Map<string, number>()

  get<T extends TableName>(
    table: T,
    id: string,
    read: () => Rows[T] | undefined,
  ): Rows[T] | undefined {
    const key = `${table} ${id}`
    const known = this.#rows.get(key) as Rows[T] | undefined // a key begins with its row's table
    if (known !== undefined) return known
    const row = read()
    if (row !== undefined && !this.#inFlight.has(key)) this.#keep(table, row)
    return row
  }

  /** A commit is handed over. Returns what to call when it is known what came of it. */
  writing({ writes }: Commit): (isOnDisk: boolean) => void {
    const keys = writes.map((write) =>
      'remove' in write ? `${write.table} ${write.remove}` : `${write.table} ${write.row.id}`,
    )
    for (const write of writes) if ('row' in write) freezeDeep(write.row)
    for (const key of keys) {
      this.#rows.delete(key)
      this.#inFlight.set(key, (this.#inFlight.get(key) ?? 0) + 1)
    }
    return (isOnDisk) => {
      for (const [at, key] of keys.entries()) {
        const left = (this.#inFlight.get(key) ?? 1) - 1
        if (left > 0) this.#inFlight.set(key, left)
        else this.#inFlight.delete(key)
        const write = writes[at]
        if (isOnDisk && left === 0 && write && 'row' in write) this.#keep(write.table, write.row)
      }
    }
  }

  /** Rows that were written without being handed over: claims. */
  forget(table: TableName, ids: readonly string[]): void {
    for (const id of ids) this.#rows.delete(`${table} ${id}`)
  }

  #keep(table: TableName, row: Rows[TableName]): void {
    freezeDeep(row)
    if (table === 'operations' && 'state' in row && row.state !== 'running') return
    this.#rows.set(`${table} ${row.id}`, row)
    if (this.#rows.size <= rowsMax) return
    const oldest = this.#rows.keys().next()
    if (!oldest.done) this.#rows.delete(oldest.value)
  }
}
