// Application credentials, through real sockets: made, used, listed, removed, and all refusals.
// Source: contracts/identity.md sections 4.1 and 5.3.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { jumpingClock } from '#test/harness/jumping-clock.ts'
import {
  fieldsAt,
  needsLogin,
  notAllowed,
  postAuth,
  refused,
  tail,
} from '#test/harness/keystone.ts'
import {
  type Heard,
  type OpenStackCaller,
  as,
  hear,
  twoProjects,
  unscoped,
} from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

const clock = jumpingClock()
let w: World
let mary: OpenStackCaller
before(async () => {
  w = await world({ clock, config: { identity: twoProjects } })
  mary = await as(w, 'mary')
})
after(() => w.close())

const home = () => `/v3/users/${mary.userId}/application_credentials`
const create = (wanted: object, caller = mary): Promise<Heard> =>
  caller.call('POST', home(), { body: { application_credential: wanted } })
const byCredential = (credential: object) =>
  postAuth(w.url, {
    identity: { methods: ['application_credential'], application_credential: credential },
  })
const callWith = (token: string | null, method: string, path: string, body?: object) =>
  hear(w.url + path, method, {
    headers: { 'x-auth-token': token ?? '' },
    ...(body === undefined ? {} : { body }),
  })

suite('application credentials', () => {
  test('one is made with a secret that is shown only then', async () => {
    const made = await create({ name: 'nightly', description: 'stops at night' })
    assert.equal(made.status, 201)
    const [id, secret] = ['id', 'secret'].map((f) => made.textAt(`application_credential.${f}`))
    const links = { self: `${w.url}${home()}/${id}` }
    assert.deepEqual(fieldsAt(made, 'application_credential').toSorted(), [
      'description',
      'expires_at',
      'id',
      'links',
      'name',
      'project_id',
      'roles',
      'secret',
      'system',
      'unrestricted',
      'user_id',
    ])
    assert.deepEqual(made.at('application_credential.links'), links)
    assert.deepEqual(made.each('application_credential.roles', 'name'), ['member', 'reader'])
    assert.equal(made.at('application_credential.project_id'), mary.projectId)
    assert.ok((secret ?? '').length >= 32)
    const one = await mary.call('GET', `${home()}/${id}`)
    const all = await mary.call('GET', `${home()}?name=nightly`)
    assert.deepEqual(all.at('application_credentials.0'), one.at('application_credential'))
    for (const heard of [one, all]) assert.equal(heard.text.includes(secret ?? ''), false)
    assert.deepEqual((await mary.call('GET', `${home()}?name=x`)).at('application_credentials'), [])
  })

  test('a program logs in with it, by id or by name, for one project and its role', async () => {
    const made = await create({ name: 'reading', roles: [{ name: 'reader' }] })
    const [id, secret] = ['id', 'secret'].map((f) => made.textAt(`application_credential.${f}`))
    const user = { name: 'mary', domain: { id: 'default' } }
    for (const named of [
      { id },
      { name: 'reading', user },
      { name: 'reading', user: { id: mary.userId } },
    ]) {
      const heard = await byCredential({ ...named, secret })
      assert.equal(heard.status, 201)
      assert.deepEqual(heard.at('token.methods'), ['application_credential'])
      assert.equal(heard.at('token.project.id'), mary.projectId)
      assert.deepEqual(heard.each('token.roles', 'name'), ['reader'])
      refused(await byCredential({ ...named, secret: 'guess' }), 401, needsLogin)
    }
  })

  test('a token got with it leads no further', async () => {
    const made = await create({ name: 'restricted' })
    const [id, secret] = ['id', 'secret'].map((f) => made.textAt(`application_credential.${f}`))
    const token = (await byCredential({ id, secret })).headers.get('x-subject-token')
    const rescope = (scope?: unknown) =>
      postAuth(w.url, {
        identity: { methods: ['token'], token: { id: token } },
        ...(scope === undefined ? {} : { scope }),
      })
    const same = await rescope()
    assert.deepEqual([same.status, same.at('token.project.id')], [201, mary.projectId])
    refused(await rescope('unscoped'), 401, needsLogin)
    const body = { application_credential: { name: 'child' } }
    const denied = notAllowed('create_application_credential')
    refused(await callWith(token, 'POST', home(), body), 403, denied)
    const removal = await callWith(token, 'DELETE', `${home()}/${id}`)
    refused(removal, 403, notAllowed('delete_application_credential'))
    assert.equal((await callWith(token, 'GET', home())).status, 200)

    const free = await create({ name: 'unrestricted', unrestricted: true })
    const [freeId, freeSecret] = ['id', 'secret'].map((f) =>
      free.textAt(`application_credential.${f}`),
    )
    const freeToken = (await byCredential({ id: freeId, secret: freeSecret })).headers.get(
      'x-subject-token',
    )
    assert.equal((await callWith(freeToken, 'POST', home(), body)).status, 201)
  })

  test('removing it ends the tokens got with it', async () => {
    const made = await create({ name: 'short', secret: 'chosen-by-hand' })
    const id = made.textAt('application_credential.id')
    assert.equal(made.at('application_credential.secret'), 'chosen-by-hand')
    const token = (await byCredential({ id, secret: 'chosen-by-hand' })).headers.get(
      'x-subject-token',
    )
    assert.equal((await callWith(token, 'GET', '/v3/auth/projects')).status, 200)
    const gone = await mary.call('DELETE', `${home()}/${id}`)
    assert.deepEqual([gone.status, gone.text], [204, ''])
    refused(await callWith(token, 'GET', '/v3/auth/projects'), 401, needsLogin)
    refused(await byCredential({ id, secret: 'chosen-by-hand' }), 401, needsLogin)
    const missing = `Could not find application credential: ${id}.`
    refused(await mary.call('GET', `${home()}/${id}`), 404, missing)
    refused(await mary.call('DELETE', `${home()}/${id}`), 404, missing)
  })

  test('it ends when it says, and its tokens with it', async () => {
    const endMs = clock.nowMs() + 60_000
    const expires = new Date(endMs).toISOString().replace('Z', '')
    const made = await create({ name: 'ending', expires_at: `${expires}222` })
    assert.equal(made.at('application_credential.expires_at'), `${expires}222`)
    const zoned = await create({ name: 'zoned', expires_at: `${expires}Z` })
    assert.equal(zoned.at('application_credential.expires_at'), `${expires}000`)
    const [id, secret] = ['id', 'secret'].map((f) => made.textAt(`application_credential.${f}`))
    const login = await byCredential({ id, secret })
    assert.equal(login.at('token.expires_at'), `${expires}000Z`)
    clock.jump(60_000)
    refused(await byCredential({ id, secret }), 401, needsLogin)
    const token = login.headers.get('x-subject-token')
    refused(await callWith(token, 'GET', '/v3/auth/projects'), 401, needsLogin)
  })

  test('two of one name are one too many', async () => {
    assert.equal((await create({ name: 'twice' })).status, 201)
    const message =
      'Conflict occurred attempting to store application_credential - Duplicate entry found with name twice.'
    refused(await create({ name: 'twice' }), 409, message)
  })

  test('what is malformed is told by its field', async () => {
    const invalid = (field: string, why: string) => `Invalid input for field '${field}': ${why}`
    const rows: readonly (readonly [unknown, string])[] = [
      [undefined, `Expecting to find application_credential in request body.${tail}`],
      [{}, `Expecting to find name in application_credential.${tail}`],
      [{ name: '' }, invalid('name', 'it is not 1 to 255 characters long')],
      [{ name: 'x'.repeat(256) }, invalid('name', 'it is not 1 to 255 characters long')],
      [{ name: 1 }, invalid('application_credential/name', "it is not of type 'string'")],
      [{ name: 'x', secret: '' }, invalid('secret', 'it is empty')],
      [{ name: 'x', unrestricted: 'yes' }, invalid('unrestricted', "it is not of type 'boolean'")],
      [
        { name: 'x', access_rules: [{ path: '/v2.1/servers', method: 'GET', service: 'compute' }] },
        invalid('access_rules', 'access rules are not supported'),
      ],
      [{ name: 'x', expires_at: 'soon' }, invalid('expires_at', 'it is not a time of ISO 8601')],
      [{ name: 'x', expires_at: '2001-01-01T00:00:00' }, invalid('expires_at', 'it has passed')],
      [{ name: 'x', roles: 'reader' }, invalid('roles', "it is not of type 'array'")],
      [{ name: 'x', roles: ['reader'] }, invalid('roles', "an item is not of type 'object'")],
      [
        { name: 'x', roles: [{ name: 'king' }] },
        'Invalid application credential: Could not find role.',
      ],
      [
        { name: 'x', roles: [{ name: 'admin' }] },
        'Invalid application credential: Could not find role assignment: admin.',
      ],
    ]
    const before = (await mary.call('GET', home())).each('application_credentials', 'id').length
    for (const [wanted, message] of rows) {
      const body = wanted === undefined ? {} : { application_credential: wanted }
      refused(await mary.call('POST', home(), { body }), 400, message)
    }
    const after = (await mary.call('GET', home())).each('application_credentials', 'id').length
    assert.equal(after, before, 'nothing was made')
  })

  test('they are nobody else’s, not even an admin’s, and need a project', async () => {
    const made = await create({ name: 'private' })
    const one = `${home()}/${made.textAt('application_credential.id')}`
    const body = { application_credential: { name: 'x' } }
    for (const caller of [await as(w, 'otto'), await as(w, 'ada')]) {
      const denied = async (method: string, path: string, action: string, said = {}) =>
        refused(await caller.call(method, path, said), 403, notAllowed(action))
      await denied('POST', home(), 'create_application_credential', { body })
      await denied('GET', home(), 'list_application_credentials')
      await denied('GET', one, 'get_application_credential')
      await denied('DELETE', one, 'delete_application_credential')
    }
    const nowhere = await unscoped(w, 'mary')
    const denied = notAllowed('create_application_credential')
    refused(await nowhere.call('POST', home(), { body }), 403, denied)
  })
})
