// The registry's own accounts: who may sign in, what each may, and what is told to whom may not. Source:
// contracts/cse-registry.md section 8.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at } from '#test/harness/api.ts'
import {
  type Client,
  client,
  codeOf,
  find,
  made,
  one,
  type Reply,
  stage,
} from '#test/harness/registry.ts'
import { opened } from '#test/harness/registry-socket.ts'
import { jumpingClock } from '#test/harness/jumping-clock.ts'
import { type World, world } from '#test/harness/world.ts'

const rootPassword = 'Root-password-1'
let house: World
const clock = jumpingClock()
before(async () => {
  const servicecomb = { rbac: true, rootPassword }
  house = await world({ config: { doors: { servicecomb } }, clock })
})
after(() => house.close())

const open = (): Client => client(house)
const as = (token: string): Client => ({
  call: (method, path, body, headers = {}) =>
    open().call(method, path, body, { authorization: `Bearer ${token}`, ...headers }),
})
const login = (name: string, password: string, more: object = {}): Promise<Reply> =>
  open().call('POST', '/v4/token', { name, password, ...more })
const signedIn = async (name: string, password: string): Promise<Client> =>
  as(String(at((await made(login(name, password))).body, 'token')))
const root = (): Promise<Client> => signedIn('root', rootPassword)

let names = 0
const password = 'Some-password-2'
/** A new account with these permissions, signed in. */
async function somebody(perms: readonly object[]): Promise<{ name: string; client: Client }> {
  const admin = await root()
  const name = `user${(names += 1)}`
  await made(admin.call('POST', '/v4/roles', { name: `role-${name}`, perms }))
  await made(admin.call('POST', '/v4/accounts', { name, password, roles: [`role-${name}`] }))
  return { name, client: await signedIn(name, password) }
}

const everything = { resources: [{ type: 'service' }], verbs: ['*'] }

suite('signing in', () => {
  test('opens what is closed; version and health are open to all', async () => {
    const health = await open().call('GET', '{r}/health')
    assert.equal(health.status, 200)
    assert.equal((await open().call('GET', '{r}/version')).status, 200)
    const closed = await open().call('GET', '{r}/microservices')
    assert.equal(codeOf(closed), '401 401204')
    for (const sent of ['Bearer', 'Bearer a b', 'Bearer garbage', 'garbage'])
      assert.equal(
        codeOf(await open().call('GET', '{r}/microservices', undefined, { authorization: sent })),
        '401 401201',
        sent,
      )
    assert.equal((await (await root()).call('GET', '{r}/microservices')).status, 200)
  })

  test('a token ends when it says, when its owner goes, and when the password changes', async () => {
    const admin = await root()
    const short = await made(login('root', rootPassword, { tokenExpirationTime: '15m' }))
    const brief = as(String(at(short.body, 'token')))
    assert.equal((await brief.call('GET', '/v4/self-perms')).status, 200)
    clock.jump(15 * 60_000)
    assert.equal(codeOf(await brief.call('GET', '/v4/self-perms')), '401 401205')
    const gone = await somebody([everything])
    await made(admin.call('DELETE', `/v4/accounts/${gone.name}`))
    assert.equal(codeOf(await gone.client.call('GET', '{r}/microservices')), '401 401206')
    const changed = await somebody([everything])
    const change = { currentPassword: password, password: 'Other-password-3' }
    await made(changed.client.call('POST', `/v4/accounts/${changed.name}/password`, change))
    assert.equal(codeOf(await changed.client.call('GET', '{r}/microservices')), '401 401201')
    assert.equal(codeOf(await login(changed.name, password)), '401 401202')
    await made(login(changed.name, 'Other-password-3'))
  })

  test('after three failures the right password does not help, and the lock is shown', async () => {
    const { name } = await somebody([everything])
    for (let n = 0; n < 3; n += 1)
      assert.equal(codeOf(await login(name, 'Wrong-password-1')), '401 401202')
    assert.equal(codeOf(await login(name, password)), '403 403201')
    const locks = await made((await root()).call('GET', '/v4/account-locks'))
    assert.match(String(at(locks.body, 'data', 0, 'key')), new RegExp(`^${name}::`))
    clock.jump(15 * 60_000)
    await made(login(name, password))
  })

  test('what does not fit is refused', async () => {
    for (const more of ['14m', '25h', 'soon', '1d'])
      assert.equal(
        codeOf(await login('root', rootPassword, { tokenExpirationTime: more })),
        '400 400001',
        more,
      )
    assert.equal(codeOf(await open().call('POST', '/v4/token', '{')), '400 400001')
    assert.equal(codeOf(await login('nobody', 'x')), '401 401202')
  })
})

suite('permissions', () => {
  test('a verb on a type is what a role gives, no more', async () => {
    const admin = await root()
    await stage(admin)
    const reader = await somebody([{ resources: [{ type: 'service' }], verbs: ['get'] }])
    await made(reader.client.call('GET', find))
    for (const [method, path] of [
      ['PUT', `${one}/status?value=DOWN`],
      ['PUT', `${one}/heartbeat`],
      ['GET', '{r}/microservices/svc1/schemas'],
      ['GET', '/v4/accounts'],
      ['GET', '/v4/roles'],
      ['GET', '/v4/default/admin/dump'],
    ] as const)
      assert.equal(codeOf(await reader.client.call(method, path)), '403 403205', path)
    const perms = await made(reader.client.call('GET', '/v4/self-perms'))
    assert.deepEqual(perms.body, { perms: [{ resources: [{ type: 'service' }], verbs: ['get'] }] })
  })

  test('labels narrow it to services, in lists too', async () => {
    const admin = await root()
    const add = (serviceName: string) =>
      made(
        admin.call('POST', '{r}/microservices', {
          service: { serviceName, appId: 'labelled', serviceId: serviceName },
        }),
      )
    await add('mine')
    await add('theirs')
    const resources = [{ type: 'service', labels: { appId: 'labelled', serviceName: 'mine' } }]
    const { client: narrow } = await somebody([{ resources, verbs: ['*'] }])
    const instance = { instanceId: 'a', hostName: 'h' }
    await made(narrow.call('POST', '{r}/microservices/mine/instances', { instance }))
    await made(narrow.call('PUT', '{r}/microservices/mine/instances/a/status?value=DOWN'))
    const refused = [
      ['POST', '{r}/microservices/theirs/instances', { instance }],
      ['POST', '{r}/microservices', { service: { serviceName: 'new', appId: 'labelled' } }],
      ['DELETE', '{r}/microservices', { serviceIds: ['mine', 'theirs'] }],
      ['GET', '{r}/instances?appId=labelled&serviceName=theirs', undefined],
      [
        'POST',
        '{r}/instances/action?type=query',
        { services: [{ service: { appId: 'labelled', serviceName: 'theirs' } }] },
      ],
      ['PUT', '{r}/heartbeats', { instances: [{ serviceId: 'theirs', instanceId: 'a' }] }],
    ] as const
    for (const [method, path, body] of refused)
      assert.equal(codeOf(await narrow.call(method, path, body)), '403 403205', `${method} ${path}`)
    const listed = await made(narrow.call('GET', '{r}/microservices'))
    assert.equal(at(listed.body, 'services', 0, 'serviceName'), 'mine')
    assert.equal(at(listed.body, 'services', 1), undefined)
  })

  test('no other place in a request names the services that are judged', async () => {
    const admin = await root()
    const service = { serviceName: 'hidden', appId: 'judged', serviceId: 'judged-hidden' }
    const own = { serviceName: 'open', appId: 'judged', serviceId: 'judged-open' }
    const far = { ...own, serviceId: 'judged-far', environment: 'production' }
    const instance = { instanceId: 'a', hostName: 'h' }
    for (const one of [service, own, far])
      await made(admin.call('POST', '{r}/microservices', { service: one }))
    for (const id of ['judged-hidden', 'judged-far'])
      await made(admin.call('POST', `{r}/microservices/${id}/instances`, { instance }))
    const labels = { environment: '', appId: 'judged', serviceName: 'open' }
    const { client: narrow } = await somebody([
      { resources: [{ type: 'service', labels }], verbs: ['*'] },
    ])
    const key = { appId: 'judged', serviceName: 'hidden' }
    const consumer = { ...key, version: '0.0.1' }
    const consumed = { 'x-consumerid': 'judged-far' }
    const cases = [
      ['GET', `{r}/instances?appId=judged&serviceName=hidden&serviceId=ID`],
      ['GET', `{r}/existence?type=microservice&appId=judged&serviceName=hidden&serviceId=ID`],
      ['POST', '{r}/instances/action?type=query&serviceId=ID', { services: [{ service: key }] }],
      ['POST', '{r}/microservices?serviceId=ID', { service: { ...key, version: '2' } }],
      ['PUT', '{r}/dependencies?serviceId=ID', { dependencies: [{ consumer, providers: [] }] }],
      [
        'PUT',
        '{r}/heartbeats?serviceId=ID',
        { instances: [{ serviceId: service.serviceId, instanceId: 'a' }] },
      ],
      [
        'PUT',
        '{r}/heartbeats',
        {
          instances: [
            { serviceId: service.serviceId, instanceId: 'a', instance: { serviceId: 'ID' } },
          ],
        },
      ],
      ['DELETE', '{r}/microservices?serviceId=ID', { serviceIds: ['judged-hidden'], force: true }],
    ] as const
    for (const [method, path, body] of cases)
      for (const id of ['judged-open', 'nowhere', '']) {
        const sent = body && JSON.stringify(body).replace('ID', id)
        const reply = await narrow.call(method, path.replace('ID', id), sent)
        assert.equal(codeOf(reply), '403 403205', `${method} ${path} ${id}`)
      }
    // A consumer looks in its own environment, by one call as by many.
    const wanted = { services: [{ service: { ...key, serviceName: 'open' } }] }
    const elsewhere = await narrow.call('POST', '{r}/instances/action?type=query', wanted, consumed)
    assert.equal(codeOf(elsewhere), '403 403205')
    const known = '{r}/existence?type=microservice&appId=judged&serviceName=open&version=0.0.1'
    assert.equal(
      codeOf(await narrow.call('GET', `${known}&env=production`, undefined, consumed)),
      '403 403205',
    )
    await made(narrow.call('GET', known, undefined, consumed))
    await made(narrow.call('POST', '{r}/instances/action?type=query', wanted))
    const schema = '{r}/existence?type=schema&schemaId=s&serviceId=judged'
    assert.equal(codeOf(await narrow.call('GET', `${schema}-open`)), '400 400016')
    assert.equal(codeOf(await narrow.call('GET', `${schema}-hidden`)), '403 403205')
  })

  test('details show no service beside the one that may be read', async () => {
    const admin = await root()
    const keyOf = (serviceName: string) => ({ serviceName, appId: 'beside', version: '1' })
    for (const name of ['below', 'seen', 'above'])
      await made(
        admin.call('POST', '{r}/microservices', { service: { ...keyOf(name), serviceId: name } }),
      )
    const needs = (consumer: string, provider: string) => ({
      consumer: keyOf(consumer),
      providers: [keyOf(provider)],
    })
    const dependencies = [needs('above', 'seen'), needs('seen', 'below')]
    await made(admin.call('POST', '{r}/dependencies', { dependencies }))
    const labels = { appId: 'beside', serviceName: 'seen' }
    const { client: narrow } = await somebody([
      { resources: [{ type: 'service', labels }], verbs: ['get'] },
    ])
    for (const path of ['microservices/seen', 'microservices?options=all&appId=beside']) {
      const whole = (await made(admin.call('GET', `/v4/default/govern/${path}`))).text
      assert.match(whole, /"above".*"below"|"below".*"above"/)
      const shown = (await made(narrow.call('GET', `/v4/default/govern/${path}`))).text
      assert.match(shown, /"seen"/)
      assert.doesNotMatch(shown, /"above"|"below"/, path)
    }
  })

  test('who signed in is the cause of what he changes', async () => {
    const { name, client: own } = await somebody([everything])
    const service = { serviceName: 'caused', serviceId: 'caused' }
    await made(own.call('POST', '{r}/microservices', { service }))
    const [event] = await house.plane.read.events({ after: 0, limit: 1, newestFirst: true })
    assert.equal(event?.cause.userName, name)
  })

  test('a watch needs a token too', async () => {
    const watching = opened(house.url, '/v4/default/registry/microservices/x/watcher')
    await assert.rejects(watching, /401/)
  })
})

suite('accounts and roles', () => {
  test('are made, shown without the password, changed and removed', async () => {
    const admin = await root()
    const { name } = await somebody([everything])
    const shown = await made(admin.call('GET', `/v4/accounts/${name}`))
    assert.deepEqual(Object.keys(shown.body as object), [
      'id',
      'name',
      'roles',
      'status',
      'createTime',
      'updateTime',
    ])
    await made(admin.call('PUT', `/v4/accounts/${name}`, { status: 'inactive' }))
    assert.equal(codeOf(await login(name, password)), '403 403201')
    await made(admin.call('PUT', `/v4/accounts/${name}`, { roles: ['developer'] }))
    assert.equal(codeOf(await admin.call('DELETE', `/v4/roles/developer`)), '403 403203')
    await made(admin.call('DELETE', `/v4/roles/role-${name}`))
    await made(admin.call('DELETE', `/v4/accounts/${name}`))
    assert.equal(codeOf(await admin.call('GET', `/v4/accounts/${name}`)), '400 400200')
  })

  test('each refusal has its code', async () => {
    const admin = await root()
    const { name, client: own } = await somebody([
      { resources: [{ type: 'account' }, { type: 'role' }], verbs: ['*'] },
    ])
    const account = { name: 'fresh', password, roles: ['developer'] }
    const role = `role-${name}`
    const cases = [
      [own, 'POST', '/v4/accounts', { ...account, name }, '409 409200'],
      [own, 'POST', '/v4/accounts', { ...account, roles: ['nobody'] }, '400 400202'],
      [own, 'POST', '/v4/accounts', { ...account, password: 'weak' }, '400 400001'],
      [own, 'POST', '/v4/accounts', { ...account, roles: [] }, '400 400001'],
      [own, 'POST', '/v4/accounts', { ...account, status: 'maybe' }, '400 400001'],
      [own, 'PUT', `/v4/accounts/${name}`, { status: 'inactive' }, '403 403204'],
      [own, 'PUT', '/v4/accounts/root', { status: 'inactive' }, '403 403202'],
      [own, 'PUT', '/v4/accounts/nobody', { status: 'inactive' }, '400 400200'],
      [own, 'PUT', '/v4/accounts/nobody', {}, '400 400001'],
      [own, 'DELETE', '/v4/accounts/root', undefined, '403 403202'],
      [own, 'DELETE', `/v4/accounts/${name}`, undefined, '403 403204'],
      [own, 'DELETE', '/v4/accounts/nobody', undefined, '400 400200'],
      [own, 'POST', '/v4/accounts/root/password', { password }, '403 403205'],
      [own, 'POST', `/v4/accounts/${name}/password`, { password: 'weak' }, '400 400001'],
      [own, 'POST', `/v4/accounts/${name}/password`, { password }, '400 400001'],
      [
        own,
        'POST',
        `/v4/accounts/${name}/password`,
        { password, currentPassword: password },
        '400 400206',
      ],
      [
        own,
        'POST',
        `/v4/accounts/${name}/password`,
        { password: 'Other-password-3', currentPassword: 'Wrong-password-1' },
        '401 401207',
      ],
      [own, 'POST', '/v4/roles', { name: role }, '409 409201'],
      [own, 'POST', '/v4/roles', { name: '' }, '400 400001'],
      [own, 'PUT', '/v4/roles/admin', { perms: [] }, '403 403203'],
      [own, 'PUT', '/v4/roles/nobody', { perms: [] }, '400 400201'],
      [own, 'GET', '/v4/roles/nobody', undefined, '400 400201'],
      [own, 'DELETE', '/v4/roles/nobody', undefined, '400 400201'],
      [own, 'DELETE', `/v4/roles/${role}`, undefined, '400 400205'],
      [admin, 'POST', '/v4/accounts/nobody/password', { password }, '400 400200'],
      [admin, 'POST', '/v4/accounts/batch-create', { accounts: [] }, '400 400001'],
    ] as const
    for (const [who, method, path, body, expected] of cases) {
      const reply = await who.call(method, path, body)
      assert.equal(codeOf(reply), expected, `${method} ${path} ${JSON.stringify(body)}`)
      assert.ok(!reply.text.includes(password), 'no refusal repeats a password')
    }
  })

  test('many are made in one call, and each says how it went', async () => {
    const admin = await root()
    const accounts = [
      { name: 'many1', password, roles: ['developer'] },
      { name: 'many2', password: 'weak', roles: ['developer'] },
      { name: 'root', password, roles: ['developer'] },
    ]
    const { body } = await made(admin.call('POST', '/v4/accounts/batch-create', { accounts }))
    assert.deepEqual(
      [0, 1, 2].map((n) => at(body, 'accounts', n, 'errorCode')),
      [undefined, '400001', '409200'],
    )
    const listed = await made(admin.call('GET', '/v4/accounts'))
    assert.ok(Number(at(listed.body, 'total')) >= 2)
    const roles = await made(admin.call('GET', '/v4/roles'))
    assert.equal(at(roles.body, 'data', 0, 'name'), 'admin')
  })
})

suite('without accounts', () => {
  test('none of their paths is there, whatever the method, and a token is not asked for', async () => {
    const bare = await world()
    try {
      const registry = client(bare)
      for (const [method, path] of [
        ['POST', '/v4/token'],
        ['GET', '/v4/token'],
        ['GET', '/v4/accounts'],
        ['PATCH', '/v4/accounts/x'],
        ['GET', '/v4/roles'],
        ['GET', '/v4/self-perms'],
        ['GET', '/v4/account-locks'],
      ] as const)
        assert.equal((await registry.call(method, path)).status, 404, `${method} ${path}`)
    } finally {
      await bare.close()
    }
  })
})
