// From a folder to an open database, or the one line that says why not.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { err, ok, type Result } from '#kernel/errors.ts'
import { connect } from './connect.ts'
import { resultCode } from './fault.ts'
import { holdFolder, makeFile, makeFolder } from './folder.ts'
import { migrate, migrations, strayIn, versionOf } from './migrate.ts'

export interface OpenFault {
  readonly code:
    | 'held'
    | 'newer'
    | 'foreign'
    | 'other-build'
    | 'not-a-database'
    | 'damaged'
    | 'unusable'
  /** For the person who starts the server. */
  readonly line: string
}

export interface Opened {
  readonly path: string
  readonly db: DatabaseSync
  /** Held until it is closed. */
  readonly lock: DatabaseSync
}

const sqliteBusy = 5
const sqliteNotADatabase = 26

export function openFolder(
  folder: string,
  options: { readonly checkpoints: boolean },
): Result<Opened, OpenFault> {
  let lock: DatabaseSync
  try {
    makeFolder(folder)
    lock = holdFolder(folder)
  } catch (thrown) {
    if (resultCode(thrown) !== sqliteBusy) return err(unusable(`the data folder ${folder}`, thrown))
    return err({ code: 'held', line: `the data folder ${folder} is in use by another runstate` })
  }
  const path = join(folder, 'runstate.db')
  const db = openFile(path, options)
  if (!db.ok) lock.close()
  return db.ok ? ok({ path, db: db.value, lock }) : db
}

function openFile(
  path: string,
  options: { readonly checkpoints: boolean },
): Result<DatabaseSync, OpenFault> {
  let db: DatabaseSync | undefined
  try {
    makeFile(path)
    // Nothing is written, not even a setting, before the file is known to be ours.
    const misfit = misfitOf(path)
    if (misfit !== undefined) return err(misfit)
    db = connect(path, options)
    migrate(db, migrations())
    return ok(db)
  } catch (thrown) {
    db?.close()
    if (resultCode(thrown) !== sqliteNotADatabase)
      return err(unusable(`the database ${path}`, thrown))
    return err({ code: 'not-a-database', line: `the file ${path} is not a database` })
  }
}

function misfitOf(path: string): OpenFault | undefined {
  const db = new DatabaseSync(path)
  try {
    const { isOurs, version } = versionOf(db)
    const known = migrations().length
    if (!isOurs) return { code: 'foreign', line: `the database ${path} belongs to another program` }
    if (version <= known) return damageOf(path, db) ?? otherBuild(path, db)
    const schemas = `schema ${version}, this one knows ${known}`
    const line = `the database ${path} was written by a newer runstate (${schemas})`
    return { code: 'newer', line }
  } finally {
    db.close()
  }
}

/**
 * To go on writing into a damaged file spreads the damage. Larger files would hold up the start for seconds; what is
 * damaged in them is found when it is read.
 */
function damageOf(path: string, db: DatabaseSync): OpenFault | undefined {
  if (statSync(path).size > checkedBytesMax) return undefined
  const [first] = db.prepare('PRAGMA quick_check(1)').all()
  const said = first?.['quick_check']
  if (said === 'ok') return undefined
  const advice =
    'it was left as it is: restore a copy, or save what can be read with `sqlite3 .recover`'
  return { code: 'damaged', line: `the database ${path} is damaged (${oneLine(said)}); ${advice}` }
}

function otherBuild(path: string, db: DatabaseSync): OpenFault | undefined {
  const stray = strayIn(db, migrations())
  if (stray === undefined) return undefined
  const line = `the database ${path} was made by a build between two releases (its ${stray} is not that of this one): use that build, or another data folder`
  return { code: 'other-build', line }
}

const checkedBytesMax = 64 * 1024 * 1024
const oneLine = (said: unknown): string =>
  typeof said === 'string' ? said.replaceAll(/\s+/g, ' ') : 'it cannot be read'

/** The world's refusals (permissions, space, a broken disk) are told; anything else is a bug, and thrown. */
function unusable(what: string, thrown: unknown): OpenFault {
  const isWorld =
    thrown instanceof Error && (resultCode(thrown) !== undefined || 'syscall' in thrown)
  if (!isWorld) throw thrown
  return { code: 'unusable', line: `${what} cannot be used: ${thrown.message}` }
}
