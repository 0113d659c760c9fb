// The gateway in front of a cloud's services: who cannot be proved is turned away before any service is reached,
// in the gateway's own shape, the same for all of them.
//
// Source: contracts/identity.md section 6.5.

import { compact } from '#kernel/ids.ts'
import type { AuthRefusal } from './authenticate.ts'
import type { Answer, Exchange, Unrouted } from './http.ts'

export interface GatewayFault {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly retryAfterMs?: number
}

const gateway = (status: number, number: string, message: string): GatewayFault => ({
  status,
  code: `APIGW.${number}`,
  message,
})
const incorrect = (detail: string): GatewayFault =>
  gateway(401, '0301', `Incorrect IAM authentication information: ${detail}`)
const notAuthorized = gateway(403, '0302', 'The IAM user is not authorized to access the API')
const badToken = incorrect('decrypt token fail')

type Faults = {
  readonly [C in AuthRefusal['code']]: (
    refusal: Extract<AuthRefusal, { readonly code: C }>,
  ) => GatewayFault
}

const faults = {
  NoCredentials: () => incorrect('token must not be empty'),
  TokenMalformed: () => badToken,
  TokenUnknown: () => badToken,
  TokenExpired: () => gateway(401, '0307', 'The token must be updated.'),
  TokenRevoked: () => badToken,
  SchemeUnknown: () => incorrect('the authorization scheme is not supported'),
  HeaderMalformed: ({ part }) => incorrect(`${part} is malformed`),
  HeaderMissing: ({ name }) => incorrect(`${name} is missing or not signed`),
  KeyUnknown: ({ accessKeyId }) => incorrect(`ak ${accessKeyId} not exist`),
  // That it once was, or is another's, is nobody's to learn.
  KeyDisabled: ({ accessKeyId }) => incorrect(`ak ${accessKeyId} not exist`),
  KeyExpired: ({ accessKeyId }) => incorrect(`ak ${accessKeyId} has expired`),
  SecurityTokenWrong: () => incorrect('security token does not match the ak'),
  DateExpired: () => incorrect('x-sdk-date is expired'),
  SignatureWrong: () => incorrect('verify aksk signature fail'),
  NoRole: () => notAuthorized,
  WrongDomain: () => notAuthorized,
  NoProject: () => notAuthorized,
  Throttled: ({ retryAfterMs }) => ({
    ...gateway(429, '0308', 'The throttling threshold has been reached.'),
    retryAfterMs,
  }),
} as const satisfies Faults

export function gatewayFault(refusal: AuthRefusal): GatewayFault {
  const faultOf = faults[refusal.code] as (refusal: AuthRefusal) => GatewayFault // the table pairs each code with its own refusal
  return faultOf(refusal)
}

const backendUnavailable = { ...gateway(503, '0201', 'Backend unavailable'), retryAfterMs: 1000 }

/** What never reaches a service. */
export const unroutedFaults = {
  'not-found': gateway(
    404,
    '0101',
    'The API does not exist or has not been published in the environment',
  ),
  'method-not-allowed': gateway(
    404,
    '0101',
    'The API does not exist or has not been published in the environment',
  ),
  'too-large': gateway(413, '0201', 'Request entity too large'),
  malformed: gateway(400, '0201', 'Bad request'),
  overloaded: backendUnavailable,
  unavailable: backendUnavailable,
  internal: gateway(500, '0404', 'Internal error'),
} as const satisfies Record<Unrouted, GatewayFault>

export function turnedAway(exchange: Pick<Exchange, 'requestId'>, fault: GatewayFault): Answer {
  const requestId = compact(exchange.requestId)
  const { status, code, message, retryAfterMs } = fault
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-request-id': requestId,
      ...(retryAfterMs === undefined
        ? {}
        : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    },
    body: { error_msg: message, error_code: code, request_id: requestId },
  }
}
