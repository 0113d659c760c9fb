// Accounts of a protocol that brings its own, beside identity's users. What a role may is told in that protocol's
// words; here they are only kept.

import type { JsonObject } from './json.ts'

export interface Account {
  /** Its name. */
  readonly id: string
  /** What its protocol shows as its id. */
  readonly uid: string
  readonly roles: readonly string[]
  readonly active: boolean
  /** scrypt: parameters, salt and hash in one text. */
  readonly passwordHash: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Tokens issued before are void: set on a change of password. */
  readonly tokensSinceMs: number
}

export interface AccountRole {
  /** Its name. */
  readonly id: string
  readonly uid: string
  readonly permissions: readonly JsonObject[]
  readonly createdAtMs: number
  readonly updatedAtMs: number
}
