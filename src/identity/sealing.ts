// Keeps access keys' secrets encrypted at rest: a store's file alone gives none of them away.
//
// - AES-256-GCM with a fresh nonce each; bound to the owner's id, so a sealed text moved to another row is void.
// - The key is in a file beside the store that only its owner may read. It is never replaced: without it,
//   every access key is lost, so a missing one is refused where a store already has users.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { unreachable } from '#kernel/assert.ts'
import { type Result, err, ok } from '#kernel/errors.ts'

export type KeyFault =
  | { readonly code: 'KeyMissing'; readonly path: string }
  | { readonly code: 'KeyExposed'; readonly path: string }
  | { readonly code: 'KeyUnreadable'; readonly path: string; readonly why: string }
  /** It is a key, but not the one that sealed what the store holds. */
  | { readonly code: 'KeyWrong'; readonly path: string }

export interface Sealer {
  seal(text: string, owner: string): string
  /** Undefined when this is not what the same key sealed for the same owner. */
  unseal(sealed: string, owner: string): string | undefined
}

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const version = 'v1.'

export function sealerOf(key: Buffer): Sealer {
  return {
    seal(text, owner) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(owner))
      const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return version + Buffer.concat([nonce, cipher.getAuthTag(), bytes]).toString('base64url')
    },
    unseal(sealed, owner) {
      if (!sealed.startsWith(version)) return undefined
      const bytes = Buffer.from(sealed.slice(version.length), 'base64url')
      if (bytes.length < nonceBytes + tagBytes) return undefined
      const nonce = bytes.subarray(0, nonceBytes)
      const tag = bytes.subarray(nonceBytes, nonceBytes + tagBytes)
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
        .setAAD(Buffer.from(owner))
        .setAuthTag(tag)
      try {
        const head = decipher.update(bytes.subarray(nonceBytes + tagBytes))
        return Buffer.concat([head, decipher.final()]).toString('utf8')
      } catch {
        // `final` throws for nothing but a tag that does not fit.
        return undefined
      }
    },
  }
}

/** A key that lives as long as the process: for stores that do. */
export const passingKey = (): Buffer => randomBytes(keyBytes)

/**
 * Reads `<folder>/secret.key`, or makes it where it may.
 *
 * @param mayCreate  false when something was sealed already: a new key could not open it.
 */
export async function openSecretKey(
  folder: string,
  { mayCreate }: { readonly mayCreate: boolean },
): Promise<Result<Buffer, KeyFault>> {
  const path = join(folder, 'secret.key')
  try {
    const file = await open(path, 'r')
    return await closing(file, () => readKey(file, path))
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') return unreadable(path, error)
  }
  if (!mayCreate) return err({ code: 'KeyMissing', path })
  try {
    // Written whole under another name first: a crash must not leave half a key under this one.
    const draft = `${path}.new`
    const file = await open(draft, 'w', 0o600)
    const key = await closing(file, () => writeKey(file))
    await rename(draft, path)
    // The name must be on disk before anything sealed with the key is.
    const directory = await open(folder, 'r')
    await closing(directory, () => directory.sync())
    return ok(key)
  } catch (error) {
    return unreadable(path, error)
  }
}

async function readKey(file: FileHandle, path: string): Promise<Result<Buffer, KeyFault>> {
  const { mode } = await file.stat()
  if ((mode & 0o077) !== 0) return err({ code: 'KeyExposed', path })
  const key = Buffer.from((await file.readFile('utf8')).trim(), 'base64')
  return key.length === keyBytes ? ok(key) : unreadable(path, 'it is not a key of 32 bytes')
}

async function writeKey(file: FileHandle): Promise<Buffer> {
  const key = randomBytes(keyBytes)
  await file.writeFile(`${key.toString('base64')}\n`)
  await file.sync()
  return key
}

async function closing<T>(file: FileHandle, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } finally {
    await file.close()
  }
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined

const unreadable = (path: string, error: unknown) =>
  err({
    code: 'KeyUnreadable' as const,
    path,
    why: error instanceof Error ? error.message : String(error),
  })

/** One line for the person who started the server. */
export function keyFaultText(fault: KeyFault): string {
  switch (fault.code) {
    case 'KeyMissing':
      return `${fault.path} is missing, but the store holds secrets sealed with it: put the file back`
    case 'KeyExposed':
      return `${fault.path} can be read by others: chmod 600 it (and replace the keys if somebody did)`
    case 'KeyUnreadable':
      return `${fault.path} cannot be used: ${fault.why}`
    case 'KeyWrong':
      return `${fault.path} is not the key that this store's secrets were sealed with: put the right file back`
    default:
      return unreachable(fault)
  }
}
