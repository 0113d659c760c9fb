// Looks on while a pool is used, and says when one of the queue's laws is broken:
//
// - No place is taken that the pool has not got.
// - Within a project nobody overtakes; a rank gets worse only when another project's turn came between.
// - A place comes no later than was told, but for a reason that stands in the event log (or a time away).

import assert from 'node:assert/strict'
import type { Flavor, Pool } from '#kernel/catalogue.ts'
import type { EventDraft } from '#kernel/event.ts'
import type { Instance } from '#kernel/instance.ts'
import { turns } from '#kernel/waiting.ts'

export interface Picture {
  readonly pool: Pool
  readonly instances: readonly Instance[]
  readonly flavors: readonly Flavor[]
  /** Since the picture before. */
  readonly events: readonly EventDraft[]
  readonly nowMs: number
  /** How long nobody was there to serve the queue since the picture before. */
  readonly awayMs?: number
}

interface Told {
  rank: number
  atMs: number
  readonly ticket: number
  readonly project: string
}

/** What makes a holder's place come free later than it would have. */
const delays: ReadonlySet<string> = new Set([
  'instance.held',
  'operation.escalated',
  'operation.step',
  'operation.failed',
  'operation.cancelled',
])

function isDelay({ type, data }: EventDraft): boolean {
  if (delays.has(type)) return true
  if (type === 'operation.started') return data['verb'] === 'restart'
  if (type === 'instance.state') return data['reason'] === 'set by hand'
  return type === 'instance.updated' && 'runsUntilMs' in data
}

export class QueueWitness {
  readonly #told = new Map<string, Told>()
  #before: Pool | undefined
  /** Turns that came, and those of them that were as told from the first word to the last. */
  turns = 0
  kept = 0
  overtaken = 0
  readonly #pardoned = new Set<string>()

  see(picture: Picture): void {
    const { pool } = picture
    const waiting = picture.instances.filter((one) => one.queue?.poolId === pool.id)
    this.#places(pool)
    this.#promises(picture, waiting)
    this.#order(picture, waiting)
    this.#tell(picture, waiting)
    this.#before = pool
  }

  #places(pool: Pool): void {
    const taken = this.#before?.taken ?? 0
    if (pool.taken > taken) assert.ok(pool.taken <= pool.capacity, `${pool.taken} places taken`)
  }

  /** Whoever's turn it was: in time, and before all of its project who came later. */
  #order(picture: Picture, waiting: readonly Instance[]): void {
    for (const event of picture.events) {
      const told = event.instanceId === null ? undefined : this.#told.get(event.instanceId)
      const to = event.data['to']
      if (!told || event.type !== 'instance.state' || event.data['from'] !== 'queued') continue
      this.#told.delete(event.instanceId ?? '')
      if (to !== 'reserved' && to !== 'provisioning') continue
      this.turns++
      if (!this.#pardoned.delete(event.instanceId ?? '')) this.kept++
      assert.ok(event.atMs <= told.atMs, `its turn was ${event.atMs - told.atMs} ms late`)
      for (const [id, other] of this.#told)
        if (
          other.project === told.project &&
          waiting.some((one) => one.id === id && one.holds.length === 0)
        )
          assert.ok(told.ticket < other.ticket, 'one of its own project was overtaken')
    }
  }

  /** Takes back what was told, where a reason was recorded. */
  #promises({ pool, events, awayMs = 0 }: Picture, waiting: readonly Instance[]): void {
    const isShrunk = pool.capacity < (this.#before?.capacity ?? 0)
    const isDelayed = isShrunk || events.some(isDelay)
    for (const [id, told] of this.#told) {
      told.atMs += awayMs
      const cutIn = waiting.filter(
        (one) => !this.#told.has(one.id) && (one.queue?.ticket ?? 0) < told.ticket,
      )
      for (const one of cutIn) assert.notEqual(one.project, told.project, 'overtaken at the door')
      told.rank += cutIn.length
      this.overtaken += cutIn.length
      if (!isDelayed && cutIn.length === 0) continue
      this.#pardoned.add(id)
      told.atMs = Number.POSITIVE_INFINITY
    }
  }

  #tell(picture: Picture, waiting: readonly Instance[]): void {
    const { pool, instances, flavors, nowMs } = picture
    const flavorOf = ({ flavorId }: Instance) => flavors.find(({ id }) => id === flavorId)
    const holders = instances.filter((one) => one.place?.poolId === pool.id)
    const told = turns({ pool, holders, waiting, flavorOf, nowMs })
    for (const id of this.#told.keys())
      if (!waiting.some((one) => one.id === id)) this.#told.delete(id)
    for (const one of waiting) {
      const { rank, atMs } = told.get(one.id) ?? { rank: 0, atMs: 0 }
      assert.ok(rank >= 1 && atMs >= nowMs, 'everybody who waits is told')
      const known = this.#told.get(one.id)
      if (known) assert.ok(rank <= known.rank, `rank ${rank} after ${known.rank}`)
      // Nobody promises anything to one that is held.
      const isHeld = one.holds.length > 0
      if (isHeld) this.#pardoned.add(one.id)
      this.#told.set(one.id, {
        rank,
        atMs: isHeld
          ? Number.POSITIVE_INFINITY
          : Math.min(atMs, known?.atMs ?? Number.POSITIVE_INFINITY),
        ticket: one.queue?.ticket ?? 0,
        project: one.project,
      })
    }
  }
}
