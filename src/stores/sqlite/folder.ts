// The data folder: readable by its owner alone, and held by one process at a time.

import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** One by one: where nothing can be made (/proc), Node's own way of making all at once never returns. */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(path)
  makeFolder(parent)
  mkdirSync(path, { mode: 0o700 })
  // A folder that its parent forgets in a power cut takes everything in it along.
  syncFolder(parent)
}

/**
 * SQLite gives the files beside it (`-wal`, `-shm`) the mode of this one.
 *
 * An existing file is not even opened: closing it would drop the process's locks on it.
 * Source: https://www.sqlite.org/howtocorrupt.html, section 2.2
 */
export function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown
  }
}

/**
 * Holds `<folder>/lock` until it is closed. The lock belongs to the process, not to a number in a file, so it
 * ends with the process however that ends.
 */
export function holdFolder(folder: string): DatabaseSync {
  const path = join(folder, 'lock')
  makeFile(path)
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    // Nothing is ever written to it, so it needs no journal beside it.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (thrown) {
    lock.close()
    throw thrown
  }
}

function syncFolder(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
