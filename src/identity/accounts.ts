// Accounts and roles that a door's protocol brings along, and the tokens that they sign in with: JWTs, signed with
// a key made from the house's own, so that they outlive a restart and need no row. A change of an account voids
// what is remembered of it at once.
//
// - Changes are made one after the other, so that no name is given twice.
// - The time a login takes does not tell an unknown account from a wrong password.

import { hkdfSync, randomUUID } from 'node:crypto'
import type { Account, AccountRole } from '#kernel/account.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { compact } from '#kernel/ids.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { AccountFault, Accounts } from '#kernel/ports/accounts.ts'
import type { Store, Write } from '#kernel/ports/store.ts'
import { type Epoch, ShortCache } from './cache.ts'
import { Lockouts } from './lockouts.ts'
import {
  fingerprint,
  hashOfNobody,
  hashPassword,
  passwordFits,
  type ScryptCost,
} from './secrets.ts'

const accountsMax = 1_000
const rolesMax = 100
const algorithm = 'HS512'

type Done = Result<undefined, AccountFault>
const done: Done = ok(undefined)

interface Proof {
  readonly account: Account
  readonly endsAtMs: number
}

/** Only where the registry has accounts: it is sixty files to load, and most servers have none. */
const jose = () => import('jose')

export class AccountBook implements Accounts {
  readonly #store: Store
  readonly #nowMs: () => number
  readonly #epoch: Epoch
  readonly #key: Uint8Array
  readonly #cost: ScryptCost
  readonly #nobody: string
  readonly #proofs: ShortCache<Proof>
  readonly #roles: ShortCache<AccountRole>
  readonly #lockouts: Lockouts
  #changing: Promise<unknown> = Promise.resolve()

  constructor(parts: {
    readonly store: Store
    readonly nowMs: () => number
    readonly epoch: Epoch
    readonly secretKey: Buffer
    readonly cost: ScryptCost
  }) {
    this.#store = parts.store
    this.#nowMs = parts.nowMs
    this.#epoch = parts.epoch
    this.#cost = parts.cost
    this.#nobody = hashOfNobody(parts.cost)
    this.#key = new Uint8Array(hkdfSync('sha512', parts.secretKey, '', 'account tokens', 64))
    this.#proofs = new ShortCache(parts.epoch, parts.nowMs)
    this.#roles = new ShortCache(parts.epoch, parts.nowMs)
    this.#lockouts = new Lockouts(parts.nowMs)
  }

  async ensure(name: string, password: string, role: string): Promise<void> {
    if (await this.account(name)) return
    const row = await this.#newAccount({ name, password, roles: [role], active: true })
    await this.#put({ table: 'accounts', row })
  }

  async login(
    name: string,
    password: string,
    address: string,
  ): Promise<Result<Account, AccountFault>> {
    const subject = `${name}::${address}`
    if (this.#lockouts.isLocked(subject)) return err('locked')
    const account = await this.account(name)
    const fits = await passwordFits(password, account?.passwordHash ?? this.#nobody)
    if (!account || !fits) {
      this.#lockouts.failed(subject)
      return err('wrong-password')
    }
    if (!account.active) return err('inactive')
    this.#lockouts.proved(subject)
    return ok(account)
  }

  async issue(account: Account, lifeMs: number): Promise<string> {
    const { SignJWT } = await jose()
    const nowMs = this.#nowMs()
    return new SignJWT({ account: account.id, roles: [...account.roles], at: nowMs })
      .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
      .setExpirationTime(new Date(nowMs + lifeMs))
      .sign(this.#key)
  }

  async byToken(text: string): Promise<Result<Account, AccountFault>> {
    const id = fingerprint(text)
    const known = this.#proofs.get(id)
    const proof = known ? ok(known) : await this.#proofs.fill(id, () => this.#prove(text))
    if (!proof.ok) return proof
    return proof.value.endsAtMs <= this.#nowMs() ? err('expired-token') : ok(proof.value.account)
  }

  async #prove(text: string): Promise<Result<Proof, AccountFault>> {
    const { errors, jwtVerify } = await jose()
    let claims: { readonly account?: unknown; readonly at?: unknown; readonly exp?: number }
    try {
      const now = { currentDate: new Date(this.#nowMs()), algorithms: [algorithm] }
      claims = (await jwtVerify(text, this.#key, now)).payload
    } catch (thrown) {
      if (!(thrown instanceof errors.JOSEError)) throw thrown
      return err(thrown instanceof errors.JWTExpired ? 'expired-token' : 'wrong-token')
    }
    const account = await this.account(String(claims.account))
    if (!account) return err('owner-gone')
    if (Number(claims.at) < account.tokensSinceMs) return err('wrong-token')
    if (!account.active) return err('inactive')
    return ok({ account, endsAtMs: (claims.exp ?? 0) * 1_000 })
  }

  locks(): ReturnType<Accounts['locks']> {
    return this.#lockouts.list()
  }

  account(name: string): Promise<Account | undefined> {
    return this.#store.get('accounts', name)
  }

  accounts(): Promise<readonly Account[]> {
    return this.#store.list('accounts', { limit: accountsMax })
  }

  create(wanted: Parameters<Accounts['create']>[0]): Promise<Done> {
    return this.#inTurn(async () => {
      if ((await this.#store.count('accounts', {})) >= accountsMax) return err('accounts-full')
      if (!(await this.#areRoles(wanted.roles))) return err('unknown-role')
      if (await this.account(wanted.name)) return err('account-taken')
      return this.#put({ table: 'accounts', row: await this.#newAccount(wanted) })
    })
  }

  update(name: string, change: Parameters<Accounts['update']>[1]): Promise<Done> {
    return this.#inTurn(async () => {
      const known = await this.account(name)
      if (!known) return err('unknown-account')
      if (!(await this.#areRoles(change.roles ?? []))) return err('unknown-role')
      const row = { ...known, ...change, updatedAtMs: this.#nowMs() }
      return this.#put({ table: 'accounts', row })
    })
  }

  remove(name: string): Promise<Done> {
    return this.#inTurn(async () =>
      (await this.account(name))
        ? this.#put({ table: 'accounts', remove: name })
        : err('unknown-account'),
    )
  }

  setPassword(name: string, password: string): Promise<Done> {
    return this.#inTurn(async () => {
      const known = await this.account(name)
      if (!known) return err('unknown-account')
      const passwordHash = await hashPassword(password, this.#cost)
      const nowMs = this.#nowMs()
      // A token of this very millisecond is void too: who holds one signs in again.
      const row = { ...known, passwordHash, updatedAtMs: nowMs, tokensSinceMs: nowMs + 1 }
      return this.#put({ table: 'accounts', row })
    })
  }

  async role(name: string): Promise<AccountRole | undefined> {
    const known = this.#roles.get(name)
    if (known) return known
    const read = await this.#roles.fill(name, async () => {
      const row = await this.#store.get('accountRoles', name)
      return row ? ok(row) : err(undefined)
    })
    return read.ok ? read.value : undefined
  }

  roles(): Promise<readonly AccountRole[]> {
    return this.#store.list('accountRoles', { limit: rolesMax })
  }

  putRole(
    name: string,
    permissions: readonly JsonObject[],
    how: 'create' | 'update',
  ): Promise<Done> {
    return this.#inTurn(async () => {
      const known = await this.#store.get('accountRoles', name)
      if (how === 'update' && !known) return err('unknown-role')
      if (how === 'create' && known) return err('role-taken')
      if (how === 'create' && (await this.#store.count('accountRoles', {})) >= rolesMax)
        return err('roles-full')
      const nowMs = this.#nowMs()
      const fresh = { id: name, uid: compact(randomUUID()), createdAtMs: nowMs }
      const row = { ...(known ?? fresh), permissions, updatedAtMs: nowMs }
      return this.#put({ table: 'accountRoles', row })
    })
  }

  removeRole(name: string): Promise<Done> {
    return this.#inTurn(async () => {
      if (!(await this.#store.get('accountRoles', name))) return err('unknown-role')
      const accounts = await this.accounts()
      if (accounts.some(({ roles }) => roles.includes(name))) return err('role-bound')
      return this.#put({ table: 'accountRoles', remove: name })
    })
  }

  async #newAccount({
    name,
    password,
    roles,
    active,
  }: Parameters<Accounts['create']>[0]): Promise<Account> {
    const nowMs = this.#nowMs()
    const passwordHash = await hashPassword(password, this.#cost)
    const times = { createdAtMs: nowMs, updatedAtMs: nowMs, tokensSinceMs: nowMs }
    return { id: name, uid: compact(randomUUID()), roles, active, passwordHash, ...times }
  }

  async #areRoles(names: readonly string[]): Promise<boolean> {
    const found = await Promise.all(
      names.map(async (name) => builtIn.has(name) || (await this.role(name)) !== undefined),
    )
    return found.every(Boolean)
  }

  async #put(write: Write): Promise<Done> {
    await this.#store.commit({ writes: [write], events: [] })
    this.#epoch.moveOn()
    return done
  }

  #inTurn(work: () => Promise<Done>): Promise<Done> {
    const turn = this.#changing.then(work)
    // What failed for one is told to that one; the next has its own turn.
    this.#changing = turn.catch(() => undefined)
    return turn
  }
}

/** Roles that are always there; what they may is the door's to say. */
const builtIn: ReadonlySet<string> = new Set(['admin', 'developer'])
