// New ids of operations, instances and requests.

import { randomFillSync } from 'node:crypto'
import { V7Generator } from 'uuidv7'

/** Asking the system for random numbers costs more than using them: so many at once. */
const numbers = new Uint32Array(1_024)
let used = numbers.length

function nextUint32(): number {
  if (used === numbers.length) {
    randomFillSync(numbers)
    used = 0
  }
  return numbers[used++] ?? 0
}

const generator = new V7Generator({ nextUint32 })

/**
 * A UUID whose first 48 bits are the time, so that rows made together stand together in every index
 * (docs/decisions/0004-store.md has what that saves). It says version 4, because clients' own checks of an id know
 * no version 7 yet. Its beginning is shared by all ids of one moment: whoever shortens one takes its end.
 */
export function freshId(): string {
  const id = generator.generate().toString()
  return `${id.slice(0, 14)}4${id.slice(15)}`
}
