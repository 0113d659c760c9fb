// /v3.0/OS-CREDENTIAL: the keys that programs sign with. Permanent ones are made, listed, switched off and removed;
// temporary ones are got with a token and end by themselves.
//
// - Their owner reaches them, and an admin everybody's; a secret is shown once, when it is made.
// - What is good for one project only (an application credential's token, a temporary key) makes no keys: they
//   would outlive it and may more.
// Source: contracts/identity.md section 7.

import { hasRole } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { AccessKey, User } from '#kernel/identity.ts'
import type { ProjectId } from '#kernel/ids.ts'
import { type Exchange, header, isObject } from '../shared/http.ts'
import { prove } from './auth.ts'
import type { Call, Reply, Visit } from './call.ts'
import {
  expecting,
  forbidden,
  invalidInput,
  type KeystoneFault,
  notFound,
  tooManyKeys,
  unauthorized,
} from './faults.ts'
import {
  type Decoded,
  neededObject,
  objectAt,
  type Place,
  readBody,
  textAt,
  valueAt,
} from './json-body.ts'
import { accessKeyObject, temporaryKeyObject } from './wire.ts'

const descriptionLengthMax = 255

export async function createAccessKey(call: Call): Promise<Reply> {
  const action = forbidden('create_credential')
  if (isNarrow(call)) return err(action)
  const place = credentialIn(call)
  if (!place.ok) return place
  const userId = textAt(place.value, 'user_id')
  if (!userId.ok) return userId
  if (userId.value === undefined) return err(expecting('user_id', 'credential'))
  const description = descriptionIn(place.value)
  if (!description.ok) return description
  const user = await reachable(call, userId.value, action)
  if (!user.ok) return user
  const made = await call.house.identity.createAccessKey({
    user: user.value,
    description: description.value ?? '',
  })
  if (!made.ok) return err(tooManyKeys)
  const { key, secret } = made.value
  return ok({ status: 201, body: { credential: accessKeyObject(key, secret) } })
}

export async function listAccessKeys(call: Call): Promise<Reply> {
  const wanted = call.query.get('user_id') ?? call.who.caller.userId
  const user = await reachable(call, wanted, forbidden('list_credentials'))
  if (!user.ok) return user
  const keys = await call.house.identity.accessKeysOf(user.value.id)
  return ok({ status: 200, body: { credentials: keys.map((key) => accessKeyObject(key)) } })
}

export async function showAccessKey(call: Call): Promise<Reply> {
  const key = await keyIn(call, 'get_credential')
  return key.ok ? ok({ status: 200, body: { credential: accessKeyObject(key.value) } }) : key
}

export async function updateAccessKey(call: Call): Promise<Reply> {
  if (isNarrow(call)) return err(forbidden('update_credential'))
  const key = await keyIn(call, 'update_credential')
  if (!key.ok) return key
  const place = credentialIn(call)
  if (!place.ok) return place
  const description = descriptionIn(place.value)
  if (!description.ok) return description
  const status = textAt(place.value, 'status')
  if (!status.ok) return status
  if (status.value !== undefined && status.value !== 'active' && status.value !== 'inactive')
    return err(invalidInput('credential/status', "it is neither 'active' nor 'inactive'"))
  const changed: AccessKey = {
    ...key.value,
    description: description.value ?? key.value.description,
    active: status.value === undefined ? key.value.active : status.value === 'active',
  }
  await call.house.identity.setAccessKey(changed)
  return ok({ status: 200, body: { credential: accessKeyObject(changed) } })
}

export async function deleteAccessKey(call: Call): Promise<Reply> {
  if (isNarrow(call)) return err(forbidden('delete_credential'))
  const key = await keyIn(call, 'delete_credential')
  if (!key.ok) return key
  await call.house.identity.removeAccessKey(key.value)
  return ok({ status: 204 })
}

const lifeSecondsMin = 900
const lifeSecondsMax = 86_400

/** A key that is good where the token is, for a while. */
export async function createTemporaryKey(visit: Visit): Promise<Reply> {
  const who = await prove(withTokenOfBody(visit.exchange), visit.house, 'any')
  if (!who.ok) return who
  const call: Call = { ...visit, who: who.value }
  if (isNarrow(call)) return err(forbidden('create_temporary_credential'))
  const lifeMs = lifeIn(call)
  if (!lifeMs.ok) return lifeMs
  const { identity } = call.house
  const { userId, projectId } = call.who.caller
  const user = await identity.user(userId)
  if (user === undefined) return err(unauthorized)
  const project: ProjectId | null = projectId
  const made = await identity.createTemporaryKey({ user, project, lifeMs: lifeMs.value })
  return ok({ status: 201, body: { credential: temporaryKeyObject(made) } })
}

/**
 * The token may be named in the body alone; one in a header comes first.
 * Source: 通过token获取临时访问密钥和securitytoken.md, tables 1 and 7, and its first example.
 */
function withTokenOfBody(exchange: Exchange): Exchange {
  const proofs = ['x-auth-token', 'authorization'].map((name) => header(exchange, name) ?? '')
  const body = readBody(exchange)
  if (proofs.some((text) => text.trim() !== '') || !body.ok) return exchange
  const named = ['auth', 'identity', 'token', 'id'].reduce<unknown>(
    (value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    body.value,
  )
  if (typeof named !== 'string') return exchange
  return { ...exchange, headers: { ...exchange.headers, 'x-auth-token': named } }
}

function lifeIn({ exchange }: Call): Decoded<number> {
  const body = readBody(exchange)
  if (!body.ok) return body
  const root: Place = { fields: body.value, path: '', name: 'request body' }
  const auth = neededObject(root, 'auth')
  if (!auth.ok) return auth
  const identity = neededObject(auth.value, 'identity')
  if (!identity.ok) return identity
  const methods = valueAt(identity.value, 'methods')
  if (!Array.isArray(methods)) return err(expecting('methods', 'identity'))
  if (methods.length !== 1 || methods[0] !== 'token')
    return err(invalidInput('auth/identity/methods', "it is not ['token']"))
  const token = objectAt(identity.value, 'token')
  if (!token.ok) return token
  const seconds = token.value === undefined ? undefined : valueAt(token.value, 'duration_seconds')
  if (seconds === undefined) return ok(lifeSecondsMin * 1000)
  const field = 'auth/identity/token/duration_seconds'
  if (typeof seconds !== 'number' || !Number.isInteger(seconds))
    return err(invalidInput(field, "it is not of type 'integer'"))
  if (seconds < lifeSecondsMin || seconds > lifeSecondsMax)
    return err(invalidInput(field, `it is not between ${lifeSecondsMin} and ${lifeSecondsMax}`))
  return ok(seconds * 1000)
}

/** Proved by something that may less than its user. */
const isNarrow = ({ who: { proved } }: Call): boolean =>
  proved.by === 'token'
    ? proved.token.appCredentialId !== null
    : proved.key.expiresAtMs !== null || proved.key.project !== null

function credentialIn({ exchange }: Call): Decoded<Place> {
  const body = readBody(exchange)
  if (!body.ok) return body
  return neededObject({ fields: body.value, path: '', name: 'request body' }, 'credential')
}

function descriptionIn(place: Place): Decoded<string | undefined> {
  const text = textAt(place, 'description')
  if (!text.ok || text.value === undefined || text.value.length <= descriptionLengthMax) return text
  return err(
    invalidInput('credential/description', `it is longer than ${descriptionLengthMax} characters`),
  )
}

/** Oneself, or for an admin everybody: who may not learns nothing of who there is. */
async function reachable(
  { who, house }: Call,
  id: string,
  notYours: KeystoneFault,
): Promise<Result<User, KeystoneFault>> {
  if (id !== who.caller.userId && !hasRole(who.caller, 'admin')) return err(notYours)
  const user = await house.identity.user(id)
  return user === undefined ? err(notFound('user', id)) : ok(user)
}

async function keyIn(call: Call, action: string): Promise<Result<AccessKey, KeystoneFault>> {
  const { who, house, exchange } = call
  const id = exchange.params['access_key'] ?? ''
  const own = await house.identity.accessKeysOf(who.caller.userId)
  const mine = own.find((key) => key.id === id)
  if (mine !== undefined) return ok(mine)
  if (!hasRole(who.caller, 'admin')) return err(forbidden(action))
  const key = await house.identity.permanentKey(id)
  return key === undefined ? err(notFound('credential', id)) : ok(key)
}
