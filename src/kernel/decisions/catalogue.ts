// Changes of what instances are made of and where they run. A node that goes out of contact takes what runs on it
// along; nothing else here moves a state.

import { changePool } from '../capacity.ts'
import type { Flavor } from '../catalogue.ts'
import { err, ok, type Result } from '../errors.ts'
import type { ProjectId } from '../ids.ts'
import { isJsonObject, mergedFacts } from '../json.ts'
import type { Context, EditFlavor, PutCatalogue, Receipt, RemoveCatalogue } from '../request.ts'
import type { Draft } from '../rows.ts'
import type { TableName } from '../tables.ts'
import { move } from './moves.ts'

export function put(draft: Draft, context: Context, request: PutCatalogue): Result<Receipt> {
  if (request.table === 'pools') {
    const known = draft.get('pools', request.row.id)
    changePool(
      draft,
      context,
      known ?? {
        id: request.row.id,
        capacity: 0,
        taken: 0,
        nextTicket: 1,
        turn: 0,
        turnAfter: {},
        waiting: 0,
        passAtMs: null,
      },
      { capacity: request.row.capacity },
    )
  } else if (request.table === 'nodes') {
    const known = draft.get('nodes', request.row.id)
    const createdAtMs = known?.createdAtMs ?? context.nowMs
    draft.put('nodes', { ...request.row, createdAtMs, updatedAtMs: context.nowMs })
    followNode(draft, context, request.row)
  } else if (request.table === 'flavors') {
    const twin = request.isNew && twinOf(draft, request.row)
    if (twin) return err({ code: 'AlreadyExists', what: 'flavor', name: twin.name, id: twin.id })
    draft.put('flavors', request.row)
  } else if (request.table === 'images') draft.put('images', request.row)
  else if (request.table === 'drivers') draft.put('drivers', request.row)
  else draft.put('projects', request.row)
  changed(draft, context, { table: request.table, id: request.row.id })
  return ok({ instanceIds: [] })
}

const twinOf = (draft: Draft, { id, name }: Flavor): Flavor | undefined =>
  draft.find('flavors', 'name', name)[0] ?? draft.get('flavors', id)

export function editFlavor(
  draft: Draft,
  context: Context,
  { id, access, facts }: EditFlavor,
): Result<Receipt> {
  const flavor = draft.get('flavors', id)
  if (!flavor) return err({ code: 'NotFound', what: 'flavor', id })
  if (access && !draft.get('projects', access.project))
    return err({ code: 'NotFound', what: 'project', id: access.project })
  const projects = access && projectsAfter(flavor, access)
  if (access && !projects) return ok({ instanceIds: [], unchanged: 'already' })
  const { attributes } = flavor
  const known = facts && attributes[facts.under]
  draft.put('flavors', {
    ...flavor,
    ...(projects && { projects }),
    attributes: facts
      ? {
          ...attributes,
          [facts.under]: mergedFacts(isJsonObject(known) ? known : {}, facts.change),
        }
      : attributes,
  })
  changed(draft, context, { table: 'flavors', id, ...access })
  return ok({ instanceIds: [] })
}

/** Undefined: nothing changes. What is everybody's is so already, and cannot be taken from one. */
function projectsAfter(
  { projects }: Flavor,
  { project, isGranted }: NonNullable<EditFlavor['access']>,
): Flavor['projects'] {
  if (projects === undefined || projects.includes(project) === isGranted) return undefined
  return isGranted ? [...projects, project] : projects.filter((one) => one !== project)
}

/** What is made of it keeps its id and is shown with it; nothing new is made of it. */
export function removeFromCatalogue(
  draft: Draft,
  context: Context,
  { table, id }: RemoveCatalogue,
): Result<Receipt> {
  const { role, projectId } = context.caller
  const isAdmin = role === 'admin'
  const what = table === 'flavors' ? 'flavor' : 'image'
  const image = table === 'images' ? draft.get('images', id) : undefined
  const isThere = table === 'flavors' ? draft.get('flavors', id) !== undefined : image !== undefined
  const isTheirs = image?.project !== undefined && image.project !== projectId && !isAdmin
  if (!isThere || isTheirs || image?.isSaving) return err({ code: 'NotFound', what, id })
  const isOwn = image?.project !== undefined && image.project === projectId
  if (!isAdmin && !isOwn) return err({ code: 'Forbidden', needs: 'admin' })
  draft.remove(table, id)
  changed(draft, context, { table, id, project: image?.project ?? null })
  return ok({ instanceIds: [] })
}

/** A node out of contact takes its running instances to not-ready; the next look brings them back. */
function followNode(
  draft: Draft,
  context: Context,
  node: { readonly id: string; readonly name: string; readonly state: string },
): void {
  if (node.state === 'ready') return
  for (const instance of draft.find('instances', 'nodeId', node.id)) {
    if (instance.kind !== 'edge-instance' || instance.state !== 'running') continue
    move(draft, context, instance, 'unreachable', { reason: `node ${node.name} is ${node.state}` })
  }
}

const changed = (
  draft: Draft,
  { cause, nowMs: atMs }: Context,
  {
    id: subject,
    project = null,
    ...data
  }: { readonly table: TableName; readonly id: string; readonly project?: ProjectId | null },
): void => draft.emit({ type: 'catalogue.changed', project, subject, atMs, cause, data })
