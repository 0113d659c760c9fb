// Access keys: pairs of an id and a secret that sign requests. Verifying needs the secret in the clear, so it is
// kept sealed, not hashed, and remembered in the clear for a moment.

import { type Result, err, ok } from '#kernel/errors.ts'
import { assert } from '#kernel/assert.ts'
import { type AccessKey } from '#kernel/identity.ts'
import { type ProjectId, type UserId } from '#kernel/ids.ts'
import { type AuthFailure } from '#kernel/ports/identity.ts'
import { type Store } from '#kernel/ports/store.ts'
import { type Epoch, ShortCache } from './cache.ts'
import { type Directory } from './directory.ts'
import { type Sealer } from './sealing.ts'
import { type KeyPair, fingerprint, keyPairs, sameText, securityTokenText } from './secrets.ts'
import { type Throttle } from './throttle.ts'

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

  async create(wanted: NewAccessKey): Promise<MadeAccessKey> {
    const made = newAccessKey(wanted, this.#sealer, this.#nowMs())
    await this.#put(made.row)
    return made
  }

  async setActive(key: AccessKey, active: boolean): Promise<void> {
    await this.#put({ ...key, active })
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
