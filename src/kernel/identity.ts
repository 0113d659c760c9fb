// Rows of the identity store. Secrets are kept sealed (encrypted) or hashed; no row holds one in the clear.

import type { Role } from './caller.ts'
import type { ProjectId, UserId } from './ids.ts'

export interface User {
  readonly id: UserId
  readonly name: string
  readonly domainId: string
  readonly enabled: boolean
  /** scrypt: parameters, salt and hash in one text. */
  readonly passwordHash: string
  readonly defaultProject: ProjectId | null
  /** Tokens issued before are void: set on a change of password or role. */
  readonly tokensSinceMs: number
}

export interface Grant {
  /** `${userId}/${project}` */
  readonly id: string
  readonly userId: UserId
  /** Or a domain's id, for a role on the domain itself. */
  readonly project: ProjectId
  readonly role: Role
}

export interface AccessKey {
  /** The access key id (AK). */
  readonly id: string
  readonly userId: UserId
  readonly active: boolean
  /** AES-256-GCM of the secret: verifying a signature needs it in the clear. */
  readonly sealedSecret: string
  readonly description: string
  readonly createdAtMs: number
  /** Temporary keys only. */
  readonly expiresAtMs: number | null
  /** SHA-256 of the security token that must come with a temporary key. */
  readonly securityTokenHash: string | null
  /** A key bound to one project; null: any project in which the user has a role. */
  readonly project: ProjectId | null
}

export interface AppCredential {
  readonly id: string
  readonly name: string
  readonly userId: UserId
  readonly project: ProjectId
  readonly secretHash: string
  readonly role: Role
  readonly description: string
  readonly expiresAtMs: number | null
  readonly unrestricted: boolean
}

export interface Token {
  /** SHA-256 (hex) of the token's text. */
  readonly id: string
  readonly userId: UserId
  readonly project: ProjectId | null
  /** Set for a token whose scope is a whole domain; its project is null then. */
  readonly domainId: string | null
  /** Obtained with this application credential: the token's role is the credential's, and it ends with it. */
  readonly appCredentialId: string | null
  readonly methods: readonly string[]
  readonly auditIds: readonly string[]
  readonly issuedAtMs: number
  readonly expiresAtMs: number | null
  readonly revoked: boolean
}
