// Registered microservices and their instances. A status has four facts behind it: what the instance says, what
// an operator set, whether an operation drains it, and whether its lease lives. The effective state is computed
// from the first three; the operator's word stands until an operator changes it (law 6).

import { microserviceKey, registryAlias } from '../aliases.ts'
import { err, ok, type Result } from '../errors.ts'
import { instanceId, serviceId } from '../ids.ts'
import { type Instance, type Registration, type ServiceStatus, statusOf } from '../instance.ts'
import type { JsonObject } from '../json.ts'
import type {
  ClearStatus,
  Context,
  Depend,
  Receipt,
  RegisterInstance,
  RegisterService,
  SetStatus,
  UnregisterInstance,
  UnregisterService,
} from '../request.ts'
import type { Draft } from '../rows.ts'
import { providerKey, providerOf, type Service } from '../service.ts'
import { blank } from './create.ts'
import { heldBy, isOver } from './conditions.ts'
import { findService, isGone } from './find.ts'
import { emit, receiptOf, setState } from './moves.ts'
import { defaultWorkspace } from '../project.ts'
import { serviceRow } from './services.ts'

export function registerService(
  draft: Draft,
  context: Context,
  request: RegisterService,
): Result<Receipt> {
  const project = context.caller.projectId
  if (project === null) return err({ code: 'Forbidden', needs: 'a project' })
  const known = draft.find('services', 'key', `${project}/microservice/${request.key}`)[0]
  if (known) {
    const same = request.id === undefined || microserviceKey(project, request.id) === known.id
    return same
      ? ok({ instanceIds: [], serviceId: known.id, unchanged: 'already' })
      : err({ code: 'AlreadyExists', what: 'service', name: request.name, id: known.id })
  }
  const id = serviceId(microserviceKey(project, request.id ?? request.freshId))
  const taken = draft.get('services', id)
  if (taken && taken.status !== 'deleted')
    return err({ code: 'AlreadyExists', what: 'service', name: request.name, id })
  const service: Service = {
    ...serviceRow(context, project, request.name),
    id,
    kind: 'microservice',
    key: request.key,
    description: request.description ?? '',
    onNodes: false,
    nodes: [],
    workspace: defaultWorkspace,
    phase: 'settled',
    status: 'running',
    labels: request.labels ?? {},
    attributes: request.attributes,
  }
  draft.put('services', service)
  draft.emit({
    type: 'service.created',
    project,
    subject: id,
    atMs: context.nowMs,
    cause: context.cause,
    data: { name: request.name },
  })
  return ok({ instanceIds: [], serviceId: id })
}

export function unregisterService(
  draft: Draft,
  context: Context,
  request: UnregisterService,
): Result<Receipt> {
  const found = findService(draft, request.service, 'microservice', context.caller)
  if (!found.ok) return found
  const { id } = found.value
  if (
    !request.force &&
    draft
      .find('dependencies', 'provider', providerOf(found.value))
      .some((one) => one.serviceId !== id)
  )
    return err({ code: 'ServiceInUse', id: request.service, by: 'consumers' })
  const instances = draft.find('instances', 'serviceId', id)
  if (instances.length > 0 && !request.force)
    return err({ code: 'ServiceInUse', id: request.service, by: 'instances' })
  // Force passes the instances, not a hold on one of them.
  const held = instances.map((one) => heldBy(one, context)).find((one) => one !== undefined)
  if (held) return err(held)
  for (const instance of instances) drop(draft, context, instance, 'unregistered')
  for (const one of draft.find('dependencies', 'serviceId', id))
    draft.remove('dependencies', one.id)
  draft.remove('services', id)
  draft.emit({
    type: 'service.removed',
    project: found.value.project,
    subject: id,
    atMs: context.nowMs,
    cause: context.cause,
  })
  return ok({ instanceIds: instances.map((one) => one.id), serviceId: id })
}

/** More than any client needs, so that guessing names leaves no endless trail. */
const dependenciesMax = 1_000

export function depend(draft: Draft, context: Context, request: Depend): Result<Receipt> {
  const found = findService(draft, request.service, 'microservice', context.caller)
  if (!found.ok) return found
  const { id, project } = found.value
  const known = new Map(
    draft.find('dependencies', 'serviceId', id).map((one) => [one.provider, one]),
  )
  const wanted = new Set(request.on.map((name) => providerKey(project, name)))
  const added = [...wanted].filter((provider) => !known.has(provider))
  const dropped = request.replace
    ? [...known.values()].filter((one) => !wanted.has(one.provider))
    : []
  if (added.length === 0 && dropped.length === 0)
    return ok({ instanceIds: [], serviceId: id, unchanged: 'already' })
  if (added.length > 0 && known.size + added.length - dropped.length > dependenciesMax)
    return err({ code: 'QuotaExceeded', what: 'dependency', limit: dependenciesMax })
  for (const provider of added)
    draft.put('dependencies', { id: `${id} ${provider}`, project, serviceId: id, provider })
  for (const one of dropped) draft.remove('dependencies', one.id)
  draft.emit({
    type: 'service.depends',
    project,
    subject: id,
    atMs: context.nowMs,
    cause: context.cause,
    data: { on: request.on, ...(request.replace ? { replace: true } : {}) },
  })
  return ok({ instanceIds: [], serviceId: id })
}

export function register(
  draft: Draft,
  context: Context,
  request: RegisterInstance,
): Result<Receipt> {
  const found = findService(draft, request.service, 'microservice', context.caller)
  if (!found.ok) return found
  const service = found.value
  const name = request.instance ?? context.ids.next().replaceAll('-', '')
  const alias = draft.get('aliases', registryAlias(service.id, name))
  const known = alias && draft.get('instances', alias.instanceId)
  if (known && !isGone(known)) return registerAgain(draft, context, known, request)
  const status = request.status ?? 'up'
  const id = instanceId(context.ids.next())
  const instance: Instance = {
    ...blank(id, service.project, 'service-instance', status, context),
    name,
    serviceId: service.id,
    labels: request.properties,
    aliases: { registry: name },
    registration: {
      ...told(request),
      reported: status,
      override: null,
      withdrawal: null,
      lease: { ttlMs: request.ttlMs, renewedAtMs: context.nowMs },
    },
  }
  draft.put('instances', instance)
  draft.put('aliases', { id: registryAlias(service.id, name), instanceId: id })
  advance(draft, service)
  emit(draft, context, instance, 'instance.created', { name })
  return ok({ instanceIds: [id], serviceId: service.id, after: status, generation: 1 })
}

const told = (
  request: RegisterInstance,
): Omit<Registration, 'reported' | 'override' | 'withdrawal' | 'lease'> => ({
  hostName: request.hostName,
  endpoints: request.endpoints,
  healthCheck: request.healthCheck,
  dataCenter: request.dataCenter,
  version: request.version,
})

/** Content is replaced, the status kept unless it is told again, and the lease renewed. Equal content is a heartbeat. */
function registerAgain(
  draft: Draft,
  context: Context,
  known: Instance,
  request: RegisterInstance,
): Result<Receipt> {
  const old = known.registration
  if (!old) return err({ code: 'NotFound', what: 'instance', id: known.name })
  const lease = { ttlMs: request.ttlMs, renewedAtMs: context.nowMs }
  const registration: Registration = {
    ...old,
    ...told(request),
    reported: request.status ?? old.reported,
    lease,
  }
  const changed =
    JSON.stringify([{ ...registration, lease: request.ttlMs }, sorted(request.properties)]) !==
    JSON.stringify([{ ...old, lease: old.lease.ttlMs }, sorted(known.labels)])
  const renewed: Instance = { ...known, registration, labels: request.properties }
  if (!changed) {
    // It is heard as a beat. Written down it is once in half a term, so never too late for what is expiring.
    if (context.nowMs - old.lease.renewedAtMs >= old.lease.ttlMs / 2)
      draft.put('instances', renewed)
    return ok({
      ...receiptOf(known, renewed),
      serviceId: known.serviceId ?? serviceId(''),
      unchanged: 'already',
    })
  }
  const after = setState(draft, context, renewed, statusOf(registration))
  touch(draft, after)
  emit(draft, context, after, 'instance.registered')
  return ok({
    ...receiptOf(known, after),
    ...(after.serviceId === null ? {} : { serviceId: after.serviceId }),
  })
}

const sorted = (labels: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))

export function setStatus(
  draft: Draft,
  context: Context,
  instance: Instance,
  request: SetStatus,
): Result<Receipt> {
  const { registration } = instance
  if (!registration)
    return err({ code: 'Unsupported', verb: 'set-status', driver: instance.driver ?? '' })
  const over = isOver(request.untilMs, context)
  if (over) return err(over)
  const held = heldBy(instance, context)
  if (held) return err(held)
  const override = {
    status: request.status,
    by: context.caller.userId,
    why: request.why ?? null,
    sinceMs: context.nowMs,
    untilMs: request.untilMs ?? null,
  }
  const next: Registration =
    request.as === 'operator'
      ? // A person's word is newer than the drain that took it out of service.
        { ...registration, override, withdrawal: null }
      : { ...registration, reported: request.status }
  return ok(restate(draft, context, instance, next, { as: request.as, status: request.status }))
}

export function clearStatus(
  draft: Draft,
  context: Context,
  instance: Instance,
  request: ClearStatus,
): Result<Receipt> {
  const { registration } = instance
  if (!registration)
    return err({ code: 'Unsupported', verb: request.verb, driver: instance.driver ?? '' })
  const held = heldBy(instance, context)
  if (held) return err(held)
  return ok(
    restate(
      draft,
      context,
      instance,
      { ...registration, override: null, withdrawal: null },
      { as: 'operator', status: null },
    ),
  )
}

export function restate(
  draft: Draft,
  context: Context,
  instance: Instance,
  registration: Registration,
  data: { readonly as: string; readonly status: ServiceStatus | null },
): Receipt {
  const intent = { ...instance.intent, generation: instance.intent.generation + 1 }
  const after = setState(draft, context, instance, statusOf(registration), {
    registration,
    intent,
  })
  touch(draft, after)
  // The same status again is still a change: watchers see an event for each call.
  emit(draft, context, after, 'instance.status', {
    as: data.as,
    status: data.status,
    effective: after.state,
  })
  return receiptOf(instance, after)
}

export function unregister(
  draft: Draft,
  context: Context,
  instance: Instance,
  request: UnregisterInstance,
): Result<Receipt> {
  if (!instance.registration)
    return err({ code: 'Unsupported', verb: request.verb, driver: instance.driver ?? '' })
  const held = heldBy(instance, context)
  if (held) return err(held)
  return ok(drop(draft, context, instance, 'unregistered'))
}

const lastOf = ({
  name,
  labels,
  createdAtMs,
  updatedAtMs,
  registration,
}: Instance): JsonObject => ({
  name,
  labels,
  createdAtMs,
  updatedAtMs,
  hostName: registration?.hostName ?? '',
  endpoints: registration?.endpoints ?? [],
  healthCheck: registration?.healthCheck ?? {},
  dataCenter: registration?.dataCenter ?? null,
  version: registration?.version ?? '',
})

/** Its last event tells its story; the row goes, so that a fleet that comes and goes leaves nothing behind. */
export function drop(
  draft: Draft,
  context: Context,
  instance: Instance,
  to: 'unregistered' | 'expired',
): Receipt {
  emit(draft, context, instance, 'instance.state', {
    from: instance.state,
    to,
    last: lastOf(instance),
  })
  touch(draft, instance)
  draft.remove('instances', instance.id)
  if (instance.serviceId !== null)
    draft.remove('aliases', registryAlias(instance.serviceId, instance.name))
  return {
    instanceIds: [instance.id],
    before: instance.state === 'failed' ? 'failed/run' : instance.state,
    after: to,
    generation: instance.intent.generation,
  }
}

/** What a find of the instance's service answers has changed. */
export function touch(draft: Draft, instance: Instance): void {
  const service =
    instance.serviceId === null ? undefined : draft.get('services', instance.serviceId)
  if (service) advance(draft, service)
}

const advance = (draft: Draft, service: Service): void =>
  draft.put('services', { ...service, revision: service.revision + 1 })
