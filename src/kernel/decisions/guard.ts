// Raises, lifts and releases guards, and expires leases that none of them holds. The engine hears the beats, so it
// counts; what its counts come to is decided here.

import { err, ok, type Result } from '../errors.ts'
import { type Census, circlesOf, guardMove, holdMs, isHolding } from '../guard.ts'
import type { Instance } from '../instance.ts'
import type { Context, EngineRequest, Receipt, ReleaseGuard } from '../request.ts'
import type { Draft } from '../rows.ts'
import { because } from './moves.ts'
import { drop } from './registry.ts'

type Count = Extract<EngineRequest, { verb: 'count' }>
type Expire = Extract<EngineRequest, { verb: 'expire' }>

export function count(draft: Draft, context: Context, request: Count): Result<Receipt> {
  for (const census of request.censuses) {
    const move = guardMove(census, draft.get('guards', census.circle.id), request.policy)
    if (move === 'raise') raise(draft, context, census)
    else if (move === 'lift') lift(draft, context, census)
  }
  return ok({ instanceIds: [] })
}

function raise(draft: Draft, context: Context, { circle, living, silent }: Census): void {
  draft.put('guards', { ...circle, sinceMs: context.nowMs, living, silent, release: null })
  draft.emit({
    type: 'guard.raised',
    project: circle.project,
    subject: circle.id,
    atMs: context.nowMs,
    cause: because(context, 'timer', 'most leases fell silent together').cause,
    data: { living, silent },
  })
}

function lift(draft: Draft, context: Context, { circle, living, silent }: Census): void {
  draft.remove('guards', circle.id)
  draft.emit({
    type: 'guard.lifted',
    project: circle.project,
    subject: circle.id,
    atMs: context.nowMs,
    cause: because(context, 'timer', 'most leases are heard again, or gone').cause,
    data: { living, silent },
  })
}

/** Admin only. What is due goes at once; the circle is guarded anew only once it has recovered. */
export function releaseGuard(
  draft: Draft,
  context: Context,
  request: ReleaseGuard,
): Result<Receipt> {
  const guard = draft.get('guards', request.guard)
  if (!guard) return err({ code: 'NotFound', what: 'guard', id: request.guard })
  if (guard.release) return ok({ instanceIds: [], unchanged: 'already' })
  const { nowMs: atMs, caller } = context
  draft.put('guards', { ...guard, release: { by: caller.userId, why: request.why ?? null, atMs } })
  draft.emit({
    type: 'guard.released',
    project: guard.project,
    subject: guard.id,
    atMs,
    cause: context.cause,
  })
  return ok({ instanceIds: [] })
}

/** The engine knows of beats that are not on disk, and since when a lease is due: it says so. */
export function expire(draft: Draft, context: Context, request: Expire): Result<Receipt> {
  const { instance: id, renewedAtMs, dueSinceMs } = request
  const instance = draft.get('instances', id)
  const lease = instance?.registration?.lease
  if (!instance || !lease) return err({ code: 'NotFound', what: 'instance', id })
  // A row that was written before the clock was set back says nothing of how long ago that was.
  const isPast = lease.renewedAtMs <= context.nowMs
  const last = isPast ? Math.max(renewedAtMs, lease.renewedAtMs) : renewedAtMs
  const isDue = last + lease.ttlMs <= context.nowMs
  const mayBeHeld = context.nowMs < dueSinceMs + holdMs(lease.ttlMs)
  if (!isDue || (mayBeHeld && isGuarded(draft, instance)))
    return ok({ instanceIds: [instance.id], unchanged: 'already' })
  return ok(drop(draft, because(context, 'timer', 'its lease ran out'), instance, 'expired'))
}

const isGuarded = (draft: Draft, instance: Instance): boolean =>
  Object.values(circlesOf(instance)).some(({ id }) => isHolding(draft.get('guards', id)))
