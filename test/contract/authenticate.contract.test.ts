// What every door is told of who asks: each way to prove it, each place to act in, and every refusal there is.
// Sources: contracts/identity.md sections 6.4, 6.5 and 10; the table below must name every refusal.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { pino } from 'pino'
import type { User } from '#kernel/identity.ts'
import { projectId } from '#kernel/ids.ts'
import { newProject, newUser } from '#identity/directory.ts'
import { type IdentityRoom, createIdentity } from '#identity/identity.ts'
import { passingKey } from '#identity/sealing.ts'
import { hashPassword } from '#identity/secrets.ts'
import {
  type AuthNeeds,
  type AuthRefusal,
  type Authenticated,
  authenticate,
} from '#doors/shared/authenticate.ts'
import type { Exchange } from '#doors/shared/http.ts'
import { memoryStore } from '#stores/memory/store.ts'
import { type KeyPair, type SignedRequest, signed } from '#test/harness/signed.ts'

const origin = 'http://127.0.0.1:7070'
const cost = { blocks: 2 ** 10, r: 8, parallel: 1 }
const clock = { nowMs: Date.UTC(2026, 10, 21) }
const all = { allow: ['token', 'bearer', 'sdk-hmac'] } as const satisfies AuthNeeds

let identity: IdentityRoom
let ann: User
const [here, there] = [newProject('here'), newProject('there')]
let key: KeyPair
before(async () => {
  const store = memoryStore()
  const secretKey = passingKey()
  const parts = { store, nowMs: () => clock.nowMs, secretKey, passwordCost: cost }
  identity = createIdentity({ ...parts, lockKeysAfter: 5 })
  ann = newUser('ann', await hashPassword('x', cost))
  await identity.directory.add([
    { table: 'projects', row: here },
    { table: 'projects', row: there },
    { table: 'users', row: ann },
  ])
  await identity.directory.setRoles(ann, new Map([[here.id, 'member']]))
  clock.nowMs += 1_000
  key = await newKey()
})

async function newKey(more: { lifeMs?: number; project?: typeof here.id } = {}) {
  const wish = { userId: ann.id, look: 'plain', project: null, description: '', ...more } as const
  const { pair, securityToken, row } = await identity.keys.create(wish)
  return { ...pair, row, securityToken: securityToken ?? '' }
}

async function newToken(more: object = {}): Promise<string> {
  const wish = { user: ann, project: here.id, methods: ['password'], ...more }
  const issued = await identity.issue(wish)
  assert.ok(issued.ok)
  return issued.value.text
}

const exchange = (headers: Readonly<Record<string, string>>, body = ''): Exchange => ({
  method: 'POST',
  rawPath: '/v1/p/things',
  rawQuery: '',
  params: {},
  headers,
  body: Buffer.from(body),
  requestId: '00000000-0000-4000-8000-000000000000',
  baseUrl: origin,
  remoteAddress: '127.0.0.1',
  log: pino({ enabled: false }),
  signal: new AbortController().signal,
})

const signRequest = { method: 'POST', path: '/v1/p/things', body: '{}' }

const signedExchange = (pair: KeyPair, wanted: Partial<SignedRequest> = {}, sentBody = '{}') => {
  const headers = signed(origin, pair, { ...signRequest, nowMs: clock.nowMs, ...wanted })
  return exchange({ ...headers, ...wanted.unsigned }, sentBody)
}

const ask = (sent: Exchange, needs: AuthNeeds = all) =>
  authenticate(sent, { identity, nowMs: clock.nowMs }, needs)

async function allowed(sent: Exchange, needs?: AuthNeeds): Promise<Authenticated> {
  const found = await ask(sent, needs)
  assert.ok(found.ok, JSON.stringify(found))
  return found.value
}

test('a token proves itself in its own header or as a bearer', async () => {
  const text = await newToken()
  for (const headers of [
    { 'x-auth-token': text },
    { 'x-auth-token': ` ${text} ` },
    { authorization: `Bearer ${text}` },
    { authorization: `bearer  ${text}` },
    { 'x-auth-token': '', authorization: `Bearer ${text}` },
  ]) {
    const { caller, proved, scope, projectFrom } = await allowed(exchange(headers))
    assert.deepEqual([caller.projectId, scope, projectFrom], [here.id, 'project', 'token'])
    assert.equal(proved.by, 'token')
  }
})

test('a signature acts in the project of its header, its URL or its key', async () => {
  const urlProject = here.id
  const header = { headers: { 'x-project-id': here.id } }
  const bound = await newKey({ project: here.id })
  const rows = [
    [key, header, { ...all }, 'header'],
    [key, header, { ...all, urlProject: there.id }, 'header'],
    [key, {}, { ...all, urlProject }, 'url'],
    [bound, {}, all, 'key'],
    [key, {}, all, 'none'],
    [key, { headers: { 'x-domain-id': 'default' } }, all, 'none'],
    [bound, { headers: { 'x-domain-id': 'default' } }, all, 'none'],
  ] as const
  for (const [pair, wanted, needs, from] of rows) {
    const found = await allowed(signedExchange(pair, wanted), needs)
    assert.equal(found.projectFrom, from)
    assert.equal(found.caller.userId, ann.id)
    assert.equal(found.caller.projectId, from === 'none' ? null : here.id)
    assert.equal(found.caller.role, from === 'none' ? null : 'member')
    assert.ok(found.proved.by === 'sdk-hmac' && found.proved.isBodySigned)
  }
})

test('a signature wins over a token, and a wrong one is not saved by it', async () => {
  const unsigned = { 'x-auth-token': await newToken() }
  assert.equal((await allowed(signedExchange(key, { unsigned }))).proved.by, 'sdk-hmac')
  const forged = await ask(signedExchange({ ...key, secret: 'x' }, { unsigned }))
  assert.ok(!forged.ok && forged.error.code === 'SignatureWrong')
  await allowed(signedExchange(key))
})

test('a proof of a kind that is not allowed is none', async () => {
  const token = exchange({ 'x-auth-token': await newToken() })
  const refused = async (sent: Exchange, needs: AuthNeeds) => {
    const found = await ask(sent, needs)
    return found.ok ? 'ok' : found.error.code
  }
  assert.equal(await refused(token, { allow: ['sdk-hmac'] }), 'NoCredentials')
  assert.equal(await refused(token, { allow: ['bearer'] }), 'NoCredentials')
  assert.equal(await refused(signedExchange(key), { allow: ['token'] }), 'SchemeUnknown')
  const bearer = exchange({ authorization: `Bearer ${await newToken()}` })
  assert.equal(await refused(bearer, { allow: ['token'] }), 'SchemeUnknown')
})

type Row = (() => Promise<Exchange>) | readonly [() => Promise<Exchange>, AuthNeeds]

const quarterMs = 15 * 60_000
const withHeader = (name: string, value: string) => async () => exchange({ [name]: value })

/** Each refusal, and requests that meet with it. */
const refusals: { readonly [C in AuthRefusal['code']]: readonly Row[] } = {
  NoCredentials: [
    async () => exchange({}),
    withHeader('x-auth-token', ''),
    withHeader('x-auth-token', '  '),
    withHeader('authorization', ''),
  ],
  TokenMalformed: [
    withHeader('x-auth-token', 'a b'),
    withHeader('x-auth-token', 'one, two'),
    withHeader('x-auth-token', 'x'.repeat(256)),
    withHeader('authorization', 'Bearer "x"'),
  ],
  TokenUnknown: [withHeader('x-auth-token', 'nope'), withHeader('authorization', 'Bearer nope')],
  TokenExpired: [
    async () => {
      const sent = exchange({ 'x-auth-token': await newToken({ lifeMs: 1 }) })
      clock.nowMs += 1
      return sent
    },
  ],
  TokenRevoked: [
    async () => {
      const text = await newToken()
      const found = await identity.byToken(text)
      assert.ok(found.ok)
      await identity.revoke(found.value.token)
      return exchange({ 'x-auth-token': text })
    },
  ],
  SchemeUnknown: [
    withHeader('authorization', 'Basic eDp4'),
    withHeader('authorization', 'V11-HMAC-SHA256 Credential=x'),
    withHeader('authorization', 'SDK-HMAC-SM3 Access=x'),
  ],
  HeaderMalformed: [
    withHeader('authorization', 'Bearer'),
    withHeader('authorization', 'SDK-HMAC-SHA256'),
    withHeader('authorization', 'SDK-HMAC-SHA256 Access=x'),
    withHeader('authorization', 'SDK-HMAC-SHA256 Access=x, SignedHeaders=x-sdk-date, Signature='),
    async () => signedExchange(key, { unsigned: { 'x-sdk-date': 'yesterday' } }),
    async () => signedExchange(key, { headers: { 'x-sdk-content-sha256': 'zz' } }),
  ],
  HeaderMissing: [
    async () => {
      const { 'x-sdk-date': _, ...headers } = signed(origin, key, {
        ...signRequest,
        nowMs: clock.nowMs,
      })
      return exchange(headers, '{}')
    },
    async () => {
      const headers = signed(origin, key, { ...signRequest, nowMs: clock.nowMs })
      const authorization = headers['authorization']?.replace(';x-sdk-date', '') ?? ''
      return exchange({ ...headers, authorization }, '{}')
    },
  ],
  KeyUnknown: [async () => signedExchange({ id: 'NOBODY', secret: 'x' })],
  KeyDisabled: [
    async () => {
      const off = await newKey()
      await identity.keys.set({ ...off.row, active: false })
      return signedExchange(off)
    },
  ],
  KeyExpired: [
    async () => {
      const short = await newKey({ lifeMs: 1 })
      clock.nowMs += 1
      return signedExchange(short, { headers: { 'x-security-token': short.securityToken } })
    },
  ],
  SecurityTokenWrong: [
    async () => signedExchange(await newKey({ lifeMs: quarterMs })),
    async () =>
      signedExchange(await newKey({ lifeMs: quarterMs }), { headers: { 'x-security-token': 'x' } }),
  ],
  DateExpired: [
    async () => signedExchange(key, { nowMs: clock.nowMs - quarterMs - 1_000 }),
    async () => signedExchange(key, { nowMs: clock.nowMs + quarterMs + 1_000 }),
  ],
  SignatureWrong: [
    async () => signedExchange({ ...(await newKey()), secret: 'x' }),
    async () => signedExchange(await newKey(), {}, '{ }'),
    async () => signedExchange(await newKey(), { unsigned: { host: '127.0.0.1:7071' } }),
  ],
  NoRole: [
    async () => signedExchange(key, { headers: { 'x-project-id': there.id } }),
    async () => signedExchange(key, { headers: { 'x-project-id': 'f'.repeat(32) } }),
    [async () => signedExchange(key), { ...all, urlProject: '%7Bproject_id%7D' }],
    async () =>
      signedExchange(await newKey({ project: there.id }), { headers: { 'x-project-id': here.id } }),
  ],
  WrongDomain: [async () => signedExchange(key, { headers: { 'x-domain-id': 'elsewhere' } })],
  NoProject: [
    [
      async () => exchange({ 'x-auth-token': await newToken({ project: null }) }),
      { ...all, needsProject: true },
    ],
    [async () => signedExchange(key), { ...all, needsProject: true }],
    [
      async () => signedExchange(key, { headers: { 'x-domain-id': 'default' } }),
      { ...all, needsProject: true },
    ],
  ],
  Throttled: [
    async () => {
      const guessed = await newKey()
      for (let n = 0; n < 5; n += 1) await ask(signedExchange({ ...guessed, secret: 'x' }))
      return signedExchange(guessed)
    },
  ],
}
for (const [code, rows] of Object.entries(refusals))
  test(`${code} is what ${rows.length} requests meet with`, async () => {
    for (const [n, row] of rows.entries()) {
      const [make, needs] = typeof row === 'function' ? [row, all] : row
      const found = await ask(await make(), needs)
      assert.equal(found.ok ? 'ok' : found.error.code, code, `request ${n}`)
    }
  })

test('a temporary key with its security token is as good as any', async () => {
  const short = await newKey({ lifeMs: quarterMs })
  const headers = { 'x-security-token': short.securityToken, 'x-project-id': here.id }
  assert.equal((await allowed(signedExchange(short, { headers }))).projectFrom, 'header')
})

test('a domain token and one without a scope are told apart', async () => {
  const none = await allowed(exchange({ 'x-auth-token': await newToken({ project: null }) }))
  assert.equal(none.scope, 'none')
  await identity.directory.setRoles(
    ann,
    new Map([
      [here.id, 'member'],
      [projectId('default'), 'reader'],
    ] as const),
  )
  const text = await newToken({ project: null, domainId: 'default' })
  const domain = await allowed(exchange({ 'x-auth-token': text }))
  assert.deepEqual([domain.scope, domain.caller.role], ['domain', 'reader'])
  const headers = { 'x-domain-id': 'default' }
  const bySignature = await allowed(signedExchange(key, { headers }))
  assert.deepEqual([bySignature.scope, bySignature.caller.role], ['domain', 'reader'])
})
