// One call that came through the gateway: who asks for which action where, and how a change is submitted.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { InstanceRef, CallerRequest, Receipt } from '#kernel/request.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { Principal } from './auth.ts'
import { business, type Fault, faultOf } from './faults.ts'
import type { Reading } from './reading.ts'

/** The one region that this plane is; any other is one without zones and instances. */
export interface Place {
  readonly region: string
  readonly zones: readonly string[]
}

export interface Call {
  readonly plane: Plane
  readonly place: Place
  readonly principal: Principal
  /** Of the credential scope. */
  readonly region: string
  readonly action: string
  readonly requestId: string
  readonly reading: Reading
}

export type Outcome = Result<object, Fault>

export const isHere = ({ region, place }: Call): boolean => region === place.region

/** Of the region that was asked. */
export const zonesOf = (call: Call): readonly string[] => (isHere(call) ? call.place.zones : [])

/** No id of an instance is empty, so in another region none is found. */
export const targetOf = (call: Call, id: string): InstanceRef => ({
  kind: 'server',
  scheme: 'ecs',
  id: isHere(call) ? id : '',
  within: call.principal.account,
})

/** How the caller wants a change handled; not a part of what is changed. */
export interface Handling {
  readonly token: string | undefined
  readonly dryRun: boolean
  /** Only to learn what would come of it. */
  readonly isRehearsal?: boolean
}

/**
 * @returns the receipt of a change; of a dry run that would do, the fault that says so.
 *
 * The plane neither looks up nor keeps the token of a dry run. Source: contracts/volcengine-ecs.md sections 8.1 and 8.3.
 */
export async function submit(
  call: Call,
  request: CallerRequest,
  { token, dryRun, isRehearsal = false }: Handling,
): Promise<Result<Receipt, Fault>> {
  const { plane, principal, region, action, requestId, reading } = call
  const scoped = `ecs/${principal.account}/${region}/${action}/${token}`
  const result = await plane.submit(request, {
    caller: principal.caller,
    door: 'volcengine',
    requestId,
    ...(dryRun || isRehearsal ? { dryRun: true } : {}),
    ...(token === undefined
      ? {}
      : { idempotency: { token: scoped, fingerprint: reading.fingerprint(action) } }),
  })
  if (!result.ok) return err(faultOf(result.error, action))
  return dryRun ? err(business.dryRun) : ok(result.value)
}
