// Our refusals to Keystone's faults. A signature that fails is answered in the shape of the gateway in front of
// the cloud's own identity service, because the libraries that sign read that one.
//
// Source: contracts/identity.md sections 4.3, 4.4, 6.5 and 10.1.

import { compact } from '#kernel/ids.ts'
import type { AuthFailure } from '#kernel/ports/identity.ts'
import type { AuthRefusal } from '../shared/authenticate.ts'
import { gatewayFault } from '../shared/gateway.ts'
import type { Answer, Exchange, Unrouted } from '../shared/http.ts'

export interface KeystoneFault {
  readonly status: number
  readonly message: string
  /** Answered in the gateway's shape, with this code. */
  readonly gatewayCode?: string
  /** The methods that are supported, where another one was tried. */
  readonly methods?: readonly string[]
  readonly retryAfterMs?: number
  readonly allow?: readonly string[]
}

const tail =
  ' The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.'

const badRequest = (message: string): KeystoneFault => ({ status: 400, message })

/** The sentence with which Keystone misses something. */
export const expecting = (what: string, where: string): KeystoneFault =>
  badRequest(`Expecting to find ${what} in ${where}.${tail}`)

/** @param field  path below the request's outermost object. */
export const invalidInput = (field: string, why: string): KeystoneFault =>
  badRequest(`Invalid input for field '${field}': ${why}`)

export const badScope = badRequest(
  `Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope.${tail}`,
)

export const unauthorized: KeystoneFault = {
  status: 401,
  message: 'The request you have made requires authentication.',
}

export const credentialWithScope: KeystoneFault = {
  status: 401,
  message:
    'Error authenticating with application credential: Application credentials cannot request a scope.',
}

export const unsupportedMethod = (methods: readonly string[]): KeystoneFault => ({
  status: 401,
  message: 'Attempted to authenticate with an unsupported method.',
  methods,
})

/** @param action  as Keystone's policy names it, without `identity:`. */
export const forbidden = (action: string): KeystoneFault => ({
  status: 403,
  message: `You are not authorized to perform the requested action: identity:${action}.`,
})

export const unscopedCatalog: KeystoneFault = {
  status: 403,
  message: 'A project-scoped token is required to produce a service catalog.',
}

export const notFound = (what: string, id: string): KeystoneFault => ({
  status: 404,
  message: `Could not find ${what}: ${id}.`,
})

export const noSubject: KeystoneFault = { status: 404, message: 'No token in the request' }
export const badSubject: KeystoneFault = { status: 404, message: 'Failed to validate token' }

export const badCredential = (why: string): KeystoneFault =>
  badRequest(`Invalid application credential: ${why}`)

export const nameTaken = (name: string): KeystoneFault => ({
  status: 409,
  message: `Conflict occurred attempting to store application_credential - Duplicate entry found with name ${name}.`,
})

/** The service's own word for it. Source: contracts/identity.md section 7. */
export const tooManyKeys = badRequest('akSkNumExceed')

/** Whatever was wrong with a login, it reads the same; only the time to wait is told. */
export const loginFault = (failure: AuthFailure): KeystoneFault =>
  failure.code === 'throttled'
    ? { ...unauthorized, retryAfterMs: failure.retryAfterMs }
    : unauthorized

/** A token that fails is Keystone's to refuse; of a signature, and of a place, the gateway's. */
const isTokens = (refusal: AuthRefusal): boolean =>
  /^(NoCredentials|SchemeUnknown|Token\w+)$/.test(refusal.code)

export function refusalFault(refusal: AuthRefusal): KeystoneFault {
  if (isTokens(refusal)) return unauthorized
  const { code, ...fault } = gatewayFault(refusal)
  return { ...fault, gatewayCode: code }
}

const unroutedFaults = {
  'not-found': { status: 404, message: 'The resource could not be found.' },
  'method-not-allowed': {
    status: 405,
    message: 'The method is not allowed for the requested URL.',
  },
  'too-large': { status: 413, message: 'Request is too large.' },
  malformed: badRequest(
    'The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.',
  ),
  overloaded: {
    status: 503,
    message: 'The service is too busy. Please try again later.',
    retryAfterMs: 1000,
  },
  unavailable: {
    status: 503,
    message: 'The service is currently unavailable. Please try again later.',
    retryAfterMs: 1000,
  },
  internal: {
    status: 500,
    message: 'An unexpected error prevented the server from fulfilling your request.',
  },
} as const satisfies Record<Unrouted, KeystoneFault>

export const unroutedFault = (why: Unrouted, allow: readonly string[]): KeystoneFault =>
  allow.length === 0 ? unroutedFaults[why] : { ...unroutedFaults[why], allow }

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** @param prefix  where this door was reached: `/identity` or nothing. */
export function refusal(fault: KeystoneFault, exchange: Exchange, prefix: string): Answer {
  const { status, message, gatewayCode, methods, retryAfterMs, allow } = fault
  const headers = {
    ...(status === 401 && gatewayCode === undefined
      ? { 'www-authenticate': `Keystone uri="${exchange.baseUrl}${prefix}/v3"` }
      : {}),
    ...(retryAfterMs === undefined ? {} : { 'retry-after': seconds(retryAfterMs) }),
    ...(allow === undefined ? {} : { allow: allow.join(', ') }),
  }
  const error = { code: status, message, title: titles[status] ?? 'Error' }
  const body =
    gatewayCode === undefined
      ? { error: methods === undefined ? error : { ...error, identity: { methods } } }
      : { error_msg: message, error_code: gatewayCode, request_id: compact(exchange.requestId) }
  return { status, headers, body }
}

const seconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1_000)))
