// Commits that rest on earlier ones: none is carried out when the one it rests on was not.

import { behind } from '#kernel/ports/store.ts'

/** A commit's number, and that of the one it rests on. */
export interface Place {
  readonly nth: number
  readonly after: number | null
}

/** Whoever rests on a commit was handed over while that was under way, so few failures are worth remembering. */
const failuresMax = 64

export class Succession {
  readonly #failed = new Set<number>()

  run<T>({ nth, after }: Place, work: () => T): T {
    try {
      if (after !== null && this.#failed.has(after)) throw behind()
      return work()
    } catch (thrown) {
      this.fail(nth)
      throw thrown
    }
  }

  fail(nth: number): void {
    this.#failed.add(nth)
    const oldest = this.#failed.keys().next()
    if (this.#failed.size > failuresMax && !oldest.done) this.#failed.delete(oldest.value)
  }
}
