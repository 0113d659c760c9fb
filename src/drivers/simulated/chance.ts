// Chance that repeats: the same seed and the same question have the same answer, on every machine.

import { createHash } from 'node:crypto'

/** From 0 to 1, without 1. */
export function roll(seed: number, ...question: readonly (string | number)[]): number {
  const digest = createHash('sha256')
    .update([seed, ...question].join('/'))
    .digest()
  return digest.readUInt32BE(0) / 2 ** 32
}
