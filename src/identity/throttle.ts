// Slows down guessing: after five failures in a row, a subject (a user, a credential, a key) is refused for a
// time that doubles with each further failure.
//
// - A refusal proves nothing and is not counted, so that nobody is locked out for longer by knocking.
// - Attempts that run at once cannot exceed the failures that are left; the rest wait their turn.
// - Unknown subjects are counted like known ones: a lock does not tell who exists.
// - Memory is bounded; the longest unused subject is forgotten first.

import { type Result, err, ok } from '#kernel/errors.ts'

interface ThrottleLimits {
  readonly failuresMax: number
  readonly lockMsMin: number
  readonly lockMsMax: number
}

export const loginLimits: ThrottleLimits = {
  failuresMax: 5,
  lockMsMin: 1_000,
  lockMsMax: 5 * 60_000,
}

/** A failure is forgotten when nothing more happened for this long. */
const memoryMs = 15 * 60_000
const subjectsMax = 10_000
const waitingMax = 64

interface Tally {
  failures: number
  lockedUntilMs: number
  touchedAtMs: number
  running: number
  readonly waiting: (() => void)[]
}

export interface Throttled {
  readonly code: 'throttled'
  readonly retryAfterMs: number
}

export class Throttle {
  readonly #records = new Map<string, Tally>()
  readonly #limits: ThrottleLimits
  readonly #nowMs: () => number

  constructor(limits: ThrottleLimits, nowMs: () => number) {
    this.#limits = limits
    this.#nowMs = nowMs
  }

  /** Runs one attempt to prove something, when the subject may try at all. */
  async attempt(
    subject: string,
    prove: () => Promise<boolean>,
  ): Promise<Result<boolean, Throttled>> {
    const record = this.#touch(subject)
    while (record.running >= Math.max(1, this.#limits.failuresMax - record.failures)) {
      if (this.#isLocked(record)) break
      if (record.waiting.length >= waitingMax) return err(throttled(this.#limits.lockMsMin))
      await new Promise<void>((resume) => record.waiting.push(resume))
    }
    if (this.#isLocked(record)) {
      // The next in line must learn it too.
      record.waiting.shift()?.()
      return err(throttled(record.lockedUntilMs - this.#nowMs()))
    }
    record.running += 1
    try {
      const isProved = await prove()
      if (isProved) record.failures = 0
      else this.#count(record)
      return ok(isProved)
    } finally {
      record.running -= 1
      record.waiting.shift()?.()
    }
  }

  /** How long the subject is still refused; undefined when it is not. */
  refusal(subject: string): Throttled | undefined {
    const record = this.#records.get(subject)
    if (record === undefined || !this.#isLocked(record)) return undefined
    return throttled(record.lockedUntilMs - this.#nowMs())
  }

  failed(subject: string): void {
    this.#count(this.#touch(subject))
  }

  proved(subject: string): void {
    const record = this.#records.get(subject)
    if (record !== undefined) record.failures = 0
  }

  #isLocked(record: Tally): boolean {
    return this.#nowMs() < record.lockedUntilMs
  }

  #count(record: Tally): void {
    const { failuresMax, lockMsMin, lockMsMax } = this.#limits
    record.failures += 1
    const beyond = record.failures - failuresMax
    if (beyond < 0) return
    // 2 ** 30 ms is beyond any limit, and keeps the number exact.
    record.lockedUntilMs =
      this.#nowMs() + Math.min(lockMsMax, lockMsMin * 2 ** Math.min(beyond, 30))
  }

  #touch(subject: string): Tally {
    const nowMs = this.#nowMs()
    const known = this.#records.get(subject)
    const record = known ?? {
      failures: 0,
      lockedUntilMs: 0,
      touchedAtMs: nowMs,
      running: 0,
      waiting: [],
    }
    if (nowMs - record.touchedAtMs > memoryMs) record.failures = 0
    record.touchedAtMs = nowMs
    // Put in again at the end: the map's order is the order of last use.
    this.#records.delete(subject)
    this.#records.set(subject, record)
    if (known === undefined && this.#records.size > subjectsMax) this.#forgetOldest()
    return record
  }

  #forgetOldest(): void {
    for (const [subject, record] of this.#records) {
      if (record.running > 0 || record.waiting.length > 0) continue
      this.#records.delete(subject)
      return
    }
  }
}

const throttled = (retryAfterMs: number): Throttled => ({ code: 'throttled', retryAfterMs })
