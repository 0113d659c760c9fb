// The public half of a key with which somebody logs in to what they make. The private half is never kept.

import type { UserId } from './ids.ts'

export interface KeyPair {
  /** `keyPairId`. */
  readonly id: string
  readonly userId: UserId
  readonly name: string
  readonly type: 'ssh' | 'x509'
  readonly publicKey: string
  readonly fingerprint: string
  readonly createdAtMs: number
}

/** Names are a user's own. */
export const keyPairId = (user: UserId, name: string): string => `${user}/${name}`

/** Of one user. */
export const keyPairsMax = 1_000
