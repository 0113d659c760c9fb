// The store on disk: one SQLite file.

import { type Result } from '#kernel/errors.ts'
import { type Store, StoreError } from '#kernel/ports/store.ts'
import { Database } from './database.ts'
import { encode } from './encode.ts'
import { openDatabase, type OpenFault } from './open.ts'
import { ok } from '#kernel/errors.ts'

export async function openSqliteStore(folder: string): Promise<Result<Store, OpenFault>> {
  const opened = openDatabase(folder)
  if (!opened.ok) return opened
  const database = new Database(opened.value.db)
  let isOpen = true
  async function use<T>(work: (database: Database) => T): Promise<T> {
    if (!isOpen) throw new StoreError('closed', 'the store is closed')
    return work(database)
  }
  return ok({
    get: (table, id) => use((db) => db.get(table, id)),
    find: (table, column, value) => use((db) => db.find(table, column, value)),
    list: (table, query) => use((db) => db.list(table, query)),
    count: (table, query) => use((db) => db.count(table, query)),
    events: (query) => use((db) => db.events(query)),
    lastEvent: () => use((db) => db.lastEvent()),
    claim: (worker, nowMs, leaseMs, limit) => use((db) => db.claim(worker, nowMs, leaseMs, limit)),
    commit: (commit) => use((db) => db.apply(encode(commit))),
    close: async () => {
      if (!isOpen) return
      isOpen = false
      database.close()
      opened.value.lock.close()
    },
  })
}
