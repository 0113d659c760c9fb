// What callers see: intent × observation × operation, computed here and nowhere else. Doors put it into their
// cloud's words in states.ts.

import { type Instance, situationOf, type Underway } from './instance.ts'
import { isA } from './lifecycle.ts'
import { lifecycles, type Situation } from './kinds.ts'
import type { Observation } from './observation.ts'

export interface Presented {
  readonly situation: Situation
  /** What is under way; null at rest. */
  readonly underway: Underway | null
  /** up, down, or unknown: what is known of the thing itself, whatever was asked of it. */
  readonly power: 'up' | 'down' | 'unknown'
  /** The state says one thing and the last look could not confirm it. */
  readonly unsure: boolean
  /** Why it is so, for a person; null when it is simply as somebody asked. */
  readonly reason: string | null
}

/** What is paused still has its power; what is suspended has none. */
const powers = {
  up: 'up',
  paused: 'up',
  suspended: 'down',
  down: 'down',
  absent: 'down',
  unknown: 'unknown',
} as const satisfies Record<Observation['seen'], Presented['power']>

export function present(instance: Instance): Presented {
  const { observation } = instance
  const unsure =
    observation.seen === 'unknown' &&
    instance.underway === null &&
    isA(lifecycles[instance.kind], instance.state, 'rest') &&
    instance.driver !== null &&
    instance.handle !== null
  return {
    situation: situationOf(instance),
    underway: instance.underway,
    power: powers[observation.seen],
    unsure,
    reason:
      instance.failure?.message ??
      (unsure ? (observation.reason ?? 'its driver cannot see it') : instance.reason),
  }
}

/** The requests that its lifecycle allows now: the buttons that may be pressed. */
export function offered(instance: Instance): readonly string[] {
  const { moves } = lifecycles[instance.kind]
  return moves
    .filter(
      (move) => move.by === 'caller' && (move.from as readonly string[]).includes(instance.state),
    )
    .map((move) => move.on) // widened: includes() wants the table's own union
}
