// Tokens: issued, proved, revoked. A token's text is handed out once; only its SHA-256 is kept.
//
// - A token is refused from the moment its row, its user, its project or its credential says so.
// - A token got with a token, or with an application credential, ends no later than that and may no more.
// - A token issued before its user's last change of password or role is void (`tokensSinceMs`).

import { type Caller, type Role, roles } from '#kernel/caller.ts'
import { type Result, err, ok } from '#kernel/errors.ts'
import type { AppCredential, Token, User } from '#kernel/identity.ts'
import type { ProjectId } from '#kernel/ids.ts'
import type { AuthFailure, TokenGrant } from '#kernel/ports/identity.ts'
import type { Store, Write } from '#kernel/ports/store.ts'
import { type Epoch, ShortCache } from './cache.ts'
import { type Directory, callerWithout } from './directory.ts'
import { auditId, fingerprint, looksLikeToken, tokenText } from './secrets.ts'

const dayMs = 24 * 60 * 60_000
/** Source: contracts/identity.md section 4.2. */
const defaultLifeMs = dayMs
const purgeEveryMs = 10 * 60_000
const purgeAtOnceMax = 500

interface WantedToken {
  readonly user: User
  readonly project: ProjectId | null
  readonly domainId?: string
  readonly methods: readonly string[]
  readonly parent?: Token
  readonly credential?: AppCredential
  readonly lifeMs?: number | null
}

interface Proof {
  readonly caller: Caller
  readonly token: Token
}

export class Tokens {
  readonly #store: Store
  readonly #nowMs: () => number
  readonly #epoch: Epoch
  readonly #directory: Directory
  readonly #proofs: ShortCache<Proof>
  #purgeAtMs = 0

  constructor(store: Store, nowMs: () => number, epoch: Epoch, directory: Directory) {
    this.#store = store
    this.#nowMs = nowMs
    this.#epoch = epoch
    this.#directory = directory
    this.#proofs = new ShortCache(epoch, nowMs)
  }

  async byText(text: string): Promise<Result<Proof, AuthFailure>> {
    if (text === '') return err({ code: 'missing' })
    if (!looksLikeToken(text)) return err({ code: 'malformed' })
    const id = fingerprint(text)
    const known = this.#proofs.get(id)
    const proof =
      known === undefined ? await this.#proofs.fill(id, () => this.#prove(id)) : ok(known)
    if (proof.ok && hasEnded(proof.value.token, this.#nowMs())) return err({ code: 'expired' })
    return proof
  }

  async #prove(id: string): Promise<Result<Proof, AuthFailure>> {
    const token = await this.#store.get('tokens', id)
    if (token === undefined) return err({ code: 'unknown' })
    if (token.revoked) return err({ code: 'revoked' })
    if (hasEnded(token, this.#nowMs())) return err({ code: 'expired' })
    const user = await this.#directory.user(token.userId)
    if (user === undefined || token.issuedAtMs < user.tokensSinceMs) return err({ code: 'revoked' })
    const credential =
      token.appCredentialId === null
        ? null
        : await this.#store.get('appCredentials', token.appCredentialId)
    if (credential === undefined) return err({ code: 'revoked' })
    const caller = await this.#callerOf(user, token, credential)
    return caller.ok ? ok({ caller: caller.value, token }) : caller
  }

  async #callerOf(
    user: User,
    { project, domainId }: { readonly project: ProjectId | null; readonly domainId: string | null },
    credential: AppCredential | null,
  ): Promise<Result<Caller, AuthFailure>> {
    if (credential !== null && project !== credential.project) return err({ code: 'no-role' })
    const scope = project ?? (domainId === null ? null : { domainId })
    // `callerOf(…, null)` would put the user into a default project; a token without a scope has none.
    if (scope === null) return user.enabled ? ok(callerWithout(user)) : err({ code: 'disabled' })
    const caller = await this.#directory.callerOf(user.id, scope)
    if (!caller.ok || credential === null) return caller
    return ok({ ...caller.value, role: weaker(caller.value.role, credential.role) })
  }

  async issue(wanted: WantedToken): Promise<Result<TokenGrant, AuthFailure>> {
    const nowMs = this.#nowMs()
    // Read again: what the caller holds may be older than a change of the user.
    const user = await this.#directory.user(wanted.user.id)
    if (user === undefined) return err({ code: 'unknown' })
    const bound = await this.#boundTo(wanted)
    if (!bound.ok) return bound
    const credential = bound.value
    const scope = { project: wanted.project, domainId: wanted.domainId ?? null }
    const caller = await this.#callerOf(user, scope, credential)
    if (!caller.ok) return caller
    const text = tokenText()
    const issuedAtMs = Math.max(nowMs, user.tokensSinceMs)
    const parent = wanted.parent?.auditIds[0]
    const token: Token = {
      id: fingerprint(text),
      userId: user.id,
      ...scope,
      appCredentialId: credential?.id ?? null,
      methods: wanted.methods,
      auditIds: parent === undefined ? [auditId()] : [auditId(), parent],
      issuedAtMs,
      expiresAtMs: earliest([
        wanted.lifeMs === null ? null : issuedAtMs + (wanted.lifeMs ?? defaultLifeMs),
        wanted.parent?.expiresAtMs ?? null,
        // Its end may lie between two milliseconds; a token's does not.
        typeof credential?.expiresAtMs === 'number' ? Math.floor(credential.expiresAtMs) : null,
      ]),
      revoked: false,
    }
    const writes: readonly Write[] = [
      { table: 'tokens', row: token },
      ...(await this.#purge(nowMs)),
    ]
    await this.#store.commit({ writes, events: [] })
    return ok({ text, token, caller: caller.value })
  }

  /** The application credential that bounds the token wanted, directly or through its parent. */
  async #boundTo(wanted: WantedToken): Promise<Result<AppCredential | null, AuthFailure>> {
    const id = wanted.credential?.id ?? wanted.parent?.appCredentialId ?? null
    if (id === null) return ok(null)
    const credential = await this.#store.get('appCredentials', id)
    return credential === undefined ? err({ code: 'revoked' }) : ok(credential)
  }

  async revoke(token: Token): Promise<void> {
    const row: Token = { ...token, revoked: true }
    await this.#store.commit({ writes: [{ table: 'tokens', row }], events: [] })
    this.#epoch.moveOn()
  }

  /** Tokens that ended a day ago: until then a protocol may tell its caller that they have. */
  async #purge(nowMs: number): Promise<readonly Write[]> {
    if (nowMs < this.#purgeAtMs) return []
    this.#purgeAtMs = nowMs + purgeEveryMs
    const old = await this.#store.list('tokens', {
      range: { column: 'expiresAtMs', max: nowMs - dayMs },
      limit: purgeAtOnceMax,
    })
    // A full page means that there is more: go on with the next token issued.
    if (old.length === purgeAtOnceMax) this.#purgeAtMs = nowMs
    return old.map(({ id }) => ({ table: 'tokens', remove: id }))
  }
}

const hasEnded = ({ expiresAtMs }: Token, nowMs: number): boolean =>
  expiresAtMs !== null && expiresAtMs <= nowMs

function earliest(moments: readonly (number | null)[]): number | null {
  const known = moments.filter((moment) => moment !== null)
  return known.length === 0 ? null : Math.min(...known)
}

const weaker = (one: Role | null, other: Role): Role | null =>
  one !== null && roles.indexOf(one) < roles.indexOf(other) ? other : one
