// A connection to the file, with the settings that the store's promises rest on.

import { DatabaseSync } from 'node:sqlite'

/** How long somebody from outside (a backup, a shell) may make us wait. */
const busyTimeoutMs = 5_000

/** synchronous=FULL syncs the log at each commit (law 1). */
const settings = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -8192;
  PRAGMA temp_store = MEMORY;
`

/** Every so often (4 MiB) the log is copied back into the file, then it is written from its start again. */
const checkpointPages = 1_000

/** `checkpoints`: for the one that commits; any other would wait for the disk in its place. */
export function connect(
  path: string,
  { checkpoints }: { readonly checkpoints: boolean },
): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs })
  try {
    db.exec(settings)
    db.exec(`PRAGMA wal_autocheckpoint = ${checkpoints ? checkpointPages : 0}`)
    return db
  } catch (thrown) {
    db.close()
    throw thrown
  }
}
