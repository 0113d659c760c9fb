// The registry's leases as they live. A heartbeat costs no sync: it moves a time in memory, and a restart gives
// every lease one full term before expiry is considered, so what a restart forgets can only lengthen a lease.

import { type InstanceId } from '#kernel/ids.ts'
import { type Instance } from '#kernel/instance.ts'
import { type Commit, type Store } from '#kernel/ports/store.ts'

interface Living {
  renewedAtMs: number
  ttlMs: number
  /** Its expiry is being written down: a beat that comes now is too late, and is told so. */
  isExpiring: boolean
}

const pageRows = 1_000

export class Leases {
  readonly #living = new Map<InstanceId, Living>()

  /** Takes up every registered instance; each gets a full term from now. */
  async load(store: Pick<Store, 'list'>, nowMs: number): Promise<void> {
    let after: { id: string; value: number } | undefined
    for (;;) {
      const rows = await store.list('instances', {
        where: { kind: 'service-instance' },
        order: { by: 'createdAtMs', dir: 'asc' },
        limit: pageRows,
        ...(after ? { after } : {}),
      })
      for (const row of rows) this.#keep(row, nowMs)
      const last = rows.at(-1)
      if (!last || rows.length < pageRows) return
      after = { id: last.id, value: last.createdAtMs }
    }
  }

  /** Follows what is committed: new registrations, renewed ones, and those that left. */
  follow(commit: Commit): void {
    for (const write of commit.writes) {
      if (write.table !== 'instances') continue
      if ('remove' in write)
        this.#living.delete(write.remove as InstanceId) // the instances table is keyed by instance ids
      else if (write.row.registration)
        this.#keep(write.row, write.row.registration.lease.renewedAtMs)
    }
  }

  #keep(row: Instance, renewedAtMs: number): void {
    const lease = row.registration?.lease
    if (!lease) return
    const known = this.#living.get(row.id)
    if (known) {
      known.ttlMs = lease.ttlMs
      known.renewedAtMs = Math.max(known.renewedAtMs, renewedAtMs)
    } else this.#living.set(row.id, { ttlMs: lease.ttlMs, renewedAtMs, isExpiring: false })
  }

  beat(id: InstanceId, nowMs: number): boolean {
    const living = this.#living.get(id)
    if (!living || living.isExpiring) return false
    living.renewedAtMs = Math.max(living.renewedAtMs, nowMs)
    return true
  }

  renewedAtMs(instance: Instance): number {
    return (
      this.#living.get(instance.id)?.renewedAtMs ?? instance.registration?.lease.renewedAtMs ?? 0
    )
  }

  /** Those whose term has passed, with their last beat. From now on they are expiring, until `spare`. */
  *due(nowMs: number): Generator<{ readonly id: InstanceId; readonly renewedAtMs: number }> {
    for (const [id, living] of this.#living) {
      if (living.isExpiring || living.renewedAtMs + living.ttlMs > nowMs) continue
      living.isExpiring = true
      yield { id, renewedAtMs: living.renewedAtMs }
    }
  }

  /** One that was due and yet did not expire: it registered again meanwhile, or that could not be written. */
  spare(id: InstanceId): void {
    const living = this.#living.get(id)
    if (living) living.isExpiring = false
  }
}
