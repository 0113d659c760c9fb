// New ids of operations, instances and requests.

import { uuidv7 } from 'uuidv7'

/**
 * A UUID whose first 48 bits are the time, so that rows made together stand together in every index
 * (docs/decisions/0004-store.md has what that saves). It says version 4, because clients' own checks of an id know
 * no version 7 yet. Its beginning is shared by all ids of one moment: whoever shortens one takes its end.
 */
export function freshId(): string {
  const id = uuidv7()
  return `${id.slice(0, 14)}4${id.slice(15)}`
}
