// Bodies of the calls about accounts and roles. A password is never repeated in a refusal.
// Source: contracts/cse-registry.md section 8.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import { type Fields, readBody } from './fields.ts'
import { type Fault, invalid } from './faults.ts'
import { type Check, firstFault, rules, violation } from './rules.ts'
import { struct } from './wire.ts'

type Read<T> = Result<T, Fault>

interface NewAccount {
  readonly name: string
  readonly password: string
  readonly roles: readonly string[]
  readonly active: boolean
  /** As it was sent; '' when it was not. */
  readonly status: string
}

const hourMs = 3_600_000
const defaultLifeMs = 12 * hourMs
const lifeMsMin = 15 * 60_000
const lifeMsMax = 24 * hourMs
const unitMs: Readonly<Record<string, number>> = { h: hourMs, m: 60_000, s: 1_000, ms: 1 }
const duration = /^(\d+(\.\d+)?(h|ms|m|s))+$/

/** A duration as Go writes it: `1h30m`. */
function lifeMsOf(text: string): number | undefined {
  if (!duration.test(text) || text.length > 32) return undefined
  let ms = 0
  for (const [, amount = '', , unit = ''] of text.matchAll(/(\d+(\.\d+)?)(h|ms|m|s)/g))
    ms += Number(amount) * (unitMs[unit] ?? 0)
  return ms >= lifeMsMin && ms <= lifeMsMax ? ms : undefined
}

export function decodeLogin(
  body: Buffer,
): Read<{ readonly name: string; readonly password: string; readonly lifeMs: number }> {
  const read = readBody(body, (fields) => ({
    name: fields.text('name'),
    password: fields.text('password'),
    life: fields.text('tokenExpirationTime'),
  }))
  if (!read.ok) return read
  const { name, password, life } = read.value
  const lifeMs = life === '' ? defaultLifeMs : lifeMsOf(life)
  return lifeMs === undefined
    ? err(violation('Account.TokenExpirationTime', life, { says: 'TokenExpirationTime' }))
    : ok({ name, password, lifeMs })
}

const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9\s]/]
const isStrong = (password: string): boolean =>
  password.length >= 8 && password.length <= 32 && kinds.every((kind) => kind.test(password))

const weak = (name: string): Fault =>
  invalid(
    `field '${name}' does not match rule: {8 to 32 characters, among them upper case, lower case, digit and special character}`,
  )

const readAccount = (fields: Fields): Omit<NewAccount, 'active'> => ({
  name: fields.text('name'),
  password: fields.text('password'),
  roles: fields.texts('roles'),
  status: fields.text('status'),
})

const roleChecks = (roles: readonly string[], isNeeded: boolean): readonly Check[] => [
  ['Roles', roles.length, isNeeded ? rules.roles : rules.rolesGiven],
  ...roles.map((role): Check => ['Roles', role, rules.role]),
]

/** `change`: roles and status only, either may be absent. */
export function decodeAccount(body: Buffer, how: 'create' | 'change' = 'create'): Read<NewAccount> {
  const read = readBody(body, readAccount)
  return read.ok ? judgedAccount(read.value, how) : read
}

function judgedAccount(
  account: Omit<NewAccount, 'active'>,
  how: 'create' | 'change',
): Read<NewAccount> {
  const { name, password, roles, status } = account
  const isNew = how === 'create'
  const named = isNew ? firstFault('Account', [['Name', name, rules.accountName]]) : undefined
  const fault =
    named ??
    (isNew && !isStrong(password) ? weak('Account.Password') : undefined) ??
    firstFault('Account', [...roleChecks(roles, isNew), ['Status', status, rules.accountStatus]])
  if (fault) return err(fault)
  const reversed = Array.from(name).toReversed().join('')
  if (isNew && (password === name || password === reversed))
    return err(invalid('account name and password MUST NOT be same'))
  return ok({ ...account, active: status !== 'inactive' })
}

/** Each is judged alone. */
export function decodeAccounts(
  body: Buffer,
): Read<readonly { readonly name: string; readonly account: Read<NewAccount> }[]> {
  const read = readBody(body, (fields) => fields.objects('accounts').map(readAccount))
  if (!read.ok) return read
  const type = 'BatchCreateAccountsRequest'
  const fault = firstFault(type, [['Accounts', read.value.length, rules.accounts]])
  if (fault) return err(fault)
  return ok(read.value.map((one) => ({ name: one.name, account: judgedAccount(one, 'create') })))
}

export function decodePassword(
  body: Buffer,
): Read<{ readonly current: string; readonly password: string }> {
  const read = readBody(body, (fields) => ({
    current: fields.text('currentPassword'),
    password: fields.text('password'),
  }))
  if (!read.ok) return read
  return isStrong(read.value.password) ? read : err(weak('Account.Password'))
}

/** @param name  of the path, which wins over the body's. */
export function decodeRole(
  body: Buffer,
  name?: string,
): Read<{ readonly name: string; readonly permissions: readonly JsonObject[] }> {
  const read = readBody(body, (fields) => ({
    name: name ?? fields.text('name'),
    permissions: fields.objects('perms').map(readPermission),
  }))
  if (!read.ok) return read
  const fault = firstFault('Role', [['Name', read.value.name, rules.accountName]])
  return fault ? err(fault) : read
}

const readPermission = (fields: Fields): JsonObject =>
  struct({
    resources: fields
      .objects('resources')
      .map((one) => struct({ type: one.text('type'), labels: one.map('labels') })),
    verbs: fields.texts('verbs'),
  })
