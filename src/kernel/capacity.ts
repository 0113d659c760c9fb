// Counted places and the queue for them. A pool's counters change in the same commit as the instance that
// takes or frees a place, so they never disagree.
//
// - Within a project it is first come, first served. Between projects it is turn and turn about: each of a
//   project's tickets is one turn (as many as its units) behind its last one, and a project that comes new begins
//   at the turn that is being served. So nobody waits for all of another project's crowd, and nobody is starved.
//   (Start-time fair queuing: Goyal, Vin, Cheng, 1996.)
// - A ticket never changes: a turn and a number, as one number, is the whole order of a queue.

import type { Flavor, Pool } from './catalogue.ts'
import { err, ok, type Result } from './errors.ts'
import type { Instance, Place } from './instance.ts'
import type { Context } from './request.ts'
import type { Draft } from './rows.ts'

/** How many instances one scheduler pass may serve, so that a pass stays short. */
const servedMax = 64

/** Whose turn may come, in any order: one that somebody holds keeps its turn and blocks nobody (law 6). */
const inLine = (draft: Draft, pool: Pool): readonly Instance[] =>
  pool.waiting === 0
    ? []
    : draft.find('instances', 'queuePool', pool.id).filter(({ holds }) => holds.length === 0)

/** Takes the flavor's place for an instance. Nobody who asks directly overtakes those who wait. */
export function take(
  draft: Draft,
  context: Context,
  flavor: Pick<Flavor, 'poolId' | 'units'> | undefined,
): Result<Place | null> {
  if (!flavor?.poolId) return ok(null)
  const pool = draft.get('pools', flavor.poolId)
  const isFull = !pool || pool.capacity - pool.taken < flavor.units
  if (isFull || inLine(draft, pool).length > 0)
    return err({ code: 'NoCapacity', pool: flavor.poolId, units: flavor.units })
  changePool(draft, context, pool, { taken: pool.taken + flavor.units })
  return ok({ poolId: flavor.poolId, units: flavor.units })
}

export function free(draft: Draft, context: Context, place: Place | null): void {
  const pool = place && draft.get('pools', place.poolId)
  if (pool) changePool(draft, context, pool, { taken: Math.max(0, pool.taken - place.units) })
}

const ticketsPerTurn = 1_000_000_000
const turnOf = (ticket: number): number => Math.floor(ticket / ticketsPerTurn)
/** A flavor that takes nothing has its turns too. */
const turnsOf = (flavor: Pick<Flavor, 'units'> | undefined): number =>
  Math.max(1, flavor?.units ?? 1)

export function enqueue(
  draft: Draft,
  context: Context,
  poolId: string,
  { project, awaits }: { readonly project: string; readonly awaits: 'create' | 'start' },
): Result<NonNullable<Instance['queue']>> {
  const pool = draft.get('pools', poolId)
  if (!pool) return err({ code: 'NotFound', what: 'pool', id: poolId })
  const own = draft
    .find('instances', 'queuePool', poolId)
    .filter((one) => one.project === project)
    .map((one) => turnOf(one.queue?.ticket ?? 0) + turnsOf(flavorIn(draft, one)))
  const turn = Math.max(pool.turn, pool.turnAfter[project] ?? 0, ...own)
  changePool(draft, context, pool, { waiting: pool.waiting + 1, nextTicket: pool.nextTicket + 1 })
  const ticket = turn * ticketsPerTurn + (pool.nextTicket % ticketsPerTurn)
  return ok({ poolId, awaits, sinceMs: context.nowMs, ticket })
}

const flavorIn = (draft: Draft, { flavorId }: Instance): Flavor | undefined =>
  flavorId === null ? undefined : draft.get('flavors', flavorId)

export function leaveQueue(draft: Draft, context: Context, queue: Instance['queue']): void {
  const pool = queue && draft.get('pools', queue.poolId)
  if (pool) changePool(draft, context, pool, { waiting: Math.max(0, pool.waiting - 1) })
}

/** The instances that the pool can serve now, in order; one that does not fit blocks those behind. */
export function served(
  draft: Draft,
  pool: Pool,
  unitsOf: (instance: Instance) => number,
): readonly Instance[] {
  const waiting = inLine(draft, pool).toSorted(
    (a, b) => (a.queue?.ticket ?? 0) - (b.queue?.ticket ?? 0),
  )
  const chosen: Instance[] = []
  let room = pool.capacity - pool.taken
  for (const instance of waiting.slice(0, servedMax)) {
    room -= unitsOf(instance)
    if (room < 0) break
    chosen.push(instance)
  }
  return chosen
}

/** Its holds have changed: it may have its turn now, or whoever it kept from theirs. */
export function askAgain(draft: Draft, context: Context, { queue }: Instance): void {
  const pool = queue && draft.get('pools', queue.poolId)
  if (pool) draft.put('pools', { ...pool, passAtMs: pool.passAtMs ?? context.nowMs })
}

/** Takes a place for one that waited: the only way past `take`'s rule about those who wait. */
export function takeFromQueue(
  draft: Draft,
  context: Context,
  instance: Instance,
  units: number,
): Place | null {
  const { queue, project } = instance
  const pool = queue && draft.get('pools', queue.poolId)
  if (!pool) return null
  const turn = Math.max(pool.turn, turnOf(queue.ticket))
  const turnAfter = { ...pool.turnAfter, [project]: turnOf(queue.ticket) + Math.max(1, units) }
  changePool(draft, context, pool, {
    taken: pool.taken + units,
    waiting: Math.max(0, pool.waiting - 1),
    turn,
    turnAfter: Object.fromEntries(Object.entries(turnAfter).filter(([, next]) => next > turn)),
  })
  return { poolId: pool.id, units }
}

export function changePool(
  draft: Draft,
  context: Context,
  pool: Pool,
  change: Partial<Pool>,
): void {
  const changed = { ...pool, ...change }
  // Where nobody waits, nobody is owed a turn.
  const next = changed.waiting === 0 ? { ...changed, turn: 0, turnAfter: {} } : changed
  const due = next.waiting > 0 && next.capacity > next.taken
  draft.put('pools', { ...next, passAtMs: due ? (pool.passAtMs ?? context.nowMs) : null })
  draft.emit({
    type: 'pool.changed',
    project: null,
    subject: pool.id,
    atMs: context.nowMs,
    cause: context.cause,
    data: { capacity: next.capacity, taken: next.taken, waiting: next.waiting },
  })
}
