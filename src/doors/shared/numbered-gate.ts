// The gate of APIs whose refusals are numbered: `<prefix>.0203` for an unknown token, and so on. Several services
// of one family share these numbers and texts, each under its own door.
// Source: edge inference contract, section 3; notebook contract, section 3.2.

import { err, type ErrorOf, ok } from '#kernel/errors.ts'
import { authenticate, type AuthRefusal } from './authenticate.ts'
import type { Gate } from './project-route.ts'
import type { Fault } from './three-keys.ts'

type Refusals = {
  readonly [C in AuthRefusal['code']]: (refusal: Extract<AuthRefusal, { code: C }>) => Fault
}

/**
 * @param prefix  of every code: the vendor's name of the service.
 * @param busy  what a throttled caller is told; when to come again is added.
 * @param revoked  for a token that was ended early; default: as for one that never was.
 * @param suspended  for a key that was switched off, or whose user was; default: as for one that is wrong.
 */
export function numberedGate({
  prefix,
  busy,
  badHeader,
  revoked,
  suspended,
}: {
  readonly prefix: string
  readonly busy: Fault
  readonly revoked?: Fault
  readonly suspended?: Fault
  readonly badHeader: (error: ErrorOf<'BadField'>) => Fault
}): Gate {
  const fault = (status: number, number: string, message: string): Fault => ({
    status,
    code: `${prefix}.${number}`,
    message,
  })
  const invalid = () => fault(401, '0203', 'Invalid token.')
  const badFormat = () => fault(401, '0206', 'Incorrect authorization request header format.')
  const badCheck = () => fault(401, '0208', 'Failed to check the authorization request header.')
  const otherProject = fault(
    403,
    '0210',
    'The project id in the request URL does not match the token.',
  )
  const refusals: Refusals = {
    NoCredentials: () => fault(401, '0201', "Token doesn't exist."),
    TokenExpired: () => fault(401, '0202', 'Invalid token header because the token has expired.'),
    TokenUnknown: invalid,
    TokenRevoked: () => revoked ?? invalid(),
    TokenMalformed: () => fault(401, '0204', 'Failed to parse the token.'),
    HeaderMissing: () => fault(401, '0205', 'No authorization request header.'),
    SchemeUnknown: badFormat,
    HeaderMalformed: badFormat,
    KeyUnknown: badCheck,
    KeyDisabled: () => suspended ?? badCheck(),
    KeyExpired: badCheck,
    SecurityTokenWrong: badCheck,
    DateExpired: badCheck,
    SignatureWrong: badCheck,
    // Whether such a project exists is not the caller's to know.
    NoRole: () => otherProject,
    WrongDomain: () => otherProject,
    NoProject: ({ scope }) =>
      scope === 'domain'
        ? fault(401, '0207', 'Token must contain project info of current region.')
        : fault(401, '0212', 'Invalid token header because the token does not contain a project.'),
    Throttled: ({ retryAfterMs }) => ({ ...busy, retryAfterMs }),
  }
  return {
    otherProject,
    badHeader,
    forbidden: (permission) =>
      fault(403, '0108', `You are not authorized to perform the (${permission}) operation.`),
    prove: async (exchange, { identity, plane }) => {
      const urlProject = exchange.params['project_id']
      const proved = await authenticate(
        exchange,
        { identity, nowMs: plane.nowMs() },
        {
          allow: ['token', 'sdk-hmac'],
          needsProject: true,
          ...(urlProject === undefined ? {} : { urlProject }),
        },
      )
      if (proved.ok) return ok(proved.value.caller)
      const say = refusals[proved.error.code] as (refusal: AuthRefusal) => Fault // the entry under a code takes that refusal
      return err(say(proved.error))
    },
  }
}
