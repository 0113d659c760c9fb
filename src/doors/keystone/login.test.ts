// Every way in which a login is refused, through real sockets: status, text and challenge to the letter.
// Source: contracts/identity.md section 4.3.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { jumpingClock } from '#test/harness/jumping-clock.ts'
import {
  byPassword,
  domain,
  inProject,
  mary,
  needsLogin,
  password,
  postAuth,
  refused,
  tail,
} from '#test/harness/keystone.ts'
import { type Said, hear, twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

const clock = jumpingClock()
let w: World
before(async () => {
  w = await world({ clock, config: { identity: twoProjects } })
})
after(() => w.close())

const schemaText = (field: string, type: string) =>
  `Invalid input for field '${field}': it is not of type '${type}'`

/** What is posted, the status and the message. */
const refusals: Readonly<Record<string, readonly [Said, number, string]>> = {
  'wrong password': [login({ ...mary, password: 'nope' }), 401, needsLogin],
  'unknown user': [login({ ...mary, name: 'nobody' }), 401, needsLogin],
  'unknown user id': [login({ id: 'f'.repeat(32), password }), 401, needsLogin],
  'unknown domain': [login({ ...mary, domain: { id: 'nowhere' } }), 401, needsLogin],
  'unknown project': [login({ ...mary, name: 'rita' }, inProject('nowhere')), 401, needsLogin],
  'no role': [login({ ...mary, name: 'rita' }, inProject('two')), 401, needsLogin],
  'unknown scope domain': [
    login({ ...mary, name: 'rita' }, { domain: { id: 'nowhere' } }),
    401,
    needsLogin,
  ],
  'system scope': [login({ ...mary, name: 'rita' }, { system: { all: true } }), 401, needsLogin],
  'no password': [login({ name: 'mary', domain }), 401, needsLogin],
  'no methods': [auth({ methods: [] }), 401, needsLogin],
  'unknown token': [auth({ methods: ['token'], token: { id: 'nope' } }), 401, needsLogin],
  'unknown credential': [
    auth({ methods: ['application_credential'], application_credential: { id: 'x', secret: 'y' } }),
    401,
    needsLogin,
  ],
  'unsupported method': [
    auth({ methods: ['saml2'], saml2: {} }),
    401,
    'Attempted to authenticate with an unsupported method.',
  ],
  'credential with a scope': [
    {
      body: {
        auth: {
          identity: {
            methods: ['application_credential'],
            application_credential: { id: 'x', secret: 'y' },
          },
          scope: inProject('one'),
        },
      },
    },
    401,
    'Error authenticating with application credential: Application credentials cannot request a scope.',
  ],
  'not JSON': [json('{"auth"'), 400, `Expecting to find valid JSON in request body.${tail}`],
  'not UTF-8': [json('\ud800"'), 400, `Expecting to find valid JSON in request body.${tail}`],
  'not an object': [json('[]'), 400, `Expecting to find valid JSON in request body.${tail}`],
  null: [json('null'), 400, `Expecting to find valid JSON in request body.${tail}`],
  'no body': [{}, 400, `Expecting to find auth in request body.${tail}`],
  'no auth': [{ body: {} }, 400, `Expecting to find auth in request body.${tail}`],
  'no identity': [{ body: { auth: {} } }, 400, `Expecting to find identity in auth.${tail}`],
  'no method named': [auth({}), 400, `Expecting to find methods in identity.${tail}`],
  'no method object': [
    auth({ methods: ['password'] }),
    400,
    `Expecting to find password in identity.${tail}`,
  ],
  'no user': [
    auth({ methods: ['password'], password: {} }),
    400,
    `Expecting to find user in password.${tail}`,
  ],
  'no user name': [login({ password }), 400, `Expecting to find id or name in user.${tail}`],
  'no domain': [login({ name: 'mary', password }), 400, `Expecting to find domain in user.${tail}`],
  'empty domain': [
    login({ name: 'mary', domain: {}, password }),
    400,
    `Expecting to find id or name in domain.${tail}`,
  ],
  'no token id': [
    auth({ methods: ['token'], token: {} }),
    400,
    `Expecting to find id in token.${tail}`,
  ],
  'empty scope': [
    login(mary, {}),
    400,
    `Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope.${tail}`,
  ],
  'other content type': [
    { raw: JSON.stringify({ auth: {} }), headers: { 'content-type': 'text/plain' } },
    400,
    `Expecting to find application/json in Content-Type header.${tail}`,
  ],
  'auth is a text': [{ body: { auth: 'x' } }, 400, schemaText('auth', 'object')],
  'methods is a text': [
    auth({ methods: 'password' }),
    400,
    schemaText('identity/methods', 'array'),
  ],
  'a number for a password': [
    login({ ...mary, password: 12345678 }),
    400,
    schemaText('identity/password/user/password', 'string'),
  ],
  'a list for a project': [
    login(mary, { project: [] }),
    400,
    schemaText('scope/project', 'object'),
  ],
}

function auth(identity: object): Said {
  return { body: { auth: { identity } } }
}
function login(user: object, scope?: object): Said {
  return {
    body: { auth: { identity: byPassword(user), ...(scope === undefined ? {} : { scope }) } },
  }
}
function json(raw: string): Said {
  return { raw, headers: { 'content-type': 'application/json' } }
}

suite('refusals of a login', () => {
  for (const [name, [said, status, message]] of Object.entries(refusals))
    test(name, async () => {
      for (const prefix of ['', '/identity']) {
        const heard = await hear(`${w.url}${prefix}/v3/auth/tokens`, 'POST', said)
        refused(heard, status, message, w.url + prefix)
        assert.equal(heard.headers.get('x-subject-token'), null)
      }
    })

  test('a body larger than any login is not read', async () => {
    const said = login({ ...mary, password: 'x'.repeat(120_000) })
    const heard = await hear(`${w.url}/v3/auth/tokens`, 'POST', said)
    refused(heard, 413, 'Request is too large.')
  })

  test('an unsupported method comes with those that are', async () => {
    const heard = await hear(`${w.url}/v3/auth/tokens`, 'POST', auth({ methods: ['saml2'] }))
    const methods = ['password', 'token', 'application_credential']
    assert.deepEqual(heard.at('error.identity.methods'), methods)
  })

  test('parameters of the content type are taken, and none at all', async () => {
    const body = JSON.stringify({ auth: { identity: byPassword() } })
    for (const type of ['application/json;charset=utf8', 'Application/JSON']) {
      const said = { raw: body, headers: { 'content-type': type } }
      assert.equal((await hear(`${w.url}/v3/auth/tokens`, 'POST', said)).status, 201, type)
    }
  })

  test('after five wrong passwords even the right one waits, and is told nothing but how long', async () => {
    const amos = { name: 'amos', domain, password }
    for (let n = 0; n < 5; n += 1)
      refused(
        await postAuth(w.url, { identity: byPassword({ ...amos, password: 'no' }) }),
        401,
        needsLogin,
      )
    const locked = refused(await postAuth(w.url, { identity: byPassword(amos) }), 401, needsLogin)
    assert.equal(locked.headers.get('retry-after'), '1')
    assert.equal(
      (await postAuth(w.url, { identity: byPassword() })).status,
      201,
      'others are not locked',
    )
    clock.jump(1_000)
    assert.equal((await postAuth(w.url, { identity: byPassword(amos) })).status, 201)
  })
})
