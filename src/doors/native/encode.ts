// From rows to what this door shows. Nothing is decided here: what a caller sees of a state is the
// kernel's `present`, and what a driver was told (launch, handle) or another door keeps
// (attributes) has no place.

import { microserviceId } from '#kernel/aliases.ts'
import type { Cause } from '#kernel/caller.ts'
import type { DriverRow, Flavor, Image, Node, Pool } from '#kernel/catalogue.ts'
import type { Event } from '#kernel/event.ts'
import type { Guard } from '#kernel/guard.ts'
import type { Hold, Instance, Registration } from '#kernel/instance.ts'
import { currentStep, type Operation, planOf } from '#kernel/operation.ts'
import { offered, present } from '#kernel/present.ts'
import type { Project } from '#kernel/project.ts'
import type { Receipt } from '#kernel/request.ts'
import type { Service } from '#kernel/service.ts'
import type { LeaseNow, Plane } from '#kernel/ports/plane.ts'
import type {
  CauseShown,
  DriverShown,
  EventShown,
  FlavorShown,
  GuardShown,
  HoldShown,
  ImageShown,
  InstanceShown,
  NodeShown,
  OperationShown,
  PoolShown,
  ProjectShown,
  ReceiptShown,
  ServiceShown,
} from './wire.ts'

export const iso = (ms: number): string => new Date(ms).toISOString()
const maybeIso = (ms: number | null): string | null => (ms === null ? null : iso(ms))

/**
 * What of an instance is not in its row: how long the queue before it is, and its lease as it is
 * now.
 */
export interface Beside {
  readonly rank: number | null
  readonly lease: LeaseNow | null
}

export async function beside(plane: Plane, instance: Instance): Promise<Beside> {
  const { queue } = instance
  const lease = instance.registration ? plane.lease(instance) : null
  if (queue === null) return { rank: null, lease }
  const ahead = await plane.read.count('instances', {
    where: { queuePool: queue.poolId },
    range: { column: 'queueTicket', max: queue.ticket },
  })
  return { rank: ahead + 1, lease }
}

export async function showInstance(plane: Plane, instance: Instance): Promise<InstanceShown> {
  const aside = await beside(plane, instance)
  const { situation, power, unsure, reason, underway } = present(instance)
  const { failure, observation, place, autoStop, timers } = instance
  return {
    id: instance.id,
    aliases: { ...instance.aliases },
    project: instance.project,
    kind: instance.kind,
    name: instance.name,
    description: instance.description,
    state: instance.state,
    situation,
    stateSince: iso(instance.stateSinceMs),
    busy: underway && {
      verb: underway.verb,
      rung: underway.rung,
      operation: underway.operationId,
      sinceMs: underway.sinceMs,
    },
    reason,
    failure: failure && {
      verb: failure.verb,
      message: failure.message,
      at: iso(failure.atMs),
      evidence: failure.evidence,
    },
    power,
    unsure,
    intent: instance.intent.want,
    generation: instance.intent.generation,
    observation: showObservation(observation),
    flavor: instance.flavorId,
    image: instance.imageId,
    service: serviceIdOf(instance),
    node: instance.nodeId,
    driver: instance.driver,
    charge: instance.charge,
    charged: instance.charged,
    stoppedMode: instance.stoppedMode,
    place: place && { pool: place.poolId, units: place.units },
    queue: showQueue(instance, aside),
    holds: instance.holds.map(showHold),
    conditions: { ...instance.conditions },
    autoStop: autoStop && { ...autoStop },
    timers: {
      autoStopAt: maybeIso(timers.autoStopAtMs),
      reservedUntil: maybeIso(timers.reservedUntilMs),
      removeAt: maybeIso(timers.removeAtMs),
    },
    registration: showRegistration(instance, aside),
    serves: instance.serves.map(({ service, instance: name }) => ({
      service: microserviceId({ id: service, project: instance.project }),
      instance: name,
    })),
    labels: instance.labels,
    createdBy: instance.createdBy,
    createdAt: iso(instance.createdAtMs),
    updatedAt: iso(instance.updatedAtMs),
    launchedAt: maybeIso(instance.launchedAtMs),
    offers: offered(instance),
  }
}

/**
 * A microservice's id is unique in its project only; the project is not part of what callers know.
 */
function serviceIdOf({ serviceId, kind, project }: Instance): string | null {
  if (serviceId === null || kind !== 'service-instance') return serviceId
  return microserviceId({ id: serviceId, project })
}

export const showObservation = (seen: Instance['observation']): InstanceShown['observation'] => ({
  seen: seen.seen,
  ready: seen.ready,
  at: iso(seen.atMs),
  reason: seen.reason,
  evidence: seen.evidence,
})

export const showQueue = ({ queue }: Instance, { rank }: Beside): InstanceShown['queue'] =>
  queue && {
    pool: queue.poolId,
    awaits: queue.awaits,
    since: iso(queue.sinceMs),
    rank: rank ?? 1,
  }

export function showRegistration(
  { registration, state }: Instance,
  { lease: now }: Beside,
): InstanceShown['registration'] {
  if (registration === null || now === null) return null
  const { lease, reported, override, withdrawal, hostName, endpoints, version } = registration
  return {
    reported,
    override: showOverride(override),
    withdrawal: withdrawal && {
      operation: withdrawal.operation,
      since: iso(withdrawal.sinceMs),
    },
    lease: {
      ttlMs: lease.ttlMs,
      renewedAt: iso(now.renewedAtMs),
      expiresAt: iso(now.expiresAtMs),
      held: now.isHeld,
    },
    effective: state,
    hostName,
    endpoints,
    version,
  }
}

const showOverride = (override: Registration['override']) =>
  override && {
    status: override.status,
    by: override.by,
    why: override.why,
    since: iso(override.sinceMs),
    until: maybeIso(override.untilMs),
  }

export const showHold = (hold: Hold): HoldShown => ({
  id: hold.id,
  kind: hold.kind,
  owner: hold.owner,
  byAdmin: hold.byAdmin,
  reason: hold.reason,
  since: iso(hold.sinceMs),
  until: maybeIso(hold.untilMs),
})

export const showGuard = ({ kind, sinceMs, release, ...guard }: Guard): GuardShown => ({
  ...guard,
  circle: kind,
  since: iso(sinceMs),
  release: release && { by: release.by, why: release.why, at: iso(release.atMs) },
})

export const showCause = (cause: Cause): CauseShown => ({
  by: cause.by,
  userId: cause.userId,
  user: cause.userName,
  door: cause.door,
  requestId: cause.requestId,
  why: cause.why,
})

export const showOperation = (operation: Operation): OperationShown => ({
  id: operation.id,
  instance: operation.instanceId,
  project: operation.project,
  kind: operation.kind,
  verb: operation.verb,
  rung: operation.rung,
  graceMs: operation.graceMs,
  state: operation.state,
  undoing: operation.undoing,
  step: showStep(operation),
  attempt: operation.attempt,
  from: operation.from,
  generation: operation.generation,
  cause: showCause(operation.cause),
  startedAt: iso(operation.startedAtMs),
  finishedAt: maybeIso(operation.finishedAtMs),
  failure: operation.failure && { ...operation.failure },
  supersededBy: operation.supersededBy,
  log: operation.log.map(({ startedAtMs, finishedAtMs, ...entry }) => ({
    ...entry,
    startedAt: iso(startedAtMs),
    finishedAt: iso(finishedAtMs),
  })),
})

function showStep(operation: Operation): OperationShown['step'] {
  const step = operation.state === 'running' ? currentStep(operation) : undefined
  if (!step) return null
  const plan = planOf(operation)
  return {
    name: step.name,
    doc: step.doc,
    number: operation.step + 1,
    of: plan.length,
    tries: operation.tries,
    since: iso(operation.stepSinceMs),
    deadline: iso(operation.stepDeadlineMs),
    notBefore: maybeIso(operation.notBeforeMs),
  }
}

export const showEvent = (event: Event): EventShown => ({
  seq: event.seq,
  type: event.type,
  project: event.project,
  subject: event.subject,
  instance: event.instanceId,
  at: iso(event.atMs),
  cause: showCause(event.cause),
  data: event.data,
})

export const showService = (service: Service): ServiceShown => ({
  id: service.kind === 'microservice' ? microserviceId(service) : service.id,
  kind: service.kind,
  project: service.project,
  name: service.name,
  description: service.description,
  onNodes: service.onNodes,
  nodes: service.nodes,
  workspace: service.workspace,
  shared: service.shared,
  usedBy: service.usedBy,
  status: service.status,
  phase: service.phase,
  statusSince: iso(service.statusSinceMs),
  failure: service.failure,
  revision: service.revision,
  labels: service.labels,
  createdBy: service.createdBy,
  createdAt: iso(service.createdAtMs),
  updatedAt: iso(service.updatedAtMs),
  deployedAt: iso(service.deployedAtMs),
  configuredAt: iso(service.configuredAtMs),
})

export const showReceipt = (receipt: Receipt): ReceiptShown => ({
  dryRun: false,
  instances: receipt.instanceIds,
  service: receipt.serviceId ?? null,
  operation: receipt.operationId ?? null,
  before: receipt.before ?? null,
  after: receipt.after ?? null,
  generation: receipt.generation ?? null,
  unchanged: receipt.unchanged ?? null,
  hold: receipt.holdId ?? null,
})

/** Which other projects have it too is nobody's to know but an admin's. */
export function showFlavor(row: Flavor, isAdmin: boolean): FlavorShown {
  const { id, poolId, projects, ...flavor } = row
  return { id, ...flavor, pool: poolId, ...(isAdmin && projects && { projects }) }
}

/** What an image launches may hold secrets, so only admins, who write it, read it. */
export function showImage(image: Image, isAdmin: boolean): ImageShown {
  const { launch, publishing = false, hostPort = null, ...rest } = image
  const shown = { ...rest, publishing, hostPort }
  return isAdmin ? { ...shown, launch } : shown
}

export const showPool = ({ id, capacity, taken, waiting }: Pool): PoolShown => ({
  id,
  capacity,
  taken,
  waiting,
})
export const showNode = ({
  id,
  name,
  state,
  accelerators,
  attributes,
  ...times
}: Node): NodeShown => ({
  id,
  name,
  state,
  accelerators: accelerators ?? [],
  attributes,
  createdAt: maybeIso(times.createdAtMs ?? null),
  updatedAt: maybeIso(times.updatedAtMs ?? null),
})
export const showDriver = ({
  id,
  available,
  reason,
  part,
  fault,
  acts,
}: DriverRow): DriverShown => ({
  id,
  available,
  reason,
  part: part ?? null,
  fault: fault ?? null,
  acts: acts ?? null,
})
export const showProject = (project: Project): ProjectShown => ({
  id: project.id,
  name: project.name,
  domainId: project.domainId,
  enabled: project.enabled,
  description: project.description,
  frozen: project.frozen,
  lacksBalance: project.lacksBalance,
  releasesByDefault: project.releasesByDefault,
  deniedFlavors: project.deniedFlavors,
  instancesMax: { ...project.instancesMax },
  workspaces: (project.workspaces ?? []).map((one) => ({ ...one })),
  quotas: project.quotas ?? {},
})
