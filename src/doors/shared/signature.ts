// What request-signature schemes share: percent encoding, canonical texts, hashes, a comparison.
//
// Text here is a *byte string*: each character is one byte, as Node's HTTP parser hands out targets
// and header values. Hashing writes it back byte for byte; `textOf` reads it as UTF-8 for a door.
// Refuses to know a scheme, to look up a key, to read a clock.
// Nothing here throws, whatever the wire brings; only the sort of a query is not linear.
// Comparing byte strings with `<` is comparing bytes, which UTF-16 text would not give.

import { type KeyObject, createHmac, hash, timingSafeEqual } from 'node:crypto'

/** A request as received: nothing decoded, nothing normalised, the body before any parsing. */
export interface SignedRequest {
  readonly method: string
  /** The target up to the first `?`. */
  readonly rawPath: string
  /** The target after the first `?`; empty without one. */
  readonly rawQuery: string
  /** Lower-case names, as `IncomingMessage.headers` has them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

/** One decoded `name=value` of a query, both byte strings. */
export interface QueryPair {
  readonly name: string
  readonly value: string
}

export const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const wide = /[\u0100-\uffff]/
const highByte = /[\u0080-\u00ff]/
const plainText = /^[A-Za-z0-9\-._~]*$/
const plainPath = /^[A-Za-z0-9\-._~/]*$/
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const lowerHexHash = /^[0-9a-f]{64}$/
const basicDate = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** What each byte becomes in RFC 3986 encoding. */
const encodedByte = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return plainText.test(character)
    ? character
    : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
})

/** The byte string of any text. No socket brings wide characters; in tests they mean UTF-8. */
export function bytesOf(text: string): string {
  return wide.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text
}

/** Reads a byte string as UTF-8. */
export function textOf(bytes: string): string {
  return highByte.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes
}

/** RFC 3986: keeps `A-Z a-z 0-9 - . _ ~`, writes every other byte as `%XX` in upper-case hex. */
export function percentEncode(bytes: string): string {
  if (plainText.test(bytes)) return bytes
  let out = ''
  for (let at = 0; at < bytes.length; at += 1) out += encodedByte[bytes.charCodeAt(at)]
  return out
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** The byte that a `%XX` at this place stands for, or -1. Past the end digits are NaN: -1 too. */
function escapeAt(bytes: string, at: number): number {
  const high = hexDigit(bytes.charCodeAt(at + 1))
  const low = hexDigit(bytes.charCodeAt(at + 2))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

/**
 * Undoes percent encoding. An escape that is none stays as it stands, as in most client libraries.
 *
 * @param from  decodes only escapes of bytes from here on; 0 decodes all.
 */
export function percentDecode(bytes: string, from = 0): string {
  let at = bytes.indexOf('%')
  if (at < 0) return bytes
  let out = ''
  let copied = 0
  while (at >= 0) {
    const byte = escapeAt(bytes, at)
    if (byte >= from) {
      out += bytes.slice(copied, at) + String.fromCharCode(byte)
      copied = at + 3
    }
    at = bytes.indexOf('%', byte < 0 ? at + 1 : at + 3)
  }
  return out + bytes.slice(copied)
}

/**
 * Splits and decodes a raw query or form, in wire order.
 *
 * A name without `=` has an empty value; nothing between two `&` is no pair.
 *
 * @param plus  what `+` means: schemes differ.
 */
export function decodeQuery(raw: string, plus: 'plus' | 'space'): readonly QueryPair[] {
  if (raw === '') return []
  let bytes = bytesOf(raw)
  if (plus === 'space') bytes = bytes.replaceAll('+', ' ')
  const pairs: QueryPair[] = []
  for (const piece of bytes.split('&')) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    const name = equals < 0 ? piece : piece.slice(0, equals)
    const value = equals < 0 ? '' : piece.slice(equals + 1)
    pairs.push({ name: percentDecode(name), value: percentDecode(value) })
  }
  return pairs
}

function byNameThenValue(one: QueryPair, other: QueryPair): number {
  if (one.name !== other.name) return one.name < other.name ? -1 : 1
  if (one.value === other.value) return 0
  return one.value < other.value ? -1 : 1
}

/**
 * Writes decoded pairs as one canonical text, sorted by name, then value.
 *
 * @param sortBy  whether bytes are compared before or after encoding: `:` sorts differently.
 */
export function canonicalQuery(pairs: readonly QueryPair[], sortBy: 'decoded' | 'encoded'): string {
  const encode = (pair: QueryPair) => ({
    name: percentEncode(pair.name),
    value: percentEncode(pair.value),
  })
  const sorted =
    sortBy === 'decoded'
      ? pairs.toSorted(byNameThenValue).map(encode)
      : pairs.map(encode).sort(byNameThenValue)
  return sorted.map((pair) => `${pair.name}=${pair.value}`).join('&')
}

/** Encodes each segment of a path, slashes apart; `decodeFirst` undoes the wire's own encoding. */
export function canonicalPath(rawPath: string, decodeFirst: (segment: string) => string): string {
  if (plainPath.test(rawPath)) return rawPath
  return bytesOf(rawPath)
    .split('/')
    .map((segment) => percentEncode(decodeFirst(segment)))
    .join('/')
}

/** A header as a byte string. Not what the object inherits: callers may name any header. */
export function headerValue(headers: SignedRequest['headers'], name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  if (value === undefined) return undefined
  return bytesOf(typeof value === 'string' ? value : value.join(', '))
}

/** A header that says something: an empty one counts as absent. */
export function filledHeader(headers: SignedRequest['headers'], name: string): string | undefined {
  const value = headerValue(headers, name)
  return value === '' ? undefined : value
}

/**
 * Splits a `;`-joined list of signed headers into lower-case names; undefined when it is not one.
 *
 * No name may come twice: a short list that repeats one long header would make us hash megabytes.
 */
export function signedHeaderNames(list: string): readonly string[] | undefined {
  const names = list.toLowerCase().split(';')
  const isList = names.every((name) => fieldName.test(name)) && new Set(names).size === names.length
  return isList ? names : undefined
}

/** Cuts blanks off both ends. `trim()` would also cut byte A0, which ends many UTF-8 characters. */
export function trimBlanks(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start += 1
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1
  return value.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/**
 * One `name:value` line with its line feed per signed header; undefined when the request lacks one.
 *
 * @param normalise  how the scheme treats blanks in a value.
 */
export function canonicalHeaders(
  headers: SignedRequest['headers'],
  names: readonly string[],
  normalise: (value: string) => string,
): string | undefined {
  let out = ''
  for (const name of names) {
    const value = headerValue(headers, name)
    if (value === undefined) return undefined
    out += `${name}:${normalise(value)}\n`
  }
  return out
}

/**
 * Takes `Scheme Name=value, Name=value` apart; blanks around parts and their order do not matter.
 *
 * No parts when one has no `=` or a name comes twice: readers could disagree about what was said.
 */
export function parseAuthorization(header: string): {
  readonly scheme: string
  readonly parts: ReadonlyMap<string, string> | undefined
} {
  const text = trimBlanks(header)
  const blank = text.search(/[ \t]/)
  if (blank < 0) return { scheme: text, parts: new Map() }
  const scheme = text.slice(0, blank)
  const parts = new Map<string, string>()
  for (const piece of text.slice(blank + 1).split(',')) {
    const part = trimBlanks(piece)
    const equals = part.indexOf('=')
    const name = part.slice(0, equals)
    if (equals < 1 || parts.has(name)) return { scheme, parts: undefined }
    parts.set(name, part.slice(equals + 1))
  }
  return { scheme, parts }
}

/** Milliseconds since 1970 of `YYYYMMDDTHHMMSSZ`; undefined when that is no real moment. */
export function parseBasicDate(text: string): number | undefined {
  if (!basicDate.test(text)) return undefined
  const iso = text.replace(basicDate, '$1-$2-$3T$4:$5:$6.000Z')
  const ms = Date.parse(iso)
  // Date.parse carries 30 February over into March, so a false moment reads differently.
  return !Number.isNaN(ms) && new Date(ms).toISOString() === iso ? ms : undefined
}

/** Lower-case hex SHA-256 of a body or a byte string. */
export function sha256Hex(data: Buffer | string): string {
  if (data.length === 0) return emptyHash
  return hash('sha256', typeof data === 'string' ? Buffer.from(data, 'latin1') : data, 'hex')
}

/**
 * HMAC-SHA256 of a byte string. A text key, a secret as its owner holds it, counts as UTF-8.
 *
 * A key of bytes comes as a `KeyObject`: Node 24 takes 9 µs with a Buffer, 1.8 with that.
 */
export function hmac({ key, bytes }: { key: string | KeyObject; bytes: string }): Buffer {
  return createHmac('sha256', key).update(bytes, 'latin1').digest()
}

/** Whether this lower-case hex is that hash, in a time that does not tell how nearly. */
export function isHexOf(expected: Buffer, sent: string): boolean {
  return lowerHexHash.test(sent) && timingSafeEqual(expected, Buffer.from(sent, 'hex'))
}
