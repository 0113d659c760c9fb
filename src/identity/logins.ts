// Proves a person or a program by a secret they know: a password, or an application credential's secret.
//
// - Every refusal takes as long as a wrong password does: an unknown user is checked against a hash of nobody.
// - Failures are throttled per user and per credential (throttle.ts), whether they exist or not.

import { randomUUID } from 'node:crypto'
import { type Result, err, ok } from '#kernel/errors.ts'
import type { AppCredential, User } from '#kernel/identity.ts'
import { type UserId, compact } from '#kernel/ids.ts'
import type { AuthFailure, NewAppCredential, UserName } from '#kernel/ports/identity.ts'
import type { Store } from '#kernel/ports/store.ts'
import type { Epoch } from './cache.ts'
import type { Directory } from './directory.ts'
import {
  type ScryptCost,
  appCredentialSecret,
  fingerprint,
  hashOfNobody,
  hashPassword,
  passwordFits,
} from './secrets.ts'
import type { Throttle } from './throttle.ts'

type CredentialName = { readonly id: string } | { readonly name: string; readonly user: UserName }

export class Logins {
  readonly #store: Store
  readonly #nowMs: () => number
  readonly #epoch: Epoch
  readonly #directory: Directory
  readonly #throttle: Throttle
  readonly #cost: ScryptCost
  readonly #nobody: string
  #adding: Promise<unknown> = Promise.resolve()

  constructor(parts: {
    readonly store: Store
    readonly nowMs: () => number
    readonly epoch: Epoch
    readonly directory: Directory
    readonly throttle: Throttle
    readonly cost: ScryptCost
  }) {
    this.#store = parts.store
    this.#nowMs = parts.nowMs
    this.#epoch = parts.epoch
    this.#directory = parts.directory
    this.#throttle = parts.throttle
    this.#cost = parts.cost
    this.#nobody = hashOfNobody(parts.cost)
  }

  async password(name: UserName, password: string): Promise<Result<User, AuthFailure>> {
    const user = await this.#directory.userNamed(name)
    const subject = user === undefined ? subjectOf(name) : `user ${user.id}`
    const proved = await this.#throttle.attempt(subject, async () => {
      const fits = await passwordFits(password, user?.passwordHash ?? this.#nobody)
      return fits && user?.enabled === true
    })
    if (!proved.ok) return proved
    if (user === undefined || !proved.value) return err({ code: 'wrong' })
    // A change of password while scrypt ran must not be overtaken by the old one.
    const now = await this.#directory.user(user.id)
    return now?.passwordHash === user.passwordHash && now.enabled ? ok(now) : err({ code: 'wrong' })
  }

  async appCredential(
    name: CredentialName,
    secret: string,
  ): Promise<Result<{ readonly user: User; readonly credential: AppCredential }, AuthFailure>> {
    const credential = await this.#credentialNamed(name)
    const user =
      credential === undefined ? undefined : await this.#directory.user(credential.userId)
    const subject = credential === undefined ? subjectOf(name) : `credential ${credential.id}`
    const proved = await this.#throttle.attempt(subject, async () => {
      const fits = await passwordFits(secret, credential?.secretHash ?? this.#nobody)
      return fits && user?.enabled === true
    })
    if (!proved.ok) return proved
    if (user === undefined || credential === undefined || !proved.value)
      return err({ code: 'wrong' })
    if (credential.expiresAtMs !== null && credential.expiresAtMs <= this.#nowMs())
      return err({ code: 'expired' })
    return ok({ user, credential })
  }

  async #credentialNamed(name: CredentialName): Promise<AppCredential | undefined> {
    if ('id' in name) return await this.#store.get('appCredentials', name.id)
    const user = await this.#directory.userNamed(name.user)
    if (user === undefined) return undefined
    return (await this.credentialsOf(user.id)).find((credential) => credential.name === name.name)
  }

  credentialsOf(user: UserId): Promise<readonly AppCredential[]> {
    return this.#store.find('appCredentials', 'userId', user)
  }

  async createAppCredential(
    wanted: NewAppCredential,
  ): Promise<
    Result<
      { readonly credential: AppCredential; readonly secret: string },
      { readonly code: 'name-taken' }
    >
  > {
    const { user, secret = appCredentialSecret(), ...kept } = wanted
    const secretHash = await hashPassword(secret, this.#cost)
    const id = compact(randomUUID())
    const credential: AppCredential = { ...kept, id, userId: user.id, secretHash }
    // One at a time, or two of the same name would both see that it is free.
    const turn = this.#adding.then(() => this.#add(credential))
    this.#adding = turn.catch(() => undefined) // the caller of `turn` hears of it; the next one may try
    return (await turn) ? ok({ credential, secret }) : err({ code: 'name-taken' })
  }

  async #add(credential: AppCredential): Promise<boolean> {
    const others = await this.credentialsOf(credential.userId)
    if (others.some(({ name }) => name === credential.name)) return false
    await this.#store.commit({ writes: [{ table: 'appCredentials', row: credential }], events: [] })
    return true
  }

  async removeAppCredential({ id }: AppCredential): Promise<void> {
    await this.#store.commit({ writes: [{ table: 'appCredentials', remove: id }], events: [] })
    this.#epoch.moveOn()
  }
}

/** What is guessed at is counted even where there is nothing; its hash, because a name may be long. */
const subjectOf = (name: UserName | CredentialName): string =>
  `nobody ${fingerprint(JSON.stringify(name))}`
