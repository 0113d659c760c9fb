// Inference services: deployed to nodes as one instance each, started, stopped and removed as a whole. What a
// service's status is follows from its instances (inference.ts); here is only what is asked of all of them.

import { may } from '../access.ts'
import { overQuota, sharedService, unfitNode, unpublished, usedService } from './allowances.ts'
import { defaultWorkspace } from '../project.ts'
import { edgeAlias } from '../aliases.ts'
import { free, take } from '../capacity.ts'
import { err, type KernelError, ok, type Result } from '../errors.ts'
import { type InstanceId, instanceId, type ProjectId, serviceId } from '../ids.ts'
import type { Instance, Refit } from '../instance.ts'
import { isA, step } from '../lifecycle.ts'
import { lifecycles } from '../kinds.ts'
import type {
  Context,
  DeployService,
  PowerService,
  Receipt,
  RedeployService,
  RemoveServices,
  UpdateService,
} from '../request.ts'
import { reading } from '../meter.ts'
import type { Draft } from '../rows.ts'
import type { Service } from '../service.ts'
import { allowedParts, blank } from './create.ts'
import { cannotStart, driverDown, forbidden, workspaceForbids, workspaceOf } from './conditions.ts'
import { findService, ownedService } from './find.ts'
import { begin, emit, flavorOf, settleService } from './moves.ts'
import type { Flavor } from '../catalogue.ts'
import { bringsUp } from '../operation.ts'

export function deploy(draft: Draft, context: Context, request: DeployService): Result<Receipt> {
  const project = context.caller.projectId
  if (project === null) return err({ code: 'Forbidden', needs: 'a project' })
  const twin = draft.find('services', 'key', `${project}/inference/${request.name}`)[0]
  if (twin) return err({ code: 'AlreadyExists', what: 'service', name: request.name, id: twin.id })
  const id = serviceId(context.ids.next())
  const service: Service = {
    ...serviceRow(context, project, request.name),
    id,
    kind: 'inference',
    key: request.name,
    description: request.description ?? '',
    onNodes: request.onNodes,
    nodes: request.nodes,
    workspace: request.workspace ?? defaultWorkspace,
    phase: request.onNodes ? 'deploying' : 'settled',
    status: request.onNodes ? 'deploying' : 'stopped',
    labels: request.labels ?? {},
    attributes: request.attributes ?? {},
  }
  const workspace = workspaceOf(draft, project, service.workspace)
  if (!workspace && service.workspace !== defaultWorkspace)
    return err({ code: 'NotFound', what: 'workspace', id: service.workspace })
  const forbids = workspaceForbids(workspace, request.verb)
  if (forbids) return err(forbids)
  const flavor = request.onNodes
    ? nodesFor(draft, context, request, { project, replaces: null })
    : ok(null)
  if (!flavor.ok) return flavor
  const over = request.onNodes ? overQuota(draft, context, service) : undefined
  if (over) return err(over)
  draft.put('services', service)
  draft.emit({
    type: 'service.created',
    project,
    subject: id,
    atMs: context.nowMs,
    cause: context.cause,
    data: { name: request.name, nodes: request.onNodes ? request.nodes : [] },
  })
  const placed =
    flavor.value === null ? ok({}) : place(draft, context, request, service, flavor.value)
  if (!placed.ok) return placed
  tellDeployed(draft, context, service, { request, placed: placed.value })
  return ok({ instanceIds: Object.values(placed.value), serviceId: id })
}

/** What a configuration came to: on which nodes, and which instance is on each, those that had to leave included. */
function tellDeployed(
  draft: Draft,
  context: Context,
  service: Service,
  {
    request,
    placed,
  }: { readonly request: DeployService | RedeployService; readonly placed: Placed },
): void {
  draft.emit({
    type: 'service.deployed',
    project: service.project,
    subject: service.id,
    atMs: context.nowMs,
    cause: context.cause,
    data: {
      nodes: request.nodes,
      flavor: request.flavorId,
      image: request.imageId,
      placed,
      again: request.verb === 'redeploy',
    },
  })
}

/** Which instance is on each node. */
type Placed = Readonly<Record<string, InstanceId>>

function nodesFor(
  draft: Draft,
  context: Context,
  { needs = { gpus: 0, npus: 0 }, ...request }: Wanted,
  { project, replaces }: { readonly project: ProjectId; readonly replaces: Service | null },
): Result<Flavor> {
  const parts = allowedParts(draft, context, request, { kind: 'edge-instance', project })
  if (!parts.ok) return parts
  const { flavor, image } = parts.value
  const unfit = unpublished(image)
  if (unfit) return err(unfit)
  for (const id of request.nodes) {
    const node = draft.get('nodes', id)
    if (!node) return err({ code: 'NotFound', what: 'node', id })
    if (node.state !== 'ready') return err({ code: 'NodeNotReady', node: id, state: node.state })
    const lacks = unfitNode(draft, node, { flavor, image, needs, replaces })
    if (lacks) return err(lacks)
  }
  const down = driverDown(draft, flavor.driver)
  return down ? err(down) : ok(flavor)
}

type Wanted = Pick<DeployService, 'nodes' | 'flavorId' | 'imageId' | 'needs'>
type Making = Pick<DeployService, 'nodes' | 'imageId' | 'launch'>

function place(
  draft: Draft,
  context: Context,
  request: Making,
  service: Service,
  flavor: Flavor,
): Result<Placed> {
  const placed: Record<string, InstanceId> = {}
  for (const node of request.nodes) {
    const capacity = take(draft, context, flavor)
    if (!capacity.ok) return capacity
    const id = instanceId(context.ids.next())
    const instance: Instance = {
      ...blank(id, service.project, 'edge-instance', 'deploying', context),
      name: `${service.name}@${draft.get('nodes', node)?.name ?? node}`,
      ...madeOf(flavor, request),
      createdBy: service.createdBy,
      serviceId: service.id,
      nodeId: node,
      place: capacity.value,
    }
    draft.put('aliases', { id: edgeAlias(service.id, node), instanceId: id })
    emit(draft, context, instance, 'instance.created', {
      name: instance.name,
      service: service.id,
      node,
      ...reading(instance, instance.state),
    })
    begin(draft, context, instance, { verb: 'create', rung: null })
    placed[node] = id
  }
  return ok(placed)
}

const madeOf = (flavor: Flavor, { imageId, launch = {} }: Making): Refit => ({
  flavorId: flavor.id,
  imageId,
  driver: flavor.driver,
  launch,
  charge: flavor.charge,
})

/** Another configuration: all or none, and not while the service is being changed as a whole. */
export function redeploy(
  draft: Draft,
  context: Context,
  request: RedeployService,
): Result<Receipt> {
  const found = ownedService(draft, context, { id: request.service, verb: request.verb })
  if (!found.ok) return found
  const service = found.value
  if (service.phase !== 'settled')
    return err({ code: 'ServiceBusy', id: service.id, status: service.status })
  const shared = sharedService(service)
  if (shared) return err(shared)
  const of = { project: service.project, replaces: service }
  const flavor = service.onNodes ? nodesFor(draft, context, request, of) : ok(null)
  if (!flavor.ok) return flavor
  const { attributes: told } = request
  const { nodes } = request
  const next = { ...service, nodes, ...(service.onNodes ? { status: 'deploying' as const } : {}) }
  const over = service.onNodes ? overQuota(draft, context, next) : undefined
  if (over) return err(over)
  draft.put('services', {
    ...service,
    nodes,
    description: request.description ?? service.description,
    ...(told ? { attributes: { ...service.attributes, [told.door]: told.value } } : {}),
    ...(service.onNodes ? { phase: 'deploying', deployedAtMs: context.nowMs } : {}),
    configuredAtMs: context.nowMs,
    updatedAtMs: context.nowMs,
  })
  const placed =
    flavor.value === null
      ? ok({})
      : replace(draft, context, { request, service, flavor: flavor.value })
  if (!placed.ok) return placed
  tellDeployed(draft, context, service, { request, placed: placed.value })
  const after = draft.get('services', service.id)
  if (after) settleService(draft, context, after)
  return ok({ instanceIds: Object.values(placed.value), serviceId: service.id })
}

interface Replacing {
  readonly request: RedeployService
  readonly service: Service
  readonly flavor: Flavor
}

/** Those to leave and those to stay; then the nodes that are new. */
function replace(
  draft: Draft,
  context: Context,
  { request, service, flavor }: Replacing,
): Result<Placed> {
  const placed: Record<string, InstanceId> = {}
  for (const instance of instancesOf(draft, service)) {
    const node = instance.nodeId ?? ''
    const verb = request.nodes.includes(node) ? 'restart' : 'delete'
    const obstacle = obstacleTo({ draft, context, instance }, verb)
    if (obstacle) return err(obstacle)
    placed[node] = instance.id
    if (step(lifecycles[instance.kind], instance.state, verb) === undefined) {
      // It leaves already; it can leave once, and no more be changed.
      if (verb === 'delete') continue
      return err({ code: 'ServiceBusy', id: service.id, status: service.status })
    }
    if (verb === 'delete') {
      begin(draft, context, instance, { verb, rung: 'hard' })
      continue
    }
    const capacity = placeFor(draft, context, instance, flavor)
    if (!capacity.ok) return capacity
    const change = { place: capacity.value, refit: madeOf(flavor, request) }
    begin(draft, context, instance, { verb, rung: 'soft' }, change)
  }
  const nodes = request.nodes.filter((node) => placed[node] === undefined)
  const made = place(draft, context, { ...request, nodes }, service, flavor)
  if (!made.ok) return made
  const all = { ...placed, ...made.value }
  // Those that stay in the order in which they were named, then those that leave.
  const named = request.nodes.flatMap((node) => (all[node] ? [[node, all[node]] as const] : []))
  return ok({ ...Object.fromEntries(named), ...all })
}

/** The place it has, where it fits the other flavor as well; else that is given back for one that does. */
function placeFor(
  draft: Draft,
  context: Context,
  instance: Instance,
  flavor: Flavor,
): Result<Instance['place']> {
  const { place: own } = instance
  if (own?.poolId === flavor.poolId && own?.units === flavor.units) return ok(own)
  free(draft, context, own)
  return take(draft, context, flavor)
}

export const serviceRow = (
  context: Context,
  project: ProjectId,
  name: string,
): Omit<
  Service,
  | 'id'
  | 'kind'
  | 'key'
  | 'onNodes'
  | 'nodes'
  | 'workspace'
  | 'phase'
  | 'status'
  | 'labels'
  | 'attributes'
  | 'description'
> => ({
  project,
  name,
  createdBy: context.caller.userId,
  createdAtMs: context.nowMs,
  updatedAtMs: context.nowMs,
  statusSinceMs: context.nowMs,
  deployedAtMs: context.nowMs,
  configuredAtMs: context.nowMs,
  shared: false,
  usedBy: null,
  failure: null,
  revision: 1,
})

/** Starts or stops every instance that is not there yet; what is under way already is left to run on. */
export function powerService(
  draft: Draft,
  context: Context,
  request: PowerService,
): Result<Receipt> {
  const found = ownedService(draft, context, { id: request.service, verb: request.verb })
  if (!found.ok) return found
  const service = found.value
  if (
    service.phase === 'deleting' ||
    (request.verb === 'start-service' && service.phase === 'stopping')
  )
    return err({ code: 'ServiceBusy', id: service.id, status: service.status })
  const shared = sharedService(service)
  if (shared) return err(shared)
  const verb = request.verb === 'start-service' ? 'start' : 'stop'
  const parts = instancesOf(draft, service)
  for (const instance of parts) {
    const obstacle = obstacleTo({ draft, context, instance }, verb)
    if (obstacle) return err(obstacle)
  }
  const due = parts.filter(
    (one) =>
      one.underway?.verb !== verb && step(lifecycles[one.kind], one.state, verb) !== undefined,
  )
  const phase = verb === 'start' ? 'deploying' : 'stopping'
  const over =
    phase === 'deploying' ? overQuota(draft, context, { ...service, status: phase }) : undefined
  if (over) return err(over)
  if (due.length === 0)
    return service.onNodes && parts.every((one) => one.underway === null)
      ? err({ code: 'ServiceBusy', id: service.id, status: service.status })
      : ok({ instanceIds: [], serviceId: service.id, unchanged: 'joined' })
  draft.put('services', {
    ...service,
    phase,
    updatedAtMs: context.nowMs,
    ...(verb === 'start' ? { deployedAtMs: context.nowMs } : {}),
  })
  const instanceIds = []
  for (const instance of due) {
    const capacity =
      verb === 'start' && instance.place === null
        ? take(draft, context, flavorOf(draft, instance))
        : ok(instance.place)
    if (!capacity.ok) return capacity
    begin(
      draft,
      context,
      instance,
      { verb, rung: verb === 'stop' ? 'soft' : null },
      { place: capacity.value },
    )
    instanceIds.push(instance.id)
  }
  const after = draft.get('services', service.id)
  if (after) settleService(draft, context, after)
  return ok({ instanceIds, serviceId: service.id })
}

/** What forbids it for one of its instances forbids it for the whole service: all or none. */
function obstacleTo(
  { draft, context, instance }: { draft: Draft; context: Context; instance: Instance },
  verb: 'start' | 'restart' | 'stop' | 'delete',
): KernelError | undefined {
  const error = forbidden({ draft, context, instance, verb })
  if (error) return error
  if (verb === 'delete' && instance.conditions.deletionProtected)
    return { code: 'DeletionProtected', id: instance.id }
  const cannot = bringsUp(verb) ? cannotStart(draft, instance) : undefined
  return cannot ?? (instance.driver === null ? undefined : driverDown(draft, instance.driver))
}

const instancesOf = (draft: Draft, service: Service): readonly Instance[] =>
  draft
    .find('instances', 'serviceId', service.id)
    .filter((one) => !isA(lifecycles[one.kind], one.state, 'final'))

export function updateService(
  draft: Draft,
  context: Context,
  request: UpdateService,
): Result<Receipt> {
  const kind =
    request.kind ?? (draft.get('services', request.service) ? 'inference' : 'microservice')
  const { service: id, verb } = request
  const found =
    kind === 'inference'
      ? ownedService(draft, context, { id, verb })
      : findService(draft, id, 'microservice', context.caller)
  if (!found.ok) return found
  if (!may(context.caller, verb)) return err({ code: 'Forbidden', needs: verb })
  const service = found.value
  if (service.phase === 'deleting')
    return err({ code: 'ServiceBusy', id: service.id, status: service.status })
  const { shared = service.shared, usedBy = service.usedBy } = request
  const isLifted = request.shared !== undefined || request.usedBy !== undefined
  const fixed = isLifted ? undefined : sharedService(service)
  if (fixed) return err(fixed)
  const attributes = request.attributes
    ? { ...service.attributes, [request.attributes.door]: request.attributes.value }
    : service.attributes
  const changed = Object.entries({ ...attributes, ...request.changedAttributes })
  draft.put('services', {
    ...service,
    description: request.description ?? service.description,
    labels: request.labels ?? service.labels,
    attributes: Object.fromEntries(
      changed.flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
    ),
    shared,
    usedBy,
    updatedAtMs: context.nowMs,
  })
  draft.emit({
    type: 'service.updated',
    project: service.project,
    subject: service.id,
    atMs: context.nowMs,
    cause: context.cause,
  })
  return ok({ instanceIds: [], serviceId: service.id })
}

export function removeServices(
  draft: Draft,
  context: Context,
  request: RemoveServices,
): Result<Receipt> {
  const services: Service[] = []
  const ids = [...new Set(request.services)]
  // All are there before anything is said of who may remove one.
  for (const id of ids) {
    const found = findService(draft, id, 'inference', context.caller)
    if (!found.ok) return found
  }
  for (const id of ids) {
    const found = ownedService(draft, context, { id, verb: request.verb })
    if (!found.ok) return found
    const used = usedService(found.value)
    if (used) return err(used)
    for (const instance of instancesOf(draft, found.value)) {
      const obstacle = obstacleTo({ draft, context, instance }, 'delete')
      if (obstacle) return err(obstacle)
    }
    services.push(found.value)
  }
  const instanceIds = []
  for (const service of services) {
    draft.put('services', { ...service, phase: 'deleting', updatedAtMs: context.nowMs })
    for (const instance of instancesOf(draft, service)) {
      if (instance.underway?.verb !== 'delete')
        begin(draft, context, instance, { verb: 'delete', rung: 'hard' })
      instanceIds.push(instance.id)
    }
    const after = draft.get('services', service.id)
    if (after) settleService(draft, context, after)
  }
  return ok({ instanceIds })
}
