// The only places where an instance's state, an operation's state and a service's status change. Each writes
// the row and its event together, so nothing changes without a cause (law 8).

import { assert } from '../assert.ts'
import type { Cause } from '../caller.ts'
import type { Flavor, Image } from '../catalogue.ts'
import { free, leaveQueue } from '../capacity.ts'
import {
  type AutoStop,
  type Instance,
  noTimers,
  situationOf,
  type Timers,
  type Underway,
} from '../instance.ts'
import { operationId } from '../ids.ts'
import { phaseOf, statusOf } from '../inference.ts'
import { isA, step } from '../lifecycle.ts'
import { lifecycles, type State, type Verb } from '../kinds.ts'
import type { Rung } from '../ladder.ts'
import { isCharged, reading } from '../meter.ts'
import { bringsUp, currentStep, type Operation, type Step, usualOperation } from '../operation.ts'
import { patienceMs } from '../reconcile.ts'
import type { AutoStopAsked, Context, Receipt } from '../request.ts'
import type { Draft } from '../rows.ts'
import type { Service } from '../service.ts'

/** The same request, carried on by something else than who made it. */
export const because = (context: Context, by: Cause['by'], why: string): Context => ({
  ...context,
  cause: { ...context.cause, by, why },
})

export const defaultGraceMs = 10_000
export const defaultStartMs = 60_000
/** Two polls of clients that ask every 15 s, one of those that ask every 30 s. */
export const defaultDrainMs = 35_000

/** Makes a move of the lifecycle. The table was asked before; a move it does not have is a bug. */
export function move(
  draft: Draft,
  context: Context,
  before: Instance,
  on: string,
  change: Partial<Instance> = {},
): Instance {
  const to = step(lifecycles[before.kind], before.state, on)
  assert(to !== undefined, `${before.kind} ${before.state} has no move ${on}`)
  return setState(draft, context, before, to as State, change) // a table's moves lead to its own states
}

export function setState(
  draft: Draft,
  context: Context,
  before: Instance,
  to: State,
  change: Partial<Instance> = {},
): Instance {
  const atMs = momentOf(context, before)
  const moved: Instance = {
    ...before,
    reason: null,
    ...change,
    state: to,
    failure: to === 'failed' ? (change.failure ?? before.failure) : null,
    stateSinceMs: atMs,
    updatedAtMs: atMs,
  }
  const charged = isCharged(moved, flavorOf(draft, moved))
  const after = { ...moved, charged, timers: timersIn(draft, context, moved) }
  draft.put('instances', after)
  const from = situationOf(before)
  if (from !== situationOf(after)) {
    emit(draft, context, after, 'instance.state', {
      from,
      ...reading(after, situationOf(after)),
      ...(after.reason === null ? {} : { reason: after.reason }),
      ...(after.failure === null
        ? {}
        : { failure: after.failure.message, evidence: after.failure.evidence }),
    })
  } else if (after.stoppedMode !== before.stoppedMode || charged !== before.charged) {
    // A harder stop may name another mode than the one it takes the place of.
    emit(draft, context, after, 'instance.stopped-mode', reading(after, from))
  }
  refreshService(draft, context, after)
  return after
}

/** Timers belong to states: entering one sets what it needs and drops the rest. */
function timersIn(draft: Draft, context: Context, instance: Instance): Instance['timers'] {
  const flavor = flavorOf(draft, instance)
  if (instance.state === 'running')
    return only('autoStopAtMs', autoStopAtMs(flavor, instance.autoStop, context.nowMs))
  if (instance.state === 'reserved')
    return only('reservedUntilMs', context.nowMs + (flavor?.reserveMs ?? 300_000))
  const isIdle = instance.state === 'stopped' || instance.state === 'failed'
  const storeMs = isIdle ? (flavor?.storeMs ?? null) : null
  return only('removeAtMs', storeMs === null ? null : context.nowMs + storeMs)
}

const only = (timer: keyof Timers, atMs: number | null): Timers =>
  atMs === null ? noTimers : { ...noTimers, [timer]: atMs }

/** When what runs is to be stopped: a flavor's own time goes before the instance's, a lease before the clock. */
export function autoStopAtMs(
  flavor: Pick<Flavor, 'autoStopMs'> | undefined,
  autoStop: AutoStop | null,
  upSinceMs: number,
): number | null {
  const afterMs = flavor?.autoStopMs ?? (autoStop?.enabled ? autoStop.afterMs : null)
  return afterMs === null ? null : (autoStop?.sinceMs ?? upSinceMs) + afterMs
}

/** What was asked for, from now on; a lease that is there begins anew. */
export function autoStopFrom(
  asked: AutoStopAsked | undefined,
  before: AutoStop | null,
  nowMs: number,
): AutoStop | null {
  if (asked === undefined)
    return before?.sinceMs === undefined ? before : { ...before, sinceMs: nowMs }
  const { enabled, afterMs, isLease } = asked
  return { enabled, afterMs, ...(isLease ? { sinceMs: nowMs } : {}) }
}

export const flavorOf = (draft: Draft, instance: Pick<Instance, 'flavorId'>): Flavor | undefined =>
  instance.flavorId === null ? undefined : draft.get('flavors', instance.flavorId)

export function emit(
  draft: Draft,
  context: Context,
  instance: Instance,
  type: Parameters<Draft['emit']>[0]['type'],
  data: Parameters<Draft['emit']>[0]['data'] = {},
): void {
  draft.emit({
    type,
    project: instance.project,
    subject: instance.id,
    instanceId: instance.id,
    atMs: momentOf(context, instance),
    cause: context.cause,
    // Whoever follows registered instances follows them by service.
    data: instance.registration ? { ...data, service: instance.serviceId } : data,
  })
}

/** A clock may be set back; what happens to one instance never does, or its meter would run wild. */
export const momentOf = (
  { nowMs }: Pick<Context, 'nowMs'>,
  { updatedAtMs }: Pick<Instance, 'updatedAtMs'>,
): number => Math.max(nowMs, updatedAtMs)

interface Plan {
  readonly verb: Verb
  readonly rung: Rung | null
  /** Default: `rung`. */
  readonly asked?: Rung
  readonly graceMs?: number | undefined
  /** Capture only: the image to make. */
  readonly image?: Pick<Image, 'id' | 'name'>
}

/** What is wanted of an instance once the operation has ended. */
const wants = {
  create: 'up',
  start: 'up',
  restart: 'up',
  unpause: 'up',
  resume: 'up',
  stop: 'down',
  delete: 'gone',
  pause: 'as-before',
  suspend: 'as-before',
  capture: 'as-before',
  rebuild: 'as-before',
} as const satisfies Record<Verb, Instance['intent']['want'] | 'as-before'>

function wantAfter({ verb }: Plan, { intent, state }: Instance): Instance['intent']['want'] {
  const want = wants[verb]
  if (want !== 'as-before') return want
  // What failed is made to run by a rebuild, whatever it failed at.
  return verb === 'rebuild' && state !== 'stopped' ? 'up' : intent.want
}

/**
 * Accepts a request as an operation: pre-empts whatever ran, moves the instance and hands the first lease to the
 * worker that is committing it. `change` is what else of the instance changes with it.
 */
export function begin(
  draft: Draft,
  context: Context,
  before: Instance,
  plan: Plan,
  change: Partial<Instance> = {},
): { readonly instance: Instance; readonly receipt: Receipt } {
  const id = operationId(context.ids.next())
  const from = before.underway?.from ?? situationOf(before)
  const fresh = plan.verb === 'create'
  if (before.underway) cancel(draft, context, before.underway, id)
  const generation = before.intent.generation + (fresh ? 0 : 1)
  const underway: Underway = {
    operationId: id,
    verb: plan.verb,
    rung: plan.rung,
    asked: plan.asked ?? plan.rung,
    from: fresh ? null : from,
    sinceMs: context.nowMs,
  }
  const want = wantAfter(plan, before)
  const changed: Partial<Instance> = { ...change, underway, intent: { want, generation } }
  const after = fresh
    ? place(draft, context, { ...before, ...changed })
    : move(draft, context, before, plan.verb, changed)
  const flavors = { now: flavorOf(draft, after), next: flavorOf(draft, after.refit ?? after) }
  const operation = newOperation(context, after, plan, flavors, underway)
  draft.put('operations', operation)
  emit(draft, context, after, 'operation.started', {
    operation: id,
    verb: plan.verb,
    ...(plan.rung === null ? {} : { rung: plan.rung }),
  })
  return {
    instance: after,
    receipt: {
      instanceIds: [after.id],
      operationId: id,
      ...(fresh ? {} : { before: situationOf(before) }),
      after: situationOf(after),
      generation,
    },
  }
}

function place(draft: Draft, context: Context, instance: Instance): Instance {
  draft.put('instances', instance)
  refreshService(draft, context, instance)
  return instance
}

function newOperation(
  context: Context,
  instance: Instance,
  plan: Plan,
  flavors: { readonly now: Flavor | undefined; readonly next: Flavor | undefined },
  underway: Underway,
): Operation {
  const operation: Operation = {
    ...usualOperation,
    id: underway.operationId,
    instanceId: instance.id,
    project: instance.project,
    kind: instance.kind,
    verb: plan.verb,
    rung: plan.rung,
    graceMs: plan.graceMs ?? flavors.now?.graceMs ?? defaultGraceMs,
    startMs: flavors.next?.startMs ?? defaultStartMs,
    imageName: plan.image?.name ?? null,
    imageId: plan.image?.id ?? null,
    refits: instance.refit !== null && bringsUp(plan.verb),
    drain:
      (plan.asked ?? plan.rung) === 'drain'
        ? { patienceMs: plan.graceMs ?? defaultDrainMs, withdrawn: [] }
        : null,
    state: 'running',
    step: 0,
    stepSinceMs: context.nowMs,
    stepDeadlineMs: context.nowMs,
    attempt: 1,
    worker: context.worker,
    leaseUntilMs: context.nowMs + context.leaseMs,
    from: underway.from,
    generation: instance.intent.generation,
    cause: context.cause,
    startedAtMs: context.nowMs,
  }
  const first = skipNeedless(operation, instance)
  return { ...first, stepDeadlineMs: context.nowMs + patienceMs(first) }
}

type Subject = Pick<Instance, 'handle' | 'observation' | 'serves'>

/** Goes on to the first step that there is something to do for. */
export function skipNeedless(operation: Operation, instance: Subject): Operation {
  const step = currentStep(operation)
  if (!step || !isNeedless(step, operation, instance)) return operation
  return skipNeedless({ ...operation, step: operation.step + 1 }, instance)
}

function isNeedless(step: Step, { drain }: Operation, { handle, observation, serves }: Subject) {
  if ('hear' in step) return drain === null || serves.length === 0
  if ('rows' in step) return serves.length === 0 || (step.rows === 'withdraw' && drain === null)
  // A thing that was made before has a handle, and is not made again; unless it was seen to be gone.
  return step.name === 'create' && handle !== null && observation.seen !== 'absent'
}

function cancel(draft: Draft, context: Context, underway: Underway, by: Operation['id']): void {
  const running = draft.get('operations', underway.operationId)
  if (!running || running.state !== 'running') return
  draft.put('operations', {
    ...running,
    state: 'cancelled',
    supersededBy: by,
    finishedAtMs: context.nowMs,
  })
  if (running.imageId !== null) draft.remove('images', running.imageId)
  draft.emit({
    type: 'operation.cancelled',
    project: running.project,
    subject: running.instanceId,
    instanceId: running.instanceId,
    atMs: context.nowMs,
    cause: context.cause,
    data: { operation: running.id, by },
  })
}

/** Ends an operation that nothing takes the place of (a reset by hand). */
export function abandon(draft: Draft, context: Context, instance: Instance): void {
  if (instance.underway) cancel(draft, context, instance.underway, instance.underway.operationId)
}

/** Gives back the place and the queue ticket; what is freed goes to whoever waits. */
export function release(
  draft: Draft,
  context: Context,
  instance: Instance,
): Pick<Instance, 'place' | 'queue'> {
  free(draft, context, instance.place)
  leaveQueue(draft, context, instance.queue)
  return { place: null, queue: null }
}

/** A service on nodes follows its instances in the same commit. */
export function refreshService(draft: Draft, context: Context, instance: Instance): void {
  if (instance.kind !== 'edge-instance' || instance.serviceId === null) return
  const service = draft.get('services', instance.serviceId)
  if (service) settleService(draft, context, service)
}

export function settleService(draft: Draft, context: Context, service: Service): void {
  const parts = draft
    .find('instances', 'serviceId', service.id)
    .filter((one) => !isA(lifecycles[one.kind], one.state, 'final'))
  const phase = phaseOf(service, parts)
  const status = statusOf({ ...service, phase }, parts)
  if (phase === service.phase && status === service.status) return
  const failure =
    status === 'failed'
      ? (parts.find((one) => one.failure !== null)?.failure?.message ?? null)
      : null
  draft.put('services', {
    ...service,
    phase,
    status,
    failure,
    statusSinceMs: status === service.status ? service.statusSinceMs : context.nowMs,
  })
  if (status !== service.status) {
    draft.emit({
      type: status === 'deleted' ? 'service.removed' : 'service.state',
      project: service.project,
      subject: service.id,
      atMs: context.nowMs,
      cause: context.cause,
      data: { from: service.status, to: status },
    })
  }
}

export const unchanged = (instance: Instance, why: 'already' | 'joined'): Receipt => ({
  instanceIds: [instance.id],
  ...(instance.underway === null ? {} : { operationId: instance.underway.operationId }),
  before: situationOf(instance),
  after: situationOf(instance),
  generation: instance.intent.generation,
  unchanged: why,
})

export const receiptOf = (before: Instance, after: Instance): Receipt => ({
  instanceIds: [after.id],
  before: situationOf(before),
  after: situationOf(after),
  ...(before.queue === null ? {} : { awaited: before.queue.awaits }),
  generation: after.intent.generation,
})

/** A stop of bare metal is always forced. */
export const rungFor = (draft: Draft, instance: Instance, asked: Rung): Rung =>
  flavorOf(draft, instance)?.bareMetal ? 'hard' : asked
