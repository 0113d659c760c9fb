// Who writes to the file: one at a time, in the order in which they were asked.

import type { Operation } from '#kernel/operation.ts'
import type { Encoded } from './encode.ts'
import type { Place } from './succession.ts'

export interface Claim {
  readonly worker: string
  readonly nowMs: number
  readonly leaseMs: number
  readonly limit: number
}

export interface Writer {
  commit(encoded: Encoded, place: Place): Promise<number>
  claim(claim: Claim): Promise<readonly Operation[]>
  /** Resolves when all that was asked for is done. */
  close(): Promise<void>
}
