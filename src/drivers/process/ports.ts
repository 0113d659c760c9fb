// Gives each thing a port that no other thing was given. A thing keeps its port for as long as it exists, also
// while it is down, so the system cannot be asked: it only knows of ports that are in use now.
//
// A port is given by a link `ports/<port>` to the instance's id; making it fails when the port is given. The
// thing's own note is made before: so a link that its thing knows nothing of is left from a removed folder.

import { createServer } from 'node:net'
import { mkdir, readlink, rename, symlink, unlink } from 'node:fs/promises'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { codeOf } from '../shared/world.ts'
import { type Folder, folderOf } from './folder.ts'

interface Wish {
  /** The port that the handle knows, should the folder have been deleted by hand. */
  readonly known: number | null
  readonly portMin: number
  readonly portMax: number
  readonly address: string
}

/** The thing's port, chosen now unless it was before; null when all are taken. */
export async function givePort(folder: Folder, wish: Wish): Promise<number | null> {
  const links = join(folder.all, 'ports')
  await mkdir(links, { recursive: true, mode: 0o700 })
  const noted = (await targetOf(folder.port)) ?? wish.known
  if (noted !== null) {
    await note(folder, Number(noted))
    if (await isGiven(links, Number(noted), folder)) return Number(noted)
  }
  const count = Math.max(1, wish.portMax - wish.portMin + 1)
  const first = randomInt(count)
  for (let n = 0; n < count; n++) {
    const port = wish.portMin + ((first + n) % count)
    if (!(await isPortFree(port, wish.address))) continue
    await note(folder, port)
    if (await isGiven(links, port, folder)) return port
  }
  return null
}

/** Gives the port back. The folder still names it until it is removed itself, which does no harm. */
export async function returnPort(folder: Folder): Promise<void> {
  const noted = await targetOf(folder.port)
  if (noted === null) return
  const link = join(folder.all, 'ports', noted)
  if ((await targetOf(link)) === folder.id) await unlink(link)
}

async function note(folder: Folder, port: number): Promise<void> {
  const fresh = `${folder.port}.new`
  await unlink(fresh).catch((thrown: unknown) => {
    if (codeOf(thrown) !== 'ENOENT') throw thrown
  })
  await symlink(String(port), fresh)
  await rename(fresh, folder.port)
}

async function isGiven(links: string, port: number, folder: Folder): Promise<boolean> {
  const link = join(links, String(port))
  for (;;) {
    try {
      await symlink(folder.id, link)
      return true
    } catch (thrown) {
      if (codeOf(thrown) !== 'EEXIST') throw thrown
    }
    const holder = await targetOf(link)
    if (holder === folder.id) return true
    if (holder === null) continue
    const dataDir = join(folder.all, '..')
    if ((await targetOf(folderOf(dataDir, holder).port)) === String(port)) return false
    // Left by a folder that was deleted by hand.
    await unlink(link)
  }
}

async function targetOf(link: string): Promise<string | null> {
  try {
    return await readlink(link)
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null
    throw thrown
  }
}

/** Whether somebody could listen there now. */
export async function isPortFree(port: number, address: string): Promise<boolean> {
  const server = createServer()
  return new Promise((done, fail) => {
    server.once('error', (error) => {
      const code = codeOf(error)
      if (code === 'EADDRINUSE' || code === 'EACCES') done(false)
      // The address is not one of this machine's: then nobody here can have taken the port on it.
      else if (code === 'EADDRNOTAVAIL') done(true)
      else fail(error)
    })
    server.listen(port, address, () => server.close(() => done(true)))
  })
}
