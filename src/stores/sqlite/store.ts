// The store on disk: one SQLite file. Reads run here and at once; commits run on the writing thread.

import { setImmediate as turn } from 'node:timers/promises'
import { ok, type Result } from '#kernel/errors.ts'
import { type Store, StoreError } from '#kernel/ports/store.ts'
import { Database } from './database.ts'
import { encode } from './encode.ts'
import { openFolder, type OpenFault } from './open.ts'
import { Writing } from './writing.ts'

export async function openSqliteStore(folder: string): Promise<Result<Store, OpenFault>> {
  const opened = openFolder(folder)
  if (!opened.ok) return opened
  const { path, db, lock } = opened.value
  const database = new Database(db)
  const writing = new Writing(path)
  let closing: Promise<void> | null = null

  async function use<T>(work: () => T | Promise<T>): Promise<T> {
    if (closing) throw new StoreError('closed', 'the store is closed')
    return work()
  }

  async function claim(...[worker, nowMs, leaseMs, limit]: Parameters<Store['claim']>) {
    if (!database.isDue(nowMs)) return []
    // Written from here, which is rare: only what a dead worker left is ever due. It must not come between
    // somebody's read of an operation and his commit of it; those happen within one turn of the event loop, so
    // the start of another turn, with no commit under way, is between none of them.
    do {
      await writing.idle()
      await turn()
    } while (writing.isBusy)
    return database.claim(worker, nowMs, leaseMs, limit)
  }

  async function close(): Promise<void> {
    await writing.close()
    database.close()
    lock.close()
  }

  return ok({
    get: (table, id) => use(() => database.get(table, id)),
    find: (table, column, value) => use(() => database.find(table, column, value)),
    list: (table, query) => use(() => database.list(table, query)),
    count: (table, query) => use(() => database.count(table, query)),
    events: (query) => use(() => database.events(query)),
    lastEvent: () => use(() => database.lastEvent()),
    claim: (...asked) => use(() => claim(...asked)),
    commit: (commit) => use(() => writing.write(encode(commit))),
    close: () => (closing ??= close()),
  })
}
