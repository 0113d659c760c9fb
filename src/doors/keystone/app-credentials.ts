// /v3/users/{id}/application_credentials: secrets that a program logs in with, in one project, with a role not
// above its owner's.
//
// - Only the owner reaches them, by a token; there is no admin's way in.
// - A token got with one makes and removes others only when that one is unrestricted.
//
// Source: contracts/identity.md section 5.3.

import { hasRole, type Role, roles } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { AppCredential } from '#kernel/identity.ts'
import { projectId } from '#kernel/ids.ts'
import type { NewAppCredential } from '#kernel/ports/identity.ts'
import { isObject } from '../shared/http.ts'
import type { Call, Reply } from './call.ts'
import {
  type KeystoneFault,
  badCredential,
  expecting,
  forbidden,
  invalidInput,
  nameTaken,
  notFound,
  unauthorized,
} from './faults.ts'
import { type Decoded, type Place, neededObject, readBody, textAt, valueAt } from './json-body.ts'
import { roleNamed } from './states.ts'
import { appCredentialObject, listObject } from './wire.ts'

const nameLengthMax = 255

export async function createAppCredential(call: Call): Promise<Reply> {
  const action = forbidden('create_application_credential')
  if (!isOwner(call)) return err(action)
  const { caller } = call.who
  const { identity, plane } = call.house
  const may = await mayChange(call)
  if (caller.projectId === null || caller.role === null || !may) return err(action)
  const wanted = decode(call, plane.nowMs())
  if (!wanted.ok) return wanted
  const role = wanted.value.role ?? caller.role
  if (!hasRole(caller, role)) return err(badCredential(`Could not find role assignment: ${role}.`))
  const user = await identity.user(caller.userId)
  if (user === undefined) return err(unauthorized)
  const project = projectId(caller.projectId)
  const made = await identity.createAppCredential({ ...wanted.value, user, project, role })
  if (!made.ok) return err(made.error.code === 'name-taken' ? nameTaken(wanted.value.name) : action)
  const { credential, secret } = made.value
  const body = { application_credential: appCredentialObject(call, credential, secret) }
  return ok({ status: 201, body })
}

export async function listAppCredentials(call: Call): Promise<Reply> {
  if (!isOwner(call)) return err(forbidden('list_application_credentials'))
  const rows = await call.house.identity.appCredentialsOf(call.who.caller.userId)
  const name = call.query.get('name')
  const kept = rows.filter((row) => name === undefined || row.name === name)
  const items = kept.map((row) => appCredentialObject(call, row))
  return ok({ status: 200, body: listObject(call, 'application_credentials', items) })
}

export async function showAppCredential(call: Call): Promise<Reply> {
  const found = await named(call, forbidden('get_application_credential'))
  if (!found.ok) return found
  const body = { application_credential: appCredentialObject(call, found.value) }
  return ok({ status: 200, body })
}

export async function deleteAppCredential(call: Call): Promise<Reply> {
  const action = forbidden('delete_application_credential')
  const found = await named(call, action)
  if (!found.ok) return found
  if (!(await mayChange(call))) return err(action)
  await call.house.identity.removeAppCredential(found.value)
  return ok({ status: 204 })
}

const isOwner = ({ exchange, who }: Call): boolean =>
  exchange.params['user_id'] === who.caller.userId

async function named(
  call: Call,
  notYours: KeystoneFault,
): Promise<Result<AppCredential, KeystoneFault>> {
  if (!isOwner(call)) return err(notYours)
  const id = call.exchange.params['id'] ?? ''
  const rows = await call.house.identity.appCredentialsOf(call.who.caller.userId)
  const row = rows.find((one) => one.id === id)
  return row === undefined ? err(notFound('application credential', id)) : ok(row)
}

async function mayChange({ house, who }: Call): Promise<boolean> {
  if (who.proved.by !== 'token') return false
  const { appCredentialId } = who.proved.token
  if (appCredentialId === null) return true
  const rows = await house.identity.appCredentialsOf(who.caller.userId)
  return rows.some(({ id, unrestricted }) => id === appCredentialId && unrestricted)
}

type Wanted = Omit<NewAppCredential, 'user' | 'project' | 'role'> & {
  /** Null: the caller's own. */
  readonly role: Role | null
}

function decode({ exchange }: Call, nowMs: number): Decoded<Wanted> {
  const body = readBody(exchange)
  if (!body.ok) return body
  const root: Place = { fields: body.value, path: '', name: 'request body' }
  const found = neededObject(root, 'application_credential')
  if (!found.ok) return found
  const place = found.value
  const name = textAt(place, 'name')
  if (!name.ok) return name
  if (name.value === undefined) return err(expecting('name', 'application_credential'))
  if (name.value === '' || name.value.length > nameLengthMax)
    return err(invalidInput('name', `it is not 1 to ${nameLengthMax} characters long`))
  const description = optionalText(place, 'description')
  if (!description.ok) return description
  const secret = optionalText(place, 'secret')
  if (!secret.ok) return secret
  if (secret.value === '') return err(invalidInput('secret', 'it is empty'))
  // Rules narrow a credential to single calls. None are kept here, and one without them may more than was asked.
  const rules = valueAt(place, 'access_rules') ?? []
  if (!Array.isArray(rules) || rules.length > 0)
    return err(invalidInput('access_rules', 'access rules are not supported'))
  const unrestricted = valueAt(place, 'unrestricted') ?? false // null as well
  if (typeof unrestricted !== 'boolean')
    return err(invalidInput('unrestricted', "it is not of type 'boolean'"))
  const expiresAtMs = decodeEnd(place, nowMs)
  if (!expiresAtMs.ok) return expiresAtMs
  const role = decodeRoles(place)
  if (!role.ok) return role
  return ok({
    name: name.value,
    description: description.value ?? '',
    expiresAtMs: expiresAtMs.value,
    unrestricted,
    role: role.value,
    ...(secret.value === undefined ? {} : { secret: secret.value }),
  })
}

/** Libraries send null for what they were not given. */
const optionalText = (place: Place, key: string): Decoded<string | undefined> =>
  valueAt(place, key) === null ? ok(undefined) : textAt(place, key)

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?$/

function decodeEnd(place: Place, nowMs: number): Decoded<number | null> {
  const text = optionalText(place, 'expires_at')
  if (!text.ok) return text
  if (text.value === undefined) return ok(null)
  // Clients send UTC without saying so.
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text.value) ? text.value : `${text.value}Z`
  const endMs = isoTime.test(text.value) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(endMs)) return err(invalidInput('expires_at', 'it is not a time of ISO 8601'))
  // Told again as it was said, to the microsecond.
  const beyondMs = Number(/\.\d{3}(\d{1,3})/.exec(text.value)?.[1]?.padEnd(3, '0') ?? 0) / 1000
  return endMs > nowMs ? ok(endMs + beyondMs) : err(invalidInput('expires_at', 'it has passed'))
}

/** The strongest role named: weaker ones are implied. */
function decodeRoles(place: Place): Decoded<Role | null> {
  const value = valueAt(place, 'roles')
  if (value === undefined || value === null) return ok(null)
  if (!Array.isArray(value)) return err(invalidInput('roles', "it is not of type 'array'"))
  const items: readonly unknown[] = value
  const found: Role[] = []
  for (const item of items) {
    if (!isObject(item)) return err(invalidInput('roles', "an item is not of type 'object'"))
    const { id, name } = item
    const role = roleNamed({
      ...(typeof id === 'string' ? { id } : {}),
      ...(typeof name === 'string' ? { name } : {}),
    })
    if (role === undefined) return err(badCredential('Could not find role.'))
    found.push(role)
  }
  return ok(roles.find((role) => found.includes(role)) ?? null)
}
