// Routes whose path begins with a project. In this order: who asks is proved, must act in the project of the
// path, and must have the role that the route needs; only then is the route's own code reached.
//
// - A change goes to the plane once, with the lent headers; a dry run answers its plan.
// - Nothing of another project is found through such a path, not even by an admin, who sees it elsewhere.

import { type Caller, hasRole, type Role } from '#kernel/caller.ts'
import { err, type ErrorOf, type KernelError, ok, type Result } from '#kernel/errors.ts'
import type { ProjectId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Identity } from '#kernel/ports/identity.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { CallerRequest, InstanceRef, Receipt } from '#kernel/request.ts'
import type { Service } from '#kernel/service.ts'
import { type Exchange, firstValues, type House, type Route } from './http.ts'
import { type Lent, lentHeaders, planOf } from './lent-headers.ts'
import { type Fault, refusal, success } from './three-keys.ts'

/** One request that has passed the gate. */
export interface Asked {
  readonly exchange: Exchange
  readonly door: string
  readonly plane: Plane
  readonly identity: Identity
  readonly caller: Caller
  /** Of the path; it is the caller's own. */
  readonly project: ProjectId
  readonly query: ReadonlyMap<string, string>
  readonly lent: Lent
  /** What the cloud calls the right that this operation needs. */
  readonly permission: string
}

export interface ProjectRoute extends Omit<Route, 'handle'> {
  /** What the cloud calls the right to this operation, which may hang on the request; null: it has no name. */
  readonly permission: string | null | ((exchange: Exchange) => string)
  /** Null: whoever has any; the kernel, or the route's own code, asks for more once the thing was found. */
  readonly role: Role | null
  /** Default 200. */
  readonly status?: number
  readonly answer: (asked: Asked) => Promise<Result<object, Fault>>
}

/** How a door tells who asks, and its words for those whom it turns away. */
export interface Gate {
  readonly prove: (exchange: Exchange, house: House) => Promise<Result<Caller, Fault>>
  readonly otherProject: Fault
  readonly forbidden: (permission: string) => Fault
  readonly badHeader: (error: ErrorOf<'BadField'>) => Fault
}

/** @param door  its name, as the cause of every change says it. */
export function mounted(
  row: ProjectRoute,
  { house, gate, door }: { readonly house: House; readonly gate: Gate; readonly door: string },
): Route {
  const { permission, role, status, answer, ...route } = row
  const handle: Route['handle'] = async (exchange) => {
    const caller = await gate.prove(exchange, house)
    if (!caller.ok) return refusal(exchange, caller.error)
    const { projectId } = caller.value
    if (projectId === null || exchange.params['project_id'] !== projectId)
      return refusal(exchange, gate.otherProject)
    const right = nameOf(permission, exchange) ?? row.operation
    if (!hasRole(caller.value, role ?? 'reader')) return refusal(exchange, gate.forbidden(right))
    const lent = lentHeaders(exchange)
    if (!lent.ok) return refusal(exchange, gate.badHeader(lent.error))
    const { plane, identity } = house
    const answered = await answer({
      exchange,
      door,
      plane,
      identity,
      caller: caller.value,
      project: projectId,
      query: firstValues(exchange.rawQuery),
      lent: lent.value,
      permission: right,
    })
    if (!answered.ok) return refusal(exchange, answered.error)
    return success(exchange, answered.value, lent.value.dryRun ? 200 : (status ?? 200))
  }
  return { ...route, orSlash: true, handle }
}

const nameOf = (permission: ProjectRoute['permission'], exchange: Exchange): string | null =>
  typeof permission === 'function' ? permission(exchange) : permission

/**
 * Submits one change and answers what `show` makes of its receipt, or the plan when it was a dry run.
 *
 * @param show  must not fail: what it shows was accepted.
 */
export async function change(
  asked: Asked,
  request: CallerRequest,
  {
    faultOf,
    show,
  }: {
    readonly faultOf: (error: KernelError) => Fault
    readonly show: (receipt: Receipt) => Promise<object> | object
  },
): Promise<Result<object, Fault>> {
  const outside = asked.caller.role === 'admin' ? await outsideOf(asked, request) : undefined
  if (outside) return err(faultOf(outside))
  const { caller, door, lent } = asked
  const requestId = asked.exchange.requestId
  const submission = { caller, door, requestId, ...lent }
  const receipt = await asked.plane.submit(request, submission)
  if (!receipt.ok) return err(faultOf(receipt.error))
  const { answer } = receipt.value
  if (answer !== undefined) return ok(said(answer))
  if (lent.dryRun) return ok(planOf(receipt.value))
  const shown = await show(receipt.value)
  return ok(lent.idempotency ? said(await asked.plane.keep(wordsOf(shown), submission)) : shown)
}

/** Word for word: what is read back is written out again in the same order. */
const wordsOf = (shown: object): string => JSON.stringify(shown)
const said = (answer: string): object => JSON.parse(answer) as object // made of an object by `wordsOf`

export async function seeInstance(asked: Asked, ref: InstanceRef): Promise<Result<Instance>> {
  const seen = await asked.plane.see(ref, asked.caller)
  if (!seen.ok || seen.value.project === asked.project) return seen
  return 'service' in ref
    ? err({ code: 'NotFound', what: 'service', id: ref.service })
    : err({ code: 'NotFound', what: 'instance', id: ref.id })
}

export async function seeService(asked: Asked, id: string): Promise<Result<Service>> {
  const service = await asked.plane.read.get('services', id)
  const isHere = service?.project === asked.project && service.kind === 'inference'
  return isHere && service.status !== 'deleted'
    ? ok(service)
    : err({ code: 'NotFound', what: 'service', id })
}

/** An admin may change every project's things, but not by a path that names another project. */
async function outsideOf(asked: Asked, request: CallerRequest): Promise<KernelError | undefined> {
  if ('target' in request) {
    const seen = await seeInstance(asked, request.target)
    return seen.ok ? undefined : seen.error
  }
  const services =
    request.verb === 'remove-services'
      ? request.services
      : request.verb === 'start-service' ||
          request.verb === 'stop-service' ||
          request.verb === 'redeploy' ||
          request.verb === 'update-service'
        ? [request.service]
        : []
  for (const id of services) {
    const seen = await seeService(asked, id)
    if (!seen.ok) return seen.error
  }
  return undefined
}
