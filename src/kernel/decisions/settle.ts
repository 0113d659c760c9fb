// What an operation's reports come to. The engine asks; the verdict is reconcile.ts's, and here it becomes rows.

import { unreachable } from '../assert.ts'
import { free } from '../capacity.ts'
import { err, ok, type Result } from '../errors.ts'
import { type Instance, situationOf } from '../instance.ts'
import { step } from '../lifecycle.ts'
import { type FailedVerb, lifecycles, type Verb } from '../kinds.ts'
import type { Rung } from '../ladder.ts'
import { isCharged, reading } from '../meter.ts'
import { currentStep, type Operation, planOf, type StepLog } from '../operation.ts'
import type { Observation } from '../observation.ts'
import { judge, patienceMs, type Verdict } from '../reconcile.ts'
import type { Context, EngineRequest, Receipt, Report, Scheme } from '../request.ts'
import type { Draft } from '../rows.ts'
import { aliasKey, edgeAlias } from '../aliases.ts'
import type { JsonObject } from '../json.ts'
import { putBack, unbound, withdraw } from './binding.ts'
import { emit, flavorOf, momentOf, move, refreshService, release, skipNeedless } from './moves.ts'

type Settle = Extract<EngineRequest, { verb: 'settle' }>
type Extend = Extract<EngineRequest, { verb: 'extend' }>
type Observed = Extract<EngineRequest, { verb: 'observed' }>
interface Work {
  readonly draft: Draft
  readonly context: Context
  readonly operation: Operation
  readonly instance: Instance
}

/** A report counts only from whoever holds the operation now (fencing, law 4). */
function held(draft: Draft, context: Context, request: Settle | Extend): Result<Work> {
  const operation = draft.get('operations', request.operation)
  const instance = operation && draft.get('instances', operation.instanceId)
  const fenced =
    !operation ||
    !instance ||
    operation.state !== 'running' ||
    operation.attempt !== request.attempt
  return fenced
    ? err({ code: 'Fenced', operation: request.operation })
    : ok({ draft, context, operation, instance })
}

export function extend(draft: Draft, context: Context, request: Extend): Result<Receipt> {
  const work = held(draft, context, request)
  if (!work.ok) return work
  draft.put('operations', {
    ...work.value.operation,
    leaseUntilMs: context.nowMs + context.leaseMs,
  })
  return ok({ instanceIds: [work.value.instance.id] })
}

export function settle(draft: Draft, context: Context, request: Settle): Result<Receipt> {
  const work = held(draft, context, request)
  if (!work.ok) return work
  const { report } = request
  const told = withReport(work.value.instance, report)
  if (told !== work.value.instance) draft.put('instances', told)
  // The cause of what follows is the request that began it, not the engine that carries it out.
  const caused = { ...context, cause: work.value.operation.cause }
  apply(
    { draft, context: caused, operation: work.value.operation, instance: told },
    judge(work.value.operation, report, context.nowMs),
  )
  return ok({ instanceIds: [told.id], operationId: request.operation })
}

function withReport(instance: Instance, report: Report): Instance {
  if ('observation' in report) return { ...instance, observation: report.observation }
  return 'act' in report && report.ok && report.handle
    ? { ...instance, handle: report.handle }
    : instance
}

function apply(work: Work, verdict: Verdict): void {
  if (verdict.do === 'wait') return
  if (verdict.do === 'shift') shift(work)
  else if (verdict.do === 'advance') advance(carried(work), verdict.message ?? null)
  else if (verdict.do === 'retry')
    again(
      work,
      { tries: work.operation.tries + 1, notBeforeMs: verdict.notBeforeMs },
      'retry',
      verdict.message,
    )
  else if (verdict.do === 'escalate') escalate(work, verdict.to, verdict.message)
  else giveUp(work, verdict.message, verdict.evidence)
}

/** Its step begins now, and what it waits for is as far away as it was then. */
function shift({ draft, context, operation }: Work): void {
  const byMs = operation.stepSinceMs - context.nowMs
  draft.put('operations', {
    ...operation,
    stepSinceMs: context.nowMs,
    stepDeadlineMs: operation.stepDeadlineMs - byMs,
    notBeforeMs: operation.notBeforeMs === null ? null : operation.notBeforeMs - byMs,
    leaseUntilMs: context.nowMs + context.leaseMs,
  })
}

function logged(
  { operation, context }: Work,
  result: StepLog['result'],
  message: string | null,
): Operation['log'] {
  const name = currentStep(operation)?.name ?? 'end'
  const entry: StepLog = {
    step: operation.undoing ? `undo ${name}` : name,
    rung: operation.rung,
    attempt: operation.attempt,
    startedAtMs: operation.stepSinceMs,
    finishedAtMs: context.nowMs,
    result,
    message,
  }
  // Bounded: a thing that cannot be stopped is retried for long.
  return [...operation.log, entry].slice(-32)
}

function again(
  work: Work,
  change: Partial<Operation>,
  result: 'retry' | 'escalated',
  message: string,
): void {
  const { draft, context, operation, instance } = work
  const next = {
    ...operation,
    ...change,
    // The act that failed may hang on somewhere: what comes next fences it off.
    attempt: operation.attempt + 1,
    log: logged(work, result, message),
    stepSinceMs: context.nowMs,
  }
  draft.put('operations', {
    ...next,
    stepDeadlineMs: context.nowMs + patienceMs(next),
    leaseUntilMs: Math.max(operation.leaseUntilMs, context.nowMs + context.leaseMs),
  })
  if (result === 'retry')
    emit(draft, context, instance, 'operation.step', {
      operation: operation.id,
      step: currentStep(operation)?.name ?? '',
      result,
      message,
    })
}

function escalate(work: Work, to: Rung, message: string): void {
  const { draft, context, operation, instance } = work
  const back = planOf(operation).findIndex((one) => 'act' in one && one.act === 'stop')
  const harder = to !== operation.rung
  again(
    work,
    { rung: to, step: back, tries: harder ? 0 : operation.tries + 1, notBeforeMs: null },
    'escalated',
    message,
  )
  if (instance.underway)
    draft.put('instances', {
      ...instance,
      underway: { ...instance.underway, rung: to },
      updatedAtMs: momentOf(context, instance),
    })
  emit(draft, context, instance, 'operation.escalated', {
    operation: operation.id,
    from: operation.rung,
    to,
    message,
  })
}

/** A step of rows alone is carried out where it ends. */
function carried(work: Work): Work {
  const { draft, context, operation, instance } = work
  const step = currentStep(operation)
  if (!step || !('rows' in step)) return work
  if (step.rows === 'withdraw')
    return {
      ...work,
      operation: { ...operation, drain: withdraw(draft, context, instance, operation) },
    }
  putBack(draft, context, instance)
  return work
}

function advance(work: Work, message: string | null): void {
  const { draft, context, operation, instance } = work
  const finished = currentStep(operation)
  // Tries of a stop count on while it is awaited: it is the same stop that is forced again.
  const isStop = finished !== undefined && 'act' in finished && finished.act === 'stop'
  const done: Operation = {
    ...operation,
    step: operation.step + 1,
    tries: isStop ? operation.tries : 0,
    notBeforeMs: null,
    log: logged(work, 'done', message),
    stepSinceMs: context.nowMs,
  }
  const isRemoved = finished !== undefined && 'act' in finished && finished.act === 'remove'
  const kept = isRemoved ? removed(work) : instance
  const next = skipNeedless(done, kept)
  if (!currentStep(next)) {
    const ended = { ...work, instance: kept, operation: next }
    if (next.undoing) finishFailed(ended)
    else finish(ended)
    return
  }
  draft.put('operations', { ...next, stepDeadlineMs: context.nowMs + patienceMs(next) })
}

/** Its handle names nothing any more; one that was to be of something else is so from here on. */
function removed({ draft, operation, instance }: Work): Instance {
  const refit = operation.refits ? { ...instance.refit, refit: null } : {}
  const after = { ...instance, ...refit, handle: null }
  draft.put('instances', after)
  return after
}

/** Undo what was half done, then fail; a failure while undoing ends it at once. */
function giveUp(work: Work, message: string, evidence: JsonObject): void {
  const { draft, context, operation, instance } = work
  const failure = operation.failure ?? { message, evidence }
  const log = logged(work, 'failed', message)
  emit(draft, context, instance, 'operation.step', {
    operation: operation.id,
    step: currentStep(operation)?.name ?? '',
    result: 'failed',
    message,
  })
  if (operation.undoing) {
    const both = {
      ...failure,
      message: `${failure.message}; and it could not be stopped: ${message}`,
    }
    finishFailed({ ...work, operation: { ...operation, failure: both, log } })
    return
  }
  const undo: Operation = {
    ...operation,
    failure,
    log,
    undoing: true,
    attempt: operation.attempt + 1,
    step: 0,
    tries: 0,
    notBeforeMs: null,
    stepSinceMs: context.nowMs,
  }
  const next = skipNeedless(undo, instance)
  if (!currentStep(next)) finishFailed({ ...work, operation: { ...operation, failure, log } })
  else draft.put('operations', { ...next, stepDeadlineMs: context.nowMs + patienceMs(next) })
}

const seenAfter = {
  create: 'up',
  start: 'up',
  restart: 'up',
  stop: 'down',
  pause: 'paused',
  unpause: 'up',
  suspend: 'suspended',
  resume: 'up',
  delete: 'gone',
} as const satisfies Record<Exclude<Verb, 'capture' | 'rebuild'>, string>

function finish(work: Work): void {
  const { draft, context, operation, instance } = work
  end(work, 'succeeded')
  if (operation.imageId !== null) saved(work, operation.imageId)
  const on = endOf(work)
  const change: Partial<Instance> = { underway: null }
  if (on === 'up') {
    const isNew = instance.launchedAtMs === null || operation.verb === 'rebuild'
    move(draft, context, instance, on, {
      ...change,
      launchedAtMs: isNew ? context.nowMs : instance.launchedAtMs,
    })
  } else if (on === 'paused' || on === 'suspended') {
    move(draft, context, instance, on, change)
  } else if (on === 'down') {
    const freed =
      operation.verb === 'stop' &&
      (instance.stoppedMode === 'release' || flavorOf(draft, instance)?.releasesOnStop)
        ? release(draft, context, instance)
        : {}
    // Stopped before it was ever up, and not there: it was not made yet, so nothing is lost.
    const isUnmade = instance.observation.seen === 'absent' && instance.launchedAtMs === null
    move(draft, context, instance, on, {
      ...change,
      ...freed,
      ...(isUnmade ? { handle: null } : {}),
    })
  } else {
    for (const [scheme, alias] of Object.entries(instance.aliases))
      draft.remove('aliases', aliasKey(scheme as Scheme, alias)) // aliases are kept by scheme
    if (instance.serviceId !== null && instance.nodeId !== null)
      draft.remove('aliases', edgeAlias(instance.serviceId, instance.nodeId))
    move(draft, context, instance, on, {
      ...change,
      ...release(draft, context, instance),
      handle: null,
      serves: unbound(draft, instance),
    })
  }
}

function endOf({ operation, instance }: Work): 'up' | 'down' | 'paused' | 'suspended' | 'gone' {
  if (operation.verb === 'rebuild') return operation.from === 'stopped' ? 'down' : 'up'
  if (operation.verb !== 'capture') return seenAfter[operation.verb]
  const { seen } = instance.observation
  return seen === 'up' || seen === 'paused' || seen === 'suspended' ? seen : 'down'
}

/** The image is whole, and may be used from now on. */
function saved({ draft, context }: Work, id: string): void {
  const image = draft.get('images', id)
  if (!image) return
  const { isSaving: _, ...whole } = image
  draft.put('images', whole)
  draft.emit({
    type: 'catalogue.changed',
    project: image.project ?? null,
    subject: id,
    atMs: context.nowMs,
    cause: context.cause,
    data: { table: 'images' },
  })
}

/** What is seen to be gone has no handle: the next start makes it again. */
const handleOf = ({ handle, observation }: Instance): Instance['handle'] =>
  observation.seen === 'absent' ? null : handle

const begins = (verb: FailedVerb): boolean =>
  verb === 'create' || verb === 'start' || verb === 'restart' || verb === 'rebuild'

function finishFailed(work: Work): void {
  const { draft, context, operation, instance } = work
  end(work, 'failed')
  if (operation.imageId !== null) draft.remove('images', operation.imageId)
  const failure = {
    verb: operation.verb,
    message: operation.failure?.message ?? 'it failed',
    atMs: context.nowMs,
    evidence: operation.failure?.evidence ?? {},
  }
  // What could not be started holds no capacity; what runs all the same, or may for all we know, still does.
  const { seen, atMs } = instance.observation
  // What was seen before it began says nothing of what it has left behind.
  const isSince = atMs >= operation.startedAtMs
  const isSeenDown = isSince && (seen === 'down' || seen === 'absent')
  const down = begins(operation.verb) && (instance.handle === null || isSeenDown)
  if (down) free(draft, context, instance.place)
  move(draft, context, instance, 'fail', {
    underway: null,
    handle: isSince ? handleOf(instance) : instance.handle,
    failure,
    ...(down ? { place: null } : {}),
  })
}

function end({ draft, context, operation, instance }: Work, state: 'succeeded' | 'failed'): void {
  draft.put('operations', { ...operation, state, finishedAtMs: context.nowMs, notBeforeMs: null })
  emit(draft, context, instance, `operation.${state}`, {
    operation: operation.id,
    verb: operation.verb,
    ...(state === 'failed' ? { message: operation.failure?.message ?? '' } : {}),
  })
}

/**
 * What was seen though nobody asked. A running operation has its own eyes, so this leaves it alone; and a look
 * that began before an operation which has ended since says nothing about what that came to.
 */
export function observed(
  draft: Draft,
  context: Context,
  instance: Instance,
  { generation, observation: seen }: Omit<Observed, 'verb' | 'instance'>,
): Result<Receipt> {
  if (instance.underway !== null || instance.intent.generation !== generation)
    return ok({ instanceIds: [instance.id], unchanged: 'already' })
  const node = instance.nodeId === null ? undefined : draft.get('nodes', instance.nodeId)
  const trusted: Observation =
    node && node.state !== 'ready'
      ? { ...seen, seen: 'unknown', reason: `node ${node.name} is ${node.state}` }
      : seen
  // The engine has asked of the look alone, which knows nothing of the node.
  if (!isNews(instance, trusted)) return ok({ instanceIds: [instance.id], unchanged: 'already' })
  const on = driftOf(instance, trusted)
  const seenNow = { ...instance, observation: trusted }
  // Only what failed is charged by what is seen; all else by the state that this moves it to.
  const isMetered = instance.state === 'failed'
  const charged = isMetered ? isCharged(seenNow, flavorOf(draft, instance)) : instance.charged
  const isRepriced = charged !== instance.charged
  const next = {
    ...seenNow,
    handle: handleOf(seenNow),
    ...(isRepriced ? { charged, updatedAtMs: momentOf(context, instance) } : {}),
  }
  if (on === undefined || step(lifecycles[instance.kind], instance.state, on) === undefined) {
    const after = { ...next, place: placeAfter(draft, context, next) }
    draft.put('instances', after)
    // What can no longer be seen is shown otherwise, so its service may be, too.
    refreshService(draft, context, after)
    if (trusted.seen !== instance.observation.seen)
      emit(draft, context, after, 'instance.observed', {
        seen: trusted.seen,
        reason: trusted.reason,
      })
    if (isRepriced)
      emit(draft, context, after, 'instance.charge', {
        charge: after.charge,
        ...reading(after, situationOf(after)),
      })
    return ok({ instanceIds: [instance.id] })
  }
  const reason =
    trusted.reason ??
    (on === 'appeared' ? 'seen up though nobody asked' : `seen ${trusted.seen} though nobody asked`)
  const failure = {
    verb: 'run' as const,
    message: reason,
    atMs: context.nowMs,
    evidence: trusted.evidence,
  }
  const releases =
    (on === 'halted' || on === 'lost') && flavorOf(draft, instance)?.releasesOnStop
      ? release(draft, context, instance)
      : {}
  const after = move(draft, context, next, on, { reason, failure, ...releases })
  return ok({
    instanceIds: [instance.id],
    before: situationOf(instance),
    after: situationOf(after),
  })
}

/** What failed and may run for all we know has kept its place until it is seen that it does not. */
function placeAfter(draft: Draft, context: Context, instance: Instance): Instance['place'] {
  const { failure, place, observation } = instance
  const isOver = observation.seen === 'down' || observation.seen === 'absent'
  if (place === null || failure === null || !isOver) return place
  if (!begins(failure.verb) && !flavorOf(draft, instance)?.releasesOnStop) return place
  free(draft, context, place)
  return null
}

type Drift = 'halted' | 'lost' | 'appeared' | 'froze' | 'slept'

/** Nothing ever follows from `unknown` (law 5). */
function driftOf({ state, handle, failure }: Instance, { seen }: Observation): Drift | undefined {
  const isUp = state === 'running' || state === 'not-ready'
  const isStill = state === 'paused' || state === 'suspended'
  switch (seen) {
    case 'unknown':
      return undefined
    case 'down':
      return isUp || isStill ? 'halted' : undefined
    case 'absent':
      return isUp || isStill || (state === 'stopped' && handle !== null) ? 'lost' : undefined
    case 'paused':
      return state === 'running' || state === 'suspended' ? 'froze' : undefined
    case 'suspended':
      return state === 'running' || state === 'paused' ? 'slept' : undefined
    case 'up': {
      const wasLost = state === 'failed' && failure?.verb === 'run'
      const isOther = state === 'stopped' || state === 'not-ready' || isStill || wasLost
      return isOther ? 'appeared' : undefined
    }
    default:
      return unreachable(seen)
  }
}

/** Whether an observation would change anything: the engine asks before it pays for a commit. */
export function isNews(instance: Instance, seen: Observation): boolean {
  const old = instance.observation
  if (driftOf(instance, seen) !== undefined) return true
  return (
    old.seen !== seen.seen ||
    old.ready !== seen.ready ||
    old.reason !== seen.reason ||
    JSON.stringify(old.evidence) !== JSON.stringify(seen.evidence)
  )
}
