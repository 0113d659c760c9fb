// Projects, users, domains and the catalogue, through real sockets; by token and by signature.
// Sources: contracts/identity.md sections 5, 6 and 8.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { dressed, everyService, notAllowed, refused } from '#test/harness/keystone.ts'
import { type OpenStackCaller, as, hear, twoProjects, unscoped } from '#test/harness/openstack.ts'
import { type KeyPair, type SignedRequest, signedCall } from '#test/harness/signed.ts'
import { type World, world } from '#test/harness/world.ts'

interface People {
  readonly mary: OpenStackCaller
  readonly rita: OpenStackCaller
  readonly ada: OpenStackCaller
  readonly otto: OpenStackCaller
}

let w: World
let people: People
before(async () => {
  w = await world({ config: { identity: twoProjects, region: 'cn-test-1' } })
  const [mary, rita, ada, otto] = [
    await as(w, 'mary'),
    await as(w, 'rita'),
    await as(w, 'ada'),
    await as(w, 'otto'),
  ]
  people = { mary, rita, ada, otto }
})
after(() => w.close())

const project = (base: string, id: string, name: string) => ({
  id,
  name,
  domain_id: 'default',
  description: '',
  enabled: true,
  parent_id: 'default',
  is_domain: false,
  tags: [],
  options: {},
  links: { self: `${base}/v3/projects/${id}` },
})
const list = (self: string) => ({ self, next: null, previous: null })

suite('projects', () => {
  test('everybody sees the projects of their own, with or without a scope', async () => {
    const { mary } = people
    const base = `${w.url}/identity`
    const path = '/identity/v3/auth/projects'
    const projects = [project(base, mary.projectId, 'one')]
    for (const caller of [mary, await unscoped(w, 'mary')]) {
      const heard = await caller.call('GET', path)
      assert.equal(heard.status, 200)
      assert.deepEqual(heard.json, { projects, links: list(w.url + path) })
      dressed(heard)
    }
    const own = await mary.call('GET', `/v3/users/${mary.userId}/projects`)
    assert.deepEqual(own.at('projects'), [project(w.url, mary.projectId, 'one')])
    for (const [query, found] of [
      ['name=one', ['one']],
      ['name=two', []],
      ['domain_id=default', ['one']],
      ['domain_id=x', []],
      ['enabled=false', []],
    ] as const) {
      const heard = await mary.call('GET', `/v3/users/${mary.userId}/projects?${query}`)
      assert.deepEqual(heard.each('projects', 'name'), found, query)
    }
  })

  test('all of them are for admins, filtered and paged', async () => {
    const { ada, mary } = people
    const names = async (query: string) =>
      (await ada.call('GET', `/v3/projects${query}`))
        .each('projects', 'name')
        .map(String)
        .toSorted()
    assert.deepEqual(await names(''), ['default', 'one', 'two'])
    assert.deepEqual(await names('?name=two'), ['two'])
    assert.deepEqual(await names('?name=nowhere'), [])
    assert.deepEqual(await names('?name__contains=w'), ['two'])
    assert.deepEqual(await names('?name__contains=W'), [])
    assert.deepEqual(await names('?name__icontains=W'), ['two'])
    assert.deepEqual(await names('?name__startswith=o&name__endswith=e'), ['one'])
    assert.deepEqual(await names('?name__startswith=ne'), [])
    assert.deepEqual(await names('?enabled=true&domain_id=default'), ['default', 'one', 'two'])
    assert.deepEqual(await names('?enabled=false'), [])
    assert.deepEqual(await names('?is_domain=true'), [])
    assert.deepEqual(await names('?parent_id=default&name=one'), ['one'])
    const pages = [await names('?page=1&per_page=2'), await names('?page=2&per_page=2')]
    assert.deepEqual(
      pages.map((page) => page.length),
      [2, 1],
    )
    assert.deepEqual(pages.flat().map(String).toSorted(), ['default', 'one', 'two'])
    assert.deepEqual(await names('?page=3&per_page=2'), [])
    for (const query of ['?page=0&per_page=2', '?page=1', '?page=1&per_page=x'])
      assert.equal((await ada.call('GET', `/v3/projects${query}`)).status, 400, query)
    const self = `${w.url}/v3/projects?name=two`
    assert.deepEqual((await ada.call('GET', '/v3/projects?name=two')).at('links'), list(self))
    refused(await mary.call('GET', '/v3/projects'), 403, notAllowed('list_projects'))
    refused(await mary.call('GET', '/v3/projects?name=one'), 403, notAllowed('list_projects'))
  })

  test('one is for its members and for admins; to others it does not even not exist', async () => {
    const { ada, mary, rita, otto } = people
    const path = `/v3/projects/${mary.projectId}`
    for (const caller of [mary, rita, ada]) {
      const heard = await caller.call('GET', path)
      assert.deepEqual(heard.json, { project: project(w.url, mary.projectId, 'one') })
    }
    const forbidden = notAllowed('get_project')
    refused(await otto.call('GET', path), 403, forbidden)
    refused(await otto.call('GET', '/v3/projects/one'), 403, forbidden)
    refused(await ada.call('GET', '/v3/projects/one'), 404, 'Could not find project: one.')
    assert.equal((await ada.call('GET', `/v3/projects/${otto.projectId}`)).status, 200)
  })
})

suite('users and domains', () => {
  test('a user sees itself, an admin everybody', async () => {
    const { ada, mary, otto } = people
    const path = `/v3/users/${mary.userId}`
    const user = {
      id: mary.userId,
      name: 'mary',
      domain_id: 'default',
      enabled: true,
      password_expires_at: null,
      options: {},
      links: { self: w.url + path },
    }
    for (const caller of [mary, ada])
      assert.deepEqual((await caller.call('GET', path)).json, { user })
    refused(await otto.call('GET', path), 403, notAllowed('get_user'))
    refused(await otto.call('GET', `${path}/projects`), 403, notAllowed('list_user_projects'))
    refused(await ada.call('GET', '/v3/users/mary'), 404, 'Could not find user: mary.')
    const named = await ada.call('GET', '/v3/users?name=mary')
    assert.deepEqual(named.at('users'), [user])
    assert.equal(named.text.includes('scrypt'), false)
    refused(await mary.call('GET', '/v3/users'), 403, notAllowed('list_users'))
  })

  test('domains: one, for admins; own ones for those with a role on them', async () => {
    const { ada, mary } = people
    const domain = {
      id: 'default',
      name: 'Default',
      description: '',
      enabled: true,
      tags: [],
      options: {},
      links: { self: `${w.url}/v3/domains/default` },
    }
    assert.deepEqual((await ada.call('GET', '/v3/domains')).at('domains'), [domain])
    assert.deepEqual((await ada.call('GET', '/v3/domains?name=x')).at('domains'), [])
    assert.deepEqual((await ada.call('GET', '/v3/domains/default')).json, { domain })
    refused(await ada.call('GET', '/v3/domains/Default'), 404, 'Could not find domain: Default.')
    refused(await mary.call('GET', '/v3/domains'), 403, notAllowed('list_domains'))
    refused(await mary.call('GET', '/v3/domains/default'), 403, notAllowed('get_domain'))
    assert.deepEqual((await mary.call('GET', '/v3/auth/domains')).at('domains'), [])
    const admin = { 'x-auth-token': w.credentials['RUNSTATE_TOKEN'] ?? '' }
    const own = await hear(`${w.url}/v3/auth/domains`, 'GET', { headers: admin })
    assert.deepEqual(own.at('domains'), [domain])
  })
})

suite('the catalogue as lists', () => {
  test('roles, services and endpoints are for admins, by list, by filter and one by one', async () => {
    const { ada, mary } = people
    const services = everyService.length
    const counts = { roles: 3, services, endpoints: 3 * services }
    for (const [plural, count] of Object.entries(counts)) {
      const singular = plural.slice(0, -1)
      const all = await ada.call('GET', `/v3/${plural}`)
      assert.equal(all.each(plural, 'id').length, count)
      const [id = ''] = all.each(plural, 'id').map(String)
      const one = await ada.call('GET', `/v3/${plural}/${id}`)
      assert.deepEqual(one.at(singular), all.at(`${plural}.0`))
      assert.equal(one.at(`${singular}.links.self`), `${w.url}/v3/${plural}/${id}`)
      refused(await ada.call('GET', `/v3/${plural}/x`), 404, `Could not find ${singular}: x.`)
      refused(await mary.call('GET', `/v3/${plural}`), 403, notAllowed(`list_${plural}`))
      refused(await mary.call('GET', `/v3/${plural}/${id}`), 403, notAllowed(`get_${singular}`))
    }
    const roles = await ada.call('GET', '/v3/roles?name=reader')
    assert.deepEqual(roles.each('roles', 'name'), ['reader'])
    const compute = await ada.call('GET', '/v3/services?type=compute')
    assert.deepEqual(compute.each('services', 'name'), ['nova'])
    const query = `?service_id=${compute.textAt('services.0.id')}&interface=public`
    const endpoints = await ada.call('GET', `/v3/endpoints${query}`)
    assert.deepEqual(endpoints.each('endpoints', 'url'), [`${w.url}/compute/v2.1`])
    assert.deepEqual(endpoints.each('endpoints', 'region_id'), ['cn-test-1'])
  })

  test('the region is for everybody', async () => {
    const { mary } = people
    const region = {
      id: 'cn-test-1',
      description: '',
      parent_region_id: null,
      type: 'public',
      locales: { 'zh-cn': 'cn-test-1', 'en-us': 'cn-test-1' },
      links: { self: `${w.url}/v3/regions/cn-test-1` },
    }
    assert.deepEqual((await mary.call('GET', '/v3/regions')).at('regions'), [region])
    assert.deepEqual((await mary.call('GET', '/v3/regions/cn-test-1')).json, { region })
    refused(await mary.call('GET', '/v3/regions/x'), 404, 'Could not find region: x.')
  })

  test('the catalogue by itself needs a scope', async () => {
    const heard = await people.mary.call('GET', '/v3/auth/catalog')
    const types = everyService.map(({ type }) => type)
    assert.deepEqual(heard.each('catalog', 'type'), types)
    assert.deepEqual(heard.at('links'), { self: `${w.url}/v3/auth/catalog` })
    const nowhere = await unscoped(w, 'mary')
    const message = 'A project-scoped token is required to produce a service catalog.'
    refused(await nowhere.call('GET', '/v3/auth/catalog'), 403, message)
  })

  test('every read is refused to nobody, and has its HEAD', async () => {
    const reads =
      'auth/projects auth/domains auth/catalog projects users domains regions roles services endpoints'
    for (const path of reads.split(' ')) {
      const needsLogin = 'The request you have made requires authentication.'
      refused(await hear(`${w.url}/v3/${path}`, 'GET'), 401, needsLogin, w.url)
      const headers = { 'x-auth-token': w.credentials['RUNSTATE_TOKEN'] ?? '' }
      const [get, head] = await Promise.all(
        ['GET', 'HEAD'].map((method) => hear(`${w.url}/v3/${path}`, method, { headers })),
      )
      assert.deepEqual([get?.status, head?.status, head?.text], [200, 200, ''], path)
      assert.equal(head?.headers.get('content-length'), get?.headers.get('content-length'))
    }
  })
})

suite('signed requests', () => {
  const keyOf = async ({ userId }: OpenStackCaller): Promise<KeyPair> => {
    const user = await w.identity.user(userId)
    assert.ok(user)
    const wish = { userId: user.id, look: 'plain', project: null, description: '' } as const
    return (await w.identity.keys.create(wish)).pair
  }
  const call = async (wanted: Partial<SignedRequest>, key?: KeyPair) =>
    await signedCall(w.url, key ?? (await keyOf(people.mary)), {
      method: 'GET',
      path: '/v3/projects?name=one',
      body: '{}',
      ...wanted,
    })
  const namesIn = (json: unknown): unknown => {
    const { projects = [] } = Object(json) as { projects?: readonly { name: string }[] } // checked by what is compared
    return projects.map(({ name }) => name)
  }

  test('a library finds its project by name, with a body in its GET', async () => {
    const found = await call({})
    assert.equal(found.status, 200)
    assert.deepEqual(Object(found.json), {
      projects: [project(w.url, people.mary.projectId, 'one')],
      links: list(`${w.url}/v3/projects?name=one`),
    })
    assert.deepEqual(namesIn((await call({ path: '/v3/projects' })).json), ['one'])
    assert.deepEqual(namesIn((await call({ path: '/v3/projects?name=two' })).json), [])
  })

  test('and its own domain, the regions and the catalogue', async () => {
    for (const path of ['/v3/auth/domains', '/v3/regions', '/v3/auth/catalog', '/v3/auth/projects'])
      assert.equal((await call({ path })).status, 200, path)
    const { json } = await call({ path: '/v3/auth/domains', headers: { 'x-domain-id': 'default' } })
    assert.match(JSON.stringify(json), /"id":"default","name":"Default"/)
  })

  const incorrect = 'Incorrect IAM authentication information: '

  test('what is wrong with a signature is said in the shape that libraries read', async () => {
    const key = await keyOf(people.mary)
    const good = { 'x-project-id': people.mary.projectId }
    const other = { 'x-project-id': people.otto.projectId }
    const quarterMs = 16 * 60_000
    const rows: readonly (readonly [Partial<SignedRequest>, KeyPair, number, string, string])[] = [
      [
        {},
        { id: 'NOBODYSKEY0000000001', secret: 'x' },
        401,
        '0301',
        `${incorrect}ak NOBODYSKEY0000000001 not exist`,
      ],
      [{}, { ...key, secret: 'x' }, 401, '0301', `${incorrect}verify aksk signature fail`],
      [{ nowMs: Date.now() - quarterMs }, key, 401, '0301', `${incorrect}x-sdk-date is expired`],
      [{ nowMs: Date.now() + quarterMs }, key, 401, '0301', `${incorrect}x-sdk-date is expired`],
      [{ headers: other }, key, 403, '0302', 'The IAM user is not authorized to access the API'],
      [
        { headers: { 'x-domain-id': 'x' } },
        key,
        403,
        '0302',
        'The IAM user is not authorized to access the API',
      ],
    ]
    assert.equal((await call({ headers: good }, key)).status, 200)
    for (const [wanted, pair, status, code, message] of rows) {
      const found = await call(wanted, pair)
      const id = found.headers['x-request-id']
      const body = { error_msg: message, error_code: `APIGW.${code}`, request_id: id }
      assert.deepEqual([found.status, found.json], [status, body])
      assert.match(String(id), /^[0-9a-f]{32}$/)
    }
  })

  test('a wrong signature is not saved by a good token beside it', async () => {
    const unsigned = { 'x-auth-token': people.mary.token }
    const key = { ...(await keyOf(people.mary)), secret: 'x' }
    assert.equal((await call({ unsigned, path: '/v3/auth/projects' }, key)).status, 401)
  })

  test('a key in an admin project reads what admins read; tokens stay a matter of tokens', async () => {
    const { ada } = people
    const key = await keyOf(ada)
    const headers = { 'x-project-id': ada.projectId }
    assert.equal((await call({ path: '/v3/users', headers }, key)).status, 200)
    assert.equal((await call({ path: '/v3/users' }, key)).status, 403)
    assert.equal((await call({ path: '/v3/auth/tokens', headers }, key)).status, 401)
  })
})
