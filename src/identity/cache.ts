// Remembers for a moment what was read, so that a request that proves who asks reads no row.
//
// - Every change of identity in this process moves the epoch on, and with it all that was remembered is void:
//   a revoked token is refused by the very next request.
// - What was being read while the epoch moved is answered, but not remembered.
// - A moment is short because another process on the same store cannot move our epoch.
// - Refusals are never remembered: they cost their sender, not us.

import type { Result } from '#kernel/errors.ts'

const lifeMs = 5_000
const sizeMax = 10_000

/** One per identity; shared by its caches. */
export class Epoch {
  #now = 0

  get now(): number {
    return this.#now
  }

  moveOn(): void {
    this.#now += 1
  }
}

interface Entry<Value> {
  readonly value: Value
  readonly epoch: number
  readonly freshUntilMs: number
}

export class ShortCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #epoch: Epoch
  readonly #nowMs: () => number

  constructor(epoch: Epoch, nowMs: () => number) {
    this.#epoch = epoch
    this.#nowMs = nowMs
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.epoch === this.#epoch.now && this.#nowMs() < entry.freshUntilMs) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  /** Reads, and remembers what was read as of when the reading began: void, if something changed meanwhile. */
  async fill<Refusal>(
    key: string,
    read: () => Promise<Result<Value, Refusal>>,
  ): Promise<Result<Value, Refusal>> {
    const epoch = this.#epoch.now
    const freshUntilMs = this.#nowMs() + lifeMs
    const found = await read()
    if (found.ok) {
      const oldest = this.#entries.size >= sizeMax ? this.#entries.keys().next() : undefined
      if (oldest?.done === false) this.#entries.delete(oldest.value)
      this.#entries.set(key, { value: found.value, epoch, freshUntilMs })
    }
    return found
  }
}
