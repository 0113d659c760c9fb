// Tags, schema sets, dependencies, many statuses at once, and what consoles read. Source:
// contracts/cse-registry.md sections 3.3, 3.4 (I12), 3.5 and 3.6.

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
  service,
  shownStatus,
  stage,
} from '#test/harness/registry.ts'
import { type World, world } from '#test/harness/world.ts'

let house: World
before(async () => {
  house = await world()
})
after(() => house.close())

let tenants = 0
const fresh = (): Client => client(house, { domain: `sibling-${(tenants += 1)}` })
const consumer = { serviceId: 'con1', appId: 'shop', serviceName: 'consumer', version: '1.0.0' }
const asConsumer = { 'x-consumerid': 'con1' }
const namesIn = (body: unknown, key: string): readonly unknown[] =>
  ((at(body, key) ?? []) as readonly unknown[]).map((row) => at(row, 'serviceName')) // a list or nothing
const tags = '{r}/microservices/svc1/tags'

suite('tags', () => {
  test('are set as a whole, changed one by one, and removed by name', async () => {
    const registry = fresh()
    await stage(registry)
    assert.equal((await registry.call('GET', tags)).text, '{}')
    await made(registry.call('POST', tags, { tags: { a: 'b', c: 'd' } }))
    await made(registry.call('POST', tags, { tags: { c: 'd', e: 'f' } }))
    await made(registry.call('PUT', `${tags}/c?value=x`))
    assert.deepEqual((await registry.call('GET', tags)).body, { tags: { c: 'x', e: 'f' } })
    await made(registry.call('DELETE', `${tags}/c,e`))
    assert.equal((await registry.call('GET', tags)).text, '{}')
    await made(registry.call('POST', tags, { tags: { a: 'b' } }))
    await made(registry.call('POST', tags, {}))
    assert.equal((await registry.call('GET', tags)).text, '{}')
  })

  test('changes at once do not undo each other', async () => {
    const registry = fresh()
    await stage(registry)
    const keys = Array.from({ length: 20 }, (_, n) => `t${n}`)
    const all = Object.fromEntries(keys.map((key) => [key, 'old']))
    await made(registry.call('POST', tags, { tags: all }))
    await Promise.all(keys.map((key) => made(registry.call('PUT', `${tags}/${key}?value=new`))))
    const { body } = await registry.call('GET', tags)
    assert.deepEqual(
      Object.values(at(body, 'tags') as object),
      keys.map(() => 'new'),
    ) // a map of texts
  })

  test('what is not there, does not fit, or is of nobody is named by its code', async () => {
    const registry = fresh()
    await stage(registry)
    await made(registry.call('POST', tags, { tags: { a: 'b' } }))
    const missing = await registry.call('PUT', `${tags}/z?value=x`)
    assert.equal(codeOf(missing), '400 400018')
    assert.equal(at(missing.body, 'detail'), 'Tag does not exist, please add one first.')
    assert.equal(codeOf(await registry.call('DELETE', `${tags}/a,z`)), '400 400018')
    for (const [method, path, body] of [
      ['POST', tags, { tags: { '1a': 'b' } }],
      ['POST', tags, { tags: { a: '' } }],
      [
        'POST',
        tags,
        { tags: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`t${n}`, 'x'])) },
      ],
      ['PUT', `${tags}/a`, undefined],
      ['PUT', `${tags}/a?value=${'x'.repeat(65)}`, undefined],
      ['DELETE', `${tags}/a,,b`, undefined],
    ] as const)
      assert.equal(
        codeOf(await registry.call(method, path, body)),
        '400 400001',
        `${method} ${path}`,
      )
    const nobody = tags.replace('svc1', 'nobody')
    for (const [method, path, body] of [
      ['POST', nobody, { tags: { a: 'b' } }],
      ['GET', nobody, undefined],
      ['PUT', `${nobody}/a?value=x`, undefined],
      ['DELETE', `${nobody}/a`, undefined],
    ] as const)
      assert.equal(codeOf(await registry.call(method, path, body)), '400 400012', method)
    assert.deepEqual((await registry.call('GET', tags)).body, { tags: { a: 'b' } })
  })
})

suite('sets of schemas', () => {
  const schemas = '{r}/microservices/svc1/schemas'
  test('the given set replaces all, and one is removed', async () => {
    const registry = fresh()
    await made(
      registry.call('POST', '{r}/microservices', { service: { ...service, schemas: ['old'] } }),
    )
    await made(registry.call('PUT', `${schemas}/other`, { schema: 's0', summary: 'h0' }))
    const set = [
      { schemaId: 'a', schema: 's1', summary: 'h1' },
      { schemaId: 'b', schema: 's2', summary: 'h2' },
    ]
    await made(registry.call('POST', schemas, { schemas: set }))
    const listed = await registry.call('GET', schemas)
    assert.deepEqual(at(listed.body, 'schemas'), [
      { schemaId: 'a', summary: 'h1' },
      { schemaId: 'b', summary: 'h2' },
    ])
    await made(registry.call('DELETE', `${schemas}/a`))
    assert.equal(codeOf(await registry.call('DELETE', `${schemas}/a`)), '400 400016')
    const shown = await registry.call('GET', '{r}/microservices/svc1')
    assert.deepEqual(at(shown.body, 'service', 'schemas'), ['b'])
  })

  test('an empty one, and one without a summary, is refused', async () => {
    const registry = fresh()
    await stage(registry)
    const empty = await registry.call('POST', schemas, { schemas: [] })
    assert.equal(codeOf(empty), '400 400001')
    assert.equal(at(empty.body, 'detail'), 'Invalid request.')
    const bare = { schemas: [{ schemaId: 'a', schema: 's' }] }
    assert.equal(codeOf(await registry.call('POST', schemas, bare)), '400 400001')
    const nobody = schemas.replace('svc1', 'nobody')
    const set = { schemas: [{ schemaId: 'a', schema: 's', summary: 'h' }] }
    assert.equal(codeOf(await registry.call('POST', nobody, set)), '400 400012')
    assert.equal(codeOf(await registry.call('DELETE', `${nobody}/a`)), '400 400012')
  })
})

suite('dependencies', () => {
  const dependencies = (providers: readonly object[]) => ({
    dependencies: [{ consumer, providers }],
  })
  const provider = { appId: 'shop', serviceName: 'provider', version: '0+' }

  test('what a find or a declaration says is read from both sides, and replaced', async () => {
    const registry = fresh()
    await stage(registry)
    await made(registry.call('POST', '{r}/microservices', { service: consumer }))
    const other = { ...service, serviceId: 'oth1', serviceName: 'other' }
    await made(registry.call('POST', '{r}/microservices', { service: other }))
    await made(registry.call('GET', find, undefined, asConsumer))
    const more = dependencies([{ serviceName: 'other' }, { serviceName: 'yet-to-come' }])
    const declared = await made(registry.call('POST', '{r}/dependencies', more))
    assert.equal(declared.headers.get('deprecation'), 'version="v4"')
    const providers = () => registry.call('GET', '{r}/microservices/con1/providers?sameDomain=1')
    assert.deepEqual(namesIn((await providers()).body, 'providers'), ['provider', 'other'])
    const consumers = await registry.call('GET', '{r}/microservices/svc1/consumers')
    assert.deepEqual(namesIn(consumers.body, 'consumers'), ['consumer'])
    await made(registry.call('PUT', '{r}/dependencies', dependencies([provider])))
    assert.deepEqual(namesIn((await providers()).body, 'providers'), ['provider'])
    await made(registry.call('PUT', '{r}/dependencies', dependencies([])))
    assert.equal((await providers()).text, '{}')
  })

  test('a provider that is needed leaves by force only; consumers come before instances', async () => {
    const registry = fresh()
    await stage(registry)
    await made(registry.call('POST', '{r}/microservices', { service: consumer }))
    await made(registry.call('GET', find, undefined, asConsumer))
    const leaving = (force: string) => registry.call('DELETE', `{r}/microservices/svc1${force}`)
    assert.equal(codeOf(await leaving('')), '400 400023')
    await made(registry.call('PUT', '{r}/dependencies', dependencies([])))
    assert.equal(codeOf(await leaving('?force=0')), '400 400013')
    await made(leaving('?force=1'))
  })

  test('an app that is not let in neither finds nor depends', async () => {
    const registry = fresh()
    await stage(registry)
    const stranger = { ...consumer, appId: 'other' }
    await made(registry.call('POST', '{r}/microservices', { service: stranger }))
    assert.equal((await registry.call('GET', find, undefined, asConsumer)).text, '{}')
    assert.equal((await registry.call('GET', '{r}/microservices/con1/providers')).text, '{}')
    assert.equal((await registry.call('GET', '{r}/microservices/svc1/consumers')).text, '{}')
  })

  test('what is declared is told, also of an app that is not let in', async () => {
    const registry = fresh()
    await stage(registry)
    const stranger = { ...consumer, appId: 'other' }
    await made(registry.call('POST', '{r}/microservices', { service: stranger }))
    const declared = { dependencies: [{ consumer: stranger, providers: [provider] }] }
    await made(registry.call('PUT', '{r}/dependencies', declared))
    const providers = await made(registry.call('GET', '{r}/microservices/con1/providers'))
    assert.equal(at(providers.body, 'providers', 0, 'serviceId'), 'svc1')
    const consumers = await made(registry.call('GET', '{r}/microservices/svc1/consumers'))
    assert.equal(at(consumers.body, 'consumers', 0, 'serviceId'), 'con1')
    assert.equal((await registry.call('GET', find, undefined, asConsumer)).text, '{}')
  })

  test('unknown ones, and bodies that do not fit, are refused', async () => {
    const registry = fresh()
    const unknown = await registry.call('POST', '{r}/dependencies', dependencies([provider]))
    assert.equal(codeOf(unknown), '400 400012')
    assert.equal(at(unknown.body, 'detail'), 'Consumer /shop/consumer/1.0.0 does not exist.')
    for (const body of [
      {},
      { dependencies: [] },
      { dependencies: [{ providers: [provider] }] },
      { dependencies: [{ consumer }] },
      { dependencies: [{ consumer: { ...consumer, version: '' }, providers: [provider] }] },
      { dependencies: [{ consumer, providers: [{ ...provider, serviceName: '' }] }] },
      { dependencies: [{ consumer, providers: [{ ...provider, version: 'no' }] }] },
      { dependencies: Array.from({ length: 101 }, () => ({ consumer, providers: [provider] })) },
    ])
      assert.equal(
        codeOf(await registry.call('POST', '{r}/dependencies', body)),
        '400 400001',
        JSON.stringify(body).slice(0, 80),
      )
    for (const side of ['providers', 'consumers'])
      assert.equal(codeOf(await registry.call('GET', `{r}/microservices/no/${side}`)), '400 400012')
  })
})

suite('many statuses at once', () => {
  test('every instance with all the properties changes, no other', async () => {
    const registry = fresh()
    await stage(registry, { properties: { zone: 'a', rack: '1' } })
    await registered(registry, { instanceId: 'i2', properties: { zone: 'a' } })
    const wanted = { matches: { properties: { zone: 'a', rack: '1' } }, status: 'OUTOFSERVICE' }
    const reply = await made(registry.call('PUT', '{r}/instances/status', wanted))
    assert.equal(reply.text, '')
    assert.equal(await shownStatus(registry), 'OUTOFSERVICE')
    assert.equal(await shownStatus(registry, one.replace('i1', 'i2')), 'UP')
  })

  test('an empty filter and an unknown word are refused, and nothing changes', async () => {
    const registry = fresh()
    await stage(registry, { properties: { zone: 'a' } })
    for (const body of [
      { matches: { properties: {} }, status: 'DOWN' },
      { status: 'DOWN' },
      { matches: { properties: { zone: 'a' } }, status: 'down' },
      { matches: { properties: { zone: 'a' } } },
    ])
      assert.equal(codeOf(await registry.call('PUT', '{r}/instances/status', body)), '400 400001')
    assert.equal(await shownStatus(registry), 'UP')
  })
})

suite('consoles', () => {
  const governed = async (): Promise<Client> => {
    const registry = fresh()
    await stage(registry, { properties: { zone: 'a' } })
    await made(
      registry.call('POST', '{r}/microservices', {
        service: { ...consumer, properties: { k: 'v' } },
      }),
    )
    await made(registry.call('GET', find, undefined, asConsumer))
    await made(registry.call('POST', tags, { tags: { a: 'b' } }))
    await made(registry.call('PUT', '{r}/microservices/svc1/schemas/s', { schema: 'text' }))
    return registry
  }

  test('one service with all that belongs to it', async () => {
    const registry = await governed()
    const { body } = await made(registry.call('GET', '/v4/default/govern/microservices/svc1'))
    const detail = at(body, 'service')
    assert.equal(at(detail, 'microService', 'serviceId'), 'svc1')
    assert.equal(at(detail, 'instances', 0, 'instanceId'), 'i1')
    assert.deepEqual(at(detail, 'schemaInfos'), [{ schemaId: 's', schema: 'text' }])
    assert.deepEqual(at(detail, 'tags'), { a: 'b' })
    assert.deepEqual(namesIn(detail, 'consumers'), ['consumer'])
    assert.deepEqual(at(detail, 'microServiceVersions'), ['1.0.0'])
    const lost = await registry.call('GET', '/v4/default/govern/microservices/nobody')
    assert.equal(codeOf(lost), '400 400012')
  })

  test('all services, filtered, with the parts that are asked for', async () => {
    const registry = await governed()
    const all = '/v4/default/govern/microservices'
    const bare = await made(registry.call('GET', all))
    assert.deepEqual(
      (at(bare.body, 'allServicesDetail') as readonly object[]).map((one) => Object.keys(one)), // a list
      [['microService'], ['microService']],
    )
    const full = await made(registry.call('GET', `${all}?options=all&appId=shop&property=k:v`))
    assert.equal(at(full.body, 'allServicesDetail', 0, 'microService', 'serviceId'), 'con1')
    assert.equal(at(full.body, 'allServicesDetail', 1), undefined)
    assert.deepEqual(namesIn(at(full.body, 'allServicesDetail', 0), 'providers'), ['provider'])
    const counted = await made(registry.call('GET', `${all}?options=statistics&countOnly=1`))
    assert.deepEqual(counted.body, {
      statistics: {
        services: { count: 2, onlineCount: 1 },
        instances: { count: 1, countByDomain: 1 },
        apps: { count: 1 },
      },
    })
    assert.equal(codeOf(await registry.call('GET', `${all}?countOnly=2`)), '400 400001')
  })

  test('apps, counts and who calls whom', async () => {
    const registry = await governed()
    const apps = await made(registry.call('GET', '/v4/default/govern/apps'))
    assert.equal(apps.text, '{"appIds":["shop"]}')
    const counts = await made(registry.call('GET', '/v4/default/govern/statistics'))
    assert.equal(
      counts.text,
      '{"statistics":{"services":{"count":2,"onlineCount":1},"instances":{"count":1,"countByDomain":1},"apps":{"count":1}}}',
    )
    const { body } = await made(registry.call('GET', '/v4/default/govern/relations'))
    assert.equal(at(body, 'lines', 0, 'from', 'name'), 'consumer')
    assert.equal(at(body, 'lines', 0, 'to', 'name'), 'provider')
    const empty = fresh()
    assert.equal((await empty.call('GET', '/v4/default/govern/apps')).text, '{}')
  })

  test('the dump is for the default tenant alone, and tells nothing of the server but its version', async () => {
    const stranger = await governed()
    const refused = await stranger.call('GET', '/v4/default/admin/dump?options=cache')
    assert.equal(codeOf(refused), '403 403001')
    const registry = client(house)
    await stage(registry)
    const { body } = await made(registry.call('GET', '/v4/default/admin/dump'))
    assert.deepEqual(Object.keys(at(body, 'info') as object), ['version']) // an object
    assert.equal(at(body, 'cache', 'instances', 0, 'value', 'instanceId'), 'i1')
  })
})
