// Where a thing's files are. Every path is built from an instance id that was checked to be nothing but one,
// so no id can name a place outside.
//
//   <data>/process/<id>/output.log, output.log.1   what the command wrote
//   <data>/process/<id>/work/                      where it runs, unless the image names another place
//   <data>/process/<id>/control/                   records of its runs, see runs.ts
//   <data>/process/<id>/port                       a link whose target is the port it was given
//   <data>/process/ports/<port>                    a link whose target is the id that the port was given to

import { randomUUID } from 'node:crypto'
import { chmod, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../shared/world.ts'

const idShape = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?$/

export const isInstanceId = (text: string): boolean => idShape.test(text) && text !== 'ports'

export interface Folder {
  readonly id: string
  /** `<data>/process`: the folder of all things. */
  readonly all: string
  readonly own: string
  readonly control: string
  readonly work: string
  readonly log: string
  readonly port: string
}

/** Throws on an id that is none: doors check theirs first, and the kernel makes its own. */
export function folderOf(dataDir: string, id: string): Folder {
  if (!isInstanceId(id)) throw new Error(`${JSON.stringify(id)} is no instance id`)
  const all = join(dataDir, 'process')
  const own = join(all, id)
  return {
    id,
    all,
    own,
    control: join(own, 'control'),
    work: join(own, 'work'),
    log: join(own, 'output.log'),
    port: join(own, 'port'),
  }
}

/** What the command writes may be secret, so only the server's user may look. */
const ownerOnly = { recursive: true, mode: 0o700 } as const

export async function makeFolder(folder: Folder): Promise<void> {
  await mkdir(folder.control, ownerOnly)
  await mkdir(folder.work, ownerOnly)
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return false
    throw thrown
  }
}

const asidePrefix = '.removed-'

/**
 * Removes it as one: renamed first, so that a shell which is late finds none of its paths any more, whatever
 * part of the folder has been deleted by then. What an earlier crash left renamed goes too.
 */
export async function removeFolder(folder: Folder): Promise<void> {
  try {
    await rename(folder.own, join(folder.all, `${asidePrefix}${folder.id}-${randomUUID()}`))
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') throw thrown
  }
  const entries = await readdir(folder.all).catch((thrown: unknown) => {
    if (codeOf(thrown) === 'ENOENT') return []
    throw thrown
  })
  for (const entry of entries) {
    if (entry.startsWith(`${asidePrefix}${folder.id}-`)) {
      await removeAll(join(folder.all, entry))
    }
  }
}

async function removeAll(path: string): Promise<void> {
  const all = { recursive: true, force: true }
  try {
    await rm(path, all)
  } catch (thrown) {
    if (codeOf(thrown) !== 'EACCES') throw thrown
    await makeWritable(path)
    await rm(path, all)
  }
}

/** A command may leave folders that nothing can be removed from, as Go does with its modules. No link is followed. */
async function makeWritable(path: string): Promise<void> {
  await chmod(path, ownerOnly.mode)
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(path, entry.name))
  }
}
