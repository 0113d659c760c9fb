// What a door sees of the accounts that its protocol brings along. They prove who asks; what each may is for the
// door to read out of its roles.

import type { Account, AccountRole } from '../account.ts'
import type { Result } from '../errors.ts'
import type { JsonObject } from '../json.ts'

export type AccountFault =
  | 'wrong-password'
  | 'wrong-token'
  | 'expired-token'
  | 'owner-gone'
  | 'locked'
  | 'inactive'
  | 'unknown-account'
  | 'unknown-role'
  | 'account-taken'
  | 'role-taken'
  | 'role-bound'
  | 'accounts-full'
  | 'roles-full'

export interface Lock {
  /** Account and address. */
  readonly key: string
  readonly untilMs: number
}

type Done = Promise<Result<undefined, AccountFault>>

export interface Accounts {
  /** Makes the account once, with this role; from then on it is as it was changed. */
  ensure(name: string, password: string, role: string): Promise<void>
  /** Locked out by name and address after three failures in a quarter of an hour. */
  login(name: string, password: string, address: string): Promise<Result<Account, AccountFault>>
  issue(account: Account, lifeMs: number): Promise<string>
  byToken(text: string): Promise<Result<Account, AccountFault>>
  locks(): readonly Lock[]

  account(name: string): Promise<Account | undefined>
  accounts(): Promise<readonly Account[]>
  create(wanted: {
    readonly name: string
    readonly password: string
    readonly roles: readonly string[]
    readonly active: boolean
  }): Done
  update(
    name: string,
    change: { readonly roles?: readonly string[]; readonly active?: boolean },
  ): Done
  /** Its tokens end with it, and with every change of its password. */
  remove(name: string): Done
  setPassword(name: string, password: string): Done

  role(name: string): Promise<AccountRole | undefined>
  roles(): Promise<readonly AccountRole[]>
  putRole(name: string, permissions: readonly JsonObject[], how: 'create' | 'update'): Done
  removeRole(name: string): Done
}
