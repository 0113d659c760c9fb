// Chance from one seed: the same seed makes the same walk.

export interface Chance {
  /** From 0 to 1, without 1. */
  readonly roll: () => number
  /** From 0 to `max`, both included. */
  readonly upTo: (max: number) => number
  readonly pick: <T>(from: readonly [T, ...T[]]) => T
}

/** Mulberry32: 32 bits of state are plenty for a walk. */
export function chance(seed: number): Chance {
  let state = seed >>> 0
  function roll(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const upTo = (max: number): number => Math.floor(roll() * (max + 1))
  return { roll, upTo, pick: (from) => from[upTo(from.length - 1)] ?? from[0] }
}
