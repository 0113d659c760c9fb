// The identity room on a real store: what proves whom, for how long, and what ends it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Role } from '#kernel/caller.ts'
import type { User } from '#kernel/identity.ts'
import { projectId } from '#kernel/ids.ts'
import type { Store } from '#kernel/ports/store.ts'
import { newProject, newUser } from '#identity/directory.ts'
import { type IdentityRoom, createIdentity } from '#identity/identity.ts'
import { passingKey } from '#identity/sealing.ts'
import { hashPassword } from '#identity/secrets.ts'
import { memoryStore } from '#stores/memory/store.ts'

const cost = { blocks: 2 ** 10, r: 8, parallel: 1 }
const hourMs = 60 * 60_000

interface Bench {
  readonly clock: { nowMs: number }
  readonly store: Store
  readonly identity: IdentityRoom
  readonly reads: () => number
  readonly here: ReturnType<typeof newProject>
  readonly there: ReturnType<typeof newProject>
  readonly ann: User
  again(): IdentityRoom
}

/** A store that counts reads, two projects, and Ann: a member here, nothing there. */
async function begin({
  slowFindMs = 0,
  ...options
}: {
  readonly lockKeysAfter?: number
  readonly slowFindMs?: number
} = {}): Promise<Bench> {
  const clock = { nowMs: Date.UTC(2026, 10, 21) }
  const inner = memoryStore()
  let reads = 0
  const store: Store = {
    ...bound(inner),
    get: async (table, id) => {
      reads += 1
      return await inner.get(table, id)
    },
    find: async (table, column, value) => {
      reads += 1
      const rows = await inner.find(table, column, value)
      if (slowFindMs > 0) await delay(slowFindMs)
      return rows
    },
  }
  const secretKey = passingKey()
  const again = () =>
    createIdentity({ store, nowMs: () => clock.nowMs, secretKey, passwordCost: cost, ...options })
  const identity = again()
  const [here, there] = [newProject('here'), newProject('there')]
  const ann = newUser('ann', await hashPassword('ann-password', cost))
  await identity.directory.add([
    { table: 'projects', row: here },
    { table: 'projects', row: there },
    { table: 'users', row: ann },
  ])
  await identity.directory.setRoles(ann, new Map([[here.id, 'member']]))
  const now = await identity.user(ann.id)
  assert.ok(now)
  clock.nowMs += 1_000
  return { clock, store, identity, reads: () => reads, here, there, ann: now, again }
}

/** Methods of a class do not survive a spread. */
const bound = (store: Store): Store => ({
  get: (table, id) => store.get(table, id),
  kept: (table, id) => store.kept(table, id),
  find: (table, column, value) => store.find(table, column, value),
  list: (table, query) => store.list(table, query),
  count: (table, query) => store.count(table, query),
  events: (query) => store.events(query),
  lastEvent: () => store.lastEvent(),
  claim: (worker, nowMs, leaseMs, limit) => store.claim(worker, nowMs, leaseMs, limit),
  commit: (commit) => store.commit(commit),
  close: () => store.close(),
})

async function tokenOf({ identity, ann, here }: Bench, more: object = {}) {
  const issued = await identity.issue({
    user: ann,
    project: here.id,
    methods: ['password'],
    ...more,
  })
  assert.ok(issued.ok, JSON.stringify(issued))
  return issued.value
}

async function codeOf(identity: IdentityRoom, text: string): Promise<string> {
  const found = await identity.byToken(text)
  return found.ok ? 'ok' : found.error.code
}

test('a token proves who asks, in which project, with which role', async () => {
  const bench = await begin()
  const { text, caller, token } = await tokenOf(bench)
  assert.deepEqual(caller, {
    userId: bench.ann.id,
    userName: 'ann',
    projectId: bench.here.id,
    projectName: 'here',
    domainId: 'default',
    role: 'member',
  })
  const found = await bench.identity.byToken(text)
  assert.deepEqual(found, { ok: true, value: { caller, token } })
  assert.equal(token.expiresAtMs, bench.clock.nowMs + 24 * hourMs)
  const rows = JSON.stringify(await bench.store.list('tokens', { limit: 10 }))
  assert.ok(!rows.includes(text), 'only its hash is kept')
})

test('a token that is known costs no read, and one that is not costs one', async () => {
  const bench = await begin()
  const { text } = await tokenOf(bench)
  await bench.identity.byToken(text)
  const before = bench.reads()
  for (let n = 0; n < 100; n += 1) assert.equal(await codeOf(bench.identity, text), 'ok')
  assert.equal(bench.reads(), before)
  assert.equal(await codeOf(bench.identity, 'rst_unknown'), 'unknown')
  assert.equal(bench.reads(), before + 1)
})

test('a token ends to the millisecond, remembered or not', async () => {
  const bench = await begin()
  const { text } = await tokenOf(bench, { lifeMs: 2_000 })
  bench.clock.nowMs += 1_999
  assert.equal(await codeOf(bench.identity, text), 'ok')
  bench.clock.nowMs += 1
  assert.equal(await codeOf(bench.identity, text), 'expired')
  assert.equal(await codeOf(bench.again(), text), 'expired')
})

test('a token survives a restart, and so does its revocation', async () => {
  const bench = await begin()
  const { text, token } = await tokenOf(bench)
  const second = bench.again()
  assert.equal(await codeOf(second, text), 'ok')
  await second.revoke(token)
  assert.equal(await codeOf(second, text), 'revoked', 'at once')
  assert.equal(await codeOf(bench.again(), text), 'revoked')
})

test('texts that are no token are told apart', async () => {
  const { identity } = await begin()
  assert.equal(await codeOf(identity, ''), 'missing')
  assert.equal(await codeOf(identity, 'a b'), 'malformed')
  assert.equal(await codeOf(identity, 'x'.repeat(256)), 'malformed')
  assert.equal(await codeOf(identity, 'never-issued'), 'unknown')
})

type Change = (bench: Bench) => Promise<unknown>

const enders: Readonly<Record<string, readonly [Change, string]>> = {
  'a changed password': [
    async ({ identity, ann }) =>
      await identity.directory.setPasswordHash(ann, await hashPassword('other', cost)),
    'revoked',
  ],
  'a changed role': [
    ({ identity, ann, here }) => identity.directory.setRoles(ann, new Map([[here.id, 'reader']])),
    'revoked',
  ],
  'a lost role': [({ identity, ann }) => identity.directory.setRoles(ann, new Map()), 'revoked'],
  'a disabled user': [({ identity, ann }) => identity.directory.setEnabled(ann, false), 'revoked'],
  'a removed user': [({ identity, ann }) => identity.directory.removeUser(ann), 'revoked'],
  'a disabled project': [
    async ({ store, identity, here }) => {
      const row = { ...here, enabled: false }
      await store.commit({ writes: [{ table: 'projects', row }], events: [] })
      identity.forget()
    },
    'disabled',
  ],
}

for (const [name, [change, code]] of Object.entries(enders)) {
  test(`${name} ends tokens with the very next request`, async () => {
    const bench = await begin()
    const { text } = await tokenOf(bench)
    const key = await bench.identity.keys.create({ ...keyWish, userId: bench.ann.id })
    assert.equal(await codeOf(bench.identity, text), 'ok')
    await change(bench)
    assert.equal(await codeOf(bench.identity, text), code)
    assert.equal(await codeOf(bench.again(), text), code)
    const caller = await bench.identity.callerOf(key.row.userId, bench.here.id)
    if (!name.includes('password') && !name.includes('changed role')) assert.ok(!caller.ok)
  })
}

test('a token issued in the millisecond of a change is void, one issued after it is not', async () => {
  const bench = await begin()
  const before = await tokenOf(bench)
  await bench.identity.directory.setRoles(bench.ann, new Map([[bench.here.id, 'admin']]))
  const after = await tokenOf(bench)
  assert.equal(await codeOf(bench.identity, before.text), 'revoked')
  assert.equal(await codeOf(bench.identity, after.text), 'ok')
  assert.equal(after.caller.role, 'admin')
})

test('setting the roles that a user has already ends nothing', async () => {
  const bench = await begin()
  const { text } = await tokenOf(bench)
  await bench.identity.directory.setRoles(bench.ann, new Map([[bench.here.id, 'member']]))
  assert.equal(await codeOf(bench.identity, text), 'ok')
})

test('a row read while it is revoked is not remembered as good', async () => {
  const bench = await begin()
  const { text, token } = await tokenOf(bench)
  const [, found] = await Promise.all([bench.identity.revoke(token), bench.identity.byToken(text)])
  assert.ok(found.ok || found.error.code === 'revoked')
  assert.equal(await codeOf(bench.identity, text), 'revoked')
})

test('a token got with a token ends with it, and carries both audit ids', async () => {
  const bench = await begin()
  const parent = await tokenOf(bench, { lifeMs: hourMs })
  bench.clock.nowMs += hourMs / 2
  const child = await tokenOf(bench, { parent: parent.token, methods: ['password', 'token'] })
  assert.equal(child.token.expiresAtMs, parent.token.expiresAtMs)
  assert.deepEqual(child.token.auditIds.slice(1), parent.token.auditIds)
})

test('a token without a scope, of a domain, or without end', async () => {
  const bench = await begin()
  const unscoped = await tokenOf(bench, { project: null })
  assert.deepEqual([unscoped.caller.projectId, unscoped.caller.role], [null, null])
  assert.equal(await codeOf(bench.identity, unscoped.text), 'ok')
  const endless = await tokenOf(bench, { lifeMs: null })
  bench.clock.nowMs += 1_000 * 365 * 24 * hourMs
  assert.equal(await codeOf(bench.identity, endless.text), 'ok')

  const wish = { user: bench.ann, project: null, domainId: 'default', methods: ['password'] }
  assert.deepEqual(await bench.identity.issue(wish), { ok: false, error: { code: 'no-role' } })
  const roles = new Map<ReturnType<typeof projectId>, Role>([[projectId('default'), 'admin']])
  await bench.identity.directory.setRoles(bench.ann, roles)
  const issued = await bench.identity.issue(wish)
  assert.ok(issued.ok)
  assert.equal(issued.value.token.domainId, 'default')
  assert.deepEqual([issued.value.caller.projectId, issued.value.caller.role], [null, 'admin'])
})

test('nobody gets a token where there is no role; unknown and foreign projects look the same', async () => {
  const { identity, ann, there } = await begin()
  const refusal = { ok: false, error: { code: 'no-role' } }
  for (const project of [there.id, projectId('f'.repeat(32))]) {
    assert.deepEqual(await identity.issue({ user: ann, project, methods: [] }), refusal)
    assert.deepEqual(await identity.callerOf(ann.id, project), refusal)
  }
})

test('tokens that ended a day ago are cleared away, endless ones never', async () => {
  const bench = await begin()
  for (let n = 0; n < 600; n += 1) await tokenOf(bench, { lifeMs: 1_000 })
  await tokenOf(bench, { lifeMs: null })
  bench.clock.nowMs += 25 * hourMs
  await tokenOf(bench)
  await tokenOf(bench)
  assert.equal(await bench.store.count('tokens', {}), 3)
})

test('callers without a scope are at home in a default project or an only one', async () => {
  const bench = await begin()
  const home = await bench.identity.callerOf(bench.ann.id, null)
  assert.ok(home.ok)
  assert.equal(home.value.projectId, bench.here.id)
  const both = new Map<ReturnType<typeof projectId>, Role>([
    [bench.here.id, 'member'],
    [bench.there.id, 'reader'],
  ])
  await bench.identity.directory.setRoles(bench.ann, both)
  const away = await bench.identity.callerOf(bench.ann.id, null)
  assert.ok(away.ok)
  assert.equal(away.value.projectId, null)
})

test('a password proves its user by id or by name; every failure looks the same', async () => {
  const { identity, ann } = await begin()
  const domain = { name: 'default' }
  for (const name of [
    { id: ann.id },
    { name: 'ann', domain },
    { name: 'ann', domain: { id: 'default' } },
  ]) {
    const found = await identity.password(name, 'ann-password')
    assert.ok(found.ok)
    assert.equal(found.value.id, ann.id)
  }
  const wrong = { ok: false, error: { code: 'wrong' } }
  assert.deepEqual(await identity.password({ id: ann.id }, 'no'), wrong)
  assert.deepEqual(await identity.password({ id: 'nobody' }, 'ann-password'), wrong)
  assert.deepEqual(await identity.password({ name: 'bob', domain }, 'ann-password'), wrong)
  const elsewhere = { name: 'ann', domain: { name: 'Elsewhere' } }
  assert.deepEqual(await identity.password(elsewhere, 'ann-password'), wrong)
  await identity.directory.setEnabled(ann, false)
  assert.deepEqual(await identity.password({ id: ann.id }, 'ann-password'), wrong)
})

test('guessing is throttled per user, however the user is named, known or not', async () => {
  const { identity, ann, clock } = await begin()
  const names = [{ id: ann.id }, { name: 'ann', domain: { id: 'default' } }]
  for (let n = 0; n < 5; n += 1) {
    const refused = await identity.password(names[n % 2] ?? { id: ann.id }, 'guess')
    assert.ok(!refused.ok && refused.error.code === 'wrong')
    await identity.password({ id: 'nobody' }, 'guess')
  }
  for (const name of [...names, { id: 'nobody' }]) {
    const refused = await identity.password(name, 'ann-password')
    assert.deepEqual(refused, { ok: false, error: { code: 'throttled', retryAfterMs: 1_000 } })
  }
  clock.nowMs += 1_000
  assert.ok((await identity.password({ id: ann.id }, 'ann-password')).ok)
})

test('an unknown user takes as long as a wrong password', async () => {
  const { store, clock, ann } = await begin()
  const slow = { blocks: 2 ** 14, r: 8, parallel: 1 }
  const identity = createIdentity({
    store,
    nowMs: () => clock.nowMs,
    secretKey: passingKey(),
    passwordCost: slow,
  })
  await identity.directory.setPasswordHash(ann, await hashPassword('x', slow))
  const timeMs = async (id: string): Promise<number> => {
    const start = performance.now()
    await identity.password({ id }, 'wrong')
    return performance.now() - start
  }
  const rounds = [0, 1, 2, 3]
  let [known, unknown] = [0, 0]
  for (const round of rounds) {
    known += await timeMs(ann.id)
    unknown += await timeMs(`nobody ${round}`)
  }
  assert.ok(unknown > known / 2, `${unknown} ms against ${known} ms`)
})

const keyWish = { look: 'plain', project: null, description: '' } as const

test('an access key opens to its secret, which no row holds in the clear', async () => {
  const bench = await begin()
  const { identity, ann, store } = bench
  const made = await identity.keys.create({ ...keyWish, userId: ann.id })
  const opened = await identity.accessKey(made.pair.id)
  assert.deepEqual(opened, { ok: true, value: { key: made.row, secret: made.pair.secret } })
  const rows = JSON.stringify(await store.list('accessKeys', { limit: 10 }))
  assert.ok(!rows.includes(made.pair.secret))
  const before = bench.reads()
  for (let n = 0; n < 100; n += 1) await identity.accessKey(made.pair.id)
  assert.equal(bench.reads(), before, 'remembered')
})

test('an access key is refused at once when it, or its user, is switched off or gone', async () => {
  const { identity, ann } = await begin()
  const make = async () => (await identity.keys.create({ ...keyWish, userId: ann.id })).row
  const codeOfKey = async (id: string) => {
    const opened = await identity.accessKey(id)
    return opened.ok ? 'ok' : opened.error.code
  }
  const [off, gone, left] = [await make(), await make(), await make()]
  for (const key of [off, gone, left]) assert.equal(await codeOfKey(key.id), 'ok')
  await identity.keys.set({ ...off, active: false })
  assert.equal(await codeOfKey(off.id), 'disabled')
  await identity.keys.remove(gone)
  assert.equal(await codeOfKey(gone.id), 'unknown')
  await identity.directory.setEnabled(ann, false)
  assert.equal(await codeOfKey(left.id), 'disabled')
  await identity.directory.removeUser(ann)
  assert.equal(await codeOfKey(left.id), 'unknown')
})

test('a temporary key needs its security token and ends by itself', async () => {
  const { identity, ann, clock } = await begin()
  const made = await identity.keys.create({ ...keyWish, userId: ann.id, lifeMs: 900_000 })
  assert.ok(made.securityToken !== null)
  assert.equal(identity.securityTokenFits(made.row, made.securityToken), true)
  assert.equal(identity.securityTokenFits(made.row, `${made.securityToken}x`), false)
  assert.equal(identity.securityTokenFits(made.row, undefined), false)
  assert.ok((await identity.accessKey(made.pair.id)).ok)
  clock.nowMs += 900_000
  const ended = await identity.accessKey(made.pair.id)
  assert.deepEqual(ended, { ok: false, error: { code: 'expired' } })
  const permanent = await identity.keys.create({ ...keyWish, userId: ann.id })
  assert.equal(identity.securityTokenFits(permanent.row, undefined), true)
})

test('failed signatures lock a key only where that is asked for', async () => {
  const free = await begin()
  const strict = await begin({ lockKeysAfter: 5 })
  for (const { identity, ann, clock } of [free, strict]) {
    const { pair } = await identity.keys.create({ ...keyWish, userId: ann.id })
    for (let n = 0; n < 5; n += 1) {
      assert.ok((await identity.accessKey(pair.id)).ok)
      identity.failed(pair.id)
    }
    const after = await identity.accessKey(pair.id)
    assert.equal(after.ok, identity === free.identity)
    clock.nowMs += 5 * 60_000
    assert.ok((await identity.accessKey(pair.id)).ok)
  }
})

test('an application credential logs in for its project and role, until it ends or is removed', async () => {
  const bench = await begin()
  const { identity, ann, here, there, clock } = bench
  const made = await identity.createAppCredential({
    user: ann,
    project: here.id,
    name: 'nightly',
    description: '',
    role: 'reader',
    expiresAtMs: clock.nowMs + hourMs,
    unrestricted: false,
  })
  assert.ok(made.ok)
  const { credential, secret } = made.value
  for (const name of [{ id: credential.id }, { name: 'nightly', user: { id: ann.id } }]) {
    const found = await identity.appCredential(name, secret)
    assert.deepEqual(found, { ok: true, value: { user: ann, credential } })
    assert.ok(!(await identity.appCredential(name, 'guess')).ok)
  }
  const wish = { user: ann, methods: ['application_credential'], credential }
  assert.ok(!(await identity.issue({ ...wish, project: there.id })).ok)
  assert.ok(!(await identity.issue({ ...wish, project: null })).ok)
  const issued = await identity.issue({ ...wish, project: here.id })
  assert.ok(issued.ok)
  assert.equal(issued.value.caller.role, 'reader', 'not the member that Ann is')
  assert.equal(issued.value.token.expiresAtMs, credential.expiresAtMs)
  const parent = issued.value.token
  const child = await identity.issue({ user: ann, project: here.id, methods: [], parent })
  assert.ok(child.ok)
  assert.equal(child.value.caller.role, 'reader', 'nor by way of a token')
  assert.ok(!(await identity.issue({ user: ann, project: null, methods: [], parent })).ok)
  await identity.removeAppCredential(credential)
  for (const { text } of [issued.value, child.value])
    assert.equal(await codeOf(identity, text), 'revoked')
  assert.ok(!(await identity.appCredential({ id: credential.id }, secret)).ok)
})

test('of application credentials made at once under one name, one is made', async () => {
  // Longer than the hashing of the three can be apart.
  const { identity, ann, here } = await begin({ slowFindMs: 100 })
  const wish = {
    user: ann,
    project: here.id,
    name: 'n',
    description: '',
    role: 'reader',
    expiresAtMs: null,
    unrestricted: false,
  } as const
  const made = await Promise.all([0, 1, 2].map(() => identity.createAppCredential(wish)))
  assert.equal(made.filter(({ ok }) => ok).length, 1)
  assert.equal((await identity.appCredentialsOf(ann.id)).length, 1)
})
