// The identity room: one service behind the kernel's Identity port, and what only the app and tests may do.
//
// It proves who asks. What they may do is the kernel's table (#kernel/access.ts); how it is asked is the doors'.

import type { Identity } from '#kernel/ports/identity.ts'
import type { Store } from '#kernel/ports/store.ts'
import { AccountBook } from './accounts.ts'
import { AccessKeys, securityTokenFits } from './access-keys.ts'
import { Epoch } from './cache.ts'
import { Directory, domainOf, domains } from './directory.ts'
import { Logins } from './logins.ts'
import { sealerOf } from './sealing.ts'
import { type ScryptCost, defaultCost } from './secrets.ts'
import { Throttle, loginLimits } from './throttle.ts'
import { Tokens } from './tokens.ts'

export interface IdentityParts {
  readonly store: Store
  readonly nowMs: () => number
  /** 32 bytes; see openSecretKey. */
  readonly secretKey: Buffer
  /** Default: what passwords deserve. Less is for tests, which make many. */
  readonly passwordCost?: ScryptCost
  /**
   * Refuses an access key for five minutes after so many failed signatures in a row. Absent: never. A secret of
   * 40 random characters cannot be guessed, and whoever has seen a key's id could lock its owner out.
   */
  readonly lockKeysAfter?: number
}

export interface IdentityRoom extends Identity {
  readonly directory: Directory
  readonly keys: AccessKeys
  readonly passwordCost: ScryptCost
  /** Forget what is remembered: somebody else changed a row of identity (a project, through the plane). */
  forget(): void
}

export function createIdentity(parts: IdentityParts): IdentityRoom {
  const { store, nowMs, passwordCost = defaultCost, lockKeysAfter } = parts
  const epoch = new Epoch()
  const directory = new Directory(store, nowMs, epoch)
  const tokens = new Tokens(store, nowMs, epoch, directory)
  const lockMs = loginLimits.lockMsMax
  const keyLimits = { failuresMax: lockKeysAfter ?? 0, lockMsMin: lockMs, lockMsMax: lockMs }
  const keys = new AccessKeys({
    store,
    nowMs,
    epoch,
    directory,
    sealer: sealerOf(parts.secretKey),
    throttle: lockKeysAfter === undefined ? null : new Throttle(keyLimits, nowMs),
  })
  const throttle = new Throttle(loginLimits, nowMs)
  const logins = new Logins({ store, nowMs, epoch, directory, throttle, cost: passwordCost })
  const { secretKey } = parts
  const accounts = new AccountBook({ store, nowMs, epoch, secretKey, cost: passwordCost })
  return {
    domains,
    domain: domainOf,
    directory,
    keys,
    accounts,
    passwordCost,
    forget: () => epoch.moveOn(),
    byToken: (text) => tokens.byText(text),
    issue: (grant) => tokens.issue(grant),
    revoke: (token) => tokens.revoke(token),
    accessKey: (id) => keys.open(id),
    securityTokenFits,
    failed: (keyId) => keys.failed(keyId),
    proved: (keyId) => keys.proved(keyId),
    callerOf: (user, scope) => directory.callerOf(user, scope),
    password: (name, password) => logins.password(name, password),
    appCredential: (name, secret) => logins.appCredential(name, secret),
    createAppCredential: (wanted) => logins.createAppCredential(wanted),
    appCredentialsOf: (user) => logins.credentialsOf(user),
    removeAppCredential: (credential) => logins.removeAppCredential(credential),
    createAccessKey: (wanted) => keys.createPermanent(wanted),
    createTemporaryKey: (wanted) => keys.createTemporary(wanted),
    accessKeysOf: (user) => keys.permanentOf(user),
    permanentKey: (id) => keys.permanent(id),
    setAccessKey: (key) => keys.set(key),
    removeAccessKey: (key) => keys.remove(key),
    projectsOf: (user) => directory.projectsOf(user),
    project: (wanted) => directory.project(wanted),
    user: (id) => directory.user(id),
  }
}
