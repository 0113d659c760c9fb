// Start, stop, restart, pause, suspend, capture, rebuild, delete, queue, dequeue and reset: every door's requests meet here, and only
// `from` (what the caller's protocol accepts) tells them apart.

import { take, enqueue } from '../capacity.ts'
import type {
  Context,
  CaptureInstance,
  RebuildInstance,
  StillInstance,
  DeleteInstance,
  DequeueInstance,
  QueueInstance,
  Receipt,
  ResetInstance,
  RestartInstance,
  StartInstance,
  StopInstance,
} from '../request.ts'
import type { Image } from '../catalogue.ts'
import { err, ok, type KernelError, type RequestVerb, type Result } from '../errors.ts'
import { type Instance, type Place, situationOf, type StoppedMode } from '../instance.ts'
import { isHarder, type Rung } from '../ladder.ts'
import { allowed, step } from '../lifecycle.ts'
import { failedVerbs, lifecycles, type Situation, type Verb } from '../kinds.ts'
import { isCharged, reading } from '../meter.ts'
import type { Draft } from '../rows.ts'
import { present } from '../present.ts'
import { drainHeld, putBack } from './binding.ts'
import { cannotStart, driverDown, forbidden } from './conditions.ts'
import { usableImage } from './create.ts'
import { attributesAfter } from './edit.ts'
import {
  abandon,
  autoStopFrom,
  begin,
  emit,
  flavorOf,
  momentOf,
  move,
  receiptOf,
  release,
  rungFor,
  setState,
  unchanged,
} from './moves.ts'

type Power =
  | StartInstance
  | StopInstance
  | RestartInstance
  | StillInstance
  | CaptureInstance
  | RebuildInstance
  | DeleteInstance
interface Desk {
  readonly draft: Draft
  readonly context: Context
  readonly instance: Instance
}

export function start({ draft, context, instance }: Desk, request: StartInstance): Result<Receipt> {
  const admitted = admit({ draft, context, instance }, request, null)
  if (admitted !== 'go') return admitted
  const cannot = cannotStart(draft, instance)
  if (cannot) return err(cannot)
  const place = holdPlace(draft, context, instance)
  if (!place.ok) return place
  const autoStop = autoStopFrom(request.autoStop, instance.autoStop, context.nowMs)
  const attributes = attributesAfter(instance, request)
  return ok(
    begin(
      draft,
      context,
      instance,
      { verb: 'start', rung: null },
      { place: place.value, stoppedMode: null, autoStop, attributes },
    ).receipt,
  )
}

export function restart(
  { draft, context, instance }: Desk,
  request: RestartInstance,
): Result<Receipt> {
  const rung = rungFor(draft, instance, request.rung)
  const admitted = admit({ draft, context, instance }, request, rung)
  if (admitted !== 'go') return admitted
  const held = request.rung === 'drain' ? drainHeld(draft, context, instance) : undefined
  if (held) return err(held)
  const place = holdPlace(draft, context, instance)
  if (!place.ok) return place
  return ok(
    begin(
      draft,
      context,
      instance,
      { verb: 'restart', rung, asked: request.rung, graceMs: request.graceMs },
      {
        place: place.value,
        stoppedMode: null,
        autoStop: autoStopFrom(undefined, instance.autoStop, context.nowMs),
      },
    ).receipt,
  )
}

/** The place it has, or a new one. */
function holdPlace(draft: Draft, context: Context, instance: Instance): Result<Place | null> {
  return instance.place === null
    ? take(draft, context, flavorOf(draft, instance))
    : ok(instance.place)
}

export function stop({ draft, context, instance }: Desk, request: StopInstance): Result<Receipt> {
  const { stoppedMode } = request
  if (stoppedMode !== undefined && instance.state === 'stopped')
    return switchMode({ draft, context, instance }, request, stoppedMode)
  const rung = rungFor(draft, instance, request.rung)
  const admitted = admit({ draft, context, instance }, request, rung)
  if (admitted !== 'go') return admitted
  const held = request.rung === 'drain' ? drainHeld(draft, context, instance) : undefined
  if (held) return err(held)
  const mode = modeFor(draft, instance, stoppedMode)
  if (!mode.ok) return mode
  return ok(
    begin(
      draft,
      context,
      instance,
      { verb: 'stop', rung, asked: request.rung, graceMs: request.graceMs },
      { stoppedMode: mode.value },
    ).receipt,
  )
}

/** A mode that somebody names must fit; the account's default falls back silently. */
function modeFor(
  draft: Draft,
  instance: Instance,
  asked: StoppedMode | undefined,
): Result<StoppedMode | null> {
  if (instance.kind !== 'server') return ok(null)
  const cannot = cannotRelease(draft, instance)
  if (asked === 'release') return cannot ? err(cannot) : ok('release')
  const byDefault =
    asked === undefined && draft.get('projects', instance.project)?.releasesByDefault === true
  return ok(byDefault && !cannot ? 'release' : 'keep')
}

function cannotRelease(draft: Draft, instance: Instance): KernelError | undefined {
  const because =
    instance.charge !== 'PostPaid'
      ? 'charge'
      : flavorOf(draft, instance)?.mayRelease !== true
        ? 'flavor'
        : instance.conditions.scheduled
          ? 'scheduled'
          : null
  return because === null ? undefined : { code: 'CannotRelease', id: instance.id, because }
}

/** On a stopped instance a named mode only changes whether its capacity is kept. */
function switchMode(
  { draft, context, instance }: Desk,
  request: StopInstance,
  mode: StoppedMode,
): Result<Receipt> {
  const error = forbidden({
    draft,
    context,
    instance,
    verb: 'stop',
  })
  if (error) return err(error)
  if (mode === (instance.stoppedMode ?? 'keep'))
    return request.from === undefined
      ? ok(unchanged(instance, 'already'))
      : err({ code: 'StoppedModeSame', id: instance.id, mode })
  const cannot = mode === 'release' ? cannotRelease(draft, instance) : undefined
  if (cannot) return err(cannot)
  const place =
    mode === 'keep'
      ? holdPlace(draft, context, instance)
      : ok(release(draft, context, instance).place)
  if (!place.ok) return place
  const switched = {
    ...instance,
    stoppedMode: mode,
    place: place.value,
    updatedAtMs: momentOf(context, instance),
    intent: { ...instance.intent, generation: instance.intent.generation + 1 },
  }
  const after = { ...switched, charged: isCharged(switched, flavorOf(draft, switched)) }
  draft.put('instances', after)
  emit(draft, context, after, 'instance.stopped-mode', reading(after, situationOf(after)))
  return ok(receiptOf(instance, after))
}

export function capture(
  { draft, context, instance }: Desk,
  request: CaptureInstance,
): Result<Receipt> {
  const admitted = admit({ draft, context, instance }, request, null)
  if (admitted !== 'go') return admitted
  const source = instance.imageId === null ? undefined : draft.get('images', instance.imageId)
  const image: Image = {
    id: context.ids.next(),
    name: request.imageName,
    project: instance.project,
    isSaving: true,
    kinds: [instance.kind],
    launch: source?.launch ?? {},
    hardware: source?.hardware ?? 'CPU',
    attributes: {
      ...source?.attributes,
      ...request.imageAttributes,
      capturedFrom: instance.id,
      capturedAtMs: context.nowMs,
    },
  }
  draft.put('images', image)
  const { receipt } = begin(draft, context, instance, { verb: 'capture', rung: null, image })
  return ok({ ...receipt, imageId: image.id })
}

/** Paused and suspended, and back. */
export function still({ draft, context, instance }: Desk, request: StillInstance): Result<Receipt> {
  const admitted = admit({ draft, context, instance }, request, null)
  if (admitted !== 'go') return admitted
  return ok(begin(draft, context, instance, { verb: request.verb, rung: null }).receipt)
}

export function rebuild(
  { draft, context, instance }: Desk,
  request: RebuildInstance,
): Result<Receipt> {
  const admitted = admit({ draft, context, instance }, request, null)
  if (admitted !== 'go') return admitted
  const image = usableImage(draft, request.imageId, instance.kind, instance.project)
  if (!image) return err({ code: 'NotFound', what: 'image', id: request.imageId })
  const flavor = flavorOf(draft, instance)
  if (flavor && flavor.hardware !== image.hardware)
    return err({ code: 'FlavorMismatch', flavor: flavor.id, image: image.id })
  const cannot = instance.state === 'stopped' ? undefined : cannotStart(draft, instance)
  if (cannot) return err(cannot)
  const place =
    instance.state === 'stopped' ? ok(instance.place) : holdPlace(draft, context, instance)
  if (!place.ok) return place
  const { name, description, labels, attributes: told } = request
  const attributes = told
    ? { [told.door]: { ...instance.attributes[told.door], ...told.value } }
    : {}
  const change: Partial<Instance> = {
    imageId: image.id,
    name: name ?? instance.name,
    description: description ?? instance.description,
    labels: labels ?? instance.labels,
    attributes: { ...instance.attributes, ...attributes },
    place: place.value,
  }
  return ok(begin(draft, context, instance, { verb: 'rebuild', rung: 'hard' }, change).receipt)
}

export function remove(
  { draft, context, instance }: Desk,
  request: DeleteInstance,
): Result<Receipt> {
  const admitted = admit({ draft, context, instance }, request, null)
  if (admitted !== 'go') return admitted
  if (instance.conditions.deletionProtected)
    return err({ code: 'DeletionProtected', id: instance.id })
  if (instance.charge === 'PrePaid') return err({ code: 'TermUnfinished', id: instance.id })
  const queue = release(draft, context, { ...instance, place: null }).queue
  return ok(begin(draft, context, instance, { verb: 'delete', rung: 'hard' }, { queue }).receipt)
}

/** 'go', or what is answered instead: a refusal, or a receipt because nothing has to be done. */
function admit(
  { draft, context, instance }: Desk,
  request: Power,
  rung: Rung | null,
): 'go' | Result<Receipt> {
  const { verb, from } = request
  const error = forbidden({ draft, context, instance, verb })
  if (error) return err(error)
  const situation = situationOf(instance)
  if (from !== undefined && !from.includes(situation)) return err(refusal(instance, verb, from))
  if (request.ifSure && situation === 'running' && present(instance).unsure)
    return err(refusal(instance, verb, from ?? situationsFor(instance, verb)))
  const { underway } = instance
  if (
    underway &&
    underway.verb === verb &&
    !(rung !== null && underway.rung !== null && isHarder(rung, underway.rung))
  ) {
    draft.emit({
      type: 'operation.joined',
      project: instance.project,
      subject: instance.id,
      instanceId: instance.id,
      atMs: context.nowMs,
      cause: context.cause,
      data: { operation: underway.operationId },
    })
    return ok(unchanged(instance, 'joined'))
  }
  if (!underway && from === undefined && isReached(instance, verb)) {
    // It runs, though not because of a start: nobody has put it back yet.
    if (verb === 'start') putBack(draft, context, instance)
    return ok(unchanged(instance, 'already'))
  }
  if (step(lifecycles[instance.kind], instance.state, verb) === undefined)
    return err(refusal(instance, verb, situationsFor(instance, verb)))
  return driverReady(draft, instance, verb) ?? 'go'
}

/** Where each verb leads; a request to go where it is already does nothing. */
const reaches: Readonly<Partial<Record<Verb, Instance['state']>>> = {
  start: 'running',
  stop: 'stopped',
  pause: 'paused',
  unpause: 'running',
  suspend: 'suspended',
  resume: 'running',
}
const isReached = (instance: Instance, verb: Verb): boolean => reaches[verb] === instance.state

function driverReady(
  draft: Draft,
  { driver }: Instance,
  verb: Power['verb'],
): Result<Receipt> | undefined {
  if (driver === null) return err({ code: 'Unsupported', verb, driver: 'registry' })
  const acts = draft.get('drivers', driver)?.acts
  // Every driver creates, starts, stops and removes; not every one does more.
  const special = isSpecial(verb) ? verb : undefined
  if (special && acts && !acts.includes(special)) return err({ code: 'Unsupported', verb, driver })
  const down = driverDown(draft, driver)
  return down && err(down)
}

const specials = ['capture', 'pause', 'unpause', 'suspend', 'resume'] as const
const isSpecial = (verb: Power['verb']): verb is (typeof specials)[number] =>
  (specials as readonly string[]).includes(verb) // widened: includes() wants the tuple's own union

function refusal(
  instance: Instance,
  verb: RequestVerb,
  allowedIn: readonly Situation[],
): KernelError {
  const situation = situationOf(instance)
  const { underway } = instance
  if (underway)
    return {
      code: 'Busy',
      id: instance.id,
      verb,
      operation: underway.operationId,
      running: underway.verb,
      situation,
      from: underway.from,
      asked: underway.asked,
    }
  return { code: 'WrongState', id: instance.id, verb, situation, allowed: allowedIn }
}

/** The situations from which the kind's own lifecycle allows a verb. */
export function situationsFor(
  instance: Pick<Instance, 'kind'>,
  verb: string,
): readonly Situation[] {
  return allowed(lifecycles[instance.kind], verb).flatMap((state) =>
    state === 'failed' ? failedVerbs.map((one) => `failed/${one}` as const) : [state as Situation],
  ) // a state other than failed is its own situation
}

export function queue({ draft, context, instance }: Desk, request: QueueInstance): Result<Receipt> {
  const flavor = queueable({ draft, context, instance }, request)
  if (!flavor.ok) return flavor
  const admitted = mayMove(instance, request)
  if (admitted) return err(admitted)
  // What failed may still hold a place; whoever queues gives it to those who were first.
  const { place } = release(draft, context, instance)
  const ticket = enqueue(draft, context, flavor.value, {
    project: instance.project,
    awaits: 'start',
  })
  if (!ticket.ok) return ticket
  const after = move(draft, context, instance, 'queue', {
    place,
    queue: ticket.value,
    intent: { want: 'up', generation: instance.intent.generation + 1 },
  })
  return ok(receiptOf(instance, after))
}

export function dequeue(
  { draft, context, instance }: Desk,
  request: DequeueInstance,
): Result<Receipt> {
  const flavor = queueable({ draft, context, instance }, request)
  if (!flavor.ok) return flavor
  const admitted = mayMove(instance, request)
  if (admitted) return err(admitted)
  const after = move(draft, context, instance, 'dequeue', {
    ...release(draft, context, instance),
    intent: { want: 'down', generation: instance.intent.generation + 1 },
  })
  return ok(receiptOf(instance, after))
}

/** Only free flavors queue; that is checked before the state. Resolves to the pool. */
function queueable(
  { draft, context, instance }: Desk,
  request: QueueInstance | DequeueInstance,
): Result<string> {
  const error = forbidden({
    draft,
    context,
    instance,
    verb: request.verb,
  })
  if (error) return err(error)
  const flavor = flavorOf(draft, instance)
  if (!flavor?.poolId || instance.charge !== 'free')
    return err({ code: 'NotQueueable', flavor: instance.flavorId ?? '' })
  return ok(flavor.poolId)
}

function mayMove(
  instance: Instance,
  request: QueueInstance | DequeueInstance,
): KernelError | undefined {
  const fits = request.from === undefined || request.from.includes(situationOf(instance))
  if (fits && step(lifecycles[instance.kind], instance.state, request.verb) !== undefined)
    return undefined
  return refusal(instance, request.verb, request.from ?? situationsFor(instance, request.verb))
}

/** By hand, past the lifecycle: for an operator who knows better than the record. The next look corrects a wrong claim. */
export function reset({ draft, context, instance }: Desk, request: ResetInstance): Result<Receipt> {
  if (instance.kind === 'service-instance')
    return err({ code: 'Unsupported', verb: 'reset', driver: 'registry' })
  abandon(draft, context, instance)
  const failure =
    request.to === 'failed'
      ? { verb: 'run' as const, message: 'set by hand', atMs: context.nowMs, evidence: {} }
      : null
  const intent = {
    want: request.to === 'running' ? ('up' as const) : instance.intent.want,
    generation: instance.intent.generation + 1,
  }
  // A ticket belongs to the queued state; a place stays with whoever holds it.
  const { queue: ticket } = release(draft, context, { ...instance, place: null })
  const after = setState(draft, context, instance, request.to, {
    underway: null,
    queue: ticket,
    failure,
    intent,
    reason: 'set by hand',
  })
  if (request.to === 'running') putBack(draft, context, after)
  emit(draft, context, after, 'instance.reset', { to: request.to })
  return ok(receiptOf(instance, after))
}
