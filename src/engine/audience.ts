// Who was shown which revision of a service lately: in memory, and never the truth. It can tell that all who are
// known have seen a change; when it knows too little, it says no, and whoever waits waits his whole time.

import type { ServiceId } from '#kernel/ids.ts'
import type { Withdrawn } from '#kernel/operation.ts'

interface Shown {
  revision: number
  atMs: number
}

/** Who has not asked for so long is no consumer any more: two polls of a client that asks every 30 s. */
const recentMs = 60_000
/** Beyond so many it begins anew, knowing nothing. */
const viewersMax = 200_000

export class Audience {
  readonly #viewers = new Map<ServiceId, Map<string, Shown>>()
  #count = 0
  #sinceMs: number

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
  }

  shown({
    service,
    by,
    revision,
    nowMs,
  }: {
    readonly service: ServiceId
    readonly by: string
    readonly revision: number
    readonly nowMs: number
  }): void {
    const known = this.#viewers.get(service)?.get(by)
    if (known) {
      known.atMs = nowMs
      known.revision = Math.max(known.revision, revision)
      return
    }
    if (this.#count >= viewersMax) this.#forget(nowMs)
    const viewers = this.#viewers.get(service) ?? new Map<string, Shown>()
    this.#viewers.set(service, viewers.set(by, { revision, atMs: nowMs }))
    this.#count++
  }

  /** Drops who has not asked for long; everybody, when those are few. */
  #forget(nowMs: number): void {
    this.#count = 0
    for (const [service, viewers] of this.#viewers) {
      for (const [by, { atMs }] of viewers) if (atMs + recentMs < nowMs) viewers.delete(by)
      if (viewers.size === 0) this.#viewers.delete(service)
      this.#count += viewers.size
    }
    if (this.#count < viewersMax / 2) return
    this.#viewers.clear()
    this.#count = 0
    this.#sinceMs = nowMs
  }

  /** Whether everybody who has asked lately has been shown all of it. */
  hasSeen(withdrawn: readonly Withdrawn[], nowMs: number): boolean {
    if (withdrawn.length === 0) return true
    if (this.#sinceMs + recentMs > nowMs) return false
    return withdrawn.every(({ serviceId, revision }) => {
      for (const shown of this.#viewers.get(serviceId)?.values() ?? [])
        if (shown.revision < revision && shown.atMs + recentMs >= nowMs) return false
      return true
    })
  }
}
