// Connections to the file. One reads, on the main thread; one writes, on a thread of its own, because a commit
// waits for the disk (docs/decisions/0004-store.md has the figures).

import { DatabaseSync } from 'node:sqlite'

/** How long somebody from outside (a backup, a shell) may make us wait. */
const busyTimeoutMs = 5_000

/**
 * synchronous=FULL syncs the log at each commit (law 1). A checkpoint copies the log back into the file every
 * 1,000 pages (4 MiB); then the log is written from its start again, which is quicker than growing it.
 */
const settings = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -8192;
  PRAGMA temp_store = MEMORY;
`

const checkpointPages = { reader: 0, writer: 1_000 }

export function connect(path: string, as: 'reader' | 'writer'): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs })
  try {
    db.exec(settings)
    db.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages[as]}`)
    return db
  } catch (thrown) {
    db.close()
    throw thrown
  }
}
