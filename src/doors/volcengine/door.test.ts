import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, suite, test } from 'node:test'
import {
  type Bench,
  bench,
  ecsOf,
  isEnvelope,
  keyFor,
  type KeyPair,
  keysOf,
  signed,
} from '#test/harness/ecs.ts'
import { world, type World } from '#test/harness/world.ts'

let w: World
let b: Bench
let id: string

before(async () => {
  w = await world({
    config: {
      identity: {
        projects: [{ name: 'other' }],
        users: [
          { name: 'rita', password: 'reads-only', roles: { default: 'reader' } },
          { name: 'olaf', password: 'of-another', roles: { other: 'admin' } },
          { name: 'nora', password: 'has-no-role', roles: {} },
        ],
      },
    },
  })
  b = await bench(w)
  id = await b.server()
})
after(() => w.close())

suite('envelope', () => {
  test('a success says what was asked, where, and its result', async () => {
    const reply = await b.ecs('DescribeZones')
    isEnvelope(reply)
    assert.deepEqual(reply.result, {
      Zones: [{ ZoneId: 'cn-beijing-a' }, { ZoneId: 'cn-beijing-b' }],
    })
    const { Action, Version, Service, Region } = reply.metadata
    assert.deepEqual(
      [Action, Version, Service, Region],
      ['DescribeZones', '2020-04-01', 'ecs', 'cn-beijing'],
    )
  })

  test("no two answers have one request id, and its time is this cloud's", async () => {
    const [one, other] = [await b.ecs('DescribeZones'), await b.ecs('DescribeZones')]
    assert.notEqual(one.metadata['RequestId'], other.metadata['RequestId'])
    const hour = new Date(w.plane.nowMs() + 8 * 3_600_000)
      .toISOString()
      .slice(0, 13)
      .replaceAll(/\D/g, '')
    assert.equal(String(one.metadata['RequestId']).slice(0, 10), hour)
  })
})

suite('who asks', () => {
  const as = async (user: string, project: string) => ecsOf(w, await keyFor(w, user, project))

  test('a reader reads and changes nothing', async () => {
    const rita = await as('rita', 'default')
    assert.equal((await rita('DescribeInstances')).result?.['TotalCount'], 1)
    for (const [action, query] of [
      ['StopInstance', { InstanceId: id }],
      ['StopInstances', {}],
      ['RunInstances', {}],
      ['DeleteInstance', {}],
    ] as const) {
      const reply = await rita(action, query)
      assert.deepEqual(
        [reply.status, reply.code, reply.error?.['CodeN']],
        [403, 'AccessDenied', 100013],
      )
      assert.equal(
        reply.error?.['Message'],
        `User is not authorized to perform: ecs:${action} on resource: .`,
      )
    }
    assert.equal(await b.status(id), 'RUNNING')
  })

  test('another account, its administrator too, finds nothing of this one', async () => {
    const olaf = await as('olaf', 'other')
    assert.deepEqual((await olaf('DescribeInstances')).result, {
      Instances: [],
      NextToken: '',
      TotalCount: 0,
    })
    assert.deepEqual(
      (await olaf('DescribeInstances', { 'InstanceIds.1': id })).result?.['Instances'],
      [],
    )
    for (const action of ['StopInstance', 'StartInstance', 'RebootInstance', 'DeleteInstance']) {
      const reply = await olaf(action, { InstanceId: id })
      assert.deepEqual([reply.status, reply.code], [404, 'InvalidInstance.NotFound'])
    }
    assert.equal(await b.status(id), 'RUNNING')
  })

  test('a key whose owner is nobody in its project lacks every policy', async () => {
    const nora = await as('nora', 'default')
    const reply = await nora('DescribeZones')
    assert.deepEqual(
      [reply.status, reply.code, reply.error?.['CodeN']],
      [403, 'LackPolicy', 100012],
    )
  })

  test('a disabled key is unknown', async () => {
    const keys = await keyFor(w, 'rita', 'default')
    const row = await w.plane.read.get('accessKeys', keys.accessKeyId)
    assert(row)
    await w.identity.keys.set({ ...row, active: false })
    assert.equal((await ecsOf(w, keys)('DescribeZones')).code, 'InvalidAccessKey')
  })

  test('a temporary key needs its own token, until both end', async () => {
    const keys = await keyFor(w, 'rita', 'default', 3_600_000)
    const ask = (pair: KeyPair, date?: Date) =>
      ecsOf(w, pair)('DescribeZones', {}, date ? { date } : {})
    assert.equal((await ask(keys)).status, 200)
    const { sessionToken: _, ...bare } = keys
    for (const pair of [bare, { ...bare, sessionToken: 'another' }]) {
      const reply = await ask(pair)
      assert.deepEqual(
        [reply.status, reply.code, reply.error?.['CodeN']],
        [401, 'InvalidSecretToken', 100026],
      )
    }
    const late = await ask(
      { ...bare, sessionToken: 'another' },
      new Date(w.plane.nowMs() - 960_000),
    )
    assert.equal(late.code, 'InvalidTimestamp')
    const ended = await keyFor(w, 'rita', 'default', 0)
    assert.equal((await ask(ended)).code, 'InvalidSecretToken')
  })

  test('a lasting key has no token: one that is sent with it is a bad one, and an empty one none', async () => {
    const keys = await keyFor(w, 'rita', 'default')
    const ask = async (sessionToken: string) =>
      (await ecsOf(w, { ...keys, sessionToken })('DescribeZones')).code
    assert.equal(await ask('left-over'), 'InvalidSecretToken')
    assert.equal(await ask(''), '')
  })
})

suite('regions', () => {
  test('any other region is an empty one', async () => {
    const there = { region: 'cn-shanghai' }
    const list = await b.ecs('DescribeInstances', {}, there)
    assert.deepEqual(list.result, { Instances: [], NextToken: '', TotalCount: 0 })
    assert.equal(list.metadata['Region'], 'cn-shanghai')
    assert.deepEqual((await b.ecs('DescribeZones', {}, there)).result, { Zones: [] })
    assert.equal(
      (await b.ecs('StopInstance', { InstanceId: id }, there)).code,
      'InvalidInstance.NotFound',
    )
    const many = await b.ecs('StopInstances', { 'InstanceIds.1': id }, there)
    assert.match(JSON.stringify(many.result), /InvalidInstance\.NotFound/)
    assert.equal(await b.status(id), 'RUNNING')
  })
})

suite('styles', () => {
  const styles = {
    query: (query: Record<string, string>) => b.ecs('StopInstance', query),
    form: (query: Record<string, string>) =>
      b.ecs('StopInstance', {}, { method: 'POST', body: new URLSearchParams(query).toString() }),
    JSON: (query: Record<string, string>) =>
      b.ecs(
        'StopInstance',
        {},
        { method: 'POST', body: JSON.stringify(query), type: 'application/json' },
      ),
    presigned: (query: Record<string, string>) => b.ecs('StopInstance', query, { presign: true }),
  }
  for (const [style, ask] of Object.entries(styles)) {
    test(`${style}: parameters arrive`, async () => {
      assert.equal(
        (await ask({ InstanceId: id, DryRun: 'true', StoppedMode: '' })).code,
        'DryRunOperation',
      )
      assert.equal(
        (await ask({ InstanceId: id, DryRun: 'true', StoppedMode: 'stopcharging' })).code,
        'InvalidStoppedMode.Malformed',
      )
    })
  }

  test('a GET with a body has none that counts', async () => {
    const body = `InstanceId=i-another&ForceStop=perhaps`
    const query = { InstanceId: id, DryRun: 'true' }
    const { target, headers } = signed(keysOf(w), 'StopInstance', query, { body })
    headers['content-length'] = String(body.length)
    const status = await new Promise((resolve, reject) => {
      const sent = httpRequest(w.url + target, { method: 'GET', headers }, (answer) => {
        answer.resume()
        answer.on('end', () => resolve(answer.statusCode))
      })
      sent.on('error', reject)
      sent.end(body)
    })
    assert.equal(status, 412)
  })
})
