// Microservices and their schemas through real sockets. Source: contracts/cse-registry.md sections 3.2 and 3.3.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at } from '#test/harness/api.ts'
import {
  type Client,
  client,
  codeOf,
  made,
  registered,
  service,
  stage,
} from '#test/harness/registry.ts'
import { type World, world } from '#test/harness/world.ts'

let house: World
before(async () => {
  house = await world()
})
after(() => house.close())

let tenants = 0
/** Each test has a registry of its own: tenants share nothing. */
const fresh = (): Client => client(house, { domain: `tenant-${(tenants += 1)}` })
const create = (registry: Client, given: Record<string, unknown>, rest: object = {}) =>
  registry.call('POST', '{r}/microservices', { service: given, ...rest })
const detailOf = (reply: { readonly body: unknown }) => at(reply.body, 'detail')

suite('services', () => {
  test('an id is made of 40 hex digits, and the same identity gets the same one', async () => {
    const registry = fresh()
    const first = await create(registry, { serviceName: 'p', description: 'one' })
    assert.match(first.text, /^\{"serviceId":"[0-9a-f]{40}"\}$/)
    const again = await create(registry, { serviceName: 'p', description: 'two' })
    assert.equal(again.text, first.text)
    const id = String(at(first.body, 'serviceId'))
    const shown = await registry.call('GET', `{r}/microservices/${id}`)
    assert.equal(at(shown.body, 'service', 'description'), 'one')
    const other = await create(registry, { serviceName: 'p', version: '2.0' })
    assert.notEqual(other.text, first.text)
  })

  test('it is shown in the original’s order, without what is empty, with defaults filled in', async () => {
    const registry = fresh()
    const full = {
      ...service,
      schemas: ['a'],
      properties: { k: 'v', none: '' },
      framework: { name: 'f', version: '1' },
      unheard: 1,
    }
    await made(create(registry, full))
    const shown = await registry.call('GET', '{r}/microservices/svc1')
    assert.match(
      shown.text,
      /^\{"service":\{"serviceId":"svc1","appId":"shop","serviceName":"provider","version":"1\.0\.0","level":"BACK","schemas":\["a"\],"status":"UP","properties":\{"k":"v","none":""\},"timestamp":"\d{10}","modTimestamp":"\d{10}","framework":\{"name":"f","version":"1"\}\}\}$/,
    )
    const listed = await registry.call('GET', '{r}/microservices')
    assert.deepEqual(listed.body, { services: [at(shown.body, 'service')] })
  })

  test('an own id may not be another one’s, and an identity may not get a second id', async () => {
    const registry = fresh()
    await made(create(registry, service))
    assert.equal((await create(registry, service)).text, '{"serviceId":"svc1"}')
    for (const clash of [
      { ...service, serviceId: 'svc2' },
      { ...service, serviceName: 'other' },
    ]) {
      const reply = await create(registry, clash)
      assert.equal(codeOf(reply), '400 400010')
      assert.equal(
        detailOf(reply),
        'ServiceID conflict or found the same service with different id.',
      )
    }
  })

  test('an id with a slash is another one than its escaped form', async () => {
    const registry = fresh()
    for (const [index, serviceId] of ['a/b', 'a%2Fb', 'a%252Fb'].entries()) {
      const reply = await create(registry, { serviceName: `s${index}`, serviceId })
      assert.equal(at(reply.body, 'serviceId'), serviceId)
    }
  })

  test('existence tells a name that nobody has from a version that the name has not', async () => {
    const registry = fresh()
    await made(create(registry, { ...service, alias: 'the:provider' }))
    const ask = (query: string) => registry.call('GET', `{r}/existence?type=microservice&${query}`)
    const found = await ask('env=&appId=shop&serviceName=provider&version=1.0.0')
    assert.equal(found.text, '{"serviceId":"svc1"}')
    const byAlias = await ask('appId=shop&serviceName=the:provider&version=1.0.0')
    assert.equal(byAlias.text, found.text)
    const version = await ask('appId=shop&serviceName=provider&version=2.0.0')
    assert.equal(codeOf(version), '400 400026')
    const name = await ask('appId=shop&serviceName=nobody&version=1.0.0')
    assert.equal(codeOf(name), '400 400012')
    assert.equal(detailOf(name), '/shop/nobody/1.0.0 does not exist.')
    for (const range of ['latest', '1.0.0%2B', '1.0-2.0', '1.0.32768', ''])
      assert.equal(
        codeOf(await ask(`appId=shop&serviceName=provider&version=${range}`)),
        '400 400001',
      )
    const type = await registry.call('GET', '{r}/existence?type=else')
    assert.equal(detailOf(type), 'Only micro-service and schema can be used as type.')
  })

  test('an alias that the same version of another service has leads to that one', async () => {
    const registry = fresh()
    await made(create(registry, { ...service, alias: 'shared' }))
    const { serviceId: _, ...unnamed } = service
    const reply = await create(registry, { ...unnamed, serviceName: 'other', alias: 'shared' })
    assert.equal(reply.text, '{"serviceId":"svc1"}')
  })

  test('an alias is taken by an alias only, and never from who has the identity', async () => {
    const registry = fresh()
    const { serviceId: _, ...unnamed } = service
    const named = (serviceName: string, more: object = {}) =>
      create(registry, { ...unnamed, serviceName, ...more })
    await made(named('plain', { serviceId: 'plain' }))
    const like = await made(named('like', { alias: 'plain', serviceId: 'like' }))
    assert.equal(like.text, '{"serviceId":"like"}')
    await made(named('holder', { alias: 'held', serviceId: 'holder' }))
    const again = await made(named('plain', { alias: 'held' }))
    assert.equal(again.text, '{"serviceId":"plain"}')
    const own = await made(named('third', { alias: 'held', serviceId: 'holder' }))
    assert.equal(own.text, '{"serviceId":"holder"}')
    const other = await named('third', { alias: 'held', serviceId: 'third' })
    assert.equal(codeOf(other), '400 400010')
    assert.equal(detailOf(other), 'ServiceID conflict or found the same service with different id.')
  })

  test('instances and tags may come with the service', async () => {
    const registry = fresh()
    const rest = { tags: { a: 'b' }, instances: [{ hostName: 'h1' }, { hostName: 'h2' }] }
    await made(create(registry, service, rest))
    const listed = await registry.call('GET', '{r}/microservices/svc1/instances?tags=a')
    const instances = at(listed.body, 'instances')
    assert.equal(Array.isArray(instances) && instances.length, 2)
    const others = await registry.call('GET', '{r}/microservices/svc1/instances?tags=z')
    assert.equal(others.text, '{}')
  })

  test('properties are replaced as a whole, and a framework only when it is given', async () => {
    const registry = fresh()
    await made(create(registry, { ...service, properties: { k: 'v' } }))
    const replace = (body: object) =>
      made(registry.call('PUT', '{r}/microservices/svc1/properties', body))
    const shown = async () =>
      at((await registry.call('GET', '{r}/microservices/svc1')).body, 'service')
    const reply = await replace({ properties: { n: '1' }, framework: { name: 'f', version: '2' } })
    assert.equal(reply.text, '')
    assert.deepEqual(at(await shown(), 'properties'), { n: '1' })
    await replace({})
    assert.equal(at(await shown(), 'properties'), undefined)
    assert.deepEqual(at(await shown(), 'framework'), { name: 'f', version: '2' })
    const unknown = await registry.call('PUT', '{r}/microservices/nope/properties', {})
    assert.equal(codeOf(unknown), '400 400012')
  })

  test('a service with instances is removed by force only, and its instances with it', async () => {
    const registry = fresh()
    await stage(registry)
    const remove = (query: string) => registry.call('DELETE', `{r}/microservices/svc1${query}`)
    assert.equal(codeOf(await remove('')), '400 400013')
    assert.equal(detailOf(await remove('?force=yes')), 'parameter force must be false or true')
    assert.equal((await remove('?force=1')).status, 200)
    assert.equal(codeOf(await remove('?force=true')), '400 400012')
    const heartbeat = '{r}/microservices/svc1/instances/i1/heartbeat'
    assert.equal(codeOf(await registry.call('PUT', heartbeat)), '400 400017')
    assert.equal((await registry.call('GET', '{r}/microservices')).text, '{}')
  })

  test('many are removed in one call, and each says how it went', async () => {
    const registry = fresh()
    await stage(registry)
    await made(create(registry, { serviceName: 'idle', serviceId: 'svc2' }))
    const remove = (body: object) => registry.call('DELETE', '{r}/microservices', body)
    const reply = await remove({ serviceIds: ['svc1', 'svc2', 'svc2', 'nope'] })
    assert.deepEqual(reply.body, {
      services: [
        { serviceId: 'svc1', errMessage: 'Micro-service has deployed instance(s)' },
        { serviceId: 'svc2' },
        {
          serviceId: 'nope',
          errMessage: 'Micro-service does not exist(Service does not exist.)',
        },
      ],
    })
    assert.equal(codeOf(await remove({ serviceIds: [] })), '400 400001')
  })

  test('quotas are kept, also by requests that come together; what exists is not growth', async (t) => {
    const small = await world({
      config: { doors: { servicecomb: { servicesMax: 2, instancesMax: 2 } } },
    })
    t.after(() => small.close())
    const registry = client(small)
    const replies = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => create(registry, { serviceName: name, serviceId: name })),
    )
    assert.equal(replies.filter((reply) => reply.status === 200).length, 2)
    for (const reply of replies.filter(({ status }) => status !== 200))
      assert.equal(codeOf(reply), '400 400100')
    const listed = at((await registry.call('GET', '{r}/microservices')).body, 'services')
    assert.equal(Array.isArray(listed) && listed.length, 2)
    await registry.call('DELETE', '{r}/microservices/a')
    await stage(registry)
    assert.equal((await create(registry, service)).status, 200)
    await registered(registry, { instanceId: 'i2' })
    await registered(registry, { instanceId: 'i2', hostName: 'again' })
    const third = { instance: { instanceId: 'i3', hostName: 'h' } }
    const full = await registry.call('POST', '{r}/microservices/svc1/instances', third)
    assert.equal(codeOf(full), '400 400100')
    await registry.call('DELETE', '{r}/microservices/svc1/instances/i2')
    await registered(registry, { instanceId: 'i3' })
  })
})

suite('schemas', () => {
  test('one is uploaded, read, listed and found; the summary is kept as it came', async () => {
    const registry = fresh()
    await made(create(registry, { ...service, schemas: ['declared'] }))
    const body = { schema: 'swagger: "2.0"', summary: 'ABCdef1' }
    const put = await registry.call('PUT', '{r}/microservices/svc1/schemas/hello', body)
    assert.deepEqual([put.status, put.text], [200, ''])
    const got = await registry.call('GET', '{r}/microservices/svc1/schemas/hello')
    assert.deepEqual(got.body, { schema: body.schema })
    assert.equal(got.headers.get('x-schema-summary'), 'ABCdef1')
    const list = (query: string) => registry.call('GET', `{r}/microservices/svc1/schemas${query}`)
    const declared = { schemaId: 'declared' }
    assert.deepEqual((await list('')).body, {
      schemas: [declared, { schemaId: 'hello', summary: 'ABCdef1' }],
    })
    assert.deepEqual((await list('?withSchema=1')).body, {
      schemas: [declared, { schemaId: 'hello', summary: 'ABCdef1', schema: body.schema }],
    })
    assert.equal(codeOf(await list('?withSchema=2')), '400 400001')
    const exists = '{r}/existence?type=schema&serviceId=svc1&schemaId='
    const found = await registry.call('GET', `${exists}hello`)
    assert.equal(found.text, '{"serviceId":"svc1","schemaId":"hello"}')
    assert.equal(found.headers.get('x-schema-summary'), 'ABCdef1')
    assert.equal(codeOf(await registry.call('GET', `${exists}declared`)), '400 400016')
    const shown = await registry.call('GET', '{r}/microservices/svc1')
    assert.deepEqual(at(shown.body, 'service', 'schemas'), ['declared', 'hello'])
  })

  test('uploads at once do not undo each other', async () => {
    const registry = fresh()
    await made(create(registry, service))
    const ids = Array.from({ length: 20 }, (_, index) => `schema-${index}`)
    await Promise.all(
      ids.map((id) =>
        made(registry.call('PUT', `{r}/microservices/svc1/schemas/${id}`, { schema: id })),
      ),
    )
    for (const id of ids) {
      const got = await registry.call('GET', `{r}/microservices/svc1/schemas/${id}`)
      assert.equal(at(got.body, 'schema'), id)
    }
  })

  test('what is not there and what does not fit is refused', async () => {
    const registry = fresh()
    await made(create(registry, service))
    const base = '{r}/microservices'
    const get = (path: string) => registry.call('GET', base + path)
    assert.equal(codeOf(await get('/nope/schemas/a')), '400 400012')
    const missing = await get('/svc1/schemas/a')
    assert.equal(codeOf(missing), '400 400016')
    assert.equal(detailOf(missing), 'schema ref not found.')
    assert.equal(codeOf(await get('/svc1/schemas/-a')), '400 400001')
    assert.equal((await get('/svc1/schemas')).text, '{}')
    const put = (path: string, body: unknown) => registry.call('PUT', base + path, body)
    assert.equal(codeOf(await put('/svc1/schemas/a', { schema: '' })), '400 400001')
    assert.equal(codeOf(await put('/svc1/schemas/a', { schema: 'x', summary: '-' })), '400 400001')
    assert.equal(codeOf(await put('/nope/schemas/a', { schema: 'x' })), '400 400012')
  })
})
