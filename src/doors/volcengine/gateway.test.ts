import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import {
  type Bench,
  bench,
  type EcsReply,
  isEnvelope,
  keysOf,
  replyOf,
  signed,
} from '#test/harness/ecs.ts'
import { world, type World } from '#test/harness/world.ts'

let w: World
let b: Bench
let id: string

before(async () => {
  w = await world()
  b = await bench(w)
  id = await b.server()
})
after(() => w.close())

const unsigned = async (path: string, init: RequestInit = {}) =>
  replyOf(await fetch(w.url + path, init))

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

/** Presigned by the vendor's signer, for a dry run. */
const presigned = (query: Record<string, string>): string =>
  signed(keysOf(w), 'StopInstance', { ...query, DryRun: 'true' }, { presign: true }).target

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
