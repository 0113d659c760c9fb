// Who is asking: a bearer token, and the project it was issued for. An admin may act in another
// project by naming it in the query; nobody else may, so a token never reaches further than what it
// was issued for.

import { type Caller, hasRole, type Role } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { AuthFailure, Identity } from '#kernel/ports/identity.ts'
import { type Exchange, header } from '../shared/http.ts'
import { type Fault, faultOf, ownFault } from './faults.ts'

/** The name of the query parameter; every route takes it. */
export const projectParameter = 'project'

const bearer = /^Bearer +([\x21-\x7e]+) *$/i

export async function callerOf(
  exchange: Pick<Exchange, 'headers'>,
  identity: Identity,
): Promise<Result<Caller, Fault>> {
  const sent = header(exchange, 'authorization')
  if (sent === undefined)
    return err(ownFault('Unauthenticated', { detail: 'Send Authorization: Bearer and a token.' }))
  const text = bearer.exec(sent)?.[1]
  if (text === undefined)
    return err(
      ownFault('Unauthenticated', { detail: 'Authorization is not Bearer and one token.' }),
    )
  const proved = await identity.byToken(text)
  return proved.ok ? ok(proved.value.caller) : err(failure(proved.error))
}

/**
 * Unknown and revoked are not told apart; only who held a token once learns that it has expired.
 */
function failure(error: AuthFailure): Fault {
  if (error.code === 'throttled')
    return ownFault('Throttled', {
      detail: 'Wait before you try again.',
      retryAfterMs: error.retryAfterMs,
    })
  if (error.code === 'expired')
    return ownFault('TokenExpired', { detail: 'Get another token and ask again.' })
  return ownFault('Unauthenticated', { detail: 'The token is not valid.' })
}

/**
 * The caller as he acts in the project that he names; an unknown one and one that is not his look
 * alike.
 */
export async function inProject(
  caller: Caller,
  named: string | null,
  identity: Identity,
): Promise<Result<Caller, Fault>> {
  if (named === null || named === caller.projectId || named === caller.projectName)
    return ok(caller)
  if (caller.role !== 'admin')
    return err(faultOf({ code: 'Forbidden', needs: 'admin, to act in another project' }))
  const project =
    (await identity.project({ id: named })) ??
    (await identity.project({ name: named, domainId: caller.domainId }))
  if (!project) return err(faultOf({ code: 'NotFound', what: 'project', id: named }))
  return ok({ ...caller, projectId: project.id, projectName: project.name })
}

export function mayUse(caller: Caller, role: Role): Result<Caller, Fault> {
  return hasRole(caller, role)
    ? ok(caller)
    : err(faultOf({ code: 'Forbidden', needs: `the role ${role}` }))
}
