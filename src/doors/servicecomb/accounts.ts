// The registry's own accounts and roles. Where they are not asked for, none of these paths exists: that is how
// clients learn that they need no token.
// Source: contracts/cse-registry.md section 8.

import type { Account, AccountRole } from '#kernel/account.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { AccountFault } from '#kernel/ports/accounts.ts'
import type { Answered, Asked } from './call.ts'
import {
  decodeAccount,
  decodeAccounts,
  decodeLogin,
  decodePassword,
  decodeRole,
} from './account-decode.ts'
import { type Fault, fault, invalid } from './faults.ts'
import { adminRole, builtInRoles, permissionsOf } from './permissions.ts'
import { empty, encodeFault, json, seconds, struct } from './wire.ts'

export const rootName = 'root'

const codes = {
  'wrong-password': '401202',
  'wrong-token': '401201',
  'expired-token': '401205',
  'owner-gone': '401206',
  locked: '403201',
  inactive: '403201',
  'unknown-account': '400200',
  'unknown-role': '400201',
  'account-taken': '409200',
  'role-taken': '409201',
  'role-bound': '400205',
  'accounts-full': '400203',
  'roles-full': '400204',
} as const satisfies Record<AccountFault, Fault['code']>

const faultFor = (error: AccountFault): Fault => fault(codes[error])
/** Among an account's roles, one that is not there is the account's fault. */
const accountFault = (error: AccountFault): Fault =>
  error === 'unknown-role' ? fault('400202', 'role not exist') : faultFor(error)

const bookOf = ({ desk }: Asked) => desk.house.identity.accounts
const nameIn = ({ exchange: { params } }: Asked): string => params['name'] ?? ''

const answered = (
  done: Result<unknown, AccountFault>,
): ReturnType<typeof ok<typeof empty>> | ReturnType<typeof err<Fault>> =>
  done.ok ? ok(empty) : err(accountFault(done.error))

/** A1. */
export async function login(asked: Asked): Answered {
  const wanted = decodeLogin(asked.exchange.body)
  if (!wanted.ok) return wanted
  const { name, password, lifeMs } = wanted.value
  const account = await bookOf(asked).login(name, password, asked.exchange.remoteAddress)
  if (!account.ok) return err(faultFor(account.error))
  return ok(json({ token: await bookOf(asked).issue(account.value, lifeMs) }))
}

export async function selfPermissions(asked: Asked): Answered {
  const perms = asked.account ? await permissionsOf(asked.desk, asked.account) : []
  return ok(json(struct({ perms })))
}

export async function createAccount(asked: Asked): Answered {
  const wanted = decodeAccount(asked.exchange.body)
  if (!wanted.ok) return wanted
  return answered(await bookOf(asked).create(wanted.value))
}

/** Each stands alone; what failed says why. */
export async function createAccounts(asked: Asked): Answered {
  const wanted = decodeAccounts(asked.exchange.body)
  if (!wanted.ok) return wanted
  const accounts = []
  for (const { name, account } of wanted.value) {
    const done = account.ok ? await bookOf(asked).create(account.value) : undefined
    const failure = account.ok
      ? done && !done.ok
        ? accountFault(done.error)
        : undefined
      : account.error
    accounts.push(struct({ name, ...(failure ? encodeFault(failure) : {}) }))
  }
  return ok(json({ accounts }))
}

export async function listAccounts(asked: Asked): Answered {
  const rows = await bookOf(asked).accounts()
  return ok(json(struct({ total: rows.length, data: rows.map(encodeAccount) })))
}

const encodeAccount = ({ uid, id, roles, active, createdAtMs, updatedAtMs }: Account): object =>
  struct({
    id: uid,
    name: id,
    roles,
    status: active ? 'active' : 'inactive',
    createTime: seconds(createdAtMs),
    updateTime: seconds(updatedAtMs),
  })

export async function getAccount(asked: Asked): Answered {
  const row = await bookOf(asked).account(nameIn(asked))
  return row ? ok(json(encodeAccount(row))) : err(faultFor('unknown-account'))
}

/** Nobody takes away his own account, and nobody that of the house. */
function untouchable(asked: Asked): Fault | undefined {
  const name = nameIn(asked)
  if (name === rootName) return fault('403202', 'root can not be operated')
  return name === asked.account?.id
    ? fault('403204', 'your account can not be operated')
    : undefined
}

export async function updateAccount(asked: Asked): Answered {
  const wanted = decodeAccount(asked.exchange.body, 'change')
  if (!wanted.ok) return wanted
  const refused = untouchable(asked)
  if (refused) return err(refused)
  const { roles, status } = wanted.value
  if (roles.length === 0 && status === '')
    return err(invalid('status and roles cannot be empty both'))
  const change = {
    ...(roles.length === 0 ? {} : { roles }),
    ...(status === '' ? {} : { active: status === 'active' }),
  }
  return answered(await bookOf(asked).update(nameIn(asked), change))
}

export async function deleteAccount(asked: Asked): Answered {
  const refused = untouchable(asked)
  if (refused) return err(refused)
  return answered(await bookOf(asked).remove(nameIn(asked)))
}

/** One's own with the current one; an admin changes others' without. */
export async function changePassword(asked: Asked): Answered {
  const name = nameIn(asked)
  const wanted = decodePassword(asked.exchange.body)
  if (!wanted.ok) return wanted
  const { current, password } = wanted.value
  if (name === asked.account?.id) {
    if (current === '') return err(invalid('current password is empty'))
    if (current === password) return err(fault('400206', 'the password can not be same as old one'))
    const proved = await bookOf(asked).login(name, current, asked.exchange.remoteAddress)
    if (!proved.ok)
      return err(proved.error === 'wrong-password' ? fault('401207') : faultFor(proved.error))
  } else if (!asked.account?.roles.includes(adminRole))
    return err(fault('403205', 'can not change other account password'))
  return answered(await bookOf(asked).setPassword(name, password))
}

export async function listLocks(asked: Asked): Answered {
  const data = bookOf(asked)
    .locks()
    .map(({ key, untilMs }) => ({
      key,
      status: 'banned',
      releaseAt: Math.floor(untilMs / 1_000),
    }))
  return ok(json(struct({ total: data.length, data })))
}

const encodeRole = ({ uid, id, permissions, createdAtMs, updatedAtMs }: AccountRole): object =>
  struct({
    id: uid,
    name: id,
    perms: permissions,
    createTime: seconds(createdAtMs),
    updateTime: seconds(updatedAtMs),
  })

const encodeBuiltIn = (name: string): object => struct({ name, perms: builtInRoles[name] })

export async function listRoles(asked: Asked): Answered {
  const own = (await bookOf(asked).roles()).map(encodeRole)
  const data = [...Object.keys(builtInRoles).map(encodeBuiltIn), ...own]
  return ok(json({ total: data.length, data }))
}

export async function getRole(asked: Asked): Answered {
  const name = nameIn(asked)
  if (Object.hasOwn(builtInRoles, name)) return ok(json(encodeBuiltIn(name)))
  const row = await bookOf(asked).role(name)
  return row ? ok(json(encodeRole(row))) : err(faultFor('unknown-role'))
}

export async function createRole(asked: Asked): Answered {
  const wanted = decodeRole(asked.exchange.body)
  if (!wanted.ok) return wanted
  const { name, permissions } = wanted.value
  if (Object.hasOwn(builtInRoles, name)) return err(faultFor('role-taken'))
  const done = await bookOf(asked).putRole(name, permissions, 'create')
  return done.ok ? ok(empty) : err(faultFor(done.error))
}

export async function updateRole(asked: Asked): Answered {
  const name = nameIn(asked)
  const wanted = decodeRole(asked.exchange.body, name)
  if (!wanted.ok) return wanted
  if (Object.hasOwn(builtInRoles, name)) return err(fault('403203'))
  const done = await bookOf(asked).putRole(name, wanted.value.permissions, 'update')
  return done.ok ? ok(empty) : err(faultFor(done.error))
}

export async function deleteRole(asked: Asked): Answered {
  const name = nameIn(asked)
  if (Object.hasOwn(builtInRoles, name)) return err(fault('403203'))
  const done = await bookOf(asked).removeRole(name)
  return done.ok ? ok(empty) : err(faultFor(done.error))
}
