// One line of the table: what is asked, how often, and which ratio to the bare server is owed.

import type { Asked } from './load.ts'

export interface Row {
  readonly what: string
  readonly owe: number | null
  /** Requests in each round, and in the paced one. */
  readonly count: number
  /** The n-th request of the `round`-th round. */
  readonly request: (n: number, round: number) => Asked
  /** Between rounds: until what the last one began has come to rest. */
  readonly rest?: () => Promise<void>
}
