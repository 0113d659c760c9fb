// Tokens and discovery, through real sockets: what is accepted, every refusal, and what all answers share.
// Sources: contracts/identity.md sections 2 to 4 and 9.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { jumpingClock } from '#test/harness/jumping-clock.ts'
import {
  byPassword,
  domain,
  dressed,
  everyService,
  fieldsAt,
  inProject,
  mary,
  needsLogin,
  notAllowed,
  password,
  postAuth,
  refused,
} from '#test/harness/keystone.ts'
import { type Heard, type Said, as, hear, logIn, twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

const hourMs = 60 * 60_000

const clock = jumpingClock()
let w: World
before(async () => {
  const identity = { ...twoProjects, projects: [...twoProjects.projects, { name: 'empty' }] }
  w = await world({ clock, config: { identity } })
})
after(() => w.close())

const post = (auth: unknown, query = ''): Promise<Heard> => postAuth(w.url, auth, query)

suite('discovery', () => {
  const version = (base: string) => ({
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${base}/v3/` }],
    'media-types': [
      { base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' },
    ],
  })

  test('the list of versions is 300 and says where to go', async () => {
    for (const path of ['/identity', '/identity/']) {
      const heard = await hear(w.url + path, 'GET')
      assert.equal(heard.status, 300)
      assert.equal(heard.headers.get('location'), `${w.url}/identity/v3/`)
      assert.deepEqual(heard.json, { versions: { values: [version(`${w.url}/identity`)] } })
      dressed(heard)
    }
  })

  test('the version has absolute links that carry the prefix used', async () => {
    for (const prefix of ['', '/identity'])
      for (const path of ['/v3', '/v3/']) {
        const heard = await hear(w.url + prefix + path, 'GET')
        assert.equal(heard.status, 200)
        assert.deepEqual(heard.json, { version: version(w.url + prefix) })
        dressed(heard)
      }
  })

  test('what is not there, and what may not be done, is said in this shape', async () => {
    for (const prefix of ['', '/identity']) {
      const missing = await hear(`${w.url}${prefix}/v3/nothing`, 'GET')
      refused(missing, 404, 'The resource could not be found.')
      const wrong = await hear(`${w.url}${prefix}/v3/auth/tokens`, 'PATCH')
      refused(wrong, 405, 'The method is not allowed for the requested URL.')
      const allow = wrong.headers.get('allow')?.split(', ').toSorted()
      assert.deepEqual(allow, ['DELETE', 'GET', 'HEAD', 'POST'])
    }
  })
})

const unscopedFields = ['methods', 'user', 'audit_ids', 'issued_at', 'expires_at']

suite('issuing', () => {
  test('a project token says who, where, what and until when', async () => {
    const heard = await post({ identity: byPassword(), scope: inProject('one') })
    assert.equal(heard.status, 201)
    dressed(heard)
    assert.match(heard.headers.get('x-subject-token') ?? '', /^[\w.~-]{20,255}$/)
    const { projectId } = await as(w, 'mary')
    const [issued, expires] = ['issued_at', 'expires_at'].map((name) =>
      heard.textAt(`token.${name}`),
    )
    assert.match(issued ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    assert.equal(Date.parse(expires ?? '') - Date.parse(issued ?? ''), 24 * hourMs)
    assert.match(heard.textAt('token.audit_ids.0'), /^[\w-]{22}$/)
    assert.equal(heard.at('token.audit_ids.1'), undefined)
    const scope = ['project', 'is_domain', 'roles', 'catalog']
    assert.deepEqual(fieldsAt(heard, 'token'), [...unscopedFields, ...scope])
    const id = heard.textAt('token.user.id')
    assert.match(id, /^[0-9a-f]{32}$/)
    assert.match(projectId, /^[0-9a-f]{32}$/)
    const home = { id: 'default', name: 'Default' }
    const user = { domain: home, id, name: 'mary', password_expires_at: null }
    assert.deepEqual(heard.at('token.user'), user)
    assert.deepEqual(heard.at('token.project'), { domain: home, id: projectId, name: 'one' })
    assert.deepEqual(heard.each('token.roles', 'name'), ['member', 'reader'])
    assert.deepEqual(heard.at('token.methods'), ['password'])
    assert.equal(heard.at('token.is_domain'), false)
  })

  test('the catalogue has every service under the address by which we were reached', async () => {
    const heard = await post({ identity: byPassword(), scope: inProject('one') })
    const services = everyService
    const types = services.map(({ type }) => type)
    assert.deepEqual(heard.each('token.catalog', 'type'), types)
    for (const type of ['identity', 'compute', 'image', 'iam', 'ecs', 'bms'])
      assert.ok(types.includes(type), type)
    for (const [n, { path }] of services.entries())
      for (const [m, side] of ['public', 'internal', 'admin'].entries()) {
        const endpoint = `token.catalog.${n}.endpoints.${m}`
        const id = heard.textAt(`${endpoint}.id`)
        assert.match(id, /^[0-9a-f]{32}$/)
        const region = { region: 'RegionOne', region_id: 'RegionOne' }
        const wanted = { id, interface: side, ...region, url: w.url + path }
        assert.deepEqual(heard.at(endpoint), wanted)
      }
    const bare = await post({ identity: byPassword(), scope: inProject('one') }, '?nocatalog')
    assert.equal(fieldsAt(bare, 'token').includes('catalog'), false)
  })

  test('every way to name a scope', async () => {
    const { projectId, userId } = await as(w, 'mary')
    const scopes: readonly (readonly [unknown, string])[] = [
      [{ project: { id: projectId } }, 'one'],
      [{ project: { name: 'one', domain: { id: 'default' } } }, 'one'],
      [{ project: { name: 'one', domain: { name: 'Default' } } }, 'one'],
      [{ project: { name: 'one', domain: { name: 'default' } } }, 'one'],
      [{ project: { name: 'one' } }, 'one'],
      [{ project: { name: 'one' }, domain: { name: 'Default' } }, 'one'],
      [undefined, 'none'],
      ['unscoped', 'none'],
      [{ unscoped: {} }, 'none'],
    ]
    for (const [scope, project] of scopes) {
      const identity = byPassword({ id: userId, password })
      const heard = await post({ identity, ...(scope === undefined ? {} : { scope }) })
      assert.equal(heard.status, 201, JSON.stringify(scope))
      assert.equal(heard.at('token.project.name') ?? 'none', project, JSON.stringify(scope))
      if (project === 'none') assert.deepEqual(fieldsAt(heard, 'token'), unscopedFields)
    }
  })

  test('a domain token is for those with a role on the domain', async () => {
    const { OS_PASSWORD: secret = '' } = w.credentials
    const admin = byPassword({ name: 'admin', domain, password: secret })
    for (const wanted of [{ id: 'default' }, { name: 'Default' }]) {
      const heard = await post({ identity: admin, scope: { domain: wanted } })
      assert.equal(heard.status, 201)
      assert.deepEqual(heard.at('token.domain'), { id: 'default', name: 'Default' })
      assert.deepEqual(heard.each('token.roles', 'name'), ['admin', 'member', 'reader'])
      assert.equal(heard.at('token.project'), undefined)
    }
    refused(await post({ identity: byPassword(), scope: { domain } }), 401, needsLogin)
  })

  test('a token for a token: not for longer, and both audit ids', async () => {
    const first = await post({ identity: byPassword() })
    clock.jump(hourMs)
    const id = first.headers.get('x-subject-token')
    const second = await post({
      identity: { methods: ['token'], token: { id } },
      scope: inProject('one'),
    })
    assert.equal(second.status, 201)
    assert.deepEqual(second.at('token.methods'), ['password', 'token'])
    assert.equal(second.at('token.expires_at'), first.at('token.expires_at'))
    assert.deepEqual(second.at('token.audit_ids.1'), first.at('token.audit_ids.0'))
    const both = { methods: ['password', 'token'], password: { user: mary }, token: { id } }
    assert.equal((await post({ identity: both })).status, 201)
    const other = { ...both, password: { user: { ...mary, name: 'otto' } } }
    refused(await post({ identity: other }), 401, needsLogin)
  })
})

suite('showing and revoking', () => {
  const path = '/identity/v3/auth/tokens'
  const about = (subject: string): Said => ({ headers: { 'x-subject-token': subject } })
  const noValidate = notAllowed('validate_token')
  const noRevoke = notAllowed('revoke_token')

  test('a token shows itself as it was issued; HEAD shows the same without a body', async () => {
    const issued = await post({ identity: byPassword(), scope: inProject('one') })
    const subject = issued.headers.get('x-subject-token') ?? ''
    const headers = { 'x-auth-token': subject, 'x-subject-token': subject }
    const shown = await hear(w.url + path, 'GET', { headers })
    assert.equal(shown.status, 200)
    assert.deepEqual(shown.json, issued.json)
    assert.equal(shown.headers.get('x-subject-token'), subject)
    dressed(shown)
    const head = await hear(w.url + path, 'HEAD', { headers })
    assert.deepEqual([head.status, head.text], [200, ''])
    for (const name of ['content-length', 'content-type', 'x-subject-token', 'vary'])
      assert.equal(head.headers.get(name), shown.headers.get(name), name)
    assert.equal(head.headers.get('content-length'), String(Buffer.byteLength(shown.text)))
    const bare = await hear(`${w.url}${path}?nocatalog=1`, 'GET', { headers })
    assert.equal(bare.at('token.catalog'), undefined)
  })

  test('who asks must be known', async () => {
    const { token } = await as(w, 'mary')
    for (const method of ['GET', 'DELETE'])
      for (const mine of [undefined, '', 'nope', 'a b', 'x'.repeat(300)]) {
        const headers = mine === undefined ? {} : { 'x-auth-token': mine }
        const heard = await hear(w.url + path, method, {
          headers: { ...headers, 'x-subject-token': token },
        })
        refused(heard, 401, needsLogin, `${w.url}/identity`)
      }
    assert.equal((await hear(w.url + path, 'HEAD', about(token))).status, 401)
  })

  test('the subject must be there, and be one', async () => {
    const caller = await as(w, 'mary')
    refused(await caller.call('GET', path), 403, noValidate)
    refused(await caller.call('DELETE', path), 404, 'No token in the request')
    for (const method of ['GET', 'DELETE'])
      refused(await caller.call(method, path, about('nope')), 404, 'Failed to validate token')
  })

  test("another user's token is for admins", async () => {
    const [subject, otto, ada] = [await as(w, 'mary'), await as(w, 'otto'), await as(w, 'ada')]
    refused(await otto.call('GET', path, about(subject.token)), 403, noValidate)
    refused(await otto.call('DELETE', path, about(subject.token)), 403, noRevoke)
    assert.equal((await subject.call('GET', path, about(subject.token))).status, 200)
    const shown = await ada.call('GET', path, about(subject.token))
    assert.deepEqual([shown.status, shown.at('token.user.name')], [200, 'mary'])
    assert.equal((await ada.call('DELETE', path, about(subject.token))).status, 204)
    refused(await ada.call('GET', path, about(subject.token)), 404, 'Failed to validate token')
  })

  test('a revoked token is refused at once, as caller and as subject', async () => {
    const [one, other] = [await as(w, 'mary'), await as(w, 'mary')]
    const gone = await one.call('DELETE', path, about(one.token))
    assert.deepEqual([gone.status, gone.text], [204, ''])
    dressed(gone)
    refused(await one.call('GET', path, about(other.token)), 401, needsLogin, `${w.url}/identity`)
    refused(await other.call('GET', path, about(one.token)), 404, 'Failed to validate token')
    refused(await other.call('DELETE', path, about(one.token)), 404, 'Failed to validate token')
    assert.equal((await other.call('GET', path, about(other.token))).status, 200)
  })

  test('a token ends after a day', async () => {
    const old = await as(w, 'mary')
    clock.jump(24 * hourMs)
    const fresh = await as(w, 'mary')
    refused(await old.call('GET', path, about(fresh.token)), 401, needsLogin, `${w.url}/identity`)
    refused(await fresh.call('GET', path, about(old.token)), 404, 'Failed to validate token')
  })

  test('the bearer token of the native door works here too, and shows a date clients can read', async () => {
    const token = w.credentials['RUNSTATE_TOKEN'] ?? ''
    const headers = { 'x-auth-token': token, 'x-subject-token': token }
    const shown = await hear(w.url + path, 'GET', { headers })
    assert.equal(shown.status, 200)
    assert.equal(shown.at('token.expires_at'), '9999-12-31T23:59:59.999999Z')
  })
})

test('tokens, users and their passwords survive a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'runstate-restart-'))
  const first = await world({ store: 'sqlite', dataDir, config: { identity: twoProjects } })
  const before = await as(first, 'mary')
  await first.close()
  const second = await world({ store: 'sqlite', dataDir })
  try {
    const said = { headers: { 'x-auth-token': before.token, 'x-subject-token': before.token } }
    const shown = await hear(`${second.url}/v3/auth/tokens`, 'GET', said)
    assert.equal(shown.status, 200)
    const user = { user: 'mary', password, project: 'one' }
    assert.equal((await logIn(second, user)).userId, before.userId)
  } finally {
    await second.close()
    await rm(dataDir, { recursive: true })
  }
})
