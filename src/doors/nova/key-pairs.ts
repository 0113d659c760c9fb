// A user's key pairs: what is kept is the public half.
// Source: contract, section 8.3; openstack/nova nova/api/openstack/compute/keypairs.py, nova/crypto.py; the blob of
// a public key is RFC 4253, section 6.6.

import { createHash, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { may } from '#kernel/access.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { type KeyPair, keyPairId } from '#kernel/key-pair.ts'
import { type UserId, userId } from '#kernel/ids.ts'
import { Type } from '#schema/type.ts'
import { planOf } from '../shared/lent-headers.ts'
import type { Call, Reply } from './call.ts'
import { badRequest, conflict, faultOf, type NovaFault, policy } from './faults.ts'
import type { Microversion } from './microversion.ts'
import { firstOf, limitOf, nextLink, noSuchMarker } from './query-parameters.ts'
import { versioned } from './versioned.ts'
import { micros } from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>

/** From which versions on: types, other users' keys for admins, pages, and a public key that must be given. */
const typesSince = 2
const othersSince = 10
const pagesSince = 35
const givenSince = 92

const closed = { additionalProperties: false } as const

const createBody = versioned([typesSince, othersSince, givenSince], (version) => {
  const named = version >= givenSince ? '^[\\w \\-@.]+$' : '^[\\w \\-]+$'
  const key = Type.String({ minLength: 1, maxLength: 16_384 })
  const properties = {
    name: Type.String({ minLength: 1, maxLength: 255, pattern: named }),
    public_key: version >= givenSince ? key : Type.Optional(key),
    type: Type.Optional(Type.Enum(['ssh', 'x509'])),
    user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  }
  const { type, user_id, ...first } = properties
  const later = {
    ...(version >= typesSince ? { type } : {}),
    ...(version >= othersSince ? { user_id } : {}),
  }
  const chosen = { ...first, ...later } as typeof properties & { public_key: typeof key } // the rest is optional
  return Type.Object({ keypair: Type.Object(chosen, closed) }, closed)
})

/** By its name: one of the caller's own, unless another's are meant. */
export const keyPairNamed = (
  { caller, house }: Pick<Call, 'caller' | 'house'>,
  name: string,
  owner = caller.userId,
): Promise<KeyPair | undefined> => house.plane.read.get('keyPairs', keyPairId(owner, name))

export async function listKeyPairs(call: Call): Answered {
  const { version } = call.negotiated
  const params = new URLSearchParams(call.exchange.rawQuery)
  const owner = ownerIn(call, params)
  if (!owner.ok) return owner
  const rows = await call.house.plane.read.find('keyPairs', 'userId', owner.value)
  const sorted = rows.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  if (version < pagesSince) return listed(sorted, version, {})
  const limit = limitOf(params, 1000)
  if (!limit.ok) return limit
  const marker = firstOf(params, 'marker')
  const start = marker === undefined ? 0 : sorted.findIndex(({ name }) => name === marker) + 1
  if (marker !== undefined && start === 0) return err(noSuchMarker(marker))
  const page = sorted.slice(start, start + limit.value)
  const last = page.at(-1)
  const isFull = last !== undefined && page.length === limit.value
  const links = isFull ? { keypairs_links: [nextLink(call.exchange, last.name)] } : {}
  return listed(page, version, links)
}

const listed = (rows: readonly KeyPair[], version: Microversion, links: object) =>
  ok({
    status: 200,
    body: { keypairs: rows.map((row) => ({ keypair: brief(row, version) })), ...links },
  })

export async function showKeyPair(call: Call): Answered {
  const owner = ownerIn(call, new URLSearchParams(call.exchange.rawQuery))
  if (!owner.ok) return owner
  const name = call.exchange.params['key_name'] ?? ''
  const row = await keyPairNamed(call, name, owner.value)
  if (!row) return err(unknown(name, owner.value))
  const { createdAtMs } = row
  const whole = {
    ...brief(row, call.negotiated.version),
    user_id: row.userId,
    // Nova numbers them; here the moment is number enough.
    id: createdAtMs,
    created_at: micros(createdAtMs),
    deleted: false,
    deleted_at: null,
    updated_at: null,
  }
  return ok({ status: 200, body: { keypair: whole } })
}

export async function createKeyPair(call: Call): Answered {
  const { version } = call.negotiated
  const body = createBody(version)(call.body)
  if (!body.ok) return body
  if (!may(call.caller, 'add-key-pair')) return err(policy(call.rule))
  const { name, public_key: given, type = 'ssh', user_id: forUser } = body.value.keypair
  const owner = ownerOf(call, forUser)
  if (!owner.ok) return owner
  const made = given === undefined ? await generated() : undefined
  // Kept as it was sent, a line's end and all: clients compare what they read with what they sent.
  const publicKey = given ?? made?.publicKey ?? ''
  const fingerprint = fingerprintOf(publicKey, type)
  if (fingerprint === undefined)
    return err(badRequest('Keypair data is invalid: failed to generate fingerprint'))
  const receipt = await call.house.plane.submit(
    { verb: 'add-key-pair', name, type, publicKey, fingerprint, userId: owner.value },
    call.submission,
  )
  if (!receipt.ok) {
    if (receipt.error.code === 'AlreadyExists')
      return err(conflict(`Key pair '${name}' already exists.`))
    return err(faultOf(receipt.error, { verb: 'create', rule: call.rule }))
  }
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  // A repeated request made a second private half, and it is the first one that fits: that was said once.
  if (made && (await keyPairNamed(call, name, owner.value))?.publicKey !== publicKey)
    return err(conflict(`Key pair '${name}' already exists.`))
  const keypair = {
    name,
    public_key: publicKey,
    fingerprint,
    user_id: owner.value,
    ...(version >= typesSince ? { type } : {}),
    ...(made === undefined ? {} : { private_key: made.privateKey }),
  }
  return ok({ status: version >= typesSince ? 201 : 200, body: { keypair } })
}

export async function deleteKeyPair(call: Call): Answered {
  if (!may(call.caller, 'remove-key-pair')) return err(policy(call.rule))
  const owner = ownerIn(call, new URLSearchParams(call.exchange.rawQuery))
  if (!owner.ok) return owner
  const name = call.exchange.params['key_name'] ?? ''
  const receipt = await call.house.plane.submit(
    { verb: 'remove-key-pair', name, userId: owner.value },
    call.submission,
  )
  if (receipt.ok && call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  if (receipt.ok) return ok({ status: call.negotiated.version >= typesSince ? 204 : 202 })
  if (receipt.error.code === 'NotFound') return err(unknown(name, owner.value))
  return err(faultOf(receipt.error, { verb: 'delete', rule: call.rule }))
}

const unknown = (name: string, owner: string): NovaFault => ({
  status: 404,
  message: `Keypair ${name} not found for user ${owner}`,
})

const ownerIn = (call: Call, params: URLSearchParams): Result<UserId, NovaFault> =>
  ownerOf(call, call.negotiated.version >= othersSince ? firstOf(params, 'user_id') : undefined)

/** Whose keys are meant. Those of another are an admin's to see and to change. */
function ownerOf({ caller, rule }: Call, asked: string | undefined): Result<UserId, NovaFault> {
  if (asked === undefined || asked === caller.userId) return ok(caller.userId)
  return caller.role === 'admin' ? ok(userId(asked)) : err(policy(rule))
}

const brief = ({ name, publicKey, fingerprint, type }: KeyPair, version: Microversion): object => ({
  name,
  public_key: publicKey,
  fingerprint,
  ...(version >= typesSince ? { type } : {}),
})

/** MD5 over the key's bytes, as Nova prints it; undefined when it is no key. */
function fingerprintOf(publicKey: string, type: KeyPair['type']): string | undefined {
  const bytes = type === 'ssh' ? sshKeyIn(publicKey) : certificateIn(publicKey)
  if (bytes === undefined) return undefined
  const hash = createHash(type === 'ssh' ? 'md5' : 'sha1').update(bytes)
  return hash.digest('hex').replaceAll(/(..)(?!$)/g, '$1:')
}

/** Its parts follow each other, each after its length, and the first one repeats the algorithm's name. */
function sshKeyIn(publicKey: string): Buffer | undefined {
  const line = /^((?:ssh|ecdsa|sk)-[\w@.-]+) +([A-Za-z0-9+/]+={0,2})( |$)/.exec(publicKey.trim())
  const bytes = Buffer.from(line?.[2] ?? '', 'base64')
  const parts: Buffer[] = []
  let at = 0
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at)
    parts.push(bytes.subarray(at + 4, end))
    at = end
  }
  const isWhole = at === bytes.length && parts.length > 1
  return isWhole && parts[0]?.toString('latin1') === line?.[1] ? bytes : undefined
}

function certificateIn(publicKey: string): Buffer | undefined {
  const text = /-----BEGIN CERTIFICATE-----([\sA-Za-z0-9+/=]+)-----END CERTIFICATE-----/.exec(
    publicKey,
  )
  return text?.[1] === undefined ? undefined : Buffer.from(text[1], 'base64')
}

const generate = promisify(generateKeyPair)

async function generated(): Promise<{ readonly publicKey: string; readonly privateKey: string }> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength: 2048 })
  const { e = '', n = '' } = publicKey.export({ format: 'jwk' })
  const parts = [Buffer.from('ssh-rsa'), positive(e), positive(n)]
  const blob = Buffer.concat(parts.flatMap((part) => [lengthOf(part), part]))
  return {
    publicKey: `ssh-rsa ${blob.toString('base64')} Generated-by-Nova`,
    privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  }
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(part.length)
  return length
}

/** A number whose first bit is set would be negative: it gets a zero before it. */
function positive(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes
}
