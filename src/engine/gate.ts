// At most so many acts at one driver at a time; the others wait their turn, first come, first served. After a
// restart with ten thousand busy instances a driver is not asked for all of them at once.

export class Gate {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(places: number) {
    this.#free = places
  }

  /** Resolves with how to leave, or with null when the signal aborted before it was let in. */
  enter(signal: AbortSignal): Promise<(() => void) | null> {
    if (signal.aborted) return Promise.resolve(null)
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve(() => this.#leave())
    }
    return new Promise((resolve) => {
      const letIn = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve(() => this.#leave())
      }
      const giveUp = (): void => {
        this.#waiting.delete(letIn)
        resolve(null)
      }
      this.#waiting.add(letIn)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** A place that is left goes straight to whoever waited longest. */
  #leave(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
