import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, suite, test } from 'node:test'
import {
  type Bench,
  bench,
  ecsOf,
  type EcsReply,
  keyFor,
  type KeyPair,
  keysOf,
  replyOf,
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

const unsigned = async (path: string, init: RequestInit = {}) =>
  replyOf(await fetch(w.url + path, init))

function isEnvelope(reply: EcsReply): void {
  const { RequestId, Action, Version, Service, Region } = reply.metadata
  assert.match(String(RequestId), /^\d{14}[0-9A-F]{20}$/)
  for (const text of [Action, Version, Service, Region]) assert.equal(typeof text, 'string')
  assert.equal(reply.headers.get('content-type'), 'application/json; charset=utf-8')
  assert.equal(reply.headers.get('x-tt-logid'), RequestId)
  if (reply.code === '') {
    assert.equal(reply.status, 200)
    assert.equal(typeof reply.result, 'object')
    return
  }
  assert.equal(reply.result, undefined)
  assert.notEqual(reply.error?.['Message'], '')
}

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

type Case = readonly [
  what: string,
  ask: () => Promise<EcsReply>,
  status: number,
  code: string,
  codeN?: number,
]

const auth = (text: string) => ({ headers: { authorization: text, 'x-date': '20240521T102355Z' } })
const scope = 'AKLTEXAMPLE/20240521/cn-beijing/ecs/request'
const call = '/?Action=StopInstance&Version=2020-04-01'

suite('gateway', () => {
  const table: readonly Case[] = [
    ['no Action', () => unsigned('/?Version=2020-04-01'), 400, 'MissingParameter', 100002],
    [
      'an empty Action',
      () => unsigned('/?Action=&Version=2020-04-01'),
      400,
      'MissingParameter',
      100002,
    ],
    ['no Version', () => unsigned('/?Action=StopInstance'), 400, 'MissingParameter', 100002],
    [
      'Action in the body alone',
      () => b.ecs('', {}, { method: 'POST', body: 'Action=DescribeZones' }),
      400,
      'MissingParameter',
      100002,
    ],
    ['no signature at all', () => unsigned(call), 401, 'MissingAuthenticationToken', 100003],
    [
      'an unsigned unknown action',
      () => unsigned('/?Action=Nope&Version=1'),
      401,
      'MissingAuthenticationToken',
      100003,
    ],
    [
      'no date',
      () =>
        unsigned(call, {
          headers: {
            authorization: `HMAC-SHA256 Credential=${scope}, SignedHeaders=x-date, Signature=00`,
          },
        }),
      400,
      'MissingRequestInfo',
      100004,
    ],
    [
      'no Signature in the header',
      () => unsigned(call, auth(`HMAC-SHA256 Credential=${scope}, SignedHeaders=x-date`)),
      401,
      'MissingSignature',
      100005,
    ],
    [
      'no X-Signature',
      () => unsigned(`${call}&X-Credential=${encodeURIComponent(scope)}`),
      401,
      'MissingSignature',
      100005,
    ],
    [
      'another scheme',
      () => unsigned(call, auth('AWS4-HMAC-SHA256 Credential=a')),
      400,
      'InvalidAuthorization',
      100024,
    ],
    [
      'a bearer token',
      () => unsigned(call, auth('Bearer abc')),
      400,
      'InvalidAuthorization',
      100024,
    ],
    [
      'a scope of four parts',
      () =>
        unsigned(
          call,
          auth('HMAC-SHA256 Credential=a/20240521/r/request, SignedHeaders=x-date, Signature=00'),
        ),
      400,
      'InvalidCredential',
      100025,
    ],
    [
      'a scope of another day',
      () =>
        unsigned(
          call,
          auth(
            'HMAC-SHA256 Credential=a/20240520/r/ecs/request, SignedHeaders=x-date, Signature=00',
          ),
        ),
      400,
      'InvalidCredential',
      100025,
    ],
    [
      'an unknown key',
      () => b.ecs('DescribeZones', {}, { keys: { accessKeyId: 'AKLTNOBODY', secretKey: 'x' } }),
      401,
      'InvalidAccessKey',
      100009,
    ],
    [
      'an unknown key is named before the time',
      () =>
        unsigned(call, auth(`HMAC-SHA256 Credential=${scope}, SignedHeaders=x-date, Signature=00`)),
      401,
      'InvalidAccessKey',
      100009,
    ],
    [
      '16 minutes ago',
      () => b.ecs('DescribeZones', {}, { date: new Date(w.plane.nowMs() - 960_000) }),
      400,
      'InvalidTimestamp',
      100006,
    ],
    [
      'in 16 minutes',
      () => b.ecs('DescribeZones', {}, { date: new Date(w.plane.nowMs() + 960_000) }),
      400,
      'InvalidTimestamp',
      100006,
    ],
    [
      'another secret',
      () => b.ecs('DescribeZones', {}, { keys: { ...keysOf(w), secretKey: 'x' } }),
      401,
      'SignatureDoesNotMatch',
      100010,
    ],
    [
      'another secret, unknown action',
      () => b.ecs('Nope', {}, { keys: { ...keysOf(w), secretKey: 'x' } }),
      401,
      'SignatureDoesNotMatch',
      100010,
    ],
    [
      'another service',
      () => b.ecs('DescribeZones', {}, { service: 'vpc' }),
      404,
      'ServiceNotFound',
      100007,
    ],
    ['an unknown action', () => b.ecs('Nope'), 404, 'InvalidActionOrVersion', 100008],
    ['a name of every object', () => b.ecs('constructor'), 404, 'InvalidActionOrVersion', 100008],
    [
      'an unknown version',
      () => b.ecs('StopInstance', {}, { version: '2020-04-02' }),
      404,
      'InvalidActionOrVersion',
      100008,
    ],
    [
      'another path',
      () => unsigned('/ecs?Action=StopInstance&Version=2020-04-01'),
      404,
      'InvalidActionOrVersion',
      100008,
    ],
    [
      'a body beyond all bounds',
      () => b.ecs('DescribeZones', {}, { method: 'POST', body: 'a'.repeat(2_100_000) }),
      400,
      'InvalidArgument',
    ],
    [
      'a body that is not what it says',
      () => b.ecs('DescribeZones', {}, { method: 'POST', body: '{"a":', type: 'application/json' }),
      400,
      'InvalidArgument',
    ],
  ]
  for (const [what, ask, status, code, codeN] of table) {
    test(`${what}: ${status} ${code}`, async () => {
      const reply = await ask()
      assert.deepEqual([reply.status, reply.code, reply.error?.['CodeN']], [status, code, codeN])
      isEnvelope(reply)
    })
  }

  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    test(`${method} is not allowed, whatever else is wrong`, async () => {
      const reply = await unsigned('/?Action=StopInstance', { method })
      assert.deepEqual([reply.status, reply.code], [405, 'MethodNotAllowed'])
      isEnvelope(reply)
    })
  }

  test('HEAD is not allowed either', async () => {
    assert.equal((await fetch(`${w.url}${call}`, { method: 'HEAD' })).status, 405)
  })

  test('a byte changed on the way is refused', async () => {
    const { accessKeyId } = keysOf(w)
    const target = presigned({ InstanceId: id, ForceStop: 'true' })
    const reply = await unsigned(target.replace('ForceStop=true', 'ForceStop=tru%65'))
    assert.equal(reply.code, 'DryRunOperation', 'the same text written otherwise is the same text')
    for (const [from, to] of [
      ['ForceStop=true', 'ForceStop=false'],
      [id, `${id.slice(0, -1)}!`],
      [accessKeyId, 'AKLTNOBODY'],
    ] as const) {
      const changed = await unsigned(target.replace(from, to))
      assert.match(changed.code, /^(SignatureDoesNotMatch|InvalidAccessKey)$/)
    }
    assert.equal(
      (await unsigned(`${target}&StoppedMode=StopCharging`)).code,
      'SignatureDoesNotMatch',
    )
    assert.equal(await b.status(id), 'RUNNING')
  })

  test('a presigned request carries no body past its signature', async () => {
    const target = presigned({ InstanceId: id })
    const headers = { 'content-type': 'application/json' }
    const reply = await unsigned(target, { method: 'POST', headers, body: '{"InstanceId":"i-x"}' })
    assert.equal(reply.code, 'SignatureDoesNotMatch')
  })
})

/** Presigned by the vendor's signer, for a dry run. */
const presigned = (query: Record<string, string>): string =>
  signed(keysOf(w), 'StopInstance', { ...query, DryRun: 'true' }, { presign: true }).target

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
    await w.identity.keys.setActive(row, false)
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
