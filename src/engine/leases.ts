// The registry's leases as they live. A heartbeat costs no sync: it moves a time in memory, and a restart gives
// every lease one full term before expiry is considered, so what a restart forgets can only lengthen a lease.
//
// - A beat does not touch the heap of moments: a lease whose moment has come looks whether it was renewed. So a
//   tick costs what is due, not what is there.
// - It counts, and tells what is due; whether that expires, the kernel decides (decision record 0013).

import {
  type Census,
  type Circle,
  circlesOf,
  type Guard,
  holdMs,
  isHolding,
  registryCircle,
  silentAfterMs,
} from '#kernel/guard.ts'
import type { InstanceId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { LeaseCounts, LeaseNow } from '#kernel/ports/plane.ts'
import type { Commit, Store } from '#kernel/ports/store.ts'
import { type Moment, Moments } from './moments.ts'

interface Counted {
  readonly circle: Circle
  living: number
  silent: number
}

/**
 * due: its term is over, and it is to be told. held: so long as a guard says so, or its hold ends. expiring: its
 * removal is being written down; a beat that comes now is too late, and is told so.
 */
type Phase = 'fresh' | 'silent' | 'due' | 'held' | 'expiring'

interface Living extends Moment {
  readonly id: InstanceId
  ttlMs: number
  heardAtMs: number
  /** Where its term begins: when it was heard last, or at the start of this process. */
  fromMs: number
  phase: Phase
  /** Since when it is due; 0 before. */
  dueSinceMs: number
  /** Where it counts: in the whole registry only once it has beaten. */
  readonly circles: Counted[]
  hasBeaten: boolean
}

export interface Due {
  readonly id: InstanceId
  readonly renewedAtMs: number
  readonly dueSinceMs: number
}

const pageRows = 1_000
/** Less than that is no clock that was set back, and shortens or lengthens no term to speak of. */
const setBackMs = 1_000

export class Leases {
  readonly #living = new Map<InstanceId, Living>()
  readonly #moments = new Moments<Living>()
  readonly #circles = new Map<string, Counted>()
  readonly #guards = new Map<string, Guard>()
  readonly #due = new Set<Living>()
  readonly #held = new Set<Living>()
  /** Circles of what fell due since they were counted last. */
  readonly #uncounted = new Set<Counted>()
  /** What the clock said last. */
  #seenMs = 0
  /** Until all are taken up: who was heard, and who has left. */
  #loading: { readonly beats: Map<InstanceId, number>; readonly gone: Set<InstanceId> } | null =
    null

  /**
   * Takes up every registered instance; each gets a full term from now. It gives others their turn, and beats that
   * come meanwhile are heard. When it fails it may be called again.
   */
  async load(store: Pick<Store, 'list'>, nowMs: number): Promise<void> {
    this.#see(nowMs)
    this.#loading ??= { beats: new Map(), gone: new Set() }
    await this.#loadGuards(store)
    await this.#loadRows(store)
    this.#loading = null
  }

  async #loadRows(store: Pick<Store, 'list'>): Promise<void> {
    let after: { id: string; value: number } | undefined
    for (;;) {
      const rows = await store.list('instances', {
        where: { kind: 'service-instance' },
        order: { by: 'createdAtMs', dir: 'asc' },
        limit: pageRows,
        ...(after ? { after } : {}),
      })
      for (const row of rows) this.#takeUp(row)
      const last = rows.at(-1)
      if (!last || rows.length < pageRows) return
      after = { id: last.id, value: last.createdAtMs }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** What was committed since the page was read is newer. */
  #takeUp(row: Instance): void {
    if (this.#living.has(row.id) || this.#loading?.gone.has(row.id)) return
    this.#keep(row, this.#seenMs)
    const heardAtMs = this.#loading?.beats.get(row.id)
    const living = this.#living.get(row.id)
    if (living && heardAtMs !== undefined) this.#beat(living, Math.min(heardAtMs, this.#seenMs))
  }

  async #loadGuards(store: Pick<Store, 'list'>): Promise<void> {
    let after: { id: string } | undefined
    for (;;) {
      const rows = await store.list('guards', { limit: pageRows, ...(after ? { after } : {}) })
      for (const guard of rows) this.#guards.set(guard.id, guard)
      const last = rows.at(-1)
      if (!last || rows.length < pageRows) return
      after = { id: last.id }
    }
  }

  /** Follows what is committed: registrations, renewed ones, those that left, and guards. */
  follow(commit: Commit, nowMs: number): void {
    this.#see(nowMs)
    for (const write of commit.writes) {
      if (write.table === 'instances') {
        if ('remove' in write)
          this.#forget(write.remove as InstanceId) // the instances table is keyed by instance ids
        else if (write.row.registration)
          this.#keep(write.row, Math.min(nowMs, write.row.registration.lease.renewedAtMs))
      } else if (write.table === 'guards') {
        if ('remove' in write) this.#guards.delete(write.remove)
        else this.#guards.set(write.row.id, write.row)
        // Perhaps nothing holds them any more.
        for (const living of this.#held) this.#fallDue(living)
      }
    }
  }

  #keep(row: Instance, fromMs: number): void {
    const lease = row.registration?.lease
    if (!lease) return
    const known = this.#living.get(row.id)
    if (!known) return this.#take(row, lease, fromMs)
    const isOther = known.ttlMs !== lease.ttlMs
    known.ttlMs = lease.ttlMs
    // What was renewed in the future was renewed before the clock was set back, nobody knows when.
    const isPast = lease.renewedAtMs <= this.#seenMs
    if (isPast && lease.renewedAtMs > known.heardAtMs) this.#hear(known, lease.renewedAtMs)
    // Its next moment may be sooner than the one it waits for.
    if (isOther && known.place !== -1) this.#moments.set(known, 0)
  }

  #take(
    row: Instance,
    { ttlMs, renewedAtMs }: { ttlMs: number; renewedAtMs: number },
    fromMs: number,
  ): void {
    const living: Living = {
      id: row.id,
      ttlMs,
      heardAtMs: Math.min(renewedAtMs, this.#seenMs),
      fromMs,
      phase: 'fresh',
      dueSinceMs: 0,
      circles: [],
      hasBeaten: false,
      atMs: 0,
      place: -1,
    }
    const { service, project } = circlesOf(row)
    this.#count(living, service)
    this.#count(living, project)
    this.#living.set(row.id, living)
    this.#moments.set(living, fromMs + silentAfterMs(ttlMs))
  }

  #count(living: Living, circle: Circle): void {
    const counted = this.#circles.get(circle.id) ?? { circle, living: 0, silent: 0 }
    this.#circles.set(circle.id, counted)
    counted.living++
    if (living.phase !== 'fresh') counted.silent++
    living.circles.push(counted)
  }

  #forget(id: InstanceId): void {
    this.#loading?.gone.add(id)
    const living = this.#living.get(id)
    if (!living) return
    this.#living.delete(id)
    this.#moments.delete(living)
    this.#due.delete(living)
    this.#held.delete(living)
    for (const counted of living.circles) {
      counted.living--
      if (living.phase !== 'fresh') counted.silent--
      if (counted.living === 0) this.#circles.delete(counted.circle.id)
    }
  }

  /** When the clock is set back, everything is as long ago as it was. */
  #see(nowMs: number): void {
    const byMs = nowMs - this.#seenMs
    if (byMs > -setBackMs) {
      this.#seenMs = Math.max(this.#seenMs, nowMs)
      return
    }
    this.#seenMs = nowMs
    for (const living of this.#living.values()) {
      living.heardAtMs += byMs
      living.fromMs += byMs
      if (living.dueSinceMs > 0) living.dueSinceMs += byMs
    }
    this.#moments.shift(byMs)
  }

  beat(id: InstanceId, nowMs: number): boolean {
    this.#see(nowMs)
    const living = this.#living.get(id)
    return living ? this.#beat(living, nowMs) : this.#hearEarly(id, nowMs)
  }

  #beat(living: Living, atMs: number): boolean {
    if (living.phase === 'expiring') return false
    if (!living.hasBeaten) {
      living.hasBeaten = true
      this.#count(living, registryCircle)
    }
    this.#hear(living, atMs)
    return true
  }

  /** Whoever beats has a row; it is just not taken up yet. */
  #hearEarly(id: InstanceId, nowMs: number): boolean {
    if (!this.#loading || this.#loading.gone.has(id)) return false
    this.#loading.beats.set(id, nowMs)
    return true
  }

  #hear(living: Living, nowMs: number): void {
    living.heardAtMs = Math.max(living.heardAtMs, nowMs)
    living.fromMs = Math.max(living.fromMs, nowMs)
    if (living.phase !== 'fresh' && living.phase !== 'expiring') this.#refresh(living)
  }

  #refresh(living: Living): void {
    living.phase = 'fresh'
    living.dueSinceMs = 0
    this.#due.delete(living)
    this.#held.delete(living)
    for (const counted of living.circles) counted.silent--
    this.#moments.set(living, living.fromMs + silentAfterMs(living.ttlMs))
  }

  now(instance: Instance): LeaseNow {
    const lease = instance.registration?.lease ?? { ttlMs: 0, renewedAtMs: 0 }
    const living = this.#living.get(instance.id)
    if (!living) return { ...lease, expiresAtMs: lease.renewedAtMs + lease.ttlMs, isHeld: false }
    return {
      renewedAtMs: living.heardAtMs,
      expiresAtMs: living.fromMs + living.ttlMs,
      isHeld: living.phase === 'held',
    }
  }

  counts(): LeaseCounts {
    return { living: this.#living.size, held: this.#held.size }
  }

  /** Lets the time that has passed tell: who fell silent, and whose term, or hold, is over. */
  pass(nowMs: number): void {
    this.#see(nowMs)
    for (;;) {
      const living = this.#moments.take(nowMs)
      if (!living) return
      const silentAtMs = living.fromMs + silentAfterMs(living.ttlMs)
      const endMs = living.fromMs + living.ttlMs
      if (living.phase === 'fresh' && silentAtMs <= nowMs) {
        living.phase = 'silent'
        for (const counted of living.circles) counted.silent++
      }
      if (living.phase === 'fresh') this.#moments.set(living, silentAtMs)
      else if (living.phase === 'silent' && endMs > nowMs) this.#moments.set(living, endMs)
      else {
        if (living.phase === 'silent') living.dueSinceMs = nowMs
        this.#fallDue(living)
      }
    }
  }

  #fallDue(living: Living): void {
    living.phase = 'due'
    this.#held.delete(living)
    this.#due.add(living)
    for (const counted of living.circles) this.#uncounted.add(counted)
  }

  /** Of the circles around what fell due, and of those that are guarded: whatever may have to be guarded, or not. */
  censuses(): readonly { readonly census: Census; readonly guard: Guard | undefined }[] {
    const wanted = new Set<Counted>(this.#uncounted)
    for (const { id, kind, project } of this.#guards.values())
      wanted.add(this.#circles.get(id) ?? { circle: { id, kind, project }, living: 0, silent: 0 })
    return [...wanted].map((census) => ({
      census: { ...census },
      guard: this.#guards.get(census.circle.id),
    }))
  }

  /** What came of the censuses is on disk, or nothing had to. */
  counted(censuses: readonly Census[]): void {
    const ids = new Set(censuses.map(({ circle }) => circle.id))
    for (const one of this.#uncounted) if (ids.has(one.circle.id)) this.#uncounted.delete(one)
  }

  /** At most so many that are due and that no guard holds. They are expiring from now on, until `spare`. */
  expiring(nowMs: number, limit: number): readonly Due[] {
    const found: Due[] = []
    for (const living of this.#due) {
      if (found.length === limit) break
      this.#due.delete(living)
      if (this.#isHeld(living, nowMs)) {
        living.phase = 'held'
        this.#held.add(living)
        this.#moments.set(living, living.dueSinceMs + holdMs(living.ttlMs))
      } else {
        living.phase = 'expiring'
        found.push({ id: living.id, renewedAtMs: living.fromMs, dueSinceMs: living.dueSinceMs })
      }
    }
    return found
  }

  #isHeld({ circles, dueSinceMs, ttlMs }: Living, nowMs: number): boolean {
    if (this.#guards.size === 0 || nowMs >= dueSinceMs + holdMs(ttlMs)) return false
    return circles.some(({ circle }) => isHolding(this.#guards.get(circle.id)))
  }

  /** One that was to expire and did not: it registered again meanwhile, or that could not be written. */
  spare(id: InstanceId, nowMs: number): void {
    const living = this.#living.get(id)
    if (living?.phase !== 'expiring') return
    if (living.fromMs + living.ttlMs > nowMs) this.#refresh(living)
    else this.#fallDue(living)
  }
}
