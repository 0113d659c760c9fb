// How long a place in a queue takes at most. A pool's places come free when the runs in them end, and every run
// in a pool that queues has an end; so the answer is a bound, not a guess: somebody who stops early only makes
// it shorter. It is exceeded only when a place is taken out of the pool, or a run is restarted.

export interface Line {
  /** When each of the pool's places is free at the latest; now or earlier for one that is free. */
  readonly freeAtMs: readonly number[]
  /** How long one who gets a place may keep it: reserve it, start, and run. */
  readonly holdMs: number
  readonly nowMs: number
}

/**
 * The moment at which the one of this rank has a place at the latest.
 *
 * @param rank  1 is the head. Bounded: a rank beyond `rankMax` is answered as if it were that.
 * @returns undefined when the pool has no places, so that nothing can be said.
 */
export function latestTurnMs(rank: number, { freeAtMs, holdMs, nowMs }: Line): number | undefined {
  const places = freeAtMs.map((at) => Math.max(at, nowMs)).toSorted((a, b) => a - b)
  let turn: number | undefined
  for (let served = 0; served < Math.min(rank, rankMax); served += 1) {
    turn = places.shift()
    if (turn === undefined) return undefined
    const next = turn + holdMs
    const at = places.findIndex((other) => other > next)
    places.splice(at === -1 ? places.length : at, 0, next)
  }
  return turn
}

const rankMax = 10_000
