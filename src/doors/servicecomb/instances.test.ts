// Instances: registering, leases, properties, leaving; and that restarts forget nothing of it.
// Source: contracts/cse-registry.md sections 3.4, 4 and 9.6, and rows 2, 5 to 8 and 12 of section 11.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { userId } from '#kernel/ids.ts'
import { at } from '#test/harness/api.ts'
import { type JumpingClock, jumpingClock } from '#test/harness/jumping-clock.ts'
import {
  type Client,
  client,
  codeOf,
  find,
  instance,
  made,
  one,
  registered,
  type Reply,
  revisionOf,
  service,
  shownStatus,
  stage,
} from '#test/harness/registry.ts'
import { until, type World, world } from '#test/harness/world.ts'

let house: World
let clock: JumpingClock
before(async () => {
  clock = jumpingClock()
  house = await world({ clock })
})
after(() => house.close())

let tenants = 0
const fresh = (): Client => client(house, { domain: `tenant-${(tenants += 1)}` })
const register = (registry: Client, body: unknown): Promise<Reply> =>
  registry.call('POST', '{r}/microservices/svc1/instances', body)
const shown = async (registry: Client) => at((await registry.call('GET', one)).body, 'instance')
const detailOf = (reply: Reply) => at(reply.body, 'detail')
const quick = { healthCheck: { mode: 'push', interval: 5, times: 3 } }

suite('registering', () => {
  test('it is shown in the original’s order with defaults filled in', async () => {
    const registry = fresh()
    const center = { name: 'd', region: 'r', availableZone: 'z' }
    await stage(registry, { properties: { z: '1', none: '' }, dataCenterInfo: center })
    const reply = await registry.call('GET', one)
    assert.match(
      reply.text,
      /^\{"instance":\{"instanceId":"i1","serviceId":"svc1","endpoints":\["rest:\/\/10\.0\.0\.1:80"\],"hostName":"h1","status":"UP","properties":\{"z":"1","none":""\},"healthCheck":\{"mode":"push","interval":30,"times":3\},"timestamp":"\d{10}","dataCenterInfo":\{"name":"d","region":"r","availableZone":"z"\},"modTimestamp":"\d{10}","version":"1\.0\.0"\}\}$/,
    )
  })

  test('an id is made of 32 hex digits, another one each time', async () => {
    const registry = fresh()
    await stage(registry)
    const { instanceId: _, ...unnamed } = instance
    const ids = new Set<unknown>()
    for (const reply of [
      await register(registry, { instance: unnamed }),
      await register(registry, { instance: unnamed }),
    ]) {
      assert.match(reply.text, /^\{"instanceId":"[0-9a-f]{32}"\}$/)
      ids.add(at(reply.body, 'instanceId'))
    }
    assert.equal(ids.size, 2)
  })

  test('a repeated key with no id of its own registers once', async () => {
    const registry = fresh()
    await stage(registry)
    const body = { instance: { hostName: 'h' } }
    const again = () =>
      made(
        registry.call('POST', '{r}/microservices/svc1/instances', body, { 'idempotency-key': 'k' }),
      )
    assert.equal((await again()).text, (await again()).text)
  })

  test('a known id gets new content, keeps its times and its status unless it is told', async () => {
    const registry = fresh()
    await stage(registry, { status: 'STARTING' })
    const before = await shown(registry)
    const rev = revisionOf(await registry.call('GET', find))
    assert.equal((await registered(registry)).text, '{"instanceId":"i1"}')
    assert.equal(revisionOf(await registry.call('GET', find)), rev, 'nothing differed')
    await registered(registry, { endpoints: ['rest://10.0.0.2:80'], properties: { n: '1' } })
    const behind = await shown(registry)
    assert.deepEqual(at(behind, 'endpoints'), ['rest://10.0.0.2:80'])
    assert.deepEqual(at(behind, 'properties'), { n: '1' })
    assert.equal(at(behind, 'status'), 'STARTING')
    assert.equal(at(behind, 'timestamp'), at(before, 'timestamp'))
    assert.notEqual(revisionOf(await registry.call('GET', find)), rev)
    await registered(registry, { status: 'UP' })
    assert.equal(await shownStatus(registry), 'UP')
  })

  test('a push is clamped to 5 and 3, a pull is 30 and 3', async () => {
    const registry = fresh()
    await stage(registry, { healthCheck: { mode: 'push', interval: 1, times: 1 } })
    assert.deepEqual(at(await shown(registry), 'healthCheck'), {
      mode: 'push',
      interval: 5,
      times: 3,
    })
    const pull = { mode: 'pull', interval: 7, times: 9, port: 8080, url: '/up' }
    await registered(registry, { healthCheck: pull })
    const expected = { ...pull, interval: 30, times: 3 }
    assert.deepEqual(at(await shown(registry), 'healthCheck'), expected)
  })

  test('an unknown service is named as the original names it, after the fields are checked', async () => {
    const registry = fresh()
    const path = '{r}/microservices/nope/instances'
    const reply = await registry.call('POST', path, { instance })
    assert.equal(codeOf(reply), '400 400012')
    assert.equal(detailOf(reply), "Invalid 'serviceID' in request body.")
    const bad = await registry.call('POST', path, { instance: {} })
    assert.equal(codeOf(bad), '400 400001')
  })
})

suite('leases', () => {
  test('an instance that beats stays, and is gone within 2 s of its term once it stops', async () => {
    const registry = fresh()
    await stage(registry, quick)
    for (let beat = 0; beat < 3; beat += 1) {
      clock.jump(15_000)
      const reply = await made(registry.call('PUT', `${one}/heartbeat`))
      assert.equal(reply.text, '')
    }
    clock.jump(19_000)
    assert.equal(await shownStatus(registry), 'UP', 'not before its term')
    clock.jump(1_100)
    const began = Date.now()
    await until(
      () => registry.call('GET', one),
      (reply) => codeOf(reply) === '400 400017',
      2_000,
    )
    assert.ok(Date.now() - began < 2_000)
    const late = await registry.call('PUT', `${one}/heartbeat`)
    assert.equal(codeOf(late), '400 400017')
    assert.equal(detailOf(late), 'leaseId not exist, instance not exist')
    await registered(registry, quick)
    assert.equal((await registry.call('PUT', `${one}/heartbeat`)).status, 200)
  })

  test('neither status nor properties prolong a lease, and registering again does', async () => {
    const registry = fresh()
    await stage(registry, quick)
    await registered(registry, { ...quick, instanceId: 'i2' })
    clock.jump(15_000)
    await made(registry.call('PUT', `${one}/status?value=DOWN`))
    await made(registry.call('PUT', `${one}/properties`, { properties: { a: 'b' } }))
    await registered(registry, { ...quick, instanceId: 'i2' })
    clock.jump(6_000)
    await until(
      () => registry.call('GET', one),
      (reply) => codeOf(reply) === '400 400017',
      2_000,
    )
    const second = '{r}/microservices/svc1/instances/i2'
    assert.equal(await shownStatus(registry, second), 'UP')
  })

  test('a heartbeat changes neither status nor revision', async () => {
    const registry = fresh()
    await stage(registry)
    await made(registry.call('PUT', `${one}/status?value=DOWN`))
    const before = await registry.call('GET', find)
    await made(registry.call('PUT', `${one}/heartbeat`))
    const behind = await registry.call('GET', find)
    assert.equal(behind.text, before.text)
    assert.equal(revisionOf(behind), revisionOf(before))
  })

  test('a dry run of a heartbeat renews nothing', async () => {
    const registry = fresh()
    await stage(registry, quick)
    clock.jump(15_000)
    const dry = { 'x-dry-run': 'true' }
    const reply = await made(registry.call('PUT', `${one}/heartbeat`, undefined, dry))
    assert.equal(at(reply.body, 'dry_run'), true)
    clock.jump(6_000)
    await until(
      () => registry.call('GET', one),
      (seen) => codeOf(seen) === '400 400017',
      2_000,
    )
  })

  test('many beat in one call; one that is unknown spoils nobody else’s', async () => {
    const registry = fresh()
    await stage(registry, quick)
    clock.jump(15_000)
    const pair = { serviceId: 'svc1', instanceId: 'i1' }
    const stranger = { serviceId: 'svc1', instanceId: 'i9' }
    const reply = await made(
      registry.call('PUT', '{r}/heartbeats', { instances: [pair, stranger, pair] }),
    )
    assert.equal(
      reply.text,
      '{"instances":[{"serviceId":"svc1","instanceId":"i1"},{"serviceId":"svc1","instanceId":"i9","errMessage":"Instance does not exist(leaseId not exist, instance not exist)"}]}',
    )
    clock.jump(6_000)
    await new Promise((resolve) => setTimeout(resolve, 600))
    assert.equal(await shownStatus(registry), 'UP')
    const none = await registry.call('PUT', '{r}/heartbeats', { instances: [] })
    assert.equal(detailOf(none), 'Request format invalid.')
    const broken = await registry.call('PUT', '{r}/heartbeats', '{"instances":')
    assert.equal(detailOf(broken), 'Unmarshal error')
  })

  test('another tenant cannot keep it alive', async () => {
    const registry = fresh()
    await stage(registry)
    await made(registry.call('PUT', `${one}/heartbeat`))
    assert.equal(codeOf(await fresh().call('PUT', `${one}/heartbeat`)), '400 400017')
  })
})

suite('changing and leaving', () => {
  test('properties are replaced as a whole and the revision goes on', async () => {
    const registry = fresh()
    await stage(registry, { properties: { old: '1' } })
    const rev = revisionOf(await registry.call('GET', find))
    const put = (body: unknown) => registry.call('PUT', `${one}/properties`, body)
    assert.equal((await made(put({ properties: { n: '2' } }))).text, '')
    assert.deepEqual(at(await shown(registry), 'properties'), { n: '2' })
    assert.notEqual(revisionOf(await registry.call('GET', find)), rev)
    await made(put({}))
    assert.equal(at(await shown(registry), 'properties'), undefined)
    const strange = '{r}/microservices/svc1/instances/i9/properties'
    assert.equal(codeOf(await registry.call('PUT', strange, {})), '400 400017')
  })

  test('leaving works once, and from then on everything fails at once', async () => {
    const registry = fresh()
    await stage(registry)
    const left = await made(registry.call('DELETE', one))
    assert.equal(left.text, '')
    const again = await registry.call('DELETE', one)
    assert.equal(codeOf(again), '400 400017')
    assert.equal(detailOf(again), "Instance's leaseId not exist.")
    for (const [method, path] of [
      ['PUT', `${one}/heartbeat`],
      ['PUT', `${one}/status?value=UP`],
      ['PUT', `${one}/properties`],
      ['GET', one],
    ] as const)
      assert.equal(
        codeOf(await registry.call(method, path, method === 'PUT' ? {} : undefined)),
        '400 400017',
      )
    assert.equal((await registry.call('GET', find)).text, '{}')
    const unknownService = '{r}/microservices/nope/instances/i1'
    assert.equal(codeOf(await registry.call('DELETE', unknownService)), '400 400017')
  })
})

test('a hold keeps an instance as it is: no status, no leaving, not even by force', async () => {
  const registry = client(house)
  await stage(registry)
  const project = await house.identity.project({ name: 'default', domainId: 'default' })
  const caller = {
    userId: userId('somebody'),
    userName: 'somebody',
    projectId: project?.id ?? null,
    projectName: 'default',
    domainId: 'default',
    role: 'member',
  } as const
  const target = { kind: 'service-instance', service: 'svc1', instance: 'i1' } as const
  const submission = { caller, door: 'test', requestId: 'hold' }
  const { plane } = house
  const holding = await plane.submit({ verb: 'hold', kind: 'hold', target }, submission)
  assert.ok(holding.ok)
  for (const [method, path] of [
    ['PUT', `${one}/status?value=DOWN`],
    ['DELETE', one],
    ['DELETE', '{r}/microservices/svc1?force=true'],
  ] as const)
    assert.equal(codeOf(await registry.call(method, path)), '403 403001', path)
  assert.equal(await shownStatus(registry), 'UP')
  await plane.submit({ verb: 'release', hold: { kind: 'hold' }, target }, submission)
  assert.equal((await registry.call('PUT', `${one}/status?value=DOWN`)).text, 'Success')
})

suite('a restart', () => {
  test('keeps instances, statuses, the operator’s word and revisions, and expires nothing in the first term', async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'runstate-registry-'))
    const running: World[] = []
    t.after(async () => {
      for (const server of running) await server.close()
      rmSync(dataDir, { recursive: true, force: true })
    })
    const time = jumpingClock()
    const begin = () => world({ store: 'sqlite', dataDir, clock: time })
    const first = await begin()
    const registry = client(first)
    await stage(registry, quick)
    await made(registry.call('PUT', `${one}/status?value=OUTOFSERVICE`))
    const before = await registry.call('GET', find)
    await first.close()
    time.jump(60_000)
    const second = await begin()
    running.push(second)
    const later = client(second)
    const behind = await later.call('GET', find)
    assert.equal(behind.text, before.text)
    assert.equal(revisionOf(behind), revisionOf(before))
    assert.equal((await later.call('GET', `${find}&rev=${revisionOf(before)}`)).status, 304)
    await registered(later, { ...quick, status: 'UP' })
    assert.equal(await shownStatus(later), 'OUTOFSERVICE')
    time.jump(19_000)
    assert.equal((await later.call('PUT', `${one}/heartbeat`)).status, 200)
  })

  test('a service that is made again counts its revisions in a life of its own', async () => {
    const registry = fresh()
    await stage(registry)
    const rev = revisionOf(await registry.call('GET', find))
    await made(registry.call('DELETE', '{r}/microservices/svc1?force=true'))
    await made(registry.call('POST', '{r}/microservices', { service }))
    await registered(registry, { hostName: 'another' })
    const reply = await registry.call('GET', `${find}&rev=${rev}`)
    assert.equal(reply.status, 200)
    assert.equal(at(reply.body, 'instances', 0, 'hostName'), 'another')
  })
})
