// From a folder to an open database, or the one line that says why not.

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { err, ok, type Result } from '#kernel/errors.ts'
import { resultCode } from './fault.ts'
import { holdFolder, makeFile, makeFolder } from './folder.ts'
import { migrate, type Migration, migrations, versionOf } from './migrate.ts'

export interface OpenFault {
  readonly code: 'newer' | 'held' | 'not-a-database' | 'foreign' | 'unusable'
  /** For the person who starts the server. */
  readonly line: string
}

export interface Opened {
  readonly db: DatabaseSync
  readonly lock: DatabaseSync
}

/** How long a reader from outside (a backup, a shell) may make us wait. */
const busyTimeoutMs = 5_000

/**
 * synchronous=FULL syncs the log at each commit (law 1). A checkpoint copies the log back into the file each
 * 1,000 pages (4 MiB), and then the log is used again from its start; see docs/decisions/0004-store.md.
 */
const settings = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA wal_autocheckpoint = 1000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -16384;
  PRAGMA temp_store = MEMORY;
`

export function openDatabase(folder: string): Result<Opened, OpenFault> {
  const path = join(folder, 'runstate.db')
  let lock: DatabaseSync | undefined
  let db: DatabaseSync | undefined
  try {
    makeFolder(folder)
    lock = holdFolder(folder)
    makeFile(path)
    db = new DatabaseSync(path, { timeout: busyTimeoutMs })
    const known = migrations()
    const fault = misfit(db, path, known)
    if (fault === undefined) {
      db.exec(settings)
      migrate(db, versionOf(db).version, known)
      return ok({ db, lock })
    }
    db.close()
    lock.close()
    return err(fault)
  } catch (thrown) {
    const fault = openFault(thrown, folder, path, lock !== undefined)
    db?.close()
    lock?.close()
    if (fault === undefined) throw thrown
    return err(fault)
  }
}

function misfit(db: DatabaseSync, path: string, known: readonly Migration[]): OpenFault | undefined {
  const { isOurs, version } = versionOf(db)
  if (!isOurs) return { code: 'foreign', line: `the database ${path} belongs to another program` }
  if (version <= known.length) return undefined
  return {
    code: 'newer',
    line: `the database ${path} was written by a newer runstate (schema ${version}, this one knows ${known.length})`,
  }
}

function openFault(
  thrown: unknown,
  folder: string,
  path: string,
  isHeld: boolean,
): OpenFault | undefined {
  const code = resultCode(thrown)
  if (!isHeld && code === sqliteBusy)
    return { code: 'held', line: `the data folder ${folder} is in use by another runstate` }
  if (code === sqliteNotADatabase)
    return { code: 'not-a-database', line: `${path} is not a database` }
  const isWorld = code !== undefined || (thrown instanceof Error && 'syscall' in thrown)
  if (!isWorld || !(thrown instanceof Error)) return undefined
  return { code: 'unusable', line: `the data folder ${folder} cannot be used: ${thrown.message}` }
}

const sqliteBusy = 5
const sqliteNotADatabase = 26
