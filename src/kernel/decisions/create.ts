// Creation: an instance is its row, its aliases and its first operation (or its queue ticket), in one commit.

import { adminsOwn, driverDown, storageDown, workspaceForbids, workspaceOf } from './conditions.ts'
import { isGone } from './find.ts'
import { seesFlavor } from '../access.ts'
import { aliasKey, defaultSchemes, schemes } from '../aliases.ts'
import { take, enqueue } from '../capacity.ts'
import { type Flavor, type Image, isImageOf } from '../catalogue.ts'
import { err, type KernelError, ok, type Result } from '../errors.ts'
import { type Instance, noConditions, situationOf, usualInstance } from '../instance.ts'
import { type InstanceId, instanceId, type ProjectId } from '../ids.ts'
import type { Kind, State } from '../kinds.ts'
import type { Context, CreateInstance, Receipt, Scheme } from '../request.ts'
import type { Draft } from '../rows.ts'
import { reading } from '../meter.ts'
import { autoStopFrom, begin, emit } from './moves.ts'

export function create(draft: Draft, context: Context, request: CreateInstance): Result<Receipt> {
  const project = context.caller.projectId
  if (project === null) return err({ code: 'Forbidden', needs: 'a project' })
  const foreign = adminsOwn(context, request.conditions)
  if (foreign) return err(foreign)
  const parts = madeOf(draft, context, request, project)
  if (!parts.ok) return parts
  const count = request.count ?? 1
  const receipts: Receipt[] = []
  for (let index = 0; index < count; index++) {
    const name =
      request.names?.[index] ?? (count === 1 ? request.name : `${request.name}-${index + 1}`)
    const made = createOne(draft, context, { ...request, name }, project, parts.value)
    if (made.ok) receipts.push(made.value)
    else if (made.error.code !== 'NoCapacity' || receipts.length < (request.countMin ?? count))
      return made
    else break
  }
  const first = receipts[0]
  return ok({ ...first, instanceIds: receipts.flatMap((receipt) => receipt.instanceIds) })
}

interface Parts {
  readonly flavor: Flavor
  readonly image: Image
}

function madeOf(
  draft: Draft,
  context: Context,
  request: CreateInstance,
  project: ProjectId,
): Result<Parts> {
  const closed = roomFor(draft, request, project)
  if (closed) return err(closed)
  const parts = allowedParts(draft, context, request, { kind: request.kind, project })
  if (!parts.ok) return parts
  const twin = request.uniqueName ? twinOf(draft, request, project) : undefined
  if (twin) return err({ code: 'AlreadyExists', what: 'instance', name: request.name, id: twin.id })
  const down = driverDown(draft, parts.value.flavor.driver) ?? storageDown(draft, request.storage)
  return down ? err(down) : parts
}

/** Whether its workspace, and the limits of that and of the project, leave room for it. */
function roomFor(
  draft: Draft,
  { kind, workspace: id, count = 1 }: CreateInstance,
  project: ProjectId,
): KernelError | undefined {
  const account = draft.get('projects', project)
  const workspace = workspaceOf(draft, project, id)
  if (id !== undefined && !workspace) return { code: 'NotFound', what: 'workspace', id }
  const forbidden = workspaceForbids(workspace, 'create')
  if (forbidden) return forbidden
  const ofKind = account?.instancesMax?.[kind]
  const inside = workspace?.instancesMax ?? undefined
  if (ofKind === undefined && inside === undefined) return undefined
  const there = draft.find('instances', 'project', project).filter((one) => !isGone(one))
  if (ofKind !== undefined && there.filter((one) => one.kind === kind).length + count > ofKind)
    return { code: 'QuotaExceeded', what: 'instance', limit: ofKind }
  const own = there.filter((one) => one.workspaceId === id)
  if (inside !== undefined && own.length + count > inside)
    return { code: 'QuotaExceeded', what: 'workspace', limit: inside }
  return undefined
}

/** One of the same name in the same collection: what is shown under other schemes alone is another collection. */
function twinOf(
  draft: Draft,
  { kind, name, schemes: chosen }: CreateInstance,
  project: ProjectId,
): Instance | undefined {
  const shown = chosen ?? defaultSchemes(kind)
  return draft
    .find('instances', 'nameKey', `${project}/${kind}/${name}`)
    .find((one) => shown.some((scheme) => one.aliases[scheme] !== undefined))
}

/** Flavor and image that fit each other and the kind, and that the project's account may use now. */
export function allowedParts(
  draft: Draft,
  { caller }: Pick<Context, 'caller'>,
  request: { readonly flavorId: string; readonly imageId: string },
  { kind, project }: Pick<Instance, 'kind' | 'project'>,
): Result<Parts> {
  const account = draft.get('projects', project)
  if (account?.frozen) return err({ code: 'ProjectFrozen', project })
  const parts = catalogueParts(draft, request, kind, project)
  if (!parts.ok) return parts
  // One that is only others' is as good as none.
  if (!seesFlavor(caller, parts.value.flavor))
    return err({ code: 'NotFound', what: 'flavor', id: request.flavorId })
  if (account?.deniedFlavors.includes(request.flavorId))
    return err({ code: 'FlavorDenied', flavor: request.flavorId })
  return account?.lacksBalance ? err({ code: 'BalanceLacking', project }) : parts
}

function catalogueParts(
  draft: Draft,
  request: { readonly flavorId: string; readonly imageId: string },
  kind: Kind,
  project: ProjectId,
): Result<Parts> {
  const flavor = draft.get('flavors', request.flavorId)
  if (!flavor?.kinds.includes(kind))
    return err({ code: 'NotFound', what: 'flavor', id: request.flavorId })
  const image = usableImage(draft, request.imageId, kind, project)
  if (!image) return err({ code: 'NotFound', what: 'image', id: request.imageId })
  if (flavor.hardware !== image.hardware)
    return err({ code: 'FlavorMismatch', flavor: flavor.id, image: image.id })
  return ok({ flavor, image })
}

/** One that another project captured, or that is not whole yet, is as good as none. */
export function usableImage(
  draft: Draft,
  id: string,
  kind: Kind,
  project: ProjectId,
): Image | undefined {
  const image = draft.get('images', id)
  if (!image?.kinds.includes(kind) || image.isSaving) return undefined
  return isImageOf(image, project) ? image : undefined
}

function createOne(
  draft: Draft,
  context: Context,
  request: CreateInstance,
  project: ProjectId,
  { flavor, image }: Parts,
): Result<Receipt> {
  const id = instanceId(context.ids.next())
  const place = take(draft, context, flavor)
  const waits =
    !place.ok && request.queues === true && flavor.charge === 'free' && flavor.poolId !== null
  if (!place.ok && !waits) return place
  const ticket = waits
    ? enqueue(draft, context, flavor.poolId, { project, awaits: 'create' })
    : ok(null)
  if (!ticket.ok) return ticket
  const instance: Instance = {
    ...blank(id, project, request.kind, waits ? 'queued' : 'provisioning', context),
    name: request.name,
    description: request.description ?? '',
    flavorId: flavor.id,
    imageId: image.id,
    driver: flavor.driver,
    launch: request.launch ?? {},
    charge: request.charge ?? flavor.charge,
    place: place.ok ? place.value : null,
    queue: ticket.value,
    conditions: request.conditions ? { ...noConditions, ...request.conditions } : noConditions,
    ...(request.workspace === undefined ? {} : { workspaceId: request.workspace }),
    autoStop: autoStopFrom(request.autoStop, null, context.nowMs),
    labels: request.labels ?? {},
    attributes: request.attributes ?? {},
    aliases: aliasesFor(id, request),
  }
  for (const [scheme, alias] of Object.entries(instance.aliases))
    draft.put('aliases', { id: aliasKey(scheme as Scheme, alias), instanceId: id })
  emit(draft, context, instance, 'instance.created', {
    name: instance.name,
    flavor: flavor.id,
    image: image.id,
    ...reading(instance, situationOf(instance)),
  })
  if (!waits) return ok(begin(draft, context, instance, { verb: 'create', rung: null }).receipt)
  draft.put('instances', instance)
  return ok({ instanceIds: [id], after: situationOf(instance), generation: 1 })
}

function aliasesFor(id: InstanceId, request: CreateInstance): Readonly<Record<string, string>> {
  const chosen = request.schemes ?? defaultSchemes(request.kind)
  return Object.fromEntries(
    chosen.flatMap((name) => (schemes[name].make === null ? [] : [[name, schemes[name].make(id)]])),
  )
}

/** A new instance, before anybody said what it is made of. */
export function blank(
  id: InstanceId,
  project: ProjectId,
  kind: Kind,
  state: State,
  context: Context,
): Instance {
  return {
    ...usualInstance,
    id,
    project,
    kind,
    name: '',
    createdBy: context.caller.userId,
    createdAtMs: context.nowMs,
    updatedAtMs: context.nowMs,
    state,
    stateSinceMs: context.nowMs,
    intent: { want: 'up', generation: 1 },
    observation: {
      seen: 'unknown',
      ready: false,
      atMs: context.nowMs,
      reason: 'not looked at yet',
      evidence: {},
    },
  }
}
