// Who is asking: the owner of an access key that signed the request, acting in the key's project. An account of
// this cloud is one of our projects, and sees nothing of others. What its owner may do is the kernel's table.
// Source: contracts/volcengine-ecs.md sections 4 and 5, in the evaluation order of 5.

import type { Caller } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { AccessKey } from '#kernel/identity.ts'
import type { ProjectId } from '#kernel/ids.ts'
import type { AuthFailure, Identity } from '#kernel/ports/identity.ts'
import type { Exchange } from '#doors/shared/http.ts'
import type { QueryPair } from '#doors/shared/signature.ts'
import { type Fault, gateway } from './faults.ts'
import {
  checkService,
  checkWindow,
  parse,
  type Parsed,
  type ParseError,
  verify,
} from './signature.ts'

/** Proven: this key signed the request, and what the signature claims is its owner's word. */
export interface Proof {
  readonly key: AccessKey
  readonly claim: Parsed
}

export interface Principal {
  readonly caller: Caller
  readonly account: ProjectId
}

export interface Gate {
  readonly identity: Identity
  readonly nowMs: () => number
}

export const servedService = 'ecs'
const served: ReadonlySet<string> = new Set([servedService])
/** How much of an access key id a refusal repeats. */
const namedMax = 128

/** From the credentials to the signature; `checkServed` is the next step, once the scope may be repeated. */
export async function prove(
  { identity, nowMs }: Gate,
  exchange: Exchange,
  query: readonly QueryPair[],
): Promise<Result<Proof, Fault>> {
  const parsed = parse(exchange, query)
  if (!parsed.ok) return err(unreadable(parsed.error))
  const claim = parsed.value
  const found = await identity.accessKey(claim.accessKeyId)
  const window = checkWindow(claim, nowMs())
  if (!found.ok) {
    // An ended key is a known one: then the time window comes first.
    const isLate = found.error.code === 'expired' && !window.ok
    return err(isLate ? gateway.invalidTimestamp : unusableKey(found.error, claim))
  }
  if (!window.ok) return err(gateway.invalidTimestamp)
  const { key, secret } = found.value
  // A lasting key has no token that one could be compared with, so any is a wrong one.
  const isStray = key.securityTokenHash === null && claim.securityToken !== undefined
  if (isStray || !identity.securityTokenFits(key, claim.securityToken)) {
    return err(gateway.invalidSecretToken('it does not belong to the access key'))
  }
  const verified = verify(exchange, claim, secret, nowMs())
  if (verified.ok) {
    identity.proved(key.id)
    return ok({ key, claim })
  }
  if (verified.error.code === 'InvalidTimestamp') return err(gateway.invalidTimestamp)
  identity.failed(key.id)
  const { because } = verified.error
  exchange.log.info({ accessKeyId: key.id, because }, 'a signature was refused')
  return err(gateway.signatureDoesNotMatch)
}

function unreadable(error: ParseError): Fault {
  switch (error.code) {
    case 'MissingAuthenticationToken':
      return gateway.missingAuthenticationToken
    case 'MissingSignature':
      return gateway.missingSignature
    case 'InvalidAuthorization':
      return gateway.invalidAuthorization
    case 'InvalidCredential':
      return gateway.invalidCredential
    case 'MissingRequestInfo':
      return gateway.missingRequestInfo(error.what)
  }
}

/** A temporary key ends together with its token, so its end is reported as the token's. */
function unusableKey(failure: AuthFailure, claim: Parsed): Fault {
  if (failure.code === 'throttled') return gateway.flowLimitExceeded(failure.retryAfterMs)
  if (failure.code === 'expired') return gateway.invalidSecretToken('it has expired')
  return gateway.invalidAccessKey(claim.accessKeyId.slice(0, namedMax))
}

export function checkServed({ claim }: Proof): Result<void, Fault> {
  const known = checkService(claim, served)
  return known.ok ? known : err(gateway.serviceNotFound(known.error.service))
}

/** Who the key's owner is in the key's project. Whoever is nobody there lacks every policy. */
export async function authorise(
  { identity }: Pick<Gate, 'identity'>,
  { key }: Proof,
): Promise<Result<Principal, Fault>> {
  const found = await identity.callerOf(key.userId, key.project)
  if (!found.ok) return err(gateway.lackPolicy)
  const caller = found.value
  const { projectId: account, role } = caller
  return account === null || role === null ? err(gateway.lackPolicy) : ok({ caller, account })
}
