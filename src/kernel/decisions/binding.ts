// What an instance serves as in the registry: bound and unbound by request or by a registration that says so; taken
// out of service when it is drained, and put back when it is ready again. Decision record 0013.

import { registryAlias, servedAlias } from '../aliases.ts'
import { err, ok, type KernelError, type Result } from '../errors.ts'
import type { Instance, Registration, Served } from '../instance.ts'
import type { Drain, Operation, Withdrawn } from '../operation.ts'
import type {
  BindInstance,
  Context,
  Receipt,
  RegisterInstance,
  UnbindInstance,
} from '../request.ts'
import type { Draft } from '../rows.ts'
import { heldBy } from './conditions.ts'
import { findService, isGone } from './find.ts'
import { emit, momentOf, receiptOf } from './moves.ts'
import { register, restate } from './registry.ts'

const servedMax = 32

export function bind(
  draft: Draft,
  context: Context,
  instance: Instance,
  request: BindInstance,
): Result<Receipt> {
  if (instance.driver === null)
    return err({ code: 'Unsupported', verb: request.verb, driver: 'registry' })
  const held = heldBy(instance, context)
  if (held) return err(held)
  const service = findService(draft, request.service, 'microservice', context.caller)
  if (!service.ok) return service
  // An admin sees every project, but nothing of one serves in another.
  if (service.value.project !== instance.project)
    return err({ code: 'NotFound', what: 'service', id: request.service })
  const served: Served = { service: service.value.id, instance: request.instance }
  const owner = draft.get('aliases', servedAlias(served))?.instanceId
  if (owner === instance.id) return ok({ ...receiptOf(instance, instance), unchanged: 'already' })
  if (owner !== undefined)
    return err({ code: 'AlreadyExists', what: 'instance', name: request.instance, id: owner })
  if (instance.serves.length >= servedMax)
    return err({ code: 'QuotaExceeded', what: 'instance', limit: servedMax })
  return ok(receiptOf(instance, tie(draft, context, instance, served)))
}

function tie(draft: Draft, context: Context, instance: Instance, served: Served): Instance {
  const after = {
    ...instance,
    serves: [...instance.serves, served],
    updatedAtMs: momentOf(context, instance),
  }
  draft.put('instances', after)
  draft.put('aliases', { id: servedAlias(served), instanceId: instance.id })
  emit(draft, context, after, 'instance.bound', { ...served })
  return after
}

export function unbind(
  draft: Draft,
  context: Context,
  instance: Instance,
  request: UnbindInstance,
): Result<Receipt> {
  const held = heldBy(instance, context)
  if (held) return err(held)
  const service = findService(draft, request.service, 'microservice', context.caller)
  const served = instance.serves.find(
    (one) => service.ok && one.service === service.value.id && one.instance === request.instance,
  )
  if (!served) return err({ code: 'NotFound', what: 'instance', id: request.instance })
  // Nobody else would put it back.
  const row = registered(draft, served)
  if (row) restore(draft, context, row)
  return ok(receiptOf(instance, untie(draft, context, instance, [served])))
}

function untie(
  draft: Draft,
  context: Context,
  instance: Instance,
  gone: readonly Served[],
): Instance {
  const serves = instance.serves.filter((one) => !gone.includes(one))
  const after = { ...instance, serves, updatedAtMs: momentOf(context, instance) }
  draft.put('instances', after)
  for (const served of gone) {
    draft.remove('aliases', servedAlias(served))
    emit(draft, context, after, 'instance.unbound', { ...served })
  }
  return after
}

/** A registration whose properties say whose it is binds itself. */
export function registerBound(
  draft: Draft,
  context: Context,
  request: RegisterInstance,
): Result<Receipt> {
  const receipt = register(draft, context, request)
  if (!receipt.ok || request.properties[ownerProperty] === undefined) return receipt
  for (const id of receipt.value.instanceIds) {
    const row = draft.get('instances', id)
    if (row) bindItself(draft, context, row)
  }
  return receipt
}

/** A client whose name the registry chooses says with this property whose it is. */
const ownerProperty = 'runstate.instance'

/** Names that the same thing had before, and that are registered no more, are given up for the new one. */
function bindItself(draft: Draft, context: Context, row: Instance): void {
  const id = row.labels[ownerProperty]
  const owner = id === undefined ? undefined : draft.get('instances', id)
  if (!owner || owner.project !== row.project || owner.driver === null || isGone(owner)) return
  if (row.serviceId === null) return
  const served: Served = { service: row.serviceId, instance: row.name }
  if (draft.get('aliases', servedAlias(served)) !== undefined) return
  const stale = owner.serves.filter(
    (one) => one.service === served.service && registered(draft, one) === undefined,
  )
  const kept = untie(draft, context, owner, stale)
  if (kept.serves.length < servedMax) tie(draft, context, kept, served)
}

/** The row behind a pair, while it is registered. */
function registered(draft: Draft, { service, instance }: Served): Instance | undefined {
  const alias = draft.get('aliases', registryAlias(service, instance))
  const row = alias && draft.get('instances', alias.instanceId)
  return row && !isGone(row) ? row : undefined
}

const rowsOf = (draft: Draft, instance: Instance): readonly Instance[] =>
  instance.serves.flatMap((served) => registered(draft, served) ?? [])

/** Who would be drained must not be held. */
export function drainHeld(
  draft: Draft,
  context: Context,
  instance: Instance,
): KernelError | undefined {
  for (const row of rowsOf(draft, instance)) {
    const held = heldBy(row, context)
    if (held) return held
  }
  return undefined
}

/** Resolves to the drain as it is then. */
export function withdraw(
  draft: Draft,
  context: Context,
  instance: Instance,
  { id: operation, drain }: Operation,
): Drain | null {
  const withdrawn = rowsOf(draft, instance).flatMap((row): readonly Withdrawn[] => {
    const { registration, serviceId } = row
    if (!registration || serviceId === null) return []
    const withdrawal = registration.withdrawal ?? { operation, sinceMs: context.nowMs }
    say(draft, context, row, { ...registration, withdrawal })
    const revision = draft.get('services', serviceId)?.revision ?? 0
    return [{ instanceId: row.id, serviceId, revision }]
  })
  return drain && { ...drain, withdrawn }
}

/** Whatever of it was withdrawn, by this operation or by an earlier one. */
export function putBack(draft: Draft, context: Context, instance: Instance): void {
  for (const row of rowsOf(draft, instance)) restore(draft, context, row)
}

function restore(draft: Draft, context: Context, row: Instance): void {
  const { registration } = row
  if (registration?.withdrawal) say(draft, context, row, { ...registration, withdrawal: null })
}

const say = (draft: Draft, context: Context, row: Instance, registration: Registration): void => {
  const status = registration.withdrawal === null ? null : 'out-of-service'
  restate(draft, context, row, registration, { as: 'drain', status })
}

/** A thing that is gone serves as nothing. */
export function unbound(draft: Draft, instance: Instance): readonly Served[] {
  for (const served of instance.serves) draft.remove('aliases', servedAlias(served))
  return []
}
