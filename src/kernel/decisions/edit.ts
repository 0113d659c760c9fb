// Changes of description and holds: nothing here moves a state.

import { askAgain, free, take } from '../capacity.ts'
import { err, ok, type Result } from '../errors.ts'
import { type Hold, type Instance, situationOf } from '../instance.ts'
import type { Context, HoldInstance, Receipt, ReleaseInstance, UpdateInstance } from '../request.ts'
import { mergedFacts } from '../json.ts'
import { isCharged, reading } from '../meter.ts'
import type { Draft } from '../rows.ts'
import { activeHolds, heldBy, adminsOwn, isOver } from './conditions.ts'
import { allowedParts } from './create.ts'
import { autoStopAtMs, autoStopFrom, emit, flavorOf, momentOf, receiptOf } from './moves.ts'
import { touch } from './registry.ts'

export function update(
  draft: Draft,
  context: Context,
  instance: Instance,
  request: UpdateInstance,
): Result<Receipt> {
  const held = request.heedsHolds ? heldBy(instance, context) : undefined
  if (held) return err(held)
  const situation = situationOf(instance)
  if (request.from !== undefined && !request.from.includes(situation))
    return err({
      code: 'WrongState',
      id: instance.id,
      verb: 'update',
      situation,
      allowed: request.from,
    })
  const foreign = adminsOwn(context, request.conditions)
  if (foreign) return err(foreign)
  const labels = labelsAfter(instance, request)
  if (request.labelsMax !== undefined && outgrows(labels, instance.labels, request.labelsMax))
    return err({ code: 'QuotaExceeded', what: 'label', limit: request.labelsMax })
  const parts = partsAfter(draft, context, instance, request)
  if (!parts.ok) return parts
  const run = runTimeAfter(draft, context, instance, request)
  const told: Instance = {
    ...instance,
    ...parts.value,
    ...run,
    name: request.name ?? instance.name,
    description: request.description ?? instance.description,
    labels,
    attributes: attributesAfter(instance, request),
    conditions: { ...instance.conditions, ...request.conditions },
    charge: request.charge ?? parts.value.charge ?? instance.charge,
    launch: request.launch ?? instance.launch,
    updatedAtMs: momentOf(context, instance),
  }
  // A state is not left here, so what it means to the meter stays, unless how it is paid for changed.
  const isRepriced = told.charge !== instance.charge || told.flavorId !== instance.flavorId
  const charged = isRepriced ? isCharged(told, flavorOf(draft, told)) : told.charged
  const after = { ...told, charged }
  draft.put('instances', after)
  if (after.registration) touch(draft, after)
  emit(
    draft,
    context,
    after,
    'instance.updated',
    run.timers && { runsUntilMs: run.timers.autoStopAtMs },
  )
  if (isRepriced)
    emit(draft, context, after, 'instance.charge', {
      charge: after.charge,
      ...reading(after, situation),
    })
  return ok(receiptOf(instance, after))
}

/**
 * A lease of what runs is another end at once. Any other auto stop waits for the next start, but one that is switched
 * off stops nothing from then on, unless the flavor imposes it.
 */
function runTimeAfter(
  draft: Draft,
  context: Context,
  instance: Instance,
  { autoStop: asked }: UpdateInstance,
): Partial<Pick<Instance, 'autoStop' | 'timers'>> {
  if (asked === undefined) return {}
  const autoStop = autoStopFrom(asked, instance.autoStop, context.nowMs)
  if (instance.state !== 'running') return { autoStop }
  const flavor = flavorOf(draft, instance)
  const waits = asked.enabled || (flavor?.autoStopMs ?? null) !== null
  if (!asked.isLease && waits) return { autoStop }
  const at = autoStopAtMs(flavor, autoStop, context.nowMs)
  return { autoStop, timers: { ...instance.timers, autoStopAtMs: at } }
}

/** Another flavor or image. A place that is held is given back for one of the new flavor's. */
function partsAfter(
  draft: Draft,
  context: Context,
  instance: Instance,
  request: UpdateInstance,
): Result<Partial<Instance>> {
  if (request.flavorId === undefined && request.imageId === undefined) return ok({})
  const situation = situationOf(instance)
  if (instance.state !== 'stopped')
    return err({
      code: 'WrongState',
      id: instance.id,
      verb: 'update',
      situation,
      allowed: ['stopped'],
    })
  const before = flavorOf(draft, instance)
  const { flavorId = instance.flavorId ?? '', imageId = instance.imageId ?? '' } = request
  const parts = allowedParts(draft, context, { flavorId, imageId }, instance)
  if (!parts.ok) return parts
  const { flavor } = parts.value
  if (flavor.driver !== instance.driver)
    return err({ code: 'Unsupported', verb: 'update', driver: instance.driver ?? '' })
  // Whoever was charged as the flavor says still is.
  const charge = instance.charge === before?.charge ? flavor.charge : instance.charge
  if (instance.place === null) return ok({ flavorId, imageId, charge })
  free(draft, context, instance.place)
  const place = take(draft, context, flavor)
  return place.ok ? ok({ flavorId, imageId, charge, place: place.value }) : place
}

const outgrows = (after: Instance['labels'], before: Instance['labels'], max: number): boolean =>
  Object.keys(after).length > Math.max(max, Object.keys(before).length)

function labelsAfter(instance: Instance, request: UpdateInstance): Instance['labels'] {
  const { labels = instance.labels, changedLabels } = request
  if (!changedLabels) return labels
  const merged = Object.entries({ ...labels, ...changedLabels })
  return Object.fromEntries(
    merged.flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  )
}

export function attributesAfter(
  { attributes }: Instance,
  { attributes: change }: Pick<UpdateInstance, 'attributes'>,
): Instance['attributes'] {
  if (!change) return attributes
  const { door, value, isMerged } = change
  if (!isMerged) return { ...attributes, [door]: value }
  return { ...attributes, [door]: mergedFacts(attributes[door] ?? {}, value) }
}

/** Locking what is locked changes nothing; only an admin's lock comes on top of one that its owner may undo. */
export function hold(
  draft: Draft,
  context: Context,
  instance: Instance,
  request: HoldInstance,
): Result<Receipt> {
  const over = isOver(request.untilMs, context)
  if (over) return err(over)
  const holds = activeHolds(instance, context.nowMs)
  const byAdmin = context.caller.role === 'admin' && context.caller.projectId !== instance.project
  const lock =
    request.kind === 'lock'
      ? holds.find((one) => one.kind === 'lock' && (one.byAdmin || !byAdmin))
      : undefined
  if (lock) return ok({ ...receiptOf(instance, instance), holdId: lock.id, unchanged: 'already' })
  const made: Hold = {
    id: context.ids.next(),
    kind: request.kind,
    owner: context.caller.userId,
    byAdmin,
    reason: request.why ?? null,
    sinceMs: context.nowMs,
    untilMs: request.untilMs ?? null,
  }
  // Those whose time is over stay until the timer ends them: their end is told, too (law 8).
  const after = {
    ...instance,
    holds: [...instance.holds, made],
    updatedAtMs: momentOf(context, instance),
  }
  draft.put('instances', after)
  askAgain(draft, context, after)
  emit(draft, context, after, 'instance.held', {
    hold: made.id,
    kind: made.kind,
    reason: made.reason,
  })
  return ok({ ...receiptOf(instance, after), holdId: made.id })
}

/** An admin's hold is an admin's to release. Releasing a lock that is not there changes nothing. */
export function releaseHold(
  draft: Draft,
  context: Context,
  instance: Instance,
  request: ReleaseInstance,
): Result<Receipt> {
  const { hold: which } = request
  const holds = activeHolds(instance, context.nowMs)
  const ended = holds.filter((one) =>
    'id' in which ? one.id === which.id : one.kind === which.kind,
  )
  if (ended.length === 0)
    return 'id' in which
      ? err({ code: 'NotFound', what: 'hold', id: which.id })
      : ok({ ...receiptOf(instance, instance), unchanged: 'already' })
  if (ended.some((one) => one.byAdmin) && context.caller.role !== 'admin')
    return err({ code: 'Forbidden', needs: 'the hold of an admin' })
  const after = {
    ...instance,
    holds: instance.holds.filter((one) => !ended.includes(one)),
    updatedAtMs: momentOf(context, instance),
  }
  draft.put('instances', after)
  askAgain(draft, context, after)
  for (const one of ended)
    emit(draft, context, after, 'instance.released', { hold: one.id, kind: one.kind })
  return ok(receiptOf(instance, after))
}
