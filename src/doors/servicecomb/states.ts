// Our states in the registry's words, exhaustively, and back. A status is a label: any may follow any, and the
// server never moves one by itself; an instance that is gone has no word, because it is not shown.
// Source: contracts/cse-registry.md sections 2 and 4.1.

import type { Instance, ServiceStatus } from '#kernel/instance.ts'
import type { StateOfKind } from '#kernel/kinds.ts'

const words = {
  up: 'UP',
  down: 'DOWN',
  starting: 'STARTING',
  testing: 'TESTING',
  'out-of-service': 'OUTOFSERVICE',
  expired: null,
  unregistered: null,
} as const satisfies Record<StateOfKind<'service-instance'>, string | null>

/** `UNKNOWN` exists inside clients only, and is refused like any other word. Source: section 2. */
const statuses: Readonly<Record<(typeof words)[ServiceStatus], ServiceStatus>> = {
  UP: 'up',
  DOWN: 'down',
  STARTING: 'starting',
  TESTING: 'testing',
  OUTOFSERVICE: 'out-of-service',
}

/** Null for an instance that is gone. */
export const statusWord = (instance: Pick<Instance, 'state'>): string | null =>
  words[instance.state as StateOfKind<'service-instance'>] // only registered instances are asked for

/** Case-sensitive; absent for what is no status. */
export const statusOf = (word: string): ServiceStatus | undefined =>
  Object.hasOwn(statuses, word) ? statuses[word as keyof typeof statuses] : undefined // an own key
