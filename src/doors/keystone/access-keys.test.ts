// Access keys over HTTP, through real sockets: permanent ones made, used, switched off and removed; temporary ones
// got with a token, used with their security token, and ended. Source: contracts/identity.md sections 6 and 7.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at } from '#test/harness/api.ts'
import { jumpingClock } from '#test/harness/jumping-clock.ts'
import { fieldsAt, needsLogin, notAllowed, postAuth, refused } from '#test/harness/keystone.ts'
import {
  as,
  type Heard,
  hear,
  type OpenStackCaller,
  twoProjects,
  unscoped,
} from '#test/harness/openstack.ts'
import { type KeyPair, signedCall } from '#test/harness/signed.ts'
import { type World, world } from '#test/harness/world.ts'

const minuteMs = 60_000
const clock = jumpingClock()
let w: World
let mary: OpenStackCaller
let ada: OpenStackCaller
let otto: OpenStackCaller
before(async () => {
  w = await world({ clock, config: { identity: twoProjects } })
  ;[mary, ada, otto] = await Promise.all([as(w, 'mary'), as(w, 'ada'), as(w, 'otto')])
})
after(() => w.close())

const keys = '/v3.0/OS-CREDENTIAL/credentials'
const create = (userId: string, caller: OpenStackCaller, more: object = {}): Promise<Heard> =>
  caller.call('POST', keys, { body: { credential: { user_id: userId, ...more } } })
const remove = (id: string, caller = mary) => caller.call('DELETE', `${keys}/${id}`)

const pairIn = (heard: Heard): KeyPair => ({
  id: heard.textAt('credential.access'),
  secret: heard.textAt('credential.secret'),
})

const reads = (pair: KeyPair, headers: Readonly<Record<string, string>> = {}) =>
  signedCall(w.url, pair, {
    method: 'GET',
    path: `/v2.1/${mary.projectId}/servers`,
    headers,
    nowMs: clock.nowMs(),
  })

suite('permanent keys', () => {
  test('one is made, signs, is listed without its secret, switched off, and removed', async () => {
    const made = await create(mary.userId, mary, { description: 'nightly' })
    assert.equal(made.status, 201, made.text)
    const shown = ['access', 'user_id', 'create_time', 'status', 'description']
    const [access, ...rest] = shown
    assert.deepEqual(fieldsAt(made, 'credential'), [access, 'secret', ...rest])
    const pair = pairIn(made)
    assert.match(pair.id, /^[A-Z0-9]{20}$/)
    assert.match(made.textAt('credential.create_time'), /^\d{4}-.*T.*\.\d{6}Z$/)
    assert.equal((await reads(pair)).status, 200)

    const list = await mary.call('GET', keys)
    assert.equal(list.status, 200)
    assert.deepEqual(fieldsAt(list, 'credentials.0'), shown)
    const one = await mary.call('GET', `${keys}/${pair.id}`)
    assert.deepEqual(one.at('credential'), list.at('credentials.0'))
    assert.equal(one.at('credential.status'), 'active')

    const off = await mary.call('PUT', `${keys}/${pair.id}`, {
      body: { credential: { status: 'inactive', description: 'off' } },
    })
    assert.equal(off.status, 200, off.text)
    assert.equal(off.at('credential.status'), 'inactive')
    assert.equal(off.at('credential.description'), 'off')
    const refusedCall = await reads(pair)
    assert.equal(refusedCall.status, 401)
    assert.equal(at(refusedCall.json, 'error_code'), 'APIGW.0301')
    const on = await mary.call('PUT', `${keys}/${pair.id}`, {
      body: { credential: { status: 'active' } },
    })
    assert.equal(on.at('credential.description'), 'off')
    assert.equal((await reads(pair)).status, 200)

    assert.equal((await remove(pair.id)).status, 204)
    assert.equal((await reads(pair)).status, 401)
    assert.deepEqual((await mary.call('GET', keys)).at('credentials'), [])
  })

  test('a user has two at most, however many are asked for at once', async () => {
    const made = await Promise.all([1, 2, 3, 4].map(() => create(mary.userId, mary)))
    const statuses = made.map(({ status }) => status).toSorted((a, b) => a - b)
    assert.deepEqual(statuses, [201, 201, 400, 400])
    for (const heard of made) if (heard.status === 400) refused(heard, 400, 'akSkNumExceed')
    for (const heard of made) if (heard.status === 201) await remove(pairIn(heard).id)
  })

  test('an admin reaches everybody’s, others only their own', async () => {
    const made = await create(mary.userId, ada)
    assert.equal(made.status, 201, made.text)
    const { id } = pairIn(made)
    const theirs = await ada.call('GET', `${keys}?user_id=${mary.userId}`)
    assert.deepEqual(theirs.each('credentials', 'access'), [id])
    assert.equal((await ada.call('GET', `${keys}/${id}`)).at('credential.user_id'), mary.userId)
    refused(await create(mary.userId, otto), 403, notAllowed('create_credential'))
    const list = await otto.call('GET', `${keys}?user_id=${mary.userId}`)
    refused(list, 403, notAllowed('list_credentials'))
    for (const one of [id, 'NOBODY']) {
      refused(await otto.call('GET', `${keys}/${one}`), 403, notAllowed('get_credential'))
      refused(await remove(one, otto), 403, notAllowed('delete_credential'))
      const body = { credential: { status: 'inactive' } }
      const changed = await otto.call('PUT', `${keys}/${one}`, { body })
      refused(changed, 403, notAllowed('update_credential'))
    }
    refused(await remove('NOBODY', ada), 404, 'Could not find credential: NOBODY.')
    refused(await create('nobody', ada), 404, 'Could not find user: nobody.')
    assert.equal((await remove(id, ada)).status, 204)
  })

  test('what is no request is refused', async () => {
    for (const [body, message] of [
      [{}, /^Expecting to find credential in request body\./],
      [{ credential: 7 }, /not of type 'object'/],
      [{ credential: {} }, /^Expecting to find user_id in credential\./],
      [{ credential: { user_id: 7 } }, /not of type 'string'/],
      [{ credential: { user_id: mary.userId, description: 'x'.repeat(256) } }, /longer than 255/],
    ] as const) {
      const heard = await mary.call('POST', keys, { body })
      assert.equal(heard.status, 400, heard.text)
      assert.match(heard.textAt('error.message'), message)
    }
    const made = await create(mary.userId, mary)
    const { id } = pairIn(made)
    const body = { credential: { status: 'asleep' } }
    const heard = await mary.call('PUT', `${keys}/${id}`, { body })
    assert.match(heard.textAt('error.message'), /neither 'active' nor 'inactive'/)
    await remove(id)
    refused(await hear(w.url + keys, 'GET'), 401, needsLogin)
  })

  test('by a signature too, but not by a temporary key', async () => {
    const pair = pairIn(await create(mary.userId, mary))
    const call = (method: string, path: string, body?: object, key = pair, token?: string) =>
      signedCall(w.url, key, {
        method,
        path,
        nowMs: clock.nowMs(),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(token === undefined ? {} : { headers: { 'x-security-token': token } }),
      })
    assert.equal((await call('GET', keys)).status, 200)
    const made = await call('POST', keys, { credential: { user_id: mary.userId } })
    assert.equal(made.status, 201)
    const second = String(at(made.json, 'credential', 'access'))
    const passing = await temporary(mary)
    const narrow = [passing.pair, passing.token] as const
    const refusedOne = await call('DELETE', `${keys}/${second}`, undefined, ...narrow)
    assert.equal(refusedOne.status, 403)
    assert.equal((await call('DELETE', `${keys}/${second}`)).status, 204)
    await remove(pair.id)
  })
})

const tokens = '/v3.0/OS-CREDENTIAL/securitytokens'
const wish = (token?: object) => ({
  auth: { identity: { methods: ['token'], ...(token === undefined ? {} : { token }) } },
})

async function temporary(caller: OpenStackCaller, seconds = 900) {
  const body = wish({ duration_seconds: seconds })
  const heard = await caller.call('POST', tokens, { body })
  assert.equal(heard.status, 201, heard.text)
  assert.deepEqual(fieldsAt(heard, 'credential'), [
    'access',
    'secret',
    'securitytoken',
    'expires_at',
  ])
  const token = heard.textAt('credential.securitytoken')
  return { pair: pairIn(heard), token, endsAt: heard.textAt('credential.expires_at') }
}

suite('temporary keys', () => {
  test('sign with their security token, and not without it or with another', async () => {
    const { pair, token, endsAt } = await temporary(mary)
    assert.equal(Date.parse(endsAt) - clock.nowMs() <= 900_000, true)
    assert.equal((await reads(pair, { 'x-security-token': token })).status, 200)
    const other = await temporary(mary)
    for (const headers of [{}, { 'x-security-token': other.token }]) {
      const heard = await reads(pair, headers)
      assert.equal(heard.status, 401)
      assert.equal(at(heard.json, 'error_code'), 'APIGW.0301')
    }
    assert.deepEqual((await mary.call('GET', keys)).at('credentials'), [])
  })

  test('are good where their token was', async () => {
    const { pair, token } = await temporary(otto)
    const heard = await reads(pair, { 'x-security-token': token })
    assert.equal(heard.status, 403)
    const nowhere = await temporary(await unscoped(w, 'mary'))
    assert.equal((await reads(nowhere.pair, { 'x-security-token': nowhere.token })).status, 200)
  })

  test('are got with a token in the body as well, and one in a header comes first', async () => {
    const { token } = mary
    const ask = (id: unknown, headers: Record<string, string> = {}) =>
      hear(w.url + tokens, 'POST', { headers, body: wish({ id, duration_seconds: 900 }) })
    const made = await ask(token)
    assert.equal(made.status, 201, made.text)
    const signed = { 'x-security-token': made.textAt('credential.securitytoken') }
    assert.equal((await reads(pairIn(made), signed)).status, 200)
    for (const [id, headers] of [
      ['rst_nobodys', {}],
      ['', {}],
      [7, {}],
      [token, { 'x-auth-token': 'rst_nobodys' }],
      [token, { authorization: 'Basic bWFyeQ==' }],
    ] as const)
      assert.equal((await ask(id, headers)).status, 401, `${id}`)
    assert.equal((await ask('rst_nobodys', { 'x-auth-token': token })).status, 201)
  })

  test('end by themselves', async () => {
    const { pair, token } = await temporary(mary, 900)
    clock.jump(15 * minuteMs + 1)
    const heard = await reads(pair, { 'x-security-token': token })
    assert.equal(heard.status, 401)
    const long = await temporary(mary, 86_400)
    clock.jump(16 * minuteMs)
    assert.equal((await reads(long.pair, { 'x-security-token': long.token })).status, 200)
  })

  test('end with everything that ends their user’s tokens', async () => {
    const { pair, token } = await temporary(otto, 86_400)
    const path = `/v2.1/${otto.projectId}/servers`
    const headers = { 'x-security-token': token }
    const read = () =>
      signedCall(w.url, pair, { method: 'GET', path, headers, nowMs: clock.nowMs() })
    assert.equal((await read()).status, 200)
    const user = await w.identity.user(otto.userId)
    assert.ok(user)
    await w.identity.directory.setPasswordHash(user, user.passwordHash)
    assert.equal((await read()).status, 401)
    otto = await as(w, 'otto')
    const fresh = await temporary(otto)
    const again = { 'x-security-token': fresh.token }
    const answer = await signedCall(w.url, fresh.pair, {
      method: 'GET',
      path,
      headers: again,
      nowMs: clock.nowMs(),
    })
    assert.equal(answer.status, 200)
  })

  test('what is no request is refused', async () => {
    for (const [body, message] of [
      [{}, /^Expecting to find auth in request body\./],
      [{ auth: {} }, /^Expecting to find identity in auth\./],
      [{ auth: { identity: {} } }, /^Expecting to find methods in identity\./],
      [{ auth: { identity: { methods: ['password'] } } }, /not \['token'\]/],
      [wish({ duration_seconds: '900' }), /not of type 'integer'/],
      [wish({ duration_seconds: 899 }), /not between 900 and 86400/],
      [wish({ duration_seconds: 86_401 }), /not between 900 and 86400/],
    ] as const) {
      const heard = await mary.call('POST', tokens, { body })
      assert.equal(heard.status, 400, heard.text)
      assert.match(heard.textAt('error.message'), message)
    }
    const made = await mary.call('POST', tokens, { body: wish() })
    const endsMs = Date.parse(made.textAt('credential.expires_at'))
    assert.ok(Math.abs(endsMs - clock.nowMs() - 15 * minuteMs) < minuteMs)
  })

  test('neither they nor other keys are made with an application credential’s token', async () => {
    const home = `/v3/users/${mary.userId}/application_credentials`
    const body = { application_credential: { name: 'narrow', unrestricted: true } }
    const made = await mary.call('POST', home, { body })
    const [id, secret] = ['id', 'secret'].map((f) => made.textAt(`application_credential.${f}`))
    const login = await postAuth(w.url, {
      identity: { methods: ['application_credential'], application_credential: { id, secret } },
    })
    const headers = { 'x-auth-token': login.headers.get('x-subject-token') ?? '' }
    const temporaryOne = await hear(w.url + tokens, 'POST', { headers, body: wish() })
    refused(temporaryOne, 403, notAllowed('create_temporary_credential'))
    const credential = { user_id: mary.userId }
    const permanent = await hear(w.url + keys, 'POST', { headers, body: { credential } })
    refused(permanent, 403, notAllowed('create_credential'))
  })
})
