// Everything malformed: each is refused with the registry's own code and the first field that is wrong, nothing
// changes, and nothing is ever answered 500. Source: contracts/cse-registry.md sections 1.2, 1.4, 3 and 7.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at } from '#test/harness/api.ts'
import { gatedStore } from '#test/harness/gated-store.ts'
import {
  type Client,
  client,
  codeOf,
  find,
  instance,
  made,
  one,
  type Reply,
  revisionOf,
  service,
  stage,
} from '#test/harness/registry.ts'
import { type World, world } from '#test/harness/world.ts'
import { StoreError } from '#kernel/ports/store.ts'

let house: World
let registry: Client
let before1: readonly string[]
before(async () => {
  house = await world()
  registry = client(house)
  await stage(registry)
  before1 = await everything()
})
after(() => house.close())

async function everything(): Promise<readonly string[]> {
  const services = await registry.call('GET', '{r}/microservices')
  const found = await registry.call('GET', find)
  return [services.text, found.text, revisionOf(found)]
}

const refused = (reply: Reply, name: string): void => {
  assert.equal(codeOf(reply), '400 400001', `${name}: ${reply.text}`)
  assert.equal(at(reply.body, 'errorMessage'), 'Invalid parameter(s)', name)
  assert.equal(typeof at(reply.body, 'detail'), 'string', name)
}

const withBody = [
  ['POST', '{r}/microservices'],
  ['DELETE', '{r}/microservices'],
  ['PUT', '{r}/microservices/svc1/properties'],
  ['PUT', '{r}/microservices/svc1/schemas/a'],
  ['POST', '{r}/microservices/svc1/instances'],
  ['PUT', '{r}/heartbeats'],
  ['POST', '{r}/instances/action?type=query'],
  ['PUT', `${one}/properties`],
] as const

const unreadable: Readonly<Record<string, string>> = {
  nothing: '',
  'a broken object': '{"a":',
  'two objects': '{}{}',
  'a list': '[]',
  'a text': '"x"',
  'a number': '1',
  'a comma too many': '{"a":1,}',
  'unclosed depth': '['.repeat(1_000),
}

suite('bodies', () => {
  for (const [method, path] of withBody)
    test(`${method} ${path}: what is no JSON object is refused, and nothing changes`, async () => {
      for (const [name, body] of Object.entries(unreadable)) {
        const reply = await registry.call(method, path, body)
        refused(reply, name)
        assert.equal(at(reply.body, 'detail'), 'Unmarshal error', name)
      }
      assert.deepEqual(await everything(), before1)
    })

  test('bytes that are not UTF-8 are refused', async () => {
    const body = Buffer.concat([Buffer.from('{"properties":{"a":"'), Buffer.from([0xff, 0xfe])])
    const response = await fetch(
      `${house.url}${one.replace('{r}', '/v4/default/registry')}/properties`,
      {
        method: 'PUT',
        body: Buffer.concat([body, Buffer.from('"}}')]),
      },
    )
    assert.equal(response.status, 400)
    assert.deepEqual(await everything(), before1)
  })

  const mistyped: readonly (readonly [method: string, path: string, body: unknown])[] = [
    ['POST', '{r}/microservices', { service: 'x' }],
    ['POST', '{r}/microservices', { service: { serviceName: 1 } }],
    ['POST', '{r}/microservices', { service: { serviceName: 'x', schemas: 'a' } }],
    ['POST', '{r}/microservices', { service: { serviceName: 'x', schemas: [1] } }],
    ['POST', '{r}/microservices', { service: { serviceName: 'x', properties: { a: 1 } } }],
    ['POST', '{r}/microservices', { service: { serviceName: 'x', paths: ['/'] } }],
    ['POST', '{r}/microservices', { service: { serviceName: 'x', providers: {} } }],
    ['POST', '{r}/microservices', { service: { serviceName: 'x' }, tags: [] }],
    ['POST', '{r}/microservices', { service: { serviceName: 'x' }, instances: {} }],
    ['DELETE', '{r}/microservices', { serviceIds: 'svc1' }],
    ['DELETE', '{r}/microservices', { serviceIds: ['svc1'], force: 'true' }],
    ['PUT', '{r}/microservices/svc1/properties', { properties: ['a'] }],
    ['PUT', '{r}/microservices/svc1/schemas/a', { schema: {} }],
    ['POST', '{r}/microservices/svc1/instances', { instance: [] }],
    ['POST', '{r}/microservices/svc1/instances', { instance: { hostName: true } }],
    ['POST', '{r}/microservices/svc1/instances', { instance: { ...instance, endpoints: {} } }],
    [
      'POST',
      '{r}/microservices/svc1/instances',
      { instance: { ...instance, healthCheck: { mode: 'push', interval: '30', times: 3 } } },
    ],
    [
      'POST',
      '{r}/microservices/svc1/instances',
      { instance: { ...instance, healthCheck: { mode: 'push', interval: 2_147_483_648 } } },
    ],
    ['PUT', '{r}/heartbeats', { instances: [1] }],
    ['PUT', '{r}/heartbeats', { instances: [{ serviceId: 1 }] }],
    ['POST', '{r}/instances/action?type=query', { services: [{ service: 'x' }] }],
    ['PUT', `${one}/properties`, { properties: { a: null, b: [] } }],
  ]
  test('a value of a wrong type spoils the document', async () => {
    for (const [method, path, body] of mistyped) {
      const name = JSON.stringify(body)
      const reply = await registry.call(method, path, body)
      refused(reply, name)
      assert.equal(at(reply.body, 'detail'), 'Unmarshal error', name)
    }
    assert.deepEqual(await everything(), before1)
  })

  test('null is absent, and a key that reaches for a prototype is a key like any other or none', async () => {
    const nothing = await registry.call('POST', '{r}/microservices', 'null')
    assert.equal(at(nothing.body, 'detail'), 'Request body is empty')
    const nil = await registry.call('POST', '{r}/microservices/svc1/instances', { instance: null })
    assert.equal(
      at(nil.body, 'detail'),
      "field 'RegisterInstanceRequest.Instance' invalid value '<nil>' does not match rule: {Min: 1}",
    )
    const other = client(house, { domain: 'prototypes' })
    await made(
      other.call(
        'POST',
        '{r}/microservices',
        '{"service":{"serviceName":"x","serviceId":"x","alias":null,"properties":{"__proto__":"a","constructor":"b"}}}',
      ),
    )
    const shown = await other.call('GET', '{r}/microservices/x')
    assert.deepEqual(at(shown.body, 'service', 'properties'), { constructor: 'b' })
  })

  test('what is too large is refused by the limit of its call', async () => {
    const sized = (bytes: number, body: object) => {
      const bare = JSON.stringify({ ...body, pad: '' }).length
      return { ...body, pad: 'x'.repeat(bytes - bare) }
    }
    const cases = [
      ['POST', '{r}/microservices/svc1/instances', 5 * 1024, { instance }],
      ['PUT', `${one}/properties`, 3 * 1024, {}],
      ['PUT', '{r}/microservices/svc1/properties', 3 * 1024, {}],
      ['POST', '{r}/microservices', 2 * 1024 * 1024, { service }],
    ] as const
    for (const [method, path, bytes, body] of cases) {
      const fits = await registry.call(method, path, sized(bytes, body))
      assert.equal(fits.status, 200, `${path}: ${fits.text}`)
      const reply = await registry.call(method, path, sized(bytes + 1, body))
      refused(reply, path)
      assert.equal(at(reply.body, 'detail'), 'http: request body too large')
    }
    before1 = await everything()
  })
})

const named = (field: string, value: string): RegExp =>
  new RegExp(`^field '${field}' invalid value '${value}' does not match rule: \\{.*\\}$`)

suite('fields', () => {
  const long = (length: number) => 'x'.repeat(length)
  const instanceFields: readonly (readonly [given: object, field: string, value: string])[] = [
    [{ instanceId: 'a b' }, 'MicroServiceInstance.InstanceId', 'a b'],
    [{ instanceId: long(65) }, 'MicroServiceInstance.InstanceId', long(65)],
    [{ endpoints: ['ok', 'not ok'] }, 'MicroServiceInstance.Endpoints', 'not ok'],
    [{ hostName: '' }, 'MicroServiceInstance.HostName', ''],
    [{ hostName: '  ' }, 'MicroServiceInstance.HostName', '  '],
    [{ hostName: long(65) }, 'MicroServiceInstance.HostName', long(65)],
    [{ status: 'up' }, 'MicroServiceInstance.Status', 'up'],
    [{ status: 'UNKNOWN' }, 'MicroServiceInstance.Status', 'UNKNOWN'],
    [{ healthCheck: {} }, 'HealthCheck.Mode', ''],
    [{ healthCheck: { mode: 'pushes' } }, 'HealthCheck.Mode', 'pushes'],
    [{ healthCheck: { mode: 'push' } }, 'HealthCheck.Interval', '0'],
    [{ healthCheck: { mode: 'push', interval: 1, port: 65_536 } }, 'HealthCheck.Port', '65536'],
    [{ healthCheck: { mode: 'push', interval: 1, port: -1 } }, 'HealthCheck.Port', '-1'],
    [{ healthCheck: { mode: 'push', interval: 1, times: -1 } }, 'HealthCheck.Times', '-1'],
    [{ healthCheck: { mode: 'pull', interval: 1, url: 'a b' } }, 'HealthCheck.Url', 'a b'],
    [{ dataCenterInfo: {} }, 'DataCenterInfo.Name', ''],
    [{ dataCenterInfo: { name: 'd' } }, 'DataCenterInfo.Region', ''],
    [{ dataCenterInfo: { name: 'd', region: 'r' } }, 'DataCenterInfo.AvailableZone', ''],
    [{ dataCenterInfo: { name: long(129) } }, 'DataCenterInfo.Name', long(129)],
    [{ status: 'x', hostName: '', instanceId: '/' }, 'MicroServiceInstance.InstanceId', '/'],
  ]
  test('of an instance: the first that is wrong is named', async () => {
    for (const [given, field, value] of instanceFields) {
      const body = { instance: { ...instance, ...given } }
      const reply = await registry.call('POST', '{r}/microservices/svc1/instances', body)
      refused(reply, field)
      assert.match(String(at(reply.body, 'detail')), named(field, value))
    }
    assert.deepEqual(await everything(), before1)
  })

  const serviceFields: readonly (readonly [given: object, field: string, value: string])[] = [
    [{ serviceId: 'a b' }, 'ServiceId', 'a b'],
    [{ serviceId: long(65) }, 'ServiceId', long(65)],
    [{ appId: '-a' }, 'AppId', '-a'],
    [{ appId: long(161) }, 'AppId', long(161)],
    [{ serviceName: '' }, 'ServiceName', ''],
    [{ serviceName: 'a-' }, 'ServiceName', 'a-'],
    [{ serviceName: long(129) }, 'ServiceName', long(129)],
    [{ version: '1.0.0.0.0' }, 'Version', '1.0.0.0.0'],
    [{ version: '1.32768' }, 'Version', '1.32768'],
    [{ version: 'latest' }, 'Version', 'latest'],
    [{ environment: 'productionproduction' }, 'Environment', 'productionproduction'],
    [{ description: long(257) }, 'Description', long(257)],
    [{ level: 'TOP' }, 'Level', 'TOP'],
    [{ schemas: Array.from({ length: 101 }, (_, n) => `s${n}`) }, 'Schemas', '101'],
    [{ schemas: ['_'] }, 'Schemas', '_'],
    [{ paths: [{ path: 'relative' }] }, 'Paths', 'relative'],
    [{ status: 'STARTING' }, 'Status', 'STARTING'],
    [{ alias: 'a/b' }, 'Alias', 'a/b'],
    [{ registerBy: 'HAND' }, 'RegisterBy', 'HAND'],
  ]
  test('of a service: the first that is wrong is named', async () => {
    for (const [given, field, value] of serviceFields) {
      const body = { service: { ...service, ...given } }
      const reply = await registry.call('POST', '{r}/microservices', body)
      refused(reply, field)
      assert.match(String(at(reply.body, 'detail')), named(`MicroService.${field}`, value))
    }
    const framework = { service: { ...service, framework: { name: '-' } } }
    const reply = await registry.call('POST', '{r}/microservices', framework)
    assert.match(String(at(reply.body, 'detail')), named('FrameWork.Name', '-'))
    const tags = { service, tags: { '1': 'a' } }
    refused(await registry.call('POST', '{r}/microservices', tags), 'tags')
    assert.deepEqual(await everything(), before1)
  })

  test('of the path: ids that do not fit are refused by every call', async () => {
    const long65 = long(65)
    for (const [method, path] of [
      ['GET', `{r}/microservices/${long65}`],
      ['DELETE', `{r}/microservices/${long65}`],
      ['PUT', `{r}/microservices/${long65}/properties`],
      ['GET', `{r}/microservices/${long65}/schemas`],
      ['GET', `{r}/microservices/${long65}/schemas/a`],
      ['PUT', `{r}/microservices/${long65}/schemas/a`],
      ['GET', `{r}/microservices/svc1/schemas/${long(161)}`],
      ['POST', `{r}/microservices/${long65}/instances`],
      ['GET', `{r}/microservices/${long65}/instances`],
      ['GET', `{r}/microservices/svc1/instances/${long65}`],
      ['PUT', `{r}/microservices/svc1/instances/${long65}/heartbeat`],
      ['PUT', `{r}/microservices/svc1/instances/${long65}/properties`],
      ['DELETE', `{r}/microservices/svc1/instances/${long65}`],
      ['GET', `/v4/${long65}/registry/microservices`],
    ] as const)
      refused(await registry.call(method, path, method === 'GET' ? undefined : {}), path)
    const domain = { 'x-domain-name': long65 }
    refused(await registry.call('GET', '{r}/microservices', undefined, domain), 'domain')
    assert.deepEqual(await everything(), before1)
  })
})

test('a store that is out of reach is said in the registry’s words', async (t) => {
  const { store } = gatedStore()
  let isOut = false
  const failing = new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return isOut && ['get', 'list', 'lastEvent', 'commit'].includes(String(name))
        ? () => Promise.reject(new StoreError('io', 'the disk is gone'))
        : (value as (...given: unknown[]) => unknown)
    },
  })
  const other = await world({ store: failing })
  t.after(() => {
    isOut = false
    return other.close()
  })
  const asking = client(other)
  await stage(asking)
  isOut = true
  for (const [method, path] of [
    ['GET', '{r}/microservices'],
    ['GET', find],
    ['PUT', `${one}/status?value=DOWN`],
  ] as const) {
    const reply = await asking.call(method, path)
    assert.equal(codeOf(reply), '500 500011', path)
    assert.equal(at(reply.body, 'errorMessage'), 'Registry service is unavailable')
    assert.ok(!reply.text.includes('disk'), 'what happened is for the operator')
  }
  assert.equal(codeOf(await asking.call('GET', '{r}/health')), '400 400002')
  assert.equal((await asking.call('GET', '{r}/health/readiness')).status, 503)
  isOut = false
  assert.equal((await asking.call('PUT', `${one}/status?value=DOWN`)).text, 'Success')
})
