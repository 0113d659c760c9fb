// What a command writes: kept after it has ended, bounded while it runs, and read from the end.
//
// - The command holds its log open, so the file is copied and emptied, never renamed; what is written between
//   the copy and the emptying is lost. That is the price of a log that survives the server.
// - It is bounded when looked at: between two looks it may grow past the bound.
// - A full disk does not keep it from that: it may be this log that fills it, and then nobody else can write either.

import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { codeOf, isNoRoom } from '../shared/world.ts'
import { folderOf } from './folder.ts'

/** Moves all but the newest `bytesMax` away, keeping one older part. */
export async function boundLog(log: string, bytesMax: number): Promise<void> {
  const file = await openIfThere(log, 'r+')
  if (file === null) return
  try {
    const { size } = await file.stat()
    if (size <= bytesMax) return
    const end = { from: size - bytesMax, to: size }
    // Without the older part there may be room; if there is none, the bound goes before what was written.
    if (!(await isMoved(file, end, log))) await isMoved(file, end, log)
    await file.truncate(0)
  } finally {
    await file.close()
  }
}

interface Span {
  readonly from: number
  readonly to: number
}

/** False when the disk is full; then the older part is given up. */
async function isMoved(file: FileHandle, end: Span, log: string): Promise<boolean> {
  const aside = `${log}.new`
  try {
    await copyEnd(file, end, aside)
    await rename(aside, `${log}.1`)
    return true
  } catch (thrown) {
    if (!isNoRoom(thrown)) throw thrown
    for (const path of [aside, `${log}.1`]) await rm(path, { force: true })
    return false
  }
}

const chunkBytes = 1_048_576

async function copyEnd(file: FileHandle, { from, to }: Span, path: string): Promise<void> {
  const target = await open(path, 'w', 0o600)
  try {
    const chunk = Buffer.alloc(Math.min(chunkBytes, to - from))
    for (let at = from; at < to; ) {
      const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, to - at), at)
      if (bytesRead === 0) return
      await target.write(chunk, 0, bytesRead)
      at += bytesRead
    }
  } finally {
    await target.close()
  }
}

const linesMax = 10_000
const readBytesMax = 1_048_576

/**
 * The last lines that an instance's command wrote, oldest first; none when it has no log.
 *
 * `lines` is 0 to 10_000; at most 1 MiB is read, and a line that begins before that is cut. Throws on an id
 * that is no instance id: a caller has looked its instance up by then.
 */
export async function readLog(of: {
  readonly dataDir: string
  readonly instanceId: string
  readonly lines: number
}): Promise<readonly string[]> {
  const { log } = folderOf(of.dataDir, of.instanceId)
  const wanted = Math.min(Math.max(0, Math.trunc(of.lines)), linesMax)
  const newest = await endOf(log, readBytesMax)
  const older =
    newest.length < readBytesMax ? await endOf(`${log}.1`, readBytesMax - newest.length) : empty
  const text = Buffer.concat([older, newest]).toString('utf8')
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
  return text === '' || wanted === 0 ? [] : lines.slice(-wanted)
}

const empty = Buffer.alloc(0)

async function endOf(path: string, bytesMax: number): Promise<Buffer> {
  const file = await openIfThere(path, 'r')
  if (file === null) return empty
  try {
    const { size } = await file.stat()
    const length = Math.min(size, bytesMax)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function openIfThere(path: string, flags: string): Promise<FileHandle | null> {
  try {
    return await open(path, flags)
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null
    throw thrown
  }
}
