// Locks a subject out for a quarter of an hour after three failures in that time. Memory is bounded: the longest
// unused subject is forgotten first.
// Source: contracts/cse-registry.md section 8, "Lockout".

import type { Lock } from '#kernel/ports/accounts.ts'

const failuresMax = 2
const windowMs = 15 * 60_000
const subjectsMax = 10_000

interface Tally {
  failures: number
  sinceMs: number
  untilMs: number
}

export class Lockouts {
  readonly #nowMs: () => number
  readonly #tallies = new Map<string, Tally>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  isLocked(subject: string): boolean {
    return (this.#tallies.get(subject)?.untilMs ?? 0) > this.#nowMs()
  }

  failed(subject: string): void {
    const nowMs = this.#nowMs()
    const known = this.#tallies.get(subject)
    const isFresh = known !== undefined && nowMs - known.sinceMs <= windowMs
    const tally = isFresh ? known : { failures: 0, sinceMs: nowMs, untilMs: 0 }
    tally.failures += 1
    if (tally.failures > failuresMax) tally.untilMs = nowMs + windowMs
    // Put in again at the end: the map's order is the order of last use.
    this.#tallies.delete(subject)
    this.#tallies.set(subject, tally)
    const [oldest] = this.#tallies.keys()
    if (this.#tallies.size > subjectsMax && oldest !== undefined) this.#tallies.delete(oldest)
  }

  proved(subject: string): void {
    this.#tallies.delete(subject)
  }

  list(): readonly Lock[] {
    const nowMs = this.#nowMs()
    return [...this.#tallies]
      .filter(([, { untilMs }]) => untilMs > nowMs)
      .map(([key, { untilMs }]) => ({ key, untilMs }))
  }
}
