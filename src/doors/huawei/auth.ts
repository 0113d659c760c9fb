// Who is asking: a signature or a token, proved by the gateway in front of both services, which turns away in its
// own shape.
//
// Source: contract, section 11.2; contracts/identity.md, sections 6.4 and 6.5.

import type { Caller } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { authenticate } from '../shared/authenticate.ts'
import { gatewayFault, turnedAway } from '../shared/gateway.ts'
import type { Answer, Exchange, House } from '../shared/http.ts'

export async function prove(
  exchange: Exchange,
  { identity, plane }: Pick<House, 'identity' | 'plane'>,
): Promise<Result<Caller, Answer>> {
  const urlProject = exchange.params['project_id']
  const found = await authenticate(
    exchange,
    { identity, nowMs: plane.nowMs() },
    { allow: ['token', 'sdk-hmac'], ...(urlProject === undefined ? {} : { urlProject }) },
  )
  if (found.ok) return ok(found.value.caller)
  return err(turnedAway(exchange, gatewayFault(found.error)))
}
