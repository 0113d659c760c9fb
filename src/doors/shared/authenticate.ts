// Who sent this request: proved by a token or by a signature. One way for all doors, so that each protocol's
// codes are a table over one closed union and no door forgets a check.
//
// - A signature wins over a token, and a wrong one is refused: there is no falling back to the token.
// - A signed request acts in the project of its header, else of its URL, else of its key, else in none.
// - Whether the caller's project is the one in the URL is for the door to say: protocols check it at different
//   moments. What the caller may do is the kernel's table (access.ts).
//
// Source: contracts/identity.md sections 6.4, 6.5 and 10.3.

import { unreachable } from '#kernel/assert.ts'
import type { Caller } from '#kernel/caller.ts'
import { type Result, err, ok } from '#kernel/errors.ts'
import type { AccessKey, Token } from '#kernel/identity.ts'
import { projectId } from '#kernel/ids.ts'
import type { AuthFailure, Identity } from '#kernel/ports/identity.ts'
import { type Exchange, header } from './http.ts'
import { type VerifyError, checkDate, parse, verify } from './sdk-hmac.ts'

export type Proof = 'token' | 'bearer' | 'sdk-hmac'

/** Why nobody is known to have sent the request, or why not in that place. */
export type AuthRefusal =
  /** No proof of a kind that is allowed here. */
  | { readonly code: 'NoCredentials' }
  /** Text that no issuer hands out. */
  | { readonly code: 'TokenMalformed' }
  /** Never issued here, or so long ago that it is forgotten. */
  | { readonly code: 'TokenUnknown' }
  | { readonly code: 'TokenExpired' }
  /** Ended early: revoked, its user changed, disabled or removed, its project disabled, its role gone. */
  | { readonly code: 'TokenRevoked' }
  /** An `Authorization` of a scheme that is not served. */
  | { readonly code: 'SchemeUnknown' }
  | { readonly code: 'HeaderMalformed'; readonly part: string }
  /** A header that the signature needs is not there, or is not signed. */
  | { readonly code: 'HeaderMissing'; readonly name: string }
  | { readonly code: 'KeyUnknown'; readonly accessKeyId: string }
  /** Switched off, or its user is. */
  | { readonly code: 'KeyDisabled'; readonly accessKeyId: string }
  | { readonly code: 'KeyExpired'; readonly accessKeyId: string }
  /** Missing or not the temporary key's. */
  | { readonly code: 'SecurityTokenWrong'; readonly accessKeyId: string }
  /** Signed more than 15 minutes before or after now. */
  | { readonly code: 'DateExpired' }
  | { readonly code: 'SignatureWrong'; readonly accessKeyId: string; readonly why: string }
  /** Known, but without a role in the project named; an unknown project looks the same. 403, not 401. */
  | { readonly code: 'NoRole'; readonly project: string }
  /** Known, but of another domain than the one named. 403, not 401. */
  | { readonly code: 'WrongDomain'; readonly domainId: string }
  /** Known, but acting in no project where one is needed. */
  | { readonly code: 'NoProject'; readonly scope: 'domain' | 'none' }
  | { readonly code: 'Throttled'; readonly retryAfterMs: number }

export type Proved =
  | { readonly by: 'token'; readonly token: Token }
  | { readonly by: 'sdk-hmac'; readonly key: AccessKey; readonly isBodySigned: boolean }

export interface Authenticated {
  readonly caller: Caller
  readonly proved: Proved
  readonly scope: 'project' | 'domain' | 'none'
  readonly projectFrom: 'token' | 'header' | 'url' | 'key' | 'none'
}

type Outcome = Result<Authenticated, AuthRefusal>

export interface AuthNeeds {
  readonly allow: readonly Proof[]
  /** The project in the URL, where a signed request without a project header acts. */
  readonly urlProject?: string
  /** Refuse who acts in no project. */
  readonly needsProject?: true
}

export async function authenticate(
  exchange: Exchange,
  { identity, nowMs }: { readonly identity: Identity; readonly nowMs: number },
  { allow, urlProject, needsProject }: AuthNeeds,
): Promise<Outcome> {
  const found =
    allow.includes('sdk-hmac') && isSigned(exchange)
      ? await bySdkHmac(exchange, identity, nowMs, urlProject)
      : await byToken(exchange, identity, allow)
  if (!found.ok || needsProject !== true || found.value.scope === 'project') return found
  return err({ code: 'NoProject', scope: found.value.scope })
}

const isSigned = (exchange: Exchange): boolean =>
  /^SDK-HMAC-SHA256(\s|$)/.test(header(exchange, 'authorization') ?? '')

/** By `X-Auth-Token`, or by `Authorization: Bearer`. An empty header is no header. */
export async function byToken(
  exchange: Exchange,
  identity: Identity,
  allow: readonly Proof[] = ['token', 'bearer'],
): Promise<Outcome> {
  const text = tokenText(exchange, allow)
  if (!text.ok) return text
  const found = await identity.byToken(text.value)
  if (!found.ok) return err(tokenRefusal(found.error))
  const { caller, token } = found.value
  const scope = scopeOf(caller, token.domainId)
  return ok({
    caller,
    proved: { by: 'token', token },
    scope,
    projectFrom: scope === 'project' ? 'token' : 'none',
  })
}

function tokenText(exchange: Exchange, allow: readonly Proof[]): Result<string, AuthRefusal> {
  const plain = allow.includes('token') ? header(exchange, 'x-auth-token')?.trim() : undefined
  if (plain !== undefined && plain !== '') return ok(plain)
  const authorization = header(exchange, 'authorization')?.trim() ?? ''
  if (authorization === '') return err({ code: 'NoCredentials' })
  const [scheme = '', text = ''] = authorization.split(/\s+/, 2)
  if (!allow.includes('bearer') || scheme.toLowerCase() !== 'bearer')
    return err({ code: 'SchemeUnknown' })
  return text === '' ? err({ code: 'HeaderMalformed', part: 'authorization' }) : ok(text)
}

const scopeOf = (caller: Caller, domainId: string | null): Authenticated['scope'] =>
  caller.projectId === null ? (domainId === null ? 'none' : 'domain') : 'project'

function tokenRefusal(failure: AuthFailure): AuthRefusal {
  switch (failure.code) {
    case 'missing':
      return { code: 'NoCredentials' }
    case 'malformed':
      return { code: 'TokenMalformed' }
    case 'unknown':
      return { code: 'TokenUnknown' }
    case 'expired':
      return { code: 'TokenExpired' }
    case 'revoked':
    case 'disabled':
    case 'no-role':
    case 'wrong':
      return { code: 'TokenRevoked' }
    case 'throttled':
      return { code: 'Throttled', retryAfterMs: failure.retryAfterMs }
    default:
      return unreachable(failure)
  }
}

/**
 * By a signature of the scheme SDK-HMAC-SHA256.
 *
 * @param nowMs  what the signature's date is compared with.
 */
export async function bySdkHmac(
  exchange: Exchange,
  identity: Identity,
  nowMs: number,
  urlProject?: string,
): Promise<Outcome> {
  const parsed = parse(exchange)
  if (!parsed.ok) {
    const { error } = parsed
    if (error.code === 'Missing') return err({ code: 'NoCredentials' })
    if (error.code === 'UnknownScheme') return err({ code: 'SchemeUnknown' })
    return err({ code: 'HeaderMalformed', part: error.part })
  }
  const { accessKeyId, securityToken } = parsed.value
  const opened = await identity.accessKey(accessKeyId)
  if (!opened.ok) return err(keyRefusal(opened.error, accessKeyId))
  const { key, secret } = opened.value
  // The clock comes before the security token, which an old recording may still carry.
  const date = checkDate(exchange, parsed.value, nowMs)
  if (!date.ok) return err(signatureRefusal(date.error, accessKeyId))
  if (!identity.securityTokenFits(key, securityToken))
    return err({ code: 'SecurityTokenWrong', accessKeyId })
  const verified = verify(exchange, parsed.value, secret, nowMs)
  if (!verified.ok) {
    identity.failed(accessKeyId)
    return err(signatureRefusal(verified.error, accessKeyId))
  }
  identity.proved(accessKeyId)
  const place = await placeOf(identity, key, {
    headerProject: parsed.value.projectId,
    headerDomain: parsed.value.domainId,
    urlProject,
  })
  if (!place.ok) return place
  const { isBodySigned } = verified.value
  return ok({ ...place.value, proved: { by: 'sdk-hmac', key, isBodySigned } })
}

function keyRefusal(failure: AuthFailure, accessKeyId: string): AuthRefusal {
  switch (failure.code) {
    case 'expired':
      return { code: 'KeyExpired', accessKeyId }
    case 'disabled':
    case 'revoked':
    case 'no-role':
      return { code: 'KeyDisabled', accessKeyId }
    case 'missing':
    case 'malformed':
    case 'unknown':
    case 'wrong':
      return { code: 'KeyUnknown', accessKeyId }
    case 'throttled':
      return { code: 'Throttled', retryAfterMs: failure.retryAfterMs }
    default:
      return unreachable(failure)
  }
}

function signatureRefusal({ code }: VerifyError, accessKeyId: string): AuthRefusal {
  switch (code) {
    case 'DateMissing':
    case 'DateNotSigned':
      return { code: 'HeaderMissing', name: 'X-Sdk-Date' }
    case 'HostNotSigned':
      return { code: 'HeaderMissing', name: 'Host' }
    case 'DateExpired':
      return { code: 'DateExpired' }
    case 'DateMalformed':
      return { code: 'HeaderMalformed', part: 'X-Sdk-Date' }
    case 'HashMalformed':
      return { code: 'HeaderMalformed', part: 'X-Sdk-Content-Sha256' }
    case 'BodyNotSigned':
    case 'BodyMismatch':
    case 'Mismatch':
      return { code: 'SignatureWrong', accessKeyId, why: code }
    default:
      return unreachable(code)
  }
}

type Place = Pick<Authenticated, 'caller' | 'scope' | 'projectFrom'>

async function placeOf(
  identity: Identity,
  key: AccessKey,
  named: {
    readonly headerProject: string | undefined
    readonly headerDomain: string | undefined
    readonly urlProject: string | undefined
  },
): Promise<Result<Place, AuthRefusal>> {
  const { headerProject, headerDomain, urlProject } = named
  const project = headerProject ?? urlProject ?? (headerDomain === undefined ? key.project : null)
  if (project === null) return await placeWithoutProject(identity, key, headerDomain)
  if (key.project !== null && key.project !== project) return err({ code: 'NoRole', project })
  const caller = await identity.callerOf(key.userId, projectId(project))
  if (!caller.ok) return err({ code: 'NoRole', project })
  const projectFrom =
    headerProject !== undefined ? 'header' : urlProject !== undefined ? 'url' : 'key'
  return ok({ caller: caller.value, scope: 'project', projectFrom })
}

/** Account-level calls act in the user's own domain, if only as somebody without a role in it. */
async function placeWithoutProject(
  identity: Identity,
  key: AccessKey,
  domainId: string | undefined,
): Promise<Result<Place, AuthRefusal>> {
  const user = await identity.user(key.userId)
  if (user === undefined) return err({ code: 'KeyUnknown', accessKeyId: key.id })
  if (domainId !== undefined && domainId !== user.domainId)
    return err({ code: 'WrongDomain', domainId })
  const nowhere: Caller = {
    userId: user.id,
    userName: user.name,
    projectId: null,
    projectName: null,
    domainId: user.domainId,
    role: null,
  }
  if (domainId === undefined) return ok({ caller: nowhere, scope: 'none', projectFrom: 'none' })
  // A key bound to one project has no say in the whole domain.
  const caller = key.project === null ? await identity.callerOf(user.id, { domainId }) : undefined
  return ok({
    caller: caller?.ok === true ? caller.value : nowhere,
    scope: 'domain',
    projectFrom: 'none',
  })
}
