// Access keys: pairs of an id and a secret that sign requests. Verifying needs the secret in the clear, so it is
// kept sealed, not hashed, and remembered in the clear for a moment.

import { type Result, err, ok } from '#kernel/errors.ts'
import { assert } from '#kernel/assert.ts'
import type { AccessKey, User } from '#kernel/identity.ts'
import type { ProjectId, UserId } from '#kernel/ids.ts'
import type { AuthFailure } from '#kernel/ports/identity.ts'
import type { Store } from '#kernel/ports/store.ts'
import { type Epoch, ShortCache } from './cache.ts'
import type { Directory } from './directory.ts'
import type { Sealer } from './sealing.ts'
import { type KeyPair, fingerprint, keyPairs, sameText, securityTokenText } from './secrets.ts'
import type { Throttle } from './throttle.ts'

interface NewAccessKey {
  readonly userId: UserId
  readonly look: keyof typeof keyPairs
  /** Null: good for every project in which the user has a role. */
  readonly project: ProjectId | null
  readonly description: string
  /** Makes a temporary key, which comes with a security token. */
  readonly lifeMs?: number
}

interface MadeAccessKey {
  readonly row: AccessKey
  readonly pair: KeyPair
  /** Of temporary keys. */
  readonly securityToken: string | null
}

/** A fresh pair and its row, not stored yet. */
export function newAccessKey(wanted: NewAccessKey, sealer: Sealer, nowMs: number): MadeAccessKey {
  const pair = keyPairs[wanted.look]()
  const securityToken = wanted.lifeMs === undefined ? null : securityTokenText()
  const row: AccessKey = {
    id: pair.id,
    userId: wanted.userId,
    active: true,
    sealedSecret: sealer.seal(pair.secret, pair.id),
    description: wanted.description,
    createdAtMs: nowMs,
    expiresAtMs: wanted.lifeMs === undefined ? null : nowMs + wanted.lifeMs,
    securityTokenHash: securityToken === null ? null : fingerprint(securityToken),
    project: wanted.project,
  }
  return { row, pair, securityToken }
}

/** Whether this security token belongs to the key. A permanent key has none, and minds none. */
export function securityTokenFits(key: AccessKey, securityToken: string | undefined): boolean {
  if (key.securityTokenHash === null) return true
  return securityToken !== undefined && sameText(fingerprint(securityToken), key.securityTokenHash)
}

/** Source: contracts/identity.md section 7. */
const permanentMax = 2
/** Until then a caller may be told that its key has ended, and not that it never was. */
const keptAfterEndMs = 24 * 60 * 60_000

/** Of this look: the other one's are another cloud's, which has no such calls. */
const isPermanent = ({ id, expiresAtMs }: AccessKey): boolean =>
  expiresAtMs === null && /^[A-Z0-9]{20}$/.test(id)

interface Opened {
  readonly key: AccessKey
  readonly secret: string
}

export class AccessKeys {
  readonly #store: Store
  readonly #nowMs: () => number
  readonly #epoch: Epoch
  readonly #directory: Directory
  readonly #sealer: Sealer
  readonly #throttle: Throttle | null
  readonly #opened: ShortCache<Opened>
  #adding: Promise<unknown> = Promise.resolve()

  /** @param throttle  null: failed signatures lock nobody out; see README.md. */
  constructor(parts: {
    readonly store: Store
    readonly nowMs: () => number
    readonly epoch: Epoch
    readonly directory: Directory
    readonly sealer: Sealer
    readonly throttle: Throttle | null
  }) {
    this.#store = parts.store
    this.#nowMs = parts.nowMs
    this.#epoch = parts.epoch
    this.#directory = parts.directory
    this.#sealer = parts.sealer
    this.#throttle = parts.throttle
    this.#opened = new ShortCache(parts.epoch, parts.nowMs)
  }

  async open(id: string): Promise<Result<Opened, AuthFailure>> {
    const refusal = this.#throttle?.refusal(id)
    if (refusal !== undefined) return err(refusal)
    const known = this.#opened.get(id)
    const opened =
      known === undefined ? await this.#opened.fill(id, () => this.#read(id)) : ok(known)
    if (!opened.ok) return opened
    const { expiresAtMs } = opened.value.key
    return expiresAtMs !== null && expiresAtMs <= this.#nowMs() ? err({ code: 'expired' }) : opened
  }

  async #read(id: string): Promise<Result<Opened, AuthFailure>> {
    const key = await this.#store.get('accessKeys', id)
    if (key === undefined) return err({ code: 'unknown' })
    if (!key.active) return err({ code: 'disabled' })
    const user = await this.#directory.user(key.userId)
    if (user === undefined) return err({ code: 'unknown' })
    if (!user.enabled) return err({ code: 'disabled' })
    // What voids a user's tokens voids the keys that were got with one.
    if (key.expiresAtMs !== null && key.createdAtMs < user.tokensSinceMs)
      return err({ code: 'revoked' })
    const secret = this.#sealer.unseal(key.sealedSecret, key.id)
    // The key file was checked against the store at start.
    assert(secret !== undefined, `the secret of access key ${id} was sealed with another key`)
    return ok({ key, secret })
  }

  failed(id: string): void {
    this.#throttle?.failed(id)
  }

  proved(id: string): void {
    this.#throttle?.proved(id)
  }

  of(user: UserId): Promise<readonly AccessKey[]> {
    return this.#store.find('accessKeys', 'userId', user)
  }

  async permanentOf(user: UserId): Promise<readonly AccessKey[]> {
    const keys = (await this.of(user)).filter(isPermanent)
    return keys.toSorted((one, other) => one.createdAtMs - other.createdAtMs)
  }

  async permanent(id: string): Promise<AccessKey | undefined> {
    const key = await this.#store.get('accessKeys', id)
    return key !== undefined && isPermanent(key) ? key : undefined
  }

  async createPermanent({
    user,
    description,
  }: {
    readonly user: User
    readonly description: string
  }): Promise<Result<{ readonly key: AccessKey; readonly secret: string }, { code: 'too-many' }>> {
    const wanted = { userId: user.id, look: 'plain', project: null, description } as const
    // One at a time, or two of them would both see that one more is allowed.
    const turn = this.#adding.then(async () => {
      if ((await this.permanentOf(user.id)).length >= permanentMax) return undefined
      return await this.create(wanted)
    })
    this.#adding = turn.catch(() => undefined) // the caller of `turn` hears of it; the next one may try
    const made = await turn
    return made === undefined
      ? err({ code: 'too-many' })
      : ok({ key: made.row, secret: made.pair.secret })
  }

  async createTemporary({
    user,
    project,
    lifeMs,
  }: {
    readonly user: User
    readonly project: ProjectId | null
    readonly lifeMs: number
  }): Promise<{
    readonly key: AccessKey
    readonly secret: string
    readonly securityToken: string
  }> {
    const nowMs = this.#nowMs()
    const wanted = { userId: user.id, look: 'plain', project, description: '', lifeMs } as const
    const made = newAccessKey(wanted, this.#sealer, Math.max(nowMs, user.tokensSinceMs))
    const { row, pair, securityToken } = made
    assert(securityToken !== null, 'a key that ends has a security token')
    const ended = (await this.of(user.id)).filter(
      ({ expiresAtMs }) => expiresAtMs !== null && expiresAtMs < nowMs - keptAfterEndMs,
    )
    await this.#store.commit({
      writes: [
        { table: 'accessKeys', row },
        ...ended.map(({ id }) => ({ table: 'accessKeys', remove: id }) as const),
      ],
      events: [],
    })
    this.#epoch.moveOn()
    return { key: row, secret: pair.secret, securityToken }
  }

  async set(key: AccessKey): Promise<void> {
    await this.#put(key)
  }

  async create(wanted: NewAccessKey): Promise<MadeAccessKey> {
    const made = newAccessKey(wanted, this.#sealer, this.#nowMs())
    await this.#put(made.row)
    return made
  }

  async remove(key: AccessKey): Promise<void> {
    await this.#store.commit({ writes: [{ table: 'accessKeys', remove: key.id }], events: [] })
    this.#epoch.moveOn()
  }

  async #put(row: AccessKey): Promise<void> {
    await this.#store.commit({ writes: [{ table: 'accessKeys', row }], events: [] })
    this.#epoch.moveOn()
  }
}
