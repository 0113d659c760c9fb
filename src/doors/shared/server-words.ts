// What one door says of servers and another repeats: the words are kept once, by the door that they belong to,
// and the app hands them to the other. Doors do not know one another.

import type { Caller } from '#kernel/caller.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Situation } from '#kernel/kinds.ts'

export type PowerAction = 'start' | 'stop' | 'reboot soft' | 'reboot hard'

export interface ServerWords {
  /** Where each power action is accepted: the `from` of its request. */
  readonly accepts: (action: PowerAction) => readonly Situation[]
  /** The whole object, as that door's own callers see it. */
  readonly show: (instance: Instance, view: ServerView) => Readonly<Record<string, unknown>>
  /** The one word for its state. */
  readonly statusOf: (instance: Instance) => string
  /** What callers of that door said of it when it was made. */
  readonly saidOf: (instance: Instance) => {
    readonly tags: readonly string[]
    readonly reservationId: string | undefined
  }
}

export interface ServerView {
  readonly caller: Caller
  /** `http://host:port`. */
  readonly baseUrl: string
  readonly project: string
}
