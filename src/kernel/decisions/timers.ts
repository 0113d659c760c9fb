// What time alone changes: auto stop, lapsed reservations, removal of what was long inactive, ended holds and
// overrides, scheduler passes over queues. Leases are guard.ts's. Each is a fact in a row, so it fires once, also after a restart.

import { askAgain, served, takeFromQueue } from '../capacity.ts'
import { err, ok, type Result } from '../errors.ts'
import type { Instance } from '../instance.ts'
import type { Context, EngineRequest, Receipt } from '../request.ts'
import type { Draft } from '../rows.ts'
import { autoStopAgainMs } from '../waiting.ts'
import { because, begin, emit, flavorOf, momentOf, move, release, rungFor } from './moves.ts'
import { restate } from './registry.ts'

type Forget = Extract<EngineRequest, { verb: 'forget' }>

/** How long until a removal that a hold outlasted is looked at again. */
const removeAgainMs = 3_600_000

export function wake(draft: Draft, context: Context, id: string): Result<Receipt> {
  const instance = draft.get('instances', id)
  if (!instance) return err({ code: 'NotFound', what: 'instance', id })
  const { nowMs } = context
  const due = (at: number | null): boolean => at !== null && at <= nowMs
  if (instance.holds.some((hold) => due(hold.untilMs)))
    endHolds(draft, because(context, 'timer', 'the hold ended'), instance)
  else if (instance.registration && due(instance.registration.override?.untilMs ?? null))
    restate(
      draft,
      because(context, 'timer', 'the override ended'),
      instance,
      { ...instance.registration, override: null },
      { as: 'operator', status: null },
    )
  else if (due(instance.timers.autoStopAtMs))
    stopByItself(draft, because(context, 'timer', 'auto stop'), instance)
  else if (due(instance.timers.reservedUntilMs))
    lapse(draft, because(context, 'timer', 'the reservation lapsed'), instance)
  else if (due(instance.timers.removeAtMs))
    expireStorage(draft, because(context, 'timer', 'inactive for too long'), instance)
  else return ok({ instanceIds: [instance.id], unchanged: 'already' })
  return ok({ instanceIds: [instance.id] })
}

function endHolds(draft: Draft, context: Context, instance: Instance): void {
  const ended = instance.holds.filter(
    (hold) => hold.untilMs !== null && hold.untilMs <= context.nowMs,
  )
  const after = {
    ...instance,
    holds: instance.holds.filter((hold) => !ended.includes(hold)),
    updatedAtMs: momentOf(context, instance),
  }
  draft.put('instances', after)
  askAgain(draft, context, after)
  for (const hold of ended)
    emit(draft, context, after, 'instance.released', { hold: hold.id, kind: hold.kind })
}

function lapse(draft: Draft, context: Context, instance: Instance): void {
  move(draft, context, instance, 'lapse', {
    ...release(draft, context, instance),
    reason: 'the reservation lapsed',
    intent: { ...instance.intent, want: 'down' },
  })
}

/** A hold outlasts a timer: the operator's word stands (law 6). What is due is looked at again later. */
function putOff(draft: Draft, instance: Instance, timers: Partial<Instance['timers']>): void {
  draft.put('instances', { ...instance, timers: { ...instance.timers, ...timers } })
}

function stopByItself(draft: Draft, context: Context, instance: Instance): void {
  if (instance.holds.length > 0)
    putOff(draft, instance, { autoStopAtMs: context.nowMs + autoStopAgainMs })
  else begin(draft, context, instance, { verb: 'stop', rung: rungFor(draft, instance, 'soft') })
}

function expireStorage(draft: Draft, context: Context, instance: Instance): void {
  if (instance.holds.length > 0 || instance.conditions.deletionProtected)
    putOff(draft, instance, { removeAtMs: context.nowMs + removeAgainMs })
  else begin(draft, context, instance, { verb: 'delete', rung: 'hard' })
}

/** One scheduler pass: the head of the queue gets what came free, in order. */
export function pass(draft: Draft, context: Context, poolId: string): Result<Receipt> {
  const pool = draft.get('pools', poolId)
  if (!pool) return err({ code: 'NotFound', what: 'pool', id: poolId })
  const queued = because(context, 'queue', 'a place came free')
  const unitsOf = (instance: Instance): number => flavorOf(draft, instance)?.units ?? 1
  const chosen = served(draft, pool, unitsOf)
  for (const instance of chosen) {
    const place = takeFromQueue(draft, queued, instance, unitsOf(instance))
    if (instance.queue?.awaits === 'start')
      move(draft, queued, instance, 'reserve', { place, queue: null })
    else
      begin(draft, queued, move(draft, queued, instance, 'admit', { place, queue: null }), {
        verb: 'create',
        rung: null,
      })
  }
  // A head that does not fit waits for the next change of the pool, not for the clock.
  const after = draft.get('pools', poolId)
  if (after && chosen.length === 0) draft.put('pools', { ...after, passAtMs: null })
  return ok({ instanceIds: chosen.map((instance) => instance.id) })
}

/** One that was used again since somebody looked has a new end, and stays. */
export function forget(
  draft: Draft,
  { nowMs }: Context,
  { tokens, batches }: Pick<Forget, 'tokens' | 'batches'>,
): Result<Receipt> {
  for (const token of tokens) {
    const known = draft.get('idempotency', token)
    if (known && known.expiresAtMs <= nowMs) draft.remove('idempotency', token)
  }
  for (const batch of batches) draft.remove('batches', batch)
  return ok({ instanceIds: [] })
}
