// The store on disk: one SQLite file. Reads run here and at once; commits run on a thread of their own.

import { setImmediate as turn } from 'node:timers/promises'
import { ok, type Result } from '#kernel/errors.ts'
import type { Operation } from '#kernel/operation.ts'
import { behind, type Commit, type Store, StoreError } from '#kernel/ports/store.ts'
import { Database } from './database.ts'
import { encode } from './encode.ts'
import { openFolder, type OpenFault } from './open.ts'
import { RowCache } from './row-cache.ts'
import { Succession } from './succession.ts'
import { WritingThread } from './thread.ts'
import type { Claim, Writer } from './writer.ts'

export interface SqliteOptions {
  /**
   * Where commits wait for the disk. `thread` (the default) keeps the event loop free, for 18 MiB of memory;
   * docs/decisions/0004-store.md has the figures.
   */
  readonly writer?: 'thread' | 'main'
  /** How many instances with the facets asked for are read and sorted, rather than found along an order. */
  readonly fewMax?: number
}

export async function openSqliteStore(
  folder: string,
  { writer: where = 'thread', fewMax }: SqliteOptions = {},
): Promise<Result<Store, OpenFault>> {
  const opened = openFolder(folder, { checkpoints: where === 'main' })
  if (!opened.ok) return opened
  const { path, db, lock } = opened.value
  const database = new Database(db, fewMax)
  const cache = new RowCache()
  const writer = where === 'main' ? mainWriter(database) : new WritingThread(path)
  const places = new WeakMap<Commit, number>()
  let handedOver = 0
  let claiming: Promise<unknown> | null = null
  let closing: Promise<void> | null = null

  async function use<T>(work: () => T | Promise<T>): Promise<T> {
    if (closing) throw new StoreError('closed', 'the store is closed')
    return work()
  }

  /** A claim under way is waited for: what is read may decide a commit that follows it. */
  async function read<T>(work: (database: Database) => T): Promise<T> {
    while (claiming) await claiming
    return use(() => work(database))
  }

  async function claim(asked: Claim): Promise<readonly Operation[]> {
    if (!database.isDue(asked.nowMs)) return []
    // Who reads an operation and then commits it does so within one turn of the event loop. A claim that is
    // handed over at the start of a turn comes before both or after both, never between them.
    do {
      await claiming
      await turn()
    } while (claiming)
    const claimed = writer.claim(asked)
    claiming = claimed.catch(() => undefined)
    try {
      const operations = await claimed
      const ids = operations.map(({ id }) => id)
      cache.forget('operations', ids)
      return operations
    } finally {
      claiming = null
    }
  }

  async function commit(commit: Commit, after: Commit | undefined): Promise<number> {
    const encoded = encode(commit)
    const rests = after === undefined ? null : places.get(after)
    // One that could not even be handed over was not carried out.
    if (rests === undefined) throw behind()
    const place = { nth: ++handedOver, after: rests }
    places.set(commit, place.nth)
    const written = cache.writing(commit)
    let isOnDisk = false
    try {
      const first = await writer.commit(encoded, place)
      isOnDisk = true
      return first
    } finally {
      written(isOnDisk)
    }
  }

  async function close(): Promise<void> {
    await writer.close()
    database.close()
    lock.close()
  }

  return ok({
    get: (table, id) => read((rows) => cache.get(table, id, () => rows.get(table, id))),
    kept: (table, id) => (claiming || closing ? undefined : cache.peek(table, id)),
    find: (table, column, value) => read((rows) => rows.find(table, column, value)),
    list: (table, query) => read((rows) => rows.list(table, query)),
    count: (table, query) => read((rows) => rows.count(table, query)),
    events: (query) => read((rows) => rows.events(query)),
    lastEvent: () => read((rows) => rows.lastEvent()),
    claim: (worker, nowMs, leaseMs, limit) => use(() => claim({ worker, nowMs, leaseMs, limit })),
    commit: (all, after) => use(() => commit(all, after)),
    close: () => (closing ??= close()),
  })
}

/** The main thread waits for the disk itself: for machines that have little memory. */
function mainWriter(database: Database): Writer {
  const succession = new Succession()
  return {
    commit: async (encoded, place) => succession.run(place, () => database.apply(encoded)),
    claim: async (claim) => database.claim(claim),
    close: async () => undefined,
  }
}
