// Expires leases in their time. It has a ticker of its own, so that no slow round of the engine delays a removal,
// and takes a census before it lets anything expire: a mass loss is guarded before its first victim is gone.

import { guardMove, type GuardPolicy } from '#kernel/guard.ts'
import type { Result } from '#kernel/errors.ts'
import type { Clock } from '#kernel/ports/clock.ts'
import type { Store } from '#kernel/ports/store.ts'
import type { EngineRequest, Receipt } from '#kernel/request.ts'
import { sleep } from './clock.ts'
import type { Due, Leases } from './leases.ts'
import type { Log } from './log.ts'

export interface KeeperParts {
  readonly leases: Leases
  readonly policy: GuardPolicy
  readonly clock: Clock
  readonly settle: (request: EngineRequest) => Promise<Result<Receipt>>
  readonly log: Log
}

const tickMs = 250
/** Expiries that stand in line for a commit at a time: callers' requests must get their turn between them. */
const atOnceMax = 128

export class LeaseKeeper {
  readonly #parts: KeeperParts
  readonly #stopped = new AbortController()
  #ticking: Promise<void> = Promise.resolve()

  constructor(parts: KeeperParts) {
    this.#parts = parts
  }

  /** Takes up all leases first; whoever beats meanwhile is heard. */
  begin(store: Pick<Store, 'list'>): void {
    const takenUp = this.#takeUp(store, this.#parts.clock.nowMs())
    this.#ticking = takenUp
      .then(() => this.#tick())
      .catch((bug: unknown) =>
        this.#parts.log.error({ err: bug }, 'leases are not kept any more: this is a bug'),
      )
  }

  async #takeUp(store: Pick<Store, 'list'>, nowMs: number): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        return await this.#parts.leases.load(store, nowMs)
      } catch (cause) {
        this.#parts.log.error({ err: cause }, 'leases could not be read; it is tried again')
        await sleep(this.#parts.clock, tickMs, this.#stopped.signal)
      }
    }
  }

  async #tick(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const isMore = await this.#round()
      if (!isMore) await sleep(this.#parts.clock, tickMs, this.#stopped.signal)
    }
  }

  /** Whether more may be due. */
  async #round(): Promise<boolean> {
    const { leases, clock } = this.#parts
    leases.pass(clock.nowMs())
    if (!(await this.#count())) return false
    const due = leases.expiring(clock.nowMs(), atOnceMax)
    const ended = await Promise.all(due.map((one) => this.#expire(one)))
    // Whatever could not be written, or is not so, waits for the next tick.
    return due.length === atOnceMax && ended.every(Boolean)
  }

  /** Whether all that had to be guarded is. */
  async #count(): Promise<boolean> {
    const { leases, policy } = this.#parts
    const all = leases.censuses()
    const changed = all.filter(({ census, guard }) => guardMove(census, guard, policy) !== null)
    const censuses = changed.map(({ census }) => census)
    const isDone =
      censuses.length === 0 || (await this.#ask({ verb: 'count', censuses, policy })) !== null
    if (isDone) leases.counted(all.map(({ census }) => census))
    return isDone
  }

  async #expire({ id, renewedAtMs, dueSinceMs }: Due): Promise<boolean> {
    const { leases, clock } = this.#parts
    const receipt = await this.#ask({ verb: 'expire', instance: id, renewedAtMs, dueSinceMs })
    leases.spare(id, clock.nowMs())
    return receipt !== null && receipt.unchanged === undefined
  }

  async #ask(request: EngineRequest): Promise<Receipt | null> {
    try {
      const settled = await this.#parts.settle(request)
      return settled.ok ? settled.value : null
    } catch (bug) {
      // One that breaks keeps no other from expiring.
      this.#parts.log.error({ err: bug, request: request.verb }, 'a lease broke: this is a bug')
      return null
    }
  }

  async close(): Promise<void> {
    this.#stopped.abort()
    await this.#ticking
  }
}
