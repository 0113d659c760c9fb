// Who is asking: a token in `X-Auth-Token`, or where the operation allows it a signature.

import { type Result, err } from '#kernel/errors.ts'
import { type Authenticated, authenticate } from '../shared/authenticate.ts'
import type { Exchange, House } from '../shared/http.ts'
import { type KeystoneFault, refusalFault } from './faults.ts'

export async function prove(
  exchange: Exchange,
  { identity, plane }: Pick<House, 'identity' | 'plane'>,
  allow: 'token' | 'any',
): Promise<Result<Authenticated, KeystoneFault>> {
  const who = await authenticate(
    exchange,
    { identity, nowMs: plane.nowMs() },
    { allow: allow === 'token' ? ['token'] : ['token', 'sdk-hmac'] },
  )
  return who.ok ? who : err(refusalFault(who.error))
}
