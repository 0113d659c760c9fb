// What doors see of identity. It proves who asks; what they may do is the kernel's table (access.ts).

import type { Caller, Role } from '../caller.ts'
import type { Result } from '../errors.ts'
import type { Accounts } from './accounts.ts'
import type { AccessKey, AppCredential, Token, User } from '../identity.ts'
import type { ProjectId, UserId } from '../ids.ts'
import type { Project } from '../project.ts'

/** unknown, expired and revoked are told apart only where a protocol has codes for them. */
export type AuthFailure =
  | {
      readonly code:
        | 'missing'
        | 'malformed'
        | 'unknown'
        | 'expired'
        | 'revoked'
        | 'disabled'
        | 'wrong'
    }
  | { readonly code: 'throttled'; readonly retryAfterMs: number }
  | { readonly code: 'no-role' }

/** A project; a whole domain; or null: the user's default project, else no scope. */
export type Scope = ProjectId | { readonly domainId: string } | null

export interface Domain {
  readonly id: string
  readonly name: string
}
export interface DomainRef {
  readonly id?: string
  readonly name?: string
}

export type UserName =
  | { readonly id: string }
  | { readonly name: string; readonly domain: DomainRef }

export interface NewAppCredential {
  readonly user: User
  readonly project: ProjectId
  readonly name: string
  readonly description: string
  /** Not above the user's own in that project. */
  readonly role: Role
  readonly expiresAtMs: number | null
  readonly unrestricted: boolean
  /** Absent: a random one is made. */
  readonly secret?: string
}

export interface MadeAccessKey {
  readonly key: AccessKey
  readonly secret: string
}

export interface TokenGrant {
  /** The text to hand out, once. */
  readonly text: string
  readonly token: Token
  readonly caller: Caller
}

export interface Identity {
  /** The caller of a token's text (X-Auth-Token, or bearer). Constant time in the text's length. */
  byToken(
    text: string,
  ): Promise<Result<{ readonly caller: Caller; readonly token: Token }, AuthFailure>>
  /** The key and its secret in the clear, for verifying one signature. Never log or keep it. */
  accessKey(
    id: string,
  ): Promise<Result<{ readonly key: AccessKey; readonly secret: string }, AuthFailure>>
  /** Whether this security token belongs to the (temporary) key. Constant time. */
  securityTokenFits(key: AccessKey, securityToken: string | undefined): boolean
  /** Counts a failed signature against an access key's id, for throttling. */
  failed(keyId: string): void
  /** A signature was right: what failed before no longer counts. */
  proved(keyId: string): void
  /** The caller that a user is in a scope. Null: the user's default project or only one, else without a project. */
  callerOf(user: UserId, scope: Scope): Promise<Result<Caller, AuthFailure>>

  /** Those that a door's protocol brings along. */
  readonly accounts: Accounts

  /** Throttled per user; the time taken does not tell an unknown user from a wrong password. */
  password(user: UserName, password: string): Promise<Result<User, AuthFailure>>
  appCredential(
    credential: { readonly id: string } | { readonly name: string; readonly user: UserName },
    secret: string,
  ): Promise<Result<{ readonly user: User; readonly credential: AppCredential }, AuthFailure>>
  /**
   * `project` null: unscoped, or the domain's when `domainId` is set. `parent`: the token exchanged, which this
   * one does not outlive. `credential`: its role and its end bound the token's.
   */
  issue(grant: {
    readonly user: User
    readonly project: ProjectId | null
    readonly domainId?: string
    readonly methods: readonly string[]
    readonly parent?: Token
    readonly credential?: AppCredential
    readonly lifeMs?: number | null
  }): Promise<Result<TokenGrant, AuthFailure>>
  revoke(token: Token): Promise<void>

  createAppCredential(
    wanted: NewAppCredential,
  ): Promise<
    Result<
      { readonly credential: AppCredential; readonly secret: string },
      AuthFailure | { readonly code: 'name-taken' }
    >
  >
  appCredentialsOf(user: UserId): Promise<readonly AppCredential[]>
  /** Its tokens end with it. */
  removeAppCredential(credential: AppCredential): Promise<void>

  /**
   * A permanent key, good for every project in which its user has a role; its secret is told once. A user has two
   * at most, besides those of another look.
   */
  createAccessKey(wanted: {
    readonly user: User
    readonly description: string
  }): Promise<Result<MadeAccessKey, { readonly code: 'too-many' }>>
  /** A key that ends by itself, and with everything that ends its user's tokens. */
  createTemporaryKey(wanted: {
    readonly user: User
    /** Good for this project only; null: for every one in which its user has a role. */
    readonly project: ProjectId | null
    readonly lifeMs: number
  }): Promise<MadeAccessKey & { readonly securityToken: string }>
  /** A user's permanent keys, oldest first. */
  accessKeysOf(user: UserId): Promise<readonly AccessKey[]>
  /** Whoever's it is. */
  permanentKey(id: string): Promise<AccessKey | undefined>
  setAccessKey(key: AccessKey): Promise<void>
  removeAccessKey(key: AccessKey): Promise<void>

  /** Enabled projects in which the user has a role. */
  projectsOf(user: UserId): Promise<readonly { readonly project: Project; readonly role: Role }[]>
  project(
    idOrName: { readonly id: string } | { readonly name: string; readonly domainId: string },
  ): Promise<Project | undefined>
  user(id: string): Promise<User | undefined>
  readonly domains: readonly Domain[]
  /** By id; or by name in any case, because clients are commonly set to either spelling. */
  domain(wanted: DomainRef): Domain | undefined
}
