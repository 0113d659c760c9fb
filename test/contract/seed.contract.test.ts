// What a first start makes, what runstate.yaml declares, and starts that must not go on.

import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Commit, Store } from '#kernel/ports/store.ts'
import type { IdentitySettings } from '#identity/declared.ts'
import { type FreshCredentials, ensureIdentity, seedFaultText } from '#identity/seed.ts'
import { memoryStore } from '#stores/memory/store.ts'

const passwordCost = { blocks: 2 ** 10, r: 8, parallel: 1 }

interface Place {
  readonly folder: string
  readonly store: Store
  readonly kept: FreshCredentials[]
  readonly commits: Commit[]
  readonly clock: { nowMs: number }
}

async function inPlace(use: (place: Place) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'runstate-seed-'))
  const inner = memoryStore()
  const commits: Commit[] = []
  const commit = inner.commit.bind(inner)
  const store = Object.assign(inner, {
    commit: async (writes: Commit) => {
      commits.push(writes)
      return await commit(writes)
    },
  })
  try {
    await use({ folder, store, kept: [], commits, clock: { nowMs: Date.UTC(2026, 10, 21) } })
  } finally {
    await rm(folder, { recursive: true })
  }
}

type Keep = (fresh: FreshCredentials) => Promise<void>

const begin = (place: Place, settings: IdentitySettings = {}, keep?: Keep) =>
  ensureIdentity({
    store: place.store,
    folder: place.folder,
    settings,
    passwordCost,
    nowMs: () => place.clock.nowMs,
    keep: keep ?? (async (fresh) => void place.kept.push(fresh)),
  })

async function started(place: Place, settings?: IdentitySettings) {
  const identity = await begin(place, settings)
  assert.ok(identity.ok, JSON.stringify(identity))
  return identity.value
}

const admin = { name: 'admin', domain: { name: 'Default' } } as const

test('a first start makes an admin whose every credential works', async () => {
  await inPlace(async (place) => {
    const identity = await started(place)
    const [fresh] = place.kept
    assert.ok(fresh?.keys)
    assert.ok((await identity.password(admin, fresh.password)).ok)
    const bearer = await identity.byToken(fresh.token)
    assert.ok(bearer.ok)
    assert.equal(bearer.value.caller.projectId, fresh.projectId)
    assert.equal(bearer.value.caller.role, 'admin')
    assert.equal(bearer.value.token.expiresAtMs, null)
    for (const pair of [fresh.keys.plain, fresh.keys.long]) {
      const opened = await identity.accessKey(pair.id)
      assert.ok(opened.ok)
      assert.equal(opened.value.secret, pair.secret)
      const caller = await identity.callerOf(opened.value.key.userId, opened.value.key.project)
      assert.ok(caller.ok)
      assert.equal(caller.value.projectId, fresh.projectId)
    }
    assert.equal(fresh.projectName, 'default')
    assert.equal((await stat(join(place.folder, 'secret.key'))).mode & 0o777, 0o600)
  })
})

test('a second start makes nothing, writes nothing, and everything goes on working', async () => {
  await inPlace(async (place) => {
    const settings: IdentitySettings = {
      projects: [{ name: 'blue' }],
      users: [{ name: 'bob', password: 'bob-password', roles: { blue: 'member' } }],
    }
    await started(place, settings)
    const before = place.commits.length
    const identity = await started(place, settings)
    assert.equal(place.commits.length, before)
    assert.equal(place.kept.length, 1)
    assert.ok((await identity.byToken(place.kept[0]?.token ?? '')).ok)
  })
})

test('secrets are kept before they count: a crash between the two repeats the first start', async () => {
  await inPlace(async (place) => {
    const keep = async () => await Promise.reject(new Error('disk full'))
    await assert.rejects(begin(place, {}, keep), /disk full/)
    assert.equal(place.commits.length, 0)
    const identity = await started(place)
    assert.ok((await identity.password(admin, place.kept[0]?.password ?? '')).ok)
  })
})

test('declared users have what is declared, and lose tokens when it changes', async () => {
  await inPlace(async (place) => {
    const bob = (password: string, roles?: Record<string, 'reader' | 'member' | 'admin'>) => ({
      projects: [{ name: 'blue' }, { name: 'red' }],
      users: [{ name: 'bob', password, ...(roles === undefined ? {} : { roles }) }],
    })
    const rolesOf = async (identity: Awaited<ReturnType<typeof started>>) => {
      const user = await identity.directory.userByName('bob', 'default')
      assert.ok(user)
      const rows = await identity.projectsOf(user.id)
      const blue = rows.find(({ project }) => project.name === 'blue')?.project.id ?? null
      const issued = await identity.issue({ user, project: blue, methods: ['password'] })
      const text = issued.ok ? issued.value.text : ''
      return {
        text,
        roles: Object.fromEntries(rows.map(({ project, role }) => [project.name, role])),
      }
    }
    const first = await rolesOf(await started(place, bob('one-password', { blue: 'member' })))
    assert.deepEqual(first.roles, { blue: 'member' })
    place.clock.nowMs += 1_000

    const more = await started(place, bob('one-password', { blue: 'reader', red: 'admin' }))
    assert.equal((await more.byToken(first.text)).ok, false)
    const second = await rolesOf(more)
    assert.deepEqual(second.roles, { blue: 'reader', red: 'admin' })
    place.clock.nowMs += 1_000

    const silent = await started(place, bob('one-password'))
    assert.equal((await silent.byToken(second.text)).ok, true, 'roles not named stay')
    place.clock.nowMs += 1_000

    const less = await started(place, bob('two-password', { red: 'admin' }))
    assert.equal((await less.byToken(second.text)).ok, false)
    assert.deepEqual((await rolesOf(less)).roles, { red: 'admin' })
    const name = { name: 'bob', domain: { id: 'default' } }
    assert.equal((await less.password(name, 'one-password')).ok, false)
    assert.equal((await less.password(name, 'two-password')).ok, true)
    assert.equal(place.kept.length, 1, "the admin's credentials are not touched")

    const gone = await started(place)
    assert.equal(
      (await gone.password(name, 'two-password')).ok,
      true,
      'not declared is not removed',
    )
  })
})

test("the admin's declared password is the first one, and a change of it makes a new bearer token", async () => {
  await inPlace(async (place) => {
    const declared = (password: string): IdentitySettings => ({
      users: [{ name: 'admin', password, roles: { default: 'reader' } }],
    })
    const first = await started(place, declared('one-password'))
    assert.equal(place.kept[0]?.password, 'one-password')
    assert.ok((await first.password(admin, 'one-password')).ok)
    const bearer = await first.byToken(place.kept[0]?.token ?? '')
    assert.ok(bearer.ok && bearer.value.caller.role === 'admin', 'not locked out by a declaration')

    const second = await started(place, declared('two-password'))
    assert.deepEqual(
      place.kept.map(({ password, keys }) => [password, keys === undefined]),
      [
        ['one-password', false],
        ['two-password', true],
      ],
    )
    assert.equal((await second.byToken(place.kept[0]?.token ?? '')).ok, false)
    assert.equal((await second.byToken(place.kept[1]?.token ?? '')).ok, true)
    assert.equal((await second.accessKey(place.kept[0]?.keys?.plain.id ?? '')).ok, true)
  })
})

const contradictions: Readonly<Record<string, IdentitySettings>> = {
  'identity.projects: "blue" is there twice': { projects: [{ name: 'blue' }, { name: 'blue' }] },
  'identity.users: "bob" is there twice': {
    users: [
      { name: 'bob', password: 'one-password' },
      { name: 'bob', password: 'two-password' },
    ],
  },
  'identity.users: "bob" has a role in "green", which is no project': {
    projects: [{ name: 'blue' }],
    users: [{ name: 'bob', password: 'bob-password', roles: { green: 'reader' } }],
  },
}

test('a declaration that contradicts itself is refused in one line and changes nothing', async () => {
  await inPlace(async (place) => {
    await started(place)
    const before = place.commits.length
    for (const [line, settings] of Object.entries(contradictions)) {
      const refused = await begin(place, settings)
      assert.ok(!refused.ok)
      assert.equal(seedFaultText(refused.error), line)
    }
    assert.equal(place.commits.length, before)
  })
})

test('a store is not opened without the key that sealed it, nor with another', async () => {
  await inPlace(async (place) => {
    await started(place)
    await rm(join(place.folder, 'secret.key'))
    const missing = await begin(place)
    assert.ok(!missing.ok && missing.error.code === 'KeyMissing')
    const other = await begin({ ...place, store: memoryStore() })
    assert.ok(other.ok)
    const wrong = await begin(place)
    assert.ok(!wrong.ok && wrong.error.code === 'KeyWrong')
  })
})
