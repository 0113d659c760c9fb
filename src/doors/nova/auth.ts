// Who is asking, and how each dialect turns somebody away: upstream's middleware answers in the identity
// service's shape, the other mount's gateway in its own.
//
// Source: contract, sections 3.3 and 13; contracts/identity.md, section 6.5; openstack/keystonemiddleware
// keystonemiddleware/auth_token/__init__.py.

import type { Caller } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { compact } from '#kernel/ids.ts'
import { authenticate, type AuthRefusal } from '../shared/authenticate.ts'
import type { Answer, Exchange, House } from '../shared/http.ts'

export type Dialect = 'nova' | 'huawei'

/** The caller, or what is answered instead. */
export async function prove(
  exchange: Exchange,
  { identity, plane }: Pick<House, 'identity' | 'plane'>,
  dialect: Dialect,
): Promise<Result<Caller, Answer>> {
  const urlProject = exchange.params['project_id']
  const found = await authenticate(
    exchange,
    { identity, nowMs: plane.nowMs() },
    {
      allow: dialect === 'huawei' ? ['token', 'sdk-hmac'] : ['token'],
      ...(urlProject === undefined ? {} : { urlProject }),
    },
  )
  if (found.ok) return ok(found.value.caller)
  return err(
    dialect === 'huawei' ? gateway(exchange, found.error) : keystone(exchange, found.error),
  )
}

/** One answer for every reason: nobody learns which part was wrong. */
function keystone(exchange: Exchange, refusal: AuthRefusal): Answer {
  const requestId = `req-${exchange.requestId}`
  const wait = retryAfter(refusal)
  const status = wait === undefined ? 401 : 429
  const title = status === 401 ? 'Unauthorized' : 'Too Many Requests'
  const message =
    status === 401
      ? 'The request you have made requires authentication.'
      : 'Too many failed attempts. Try again later.'
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-compute-request-id': requestId,
      'x-openstack-request-id': requestId,
      ...(wait === undefined
        ? { 'www-authenticate': `Keystone uri="${exchange.baseUrl}/identity/v3"` }
        : { 'retry-after': wait }),
    },
    body: { error: { code: status, title, message } },
  }
}

interface GatewayRow {
  readonly status: number
  readonly code: string
  readonly message: string
}

const incorrect = (detail: string): GatewayRow => ({
  status: 401,
  code: 'APIGW.0301',
  message: `Incorrect IAM authentication information: ${detail}`,
})
const notAuthorized: GatewayRow = {
  status: 403,
  code: 'APIGW.0302',
  message: 'The IAM user is not authorized to access the API',
}
const badSignature = incorrect('verify aksk signature fail')
const badToken = incorrect('decrypt token fail')

type GatewayRows = {
  readonly [C in AuthRefusal['code']]: (
    refusal: Extract<AuthRefusal, { readonly code: C }>,
  ) => GatewayRow
}

const gatewayRows = {
  NoCredentials: () => incorrect('token must not be empty'),
  TokenMalformed: () => badToken,
  TokenUnknown: () => badToken,
  TokenExpired: () => ({ status: 401, code: 'APIGW.0307', message: 'The token must be updated.' }),
  TokenRevoked: () => badToken,
  SchemeUnknown: () => incorrect('the authorization scheme is not supported'),
  HeaderMalformed: ({ part }) => incorrect(`${part} is malformed`),
  HeaderMissing: ({ name }) => incorrect(`${name} is missing or not signed`),
  KeyUnknown: ({ accessKeyId }) => incorrect(`ak ${accessKeyId} not exist`),
  KeyDisabled: ({ accessKeyId }) => incorrect(`ak ${accessKeyId} not exist`),
  KeyExpired: ({ accessKeyId }) => incorrect(`ak ${accessKeyId} has expired`),
  SecurityTokenWrong: () => incorrect('security token does not match the ak'),
  DateExpired: () => incorrect('x-sdk-date is expired'),
  SignatureWrong: () => badSignature,
  NoRole: () => notAuthorized,
  WrongDomain: () => notAuthorized,
  NoProject: () => notAuthorized,
  Throttled: () => ({
    status: 429,
    code: 'APIGW.0308',
    message: 'The throttling threshold has been reached.',
  }),
} as const satisfies GatewayRows

function gateway(exchange: Exchange, refusal: AuthRefusal): Answer {
  const row = gatewayRows[refusal.code] as (refusal: AuthRefusal) => GatewayRow // each row takes the refusal of its own code
  const { status, code, message } = row(refusal)
  const requestId = compact(exchange.requestId)
  const wait = retryAfter(refusal)
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-request-id': requestId,
      ...(wait === undefined ? {} : { 'retry-after': wait }),
    },
    body: { error_msg: message, error_code: code, request_id: requestId },
  }
}

const retryAfter = (refusal: AuthRefusal): string | undefined =>
  refusal.code === 'Throttled'
    ? String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000)))
    : undefined
