// Verifies requests signed with the scheme HMAC-SHA256: in a header, or presigned in the query.
//
// In the gateway's order: `parse`, then the door looks up the access key, `checkWindow`, then the
// door compares the session token, `verify`, `checkService`. Each error is the first that the
// gateway would report at that point and carries the name the vendor gave it.
// What a signature does not cover is never believed: a presigned request with an unsigned
// parameter, an unsigned lifetime or a body is refused whole.
// A failed check is a value, and no value holds a secret or what the signature should have been.
// No replay cache: clients repeat identical requests within a second.
// Source: ECS contract, sections 4 and 5.

import { type KeyObject, createSecretKey } from 'node:crypto'
import { type Result, err, ok } from '#kernel/errors.ts'
import {
  type QueryPair,
  type SignedRequest,
  canonicalHeaders,
  canonicalPath,
  canonicalQuery,
  decodeQuery,
  emptyHash,
  filledHeader,
  headerValue,
  hmac,
  isHexOf,
  parseAuthorization,
  parseBasicDate,
  percentDecode,
  sha256Hex,
  signedHeaderNames,
  trimBlanks,
} from '#doors/shared/signature.ts'

const algorithm = 'HMAC-SHA256'
const terminator = 'request'
const lifeMsDefault = 900_000
const aheadMsMax = 900_000
const signingKeysMax = 256
/** One element of a credential: printable, so that refusals may name it. */
const element = /^[\x21-\x2e\x30-\x7e]+$/
const seconds = /^\d{1,9}$/
const defaultPort = /:(?:80|443)$/

export type ParseError =
  /** Neither `Authorization` nor anything of the presigned form. */
  | { readonly code: 'MissingAuthenticationToken' }
  | { readonly code: 'MissingSignature' }
  | { readonly code: 'InvalidAuthorization' }
  | { readonly code: 'InvalidCredential' }
  | { readonly code: 'MissingRequestInfo'; readonly what: 'timestamp' }

/** Signed too long ago, or too far ahead, or at no moment that can be read. */
export type WindowError = { readonly code: 'InvalidTimestamp' }

export type MatchError = {
  readonly code: 'SignatureDoesNotMatch'
  /** For the operator's log; the caller gets one text for all. */
  readonly because: 'signature' | 'body-hash' | 'header-absent' | 'date-not-signed' | 'unsigned'
}

export type ServiceError = { readonly code: 'ServiceNotFound'; readonly service: string }

export interface Parsed {
  readonly accessKeyId: string
  readonly region: string
  readonly service: string
  /** `X-Date` as it came, and as a moment when it can be read as one. */
  readonly date: string
  readonly signedAtMs: number | undefined
  /** How long the signature lives; undefined when the request states a lifetime that is none. */
  readonly lifeMs: number | undefined
  readonly securityToken: string | undefined
  /** Every parameter of the query, decoded, in wire order; `textOf` reads them as UTF-8. */
  readonly query: readonly QueryPair[]
  /** Lower case, in the order they were signed. */
  readonly signedHeaders: readonly string[]
  /** The list as it came; it is signed verbatim. */
  readonly signedHeadersText: string
  readonly signature: string
  /** What the presigned form covers; undefined in the header form, which covers the whole query. */
  readonly signedQueries: ReadonlySet<string> | undefined
}

/**
 * Reads who claims to have signed this request. Needs no key and proves nothing.
 *
 * @param query  `decodeQuery(request.rawQuery, 'space')`, for a door that has it already.
 */
export function parse(
  request: SignedRequest,
  query: readonly QueryPair[] = decodeQuery(request.rawQuery, 'space'),
): Result<Parsed, ParseError> {
  const authorization = filledHeader(request.headers, 'authorization')
  if (authorization !== undefined) return parseHeader(request, query, authorization)
  if (isGiven(query, 'X-Credential') || isGiven(query, 'X-Signature')) return parsePresigned(query)
  return err({ code: 'MissingAuthenticationToken' })
}

function parseHeader(
  request: SignedRequest,
  query: readonly QueryPair[],
  authorization: string,
): Result<Parsed, ParseError> {
  const { scheme, parts } = parseAuthorization(authorization)
  if (scheme !== algorithm || parts === undefined) return err({ code: 'InvalidAuthorization' })
  const signature = parts.get('Signature') ?? ''
  if (signature === '') return err({ code: 'MissingSignature' })
  const credential = parts.get('Credential')
  const signedHeadersText = parts.get('SignedHeaders') ?? ''
  const signedHeaders = signedHeaderNames(signedHeadersText)
  if (credential === undefined || signedHeaders === undefined) {
    return err({ code: 'InvalidAuthorization' })
  }
  return withCredential(credential, {
    date: headerValue(request.headers, 'x-date') ?? '',
    lifeMs: lifeOf(query),
    securityToken: filledHeader(request.headers, 'x-security-token'),
    query,
    signedHeaders,
    signedHeadersText,
    signature,
    signedQueries: undefined,
  })
}

function parsePresigned(query: readonly QueryPair[]): Result<Parsed, ParseError> {
  const signature = valueOf(query, 'X-Signature')
  if (signature === '') return err({ code: 'MissingSignature' })
  const signedHeadersText = valueOf(query, 'X-SignedHeaders')
  const signedHeaders = signedHeadersText === '' ? [] : signedHeaderNames(signedHeadersText)
  if (valueOf(query, 'X-Algorithm') !== algorithm || signedHeaders === undefined) {
    return err({ code: 'InvalidAuthorization' })
  }
  const token = valueOf(query, 'X-Security-Token')
  const signedQueries = new Set(valueOf(query, 'X-SignedQueries').split(';'))
  return withCredential(valueOf(query, 'X-Credential'), {
    date: valueOf(query, 'X-Date'),
    lifeMs: signedQueries.has('X-Expires') ? lifeOf(query) : lifeMsDefault,
    securityToken: token === '' ? undefined : token,
    query,
    signedHeaders,
    signedHeadersText,
    signature,
    signedQueries,
  })
}

/** Completes what was parsed by `AK/YYYYMMDD/region/service/request` and the signing moment. */
function withCredential(
  credential: string,
  rest: Omit<Parsed, 'accessKeyId' | 'region' | 'service' | 'signedAtMs'>,
): Result<Parsed, ParseError> {
  const [accessKeyId, day, region, service, end, ...more] = credential.split('/')
  const isWhole =
    isElement(accessKeyId) && isElement(day) && isElement(region) && isElement(service)
  if (!isWhole || end !== terminator || more.length > 0) return err({ code: 'InvalidCredential' })
  if (rest.date === '') return err({ code: 'MissingRequestInfo', what: 'timestamp' })
  const signedAtMs = parseBasicDate(rest.date)
  // A date that cannot be read is no wrong scope but a wrong timestamp, which is reported later.
  const isScopeOfDate = signedAtMs === undefined || day === rest.date.slice(0, 8)
  if (!isScopeOfDate) return err({ code: 'InvalidCredential' })
  return ok({ ...rest, accessKeyId, region, service, signedAtMs })
}

function isElement(text: string | undefined): text is string {
  return text !== undefined && element.test(text)
}

function isGiven(query: readonly QueryPair[], name: string): boolean {
  return query.some((pair) => pair.name === name)
}

/** The first value of a parameter; empty means absent, as everywhere in this protocol. */
function valueOf(query: readonly QueryPair[], name: string): string {
  return query.find((pair) => pair.name === name)?.value ?? ''
}

function lifeOf(query: readonly QueryPair[]): number | undefined {
  const expires = valueOf(query, 'X-Expires')
  if (expires === '') return lifeMsDefault
  return seconds.test(expires) ? Number(expires) * 1000 : undefined
}

/**
 * Whether now is within the life of the signature, or at most 15 minutes before it was made.
 *
 * `verify` checks it too; call this where the session token comes between the two.
 */
export function checkWindow(parsed: Parsed, nowMs: number): Result<void, WindowError> {
  const { signedAtMs, lifeMs } = parsed
  if (signedAtMs === undefined || lifeMs === undefined) return err({ code: 'InvalidTimestamp' })
  const isNow = nowMs - lifeMs <= signedAtMs && signedAtMs <= nowMs + aheadMsMax
  return isNow ? ok(undefined) : err({ code: 'InvalidTimestamp' })
}

/**
 * Checks window, body and signature under the secret of `parsed.accessKeyId`.
 *
 * `request` is the one that was parsed. After an `ok` its method, path, query and body are the key
 * holder's; of a presigned one, every parameter that does not begin with `X-`, and no body came.
 *
 * @param secret  the literal text given to its owner, never decoded.
 */
export function verify(
  request: SignedRequest,
  parsed: Parsed,
  secret: string,
  nowMs: number,
): Result<void, WindowError | MatchError> {
  const window = checkWindow(parsed, nowMs)
  if (!window.ok) return window
  const covered =
    parsed.signedQueries === undefined
      ? coveredByHeader(request, parsed)
      : coveredByQueries(request, parsed.query, parsed.signedQueries)
  if (!covered.ok) return covered
  const path = request.rawPath === '' ? '/' : canonicalPath(request.rawPath, percentDecode)
  const query = canonicalQuery(covered.value.query, 'encoded')
  const head = [request.method.toUpperCase(), path, query]
  const tail = [parsed.signedHeadersText, covered.value.payload]
  const elements = [parsed.date.slice(0, 8), parsed.region, parsed.service, terminator]
  const scope = elements.join('/')
  const memoKey = sha256Hex(Buffer.from(`${scope}/${secret}`, 'utf8'))
  const signingKey = signingKeys.get(memoKey) ?? deriveSigningKey(elements, secret)
  for (const headers of headerVariants(request)) {
    const lines = canonicalHeaders(headers, parsed.signedHeaders, tidyBlanks)
    if (lines === undefined) return mismatch('header-absent')
    // Without any signed header the generators write a bare line feed.
    const canonical = [...head, lines === '' ? '\n' : lines, ...tail].join('\n')
    const bytes = `${algorithm}\n${parsed.date}\n${scope}\n${sha256Hex(canonical)}`
    if (isHexOf(hmac({ key: signingKey, bytes }), parsed.signature)) {
      remember(memoKey, signingKey)
      return ok(undefined)
    }
  }
  return mismatch('signature')
}

/** Whether the credential's scope names a service that is served here. */
export function checkService(
  parsed: Parsed,
  served: ReadonlySet<string>,
): Result<void, ServiceError> {
  if (served.has(parsed.service)) return ok(undefined)
  return err({ code: 'ServiceNotFound', service: parsed.service })
}

interface Covered {
  readonly query: readonly QueryPair[]
  readonly payload: string
}

function coveredByHeader(request: SignedRequest, parsed: Parsed): Result<Covered, MatchError> {
  if (!parsed.signedHeaders.includes('x-date')) return mismatch('date-not-signed')
  const actual = sha256Hex(request.body)
  const declared = filledHeader(request.headers, 'x-content-sha256')
  if (declared !== undefined && declared.toLowerCase() !== actual) return mismatch('body-hash')
  return ok({ query: parsed.query, payload: declared ?? actual })
}

/**
 * Only what `X-SignedQueries` names counts, and it must name all that means anything.
 *
 * Source: ECS contract, section 4.5. Whether the list names itself differs between
 * generators, so it is read like any other parameter.
 */
function coveredByQueries(
  request: SignedRequest,
  query: readonly QueryPair[],
  signed: ReadonlySet<string>,
): Result<Covered, MatchError> {
  if (!signed.has('X-Date')) return mismatch('date-not-signed')
  const isWhole =
    query.every(({ name }) => signed.has(name) || mayGoUnsigned(name)) &&
    isGiven(query, 'Action') &&
    isGiven(query, 'Version')
  // A body is never signed in this form, and its parameters would override those of the query.
  if (!isWhole || request.body.length > 0) return mismatch('unsigned')
  const covered = query.filter(({ name }) => signed.has(name) && name !== 'X-Signature')
  return ok({ query: covered, payload: emptyHash })
}

/** Of the gateway's parameters, only one that lets all others live longer must be signed. */
function mayGoUnsigned(name: string): boolean {
  return name.startsWith('X-') && name !== 'X-Expires'
}

function mismatch(because: MatchError['because']): { ok: false; error: MatchError } {
  return err({ code: 'SignatureDoesNotMatch', because })
}

/**
 * The headers as received, then without a default port in `host`.
 *
 * Source: ECS contract, section 4.2: the vendor's Go and Python signers cut 80 and
 * 443 off before they sign and send them nevertheless; its Node signer does not.
 */
function headerVariants(request: SignedRequest): readonly SignedRequest['headers'][] {
  const host = headerValue(request.headers, 'host')
  if (host === undefined || !defaultPort.test(host)) return [request.headers]
  return [request.headers, { ...request.headers, host: host.replace(defaultPort, '') }]
}

function tidyBlanks(value: string): string {
  return trimBlanks(value).replaceAll(/[ \t]+/g, ' ')
}

function deriveSigningKey(elements: readonly string[], secret: string): KeyObject {
  const [day = '', ...rest] = elements
  let key = createSecretKey(hmac({ key: secret, bytes: day }))
  for (const bytes of rest) key = createSecretKey(hmac({ key, bytes }))
  return key
}

/**
 * Derived keys, least recently used first: to derive one takes about as long as the rest of
 * `verify`. A pure function remembered, so shared by all. Its names are hashes, because a secret is
 * not ours to keep. Only a key that has verified something stays, so that nobody without a secret
 * can push others' keys out.
 */
const signingKeys = new Map<string, KeyObject>()

function remember(memoKey: string, signingKey: KeyObject): void {
  signingKeys.delete(memoKey)
  signingKeys.set(memoKey, signingKey)
  if (signingKeys.size <= signingKeysMax) return
  const [oldest] = signingKeys.keys()
  if (oldest !== undefined) signingKeys.delete(oldest)
}
