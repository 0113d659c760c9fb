// Verifies requests signed with the scheme SDK-HMAC-SHA256.
//
// `parse` needs no key and says whose key to look up; `verify` does the rest. Looking up the key,
// comparing a security token and asking whether the user may act in a project are the door's.
// What was signed is read from the wire as it came: nothing is normalised before it is verified.
// A failed check is a value, and no value holds a secret or what the signature should have been.
// No replay cache: clients repeat identical requests when a connection breaks.
// Source: identity contract, section 6; AKSKSigner.ts, signer.py, signer.go of the vendor's SDKs.

import { type Result, err, ok } from '#kernel/errors.ts'
import {
  type SignedRequest,
  canonicalHeaders,
  canonicalPath,
  canonicalQuery,
  decodeQuery,
  emptyHash,
  filledHeader,
  hmac,
  isHexOf,
  parseAuthorization,
  parseBasicDate,
  percentDecode,
  percentEncode,
  sha256Hex,
  signedHeaderNames,
  trimBlanks,
} from './signature.ts'

const algorithm = 'SDK-HMAC-SHA256'
const unsignedPayload = 'UNSIGNED-PAYLOAD'
const dateHeader = 'x-sdk-date'
const hashHeader = 'x-sdk-content-sha256'
const clockSkewMsMax = 15 * 60_000
const printable = /^[\x21-\x7e]+$/
const hexHash = /^[0-9A-Fa-f]{64}$/

/** Why `parse` cannot say whose request this is. */
export type ParseError =
  /** No `Authorization` at all. */
  | { readonly code: 'Missing' }
  /** `Authorization` of another scheme, one of the same family included. */
  | { readonly code: 'UnknownScheme' }
  | {
      readonly code: 'Malformed'
      readonly part: 'authorization' | 'access' | 'signed-headers' | 'signature'
    }

/** Why a request is not what the holder of the key signed, or not any more. */
export type VerifyError =
  | { readonly code: 'DateMissing' }
  | { readonly code: 'DateMalformed' }
  | { readonly code: 'DateNotSigned' }
  /** More than 15 minutes before or after now. */
  | { readonly code: 'DateExpired' }
  /** Only with `hostMustBeSigned`. */
  | { readonly code: 'HostNotSigned' }
  /** The payload hash header is neither a hash nor the literal for an unsigned payload. */
  | { readonly code: 'HashMalformed' }
  /** The body is declared unsigned where it may not be. */
  | { readonly code: 'BodyNotSigned' }
  /** The body is not the one whose hash the request declares. */
  | { readonly code: 'BodyMismatch' }
  /** The signature is not that of this request under this key. */
  | { readonly code: 'Mismatch' }

export interface Parsed {
  readonly accessKeyId: string
  /** Lower case, in the order they were signed. */
  readonly signedHeaders: readonly string[]
  /** The list as it came; it is signed verbatim. */
  readonly signedHeadersText: string
  readonly signature: string
  /** `X-Project-Id`, `X-Domain-Id`, `X-Security-Token`; undefined when absent or empty. */
  readonly projectId: string | undefined
  readonly domainId: string | undefined
  readonly securityToken: string | undefined
}

export interface Verified {
  /** False when the payload was declared unsigned: anybody on the way may have changed it. */
  readonly isBodySigned: boolean
}

/** Reads who claims to have signed this request. Needs no key and proves nothing. */
export function parse(request: SignedRequest): Result<Parsed, ParseError> {
  const header = filledHeader(request.headers, 'authorization')
  if (header === undefined) return err({ code: 'Missing' })
  const { scheme, parts } = parseAuthorization(header)
  if (scheme !== algorithm) return err({ code: 'UnknownScheme' })
  if (parts === undefined) return err({ code: 'Malformed', part: 'authorization' })
  // Refusals name the key, so it must be safe to print.
  const accessKeyId = parts.get('Access') ?? ''
  if (!printable.test(accessKeyId)) return err({ code: 'Malformed', part: 'access' })
  const signedHeadersText = parts.get('SignedHeaders') ?? ''
  const signedHeaders = signedHeaderNames(signedHeadersText)
  if (signedHeaders === undefined) return err({ code: 'Malformed', part: 'signed-headers' })
  const signature = parts.get('Signature') ?? ''
  if (signature === '') return err({ code: 'Malformed', part: 'signature' })
  return ok({
    accessKeyId,
    signedHeaders,
    signedHeadersText,
    signature,
    projectId: filledHeader(request.headers, 'x-project-id'),
    domainId: filledHeader(request.headers, 'x-domain-id'),
    securityToken: filledHeader(request.headers, 'x-security-token'),
  })
}

/**
 * Checks the moment of signing: present, signed, and at most 15 minutes from now. Answers its text.
 *
 * `verify` checks it too; call this where the clock comes before something between the two.
 */
export function checkDate(
  request: SignedRequest,
  parsed: Parsed,
  nowMs: number,
): Result<string, VerifyError> {
  const date = filledHeader(request.headers, dateHeader)
  if (date === undefined) return err({ code: 'DateMissing' })
  if (!parsed.signedHeaders.includes(dateHeader)) return err({ code: 'DateNotSigned' })
  const signedAtMs = parseBasicDate(date)
  if (signedAtMs === undefined) return err({ code: 'DateMalformed' })
  if (Math.abs(nowMs - signedAtMs) > clockSkewMsMax) return err({ code: 'DateExpired' })
  return ok(date)
}

/**
 * Checks date, body and signature under the secret of `parsed.accessKeyId`.
 *
 * Behind a proxy that rewrites `Host`, put the public name into `request.headers` first.
 *
 * @param secret  as given to its owner; its UTF-8 bytes are the key.
 * @param hostMustBeSigned  refuses a signature that would also do for another server. Off by
 *   default: one of the vendor's own SDKs never signs the host.
 */
export function verify(
  request: SignedRequest,
  parsed: Parsed,
  secret: string,
  nowMs: number,
  { hostMustBeSigned = false }: { readonly hostMustBeSigned?: boolean } = {},
): Result<Verified, VerifyError> {
  const date = checkDate(request, parsed, nowMs)
  if (!date.ok) return date
  if (hostMustBeSigned && !parsed.signedHeaders.includes('host')) {
    return err({ code: 'HostNotSigned' })
  }
  const payloads = payloadHashes(request, parsed)
  if (!payloads.ok) return payloads
  const headers = canonicalHeaders(request.headers, parsed.signedHeaders, trimBlanks)
  if (headers === undefined) return err({ code: 'Mismatch' })
  const query = canonicalQuery(decodeQuery(request.rawQuery, 'plus'), 'decoded')
  const method = request.method.toUpperCase()
  const uris = canonicalUris(request.rawPath)
  for (const payload of payloads.value) {
    for (const uri of uris) {
      const canonical = [method, uri, query, headers, parsed.signedHeadersText, payload].join('\n')
      const bytes = `${algorithm}\n${date.value}\n${sha256Hex(canonical)}`
      if (isHexOf(hmac({ key: secret, bytes }), parsed.signature)) {
        return ok({ isBodySigned: payload !== unsignedPayload })
      }
    }
  }
  return err({ code: 'Mismatch' })
}

/** The payload lines that the caller may have signed, the likeliest first. */
function payloadHashes(
  request: SignedRequest,
  parsed: Parsed,
): Result<readonly string[], VerifyError> {
  const declared = filledHeader(request.headers, hashHeader)
  if (declared === undefined) return ok([sha256Hex(request.body)])
  if (declared === unsignedPayload) {
    if (!parsed.signedHeaders.includes(hashHeader) || !mayBeUnsigned(request)) {
      return err({ code: 'BodyNotSigned' })
    }
    // Source: signer.py; without a body it signs the empty body's hash, whatever it declares.
    return ok(request.body.length === 0 ? [unsignedPayload, emptyHash] : [unsignedPayload])
  }
  if (!hexHash.test(declared)) return err({ code: 'HashMalformed' })
  if (declared.toLowerCase() !== sha256Hex(request.body)) return err({ code: 'BodyMismatch' })
  return ok([declared])
}

/**
 * Only a body that is not JSON may go unsigned. A body of no declared type counts as JSON, since a
 * door may read it so; and since the type need not be signed, so does any type that mentions it.
 */
function mayBeUnsigned(request: SignedRequest): boolean {
  const type = filledHeader(request.headers, 'content-type')
  return type === undefined ? request.body.length === 0 : !/json/i.test(type)
}

/**
 * The canonical URIs that a client may have signed, the likeliest first; mostly there is only one.
 *
 * Source: AKSKSigner.ts encodes once more what Node's old URL parser has escaped. That one leaves
 * non-ASCII characters alone, and escapes three that the new one, which writes the wire, may not.
 */
function canonicalUris(rawPath: string): readonly string[] {
  const decoded = withSlash(canonicalPath(rawPath, percentDecode))
  if (!/[%'^|]/.test(rawPath)) return [decoded]
  const again = [rawPath, rawPath.replaceAll(/['^|]/g, percentEncode)].flatMap((path) => [
    withSlash(canonicalPath(path, (segment) => segment)),
    withSlash(canonicalPath(path, (segment) => percentDecode(segment, 0x80))),
  ])
  return [...new Set([decoded, ...again])]
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}
