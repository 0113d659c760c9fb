// What came of a batch, item by item, kept so that it can be asked for later by one id. How an accepted item
// goes on is its operation's row; nothing is repeated here.

import type { Cause } from './caller.ts'
import type { KernelError } from './errors.ts'
import type { BatchId, OperationId, ProjectId } from './ids.ts'
import type { JsonObject } from './json.ts'

/** How long what came of a batch can be asked for. */
export const batchLifeMs = 7 * 86_400_000

export type BatchOutcome =
  | { readonly operation: OperationId }
  /** Nothing had to be carried out. */
  | { readonly operation: null }
  | { readonly error: KernelError }

export interface BatchRow {
  readonly id: BatchId
  readonly project: ProjectId
  readonly cause: Cause
  readonly atMs: number
  readonly expiresAtMs: number
  /** What the door said of it; nobody else reads it. */
  readonly note: JsonObject
  readonly items: readonly {
    /** As the request named it; it need not be there. */
    readonly name: string
    readonly outcome: BatchOutcome
  }[]
}
