// Time as the engine sees it; tests move it by hand.

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number
  /** Calls back once, not before the delay has passed. Returns how to call it off. */
  after(delayMs: number, then: () => void): () => void
}
