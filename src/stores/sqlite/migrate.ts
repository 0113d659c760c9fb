// Brings a file to the newest schema, one numbered migration per transaction. `PRAGMA user_version` counts those
// that ran; it changes inside the transaction, so a crash leaves a file that is at one version or the next.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { assert } from '#kernel/assert.ts'

const folder = join(import.meta.dirname, '..', 'schema')

/** Marks a file as ours: "runs" in ASCII. Source: https://www.sqlite.org/pragma.html#pragma_application_id */
const applicationId = 0x72756e73

export interface Migration {
  readonly version: number
  readonly sql: string
}

export function migrations(): readonly Migration[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .toSorted()
  return files.map((file, at) => {
    assert(Number(file.slice(0, 4)) === at + 1, `migrations are numbered without gaps, not ${file}`)
    return { version: at + 1, sql: readFileSync(join(folder, file), 'utf8') }
  })
}

/** What the file says it is, before anything in it is trusted. */
export function versionOf(db: DatabaseSync): {
  readonly isOurs: boolean
  readonly version: number
} {
  const version = pragma(db, 'user_version')
  const isNew = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  return { isOurs: isNew || pragma(db, 'application_id') === applicationId, version }
}

export function migrate(db: DatabaseSync, all: readonly Migration[]): void {
  for (const { version, sql } of all.slice(versionOf(db).version)) {
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(sql)
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`)
      db.exec('COMMIT')
    } catch (thrown) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw thrown
    }
  }
}

/**
 * The first table, index or trigger that is not as these migrations make it: a file of a build between two releases
 * says the same version. What somebody added besides is theirs.
 */
export function strayIn(db: DatabaseSync, all: readonly Migration[]): string | undefined {
  const { version } = versionOf(db)
  const model = new DatabaseSync(':memory:')
  try {
    migrate(model, all.slice(0, version))
    const found = new Map(objectsOf(db))
    return objectsOf(model).find(([name, sql]) => found.get(name) !== sql)?.[0]
  } finally {
    model.close()
  }
}

const objectsOf = (db: DatabaseSync): readonly (readonly [string, string])[] =>
  db
    .prepare(`SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name`)
    .all()
    .map(({ name, sql }) => [String(name), String(sql)])

function pragma(db: DatabaseSync, setting: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${setting}`).get() ?? {})[0])
}
