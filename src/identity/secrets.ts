// Makes, hashes and compares secrets. Knows no rows and keeps nothing.
//
// - Passwords are hashed with scrypt, off the event loop; the text says its own parameters, so that they can be
//   raised without making old hashes void.
// - Random secrets carry at least 128 random bits; of those that a caller sends whole, only a SHA-256 is kept.
// - Comparisons take a time that does not depend on where two texts differ.

import { hash, randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto'

export interface ScryptCost {
  /** A power of two. Memory is 128 × blocks × r bytes. */
  readonly blocks: number
  readonly r: number
  readonly parallel: number
}

/** 16 MiB and about 0.1 s. Source: OWASP Password Storage Cheat Sheet, scrypt, fourth choice. */
export const defaultCost: ScryptCost = { blocks: 2 ** 14, r: 8, parallel: 5 }

const hashBytes = 32
const saltBytes = 16
const memoryBytesMax = 256 * 1024 * 1024
const hashText = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([A-Za-z0-9_-]+)\$([A-Za-z0-9_-]+)$/

export async function hashPassword(password: string, cost: ScryptCost): Promise<string> {
  const salt = randomBytes(saltBytes)
  const key = await derive(password, salt, cost)
  const parameters = [cost.blocks, cost.r, cost.parallel].join('$')
  return `scrypt$${parameters}$${salt.toString('base64url')}$${key.toString('base64url')}`
}

/** Whether the text is a hash of this password. A text that is no hash fits no password. */
export async function passwordFits(password: string, text: string): Promise<boolean> {
  const [, blocks, r, parallel, salt = '', key = ''] = hashText.exec(text) ?? []
  if (blocks === undefined) return false
  const wanted = Buffer.from(key, 'base64url')
  const found = await derive(password, Buffer.from(salt, 'base64url'), {
    blocks: Number(blocks),
    r: Number(r),
    parallel: Number(parallel),
  })
  return wanted.length === found.length && timingSafeEqual(wanted, found)
}

/** A hash that no known password has, at the same cost as real ones: what unknown users are checked against. */
export function hashOfNobody(cost: ScryptCost): string {
  const parameters = [cost.blocks, cost.r, cost.parallel].join('$')
  const random = (bytes: number) => randomBytes(bytes).toString('base64url')
  return `scrypt$${parameters}$${random(saltBytes)}$${random(hashBytes)}`
}

function derive(password: string, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
  const options = { N: cost.blocks, r: cost.r, p: cost.parallel, maxmem: memoryBytesMax }
  // The same password may be typed composed or decomposed; NFKC makes both one text.
  const text = password.normalize('NFKC')
  return new Promise((resolve, reject) => {
    scrypt(text, salt, hashBytes, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

export const fingerprint = (text: string): string => hash('sha256', text, 'hex')

/** Compares two texts of any length without telling where they differ, nor how long the kept one is. */
export function sameText(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'))
}

/** 256 random bits. The prefix lets secret scanners find it, and no token starts with a dash. */
export const tokenText = (): string => `rst_${randomBytes(32).toString('base64url')}`

/** What can be a token's text at all: URL-safe, at most 255 characters. Other issuers' tokens pass too. */
export const looksLikeToken = (text: string): boolean => /^[A-Za-z0-9._~+/=-]{1,255}$/.test(text)

/** 22 characters of URL-safe base64. Source: contracts/identity.md section 4.2. */
export const auditId = (): string => randomBytes(16).toString('base64url')

const upperAndDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const lettersAndDigits = `${upperAndDigits}abcdefghijklmnopqrstuvwxyz`

function pick(alphabet: string, length: number): string {
  let text = ''
  while (text.length < length) text += alphabet[randomInt(alphabet.length)]
  return text
}

export const password = (): string => pick(lettersAndDigits, 24)
export const appCredentialSecret = (): string => randomBytes(64).toString('base64url')
export const securityTokenText = (): string => randomBytes(96).toString('base64url')

export interface KeyPair {
  /** The access key id. */
  readonly id: string
  readonly secret: string
}

/** Two looks of an access key pair: clients and people tell clouds apart by them, the rest of runstate does not. */
export const keyPairs = {
  /** 20 upper-case letters and digits; 40 letters and digits. */
  plain: (): KeyPair => ({ id: pick(upperAndDigits, 20), secret: pick(lettersAndDigits, 40) }),
  /** `AKLT` and 43 letters and digits; 60 letters and digits. */
  long: (): KeyPair => ({
    id: `AKLT${pick(lettersAndDigits, 43)}`,
    secret: pick(lettersAndDigits, 60),
  }),
} as const satisfies Record<string, () => KeyPair>
