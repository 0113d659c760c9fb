// How services find each other. Source: contracts/cse-registry.md sections 3.4 (I5 to I8) and 5.

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
  registered,
  revisionOf,
  service,
  stage,
} from '#test/harness/registry.ts'
import { type World, world } from '#test/harness/world.ts'

let house: World
before(async () => {
  house = await world({ config: { identity: { projects: [{ name: 'team' }] } } })
})
after(() => house.close())

let tenants = 0
const fresh = (): Client => client(house, { domain: `tenant-${(tenants += 1)}` })
const as = (consumer: string) => ({ 'x-consumerid': consumer })
const rowsIn = (body: unknown) => (at(body, 'instances') ?? []) as readonly unknown[] // a list or nothing
const textsIn = (body: unknown, key: string) =>
  rowsIn(body)
    .map((row) => String(at(row, key)))
    .toSorted()
const idsIn = (body: unknown) => textsIn(body, 'instanceId')

suite('find', () => {
  test('200, then 304, then 200 again after each change, never after a heartbeat', async () => {
    const registry = fresh()
    await stage(registry)
    let rev = revisionOf(await made(registry.call('GET', `${find}&rev=`)))
    const changes = [
      () => registry.call('PUT', `${one}/status?value=DOWN`),
      () => registry.call('PUT', `${one}/status?value=DOWN`),
      () => registry.call('PUT', `${one}/properties`, { properties: { a: 'b' } }),
      () => registered(registry, { instanceId: 'i2' }),
      () => registry.call('DELETE', '{r}/microservices/svc1/instances/i2'),
    ]
    const seen = new Set([rev])
    for (const change of changes) {
      const same = await registry.call('GET', `${find}&rev=${rev}`)
      assert.deepEqual([same.status, same.text, revisionOf(same)], [304, '', rev])
      await made(change())
      const next = await registry.call('GET', `${find}&rev=${rev}`)
      assert.equal(next.status, 200)
      rev = revisionOf(next)
      seen.add(rev)
    }
    assert.equal(seen.size, changes.length + 1)
    await made(registry.call('PUT', `${one}/heartbeat`))
    await made(registry.call('PUT', '{r}/microservices/svc1/properties', { properties: {} }))
    assert.equal((await registry.call('GET', `${find}&rev=${rev}`)).status, 304)
    assert.equal((await registry.call('GET', `${find}&rev=${rev}&noCache=1`)).status, 200)
    assert.equal((await registry.call('GET', `${find}&rev=from-the-future`)).status, 200)
    const shown = await registry.call('GET', find)
    assert.equal(at(shown.body, 'instances', 0, 'status'), 'DOWN')
  })

  test('every version and every status is shown, whatever version is asked for', async () => {
    const registry = fresh()
    await stage(registry, { status: 'TESTING' })
    const second = { ...service, serviceId: 'svc2', version: '2.0.0' }
    await made(registry.call('POST', '{r}/microservices', { service: second }))
    const more = { instance: { instanceId: 'j1', hostName: 'h' } }
    await made(registry.call('POST', '{r}/microservices/svc2/instances', more))
    const reply = await registry.call('GET', find.replace('0%2B', '1.0.0'))
    assert.deepEqual(idsIn(reply.body), ['i1', 'j1'])
    assert.deepEqual(textsIn(reply.body, 'version'), ['1.0.0', '2.0.0'])
  })

  test('an unknown provider, environment or consumer is named by its code', async () => {
    const registry = fresh()
    await stage(registry)
    for (const [path, headers] of [
      [find.replace('=provider', '=nobody'), {}],
      [find.replace('=shop', '=other'), {}],
      [`${find}&env=production`, {}],
      [find, as('nobody')],
    ] as const) {
      const reply = await registry.call('GET', path, undefined, headers)
      assert.equal(codeOf(reply), '400 400012', path)
      assert.ok(reply.text.includes('"errorCode":"400012"'), 'clients look for this very text')
    }
    for (const path of ['{r}/instances', `${find}&env=nowhere`, '{r}/instances?appId=shop'])
      assert.equal(codeOf(await registry.call('GET', path)), '400 400001', path)
  })

  test('a provider without instances, or without the tags, is empty', async () => {
    const registry = fresh()
    const tagged = { service, tags: { blue: 'yes' } }
    await made(registry.call('POST', '{r}/microservices', tagged))
    const none = await registry.call('GET', find)
    assert.equal(none.text, '{}')
    assert.notEqual(revisionOf(none), '')
    await registered(registry)
    assert.deepEqual(idsIn((await registry.call('GET', `${find}&tags=blue`)).body), ['i1'])
    assert.equal((await registry.call('GET', `${find}&tags=blue,red`)).text, '{}')
  })

  test('a consumer sees its own environment, and other apps only where they let it', async () => {
    const registry = fresh()
    const production = { environment: 'production', appId: 'shop' }
    const add = (given: object) =>
      made(registry.call('POST', '{r}/microservices', { service: given }))
    await add({ ...service, ...production })
    await registered(registry)
    await add({ ...production, serviceName: 'peer', serviceId: 'peer' })
    await add({ ...production, serviceName: 'alien', serviceId: 'alien', appId: 'other' })
    const ask = (consumer: string) => registry.call('GET', find, undefined, as(consumer))
    assert.deepEqual(idsIn((await ask('peer')).body), ['i1'])
    assert.equal((await ask('alien')).text, '{}')
    const open = { properties: { allowCrossApp: 'true' } }
    await made(registry.call('PUT', '{r}/microservices/svc1/properties', open))
    assert.deepEqual(idsIn((await ask('alien')).body), ['i1'])
  })

  test('an alias finds, and a thousand instances and more are all shown', async () => {
    const registry = fresh()
    const aliased = { ...service, alias: 'the:one' }
    await made(registry.call('POST', '{r}/microservices', { service: aliased }))
    const indexes = Array.from({ length: 1_001 }, (_, index) => index)
    // A few connections are enough.
    for (let at = 0; at < indexes.length; at += 40)
      await Promise.all(
        indexes
          .slice(at, at + 40)
          .map((index) => registered(registry, { instanceId: `n${index}` })),
      )
    const reply = await registry.call('GET', find.replace('=provider', '=the:one'))
    assert.equal(rowsIn(reply.body).length, 1_001)
  })
})

suite('lists', () => {
  test('one service’s instances and one instance, with revisions of their own', async () => {
    const registry = fresh()
    await stage(registry)
    const list = '{r}/microservices/svc1/instances'
    for (const path of [list, one]) {
      const rev = revisionOf(await made(registry.call('GET', path)))
      assert.equal((await registry.call('GET', `${path}?rev=${rev}`)).status, 304)
      await made(registry.call('PUT', `${one}/status?value=UP`))
      assert.equal((await registry.call('GET', `${path}?rev=${rev}`)).status, 200)
    }
    const unknown = await registry.call('GET', '{r}/microservices/nope/instances')
    assert.equal(codeOf(unknown), '400 400012')
    assert.equal(at(unknown.body, 'detail'), 'Provider[nope] does not exist.')
    const lost = await registry.call('GET', `${list}/i9`)
    assert.equal(codeOf(lost), '400 400017')
    const consumer = await registry.call('GET', list, undefined, as('nobody'))
    assert.equal(at(consumer.body, 'detail'), 'Consumer[nobody] does not exist.')
    const both = await registry.call(
      'GET',
      '{r}/instances?serviceName=provider',
      undefined,
      as('nobody'),
    )
    assert.equal(codeOf(both), '400 400001', 'fields are judged before anybody is looked up')
  })

  test('an empty tenant answers {} to the byte', async () => {
    const registry = fresh()
    assert.equal((await registry.call('GET', '{r}/microservices')).text, '{}')
    await made(registry.call('POST', '{r}/microservices', { service }))
    for (const path of ['/instances', '/schemas'])
      assert.equal((await registry.call('GET', `{r}/microservices/svc1${path}`)).text, '{}')
  })
})

suite('batch find', () => {
  test('each entry has its place, and what is the same is not sent again', async () => {
    const registry = fresh()
    await stage(registry)
    const known = { appId: 'shop', serviceName: 'provider' }
    const rev = revisionOf(await registry.call('GET', find))
    const pair = { serviceId: 'svc1', instanceId: 'i1' }
    const ask = (body: unknown, type = 'query') =>
      registry.call('POST', `{r}/instances/action?type=${type}`, body)
    const reply = await ask({
      services: [
        { service: known },
        { service: { ...known, serviceName: 'nobody' } },
        { service: known, rev },
        { service: { ...known, serviceName: 'noone' } },
      ],
      instances: [{ instance: pair }, { instance: { ...pair, instanceId: 'i9' } }],
    })
    assert.deepEqual(at(reply.body, 'services', 'notModified'), [2])
    assert.deepEqual(at(reply.body, 'services', 'failed', 0, 'indexes'), [1, 3])
    const error = at(reply.body, 'services', 'failed', 0, 'error') as object // there, or keys() throws
    assert.deepEqual(Object.keys(error), ['errorCode', 'errorMessage', 'detail'])
    assert.equal(at(reply.body, 'services', 'updated', 0, 'index'), 0)
    assert.equal(at(reply.body, 'services', 'updated', 0, 'rev'), rev)
    assert.equal(at(reply.body, 'services', 'updated', 0, 'instances', 0, 'instanceId'), 'i1')
    assert.equal(at(reply.body, 'instances', 'failed', 0, 'error', 'errorCode'), '400017')
    assert.equal(at(reply.body, 'instances', 'updated', 0, 'instances', 0, 'instanceId'), 'i1')
    const only = await ask({ services: [{ service: known, rev }] })
    assert.equal(only.text, '{"services":{"notModified":[0]}}')
    assert.equal(at((await ask({}, 'else')).body, 'detail'), 'Invalid action: else')
    assert.equal(at((await ask({})).body, 'detail'), 'Required services or instances')
  })
})

suite('tenants', () => {
  test('equal names in two tenants are two worlds', async () => {
    const [a, b] = [fresh(), client(house, { project: 'elsewhere' })]
    await stage(a)
    await stage(b, { hostName: 'b' })
    await made(a.call('PUT', `${one}/status?value=DOWN`))
    const seen = await b.call('GET', find)
    assert.equal(at(seen.body, 'instances', 0, 'status'), 'UP')
    assert.equal(at(seen.body, 'instances', 0, 'hostName'), 'b')
    await made(a.call('DELETE', '{r}/microservices/svc1?force=true'))
    assert.equal((await b.call('GET', find)).status, 200)
  })

  test('names that look like a path do not lead into another tenant', async () => {
    const [a, b] = [
      client(house, { domain: 'x/y', project: 'z' }),
      client(house, { domain: 'x', project: 'y' }),
    ]
    await made(a.call('POST', '{r}/microservices', { service: { ...service, serviceId: 'v' } }))
    const sly = { ...service, serviceId: 'z/v', description: 'sly' }
    await made(b.call('POST', '{r}/microservices', { service: sly }))
    const shown = await a.call('GET', '{r}/microservices/v')
    assert.equal(at(shown.body, 'service', 'description'), undefined)
  })

  test('a known project of the default domain is that project, by name and by id', async () => {
    const named = client(house, { project: 'team' })
    await stage(named)
    const project = await house.identity.project({ name: 'team', domainId: 'default' })
    const byId = client(house, { domain: 'Default', project: project?.id ?? '' })
    assert.equal((await byId.call('GET', one)).text, (await named.call('GET', one)).text)
    const rows = await house.plane.read.list('instances', {
      where: { project: project?.id ?? '', kind: 'service-instance' },
      limit: 10,
    })
    assert.deepEqual(
      rows.map((row) => row.name),
      ['i1'],
    )
    assert.equal(
      (await client(house, { domain: 'd', project: 'team' }).call('GET', one)).status,
      400,
    )
  })

  test('paths of the older protocol are those of the default project', async () => {
    const registry = client(house)
    await stage(registry)
    const old = await registry.call('GET', one.replace('{r}', '/registry/v3'))
    assert.equal(old.text, (await registry.call('GET', one)).text)
    const versions = ['{r}/version', '/registry/v3/version', '/version'] as const
    const said = await Promise.all(versions.map((path) => registry.call('GET', path)))
    assert.deepEqual(
      said.map((reply) => at(reply.body, 'apiVersion')),
      ['4.0.0', '3.0.0', '3.0.0'],
    )
    for (const path of ['{r}/health', '/registry/v3/health', '/health']) {
      const reply = await registry.call('GET', path)
      const endpoint = at(reply.body, 'instances', 0, 'endpoints', 0)
      assert.equal(endpoint, `${house.url.replace('http:', 'rest:')}/`)
    }
    const ready = await registry.call('GET', '{r}/health/readiness')
    assert.deepEqual([ready.status, ready.text], [200, ''])
  })
})
