// The status call to the letter, through real sockets, and what all answers of this door have in common.
// Source: contracts/cse-registry.md sections 1 and 2.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { at } from '#test/harness/api.ts'
import { type JumpingClock, jumpingClock } from '#test/harness/jumping-clock.ts'
import {
  type Client,
  client,
  codeOf,
  find,
  one,
  type Reply,
  registered,
  revisionOf,
  shownStatus,
  stage,
} from '#test/harness/registry.ts'
import { type World, world } from '#test/harness/world.ts'

let house: World
let registry: Client
let clock: JumpingClock
before(async () => {
  clock = jumpingClock()
  house = await world({ clock })
  registry = client(house)
  await stage(registry, {
    healthCheck: { mode: 'push', interval: 2_000_000, times: 3 },
  })
})
after(() => house.close())

const put = (path: string, headers?: Record<string, string>): Promise<Reply> =>
  registry.call('PUT', path, undefined, headers)
const instanceShown = async (): Promise<unknown> =>
  at((await registry.call('GET', one)).body, 'instance')

const statuses = ['UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE'] as const

const rule = (field: string, value: string, text: string) =>
  `field 'UpdateInstanceStatusRequest.${field}' invalid value '${value}' does not match rule: {${text}}`
const statusRule = (value: string) =>
  rule('Status', value, 'Regexp: ^(UP|DOWN|STARTING|TESTING|OUTOFSERVICE)$')
const serviceRule = (value: string) =>
  rule('ServiceId', value, String.raw`Min: 1, Max: 64, Regexp: ^\S*$`)
const instanceRule = (value: string) =>
  rule('InstanceId', value, 'Min: 1, Max: 64, Regexp: ^[A-Za-z0-9_.-]*$')

const fault = (code: string, message: string, detail: string) =>
  JSON.stringify({
    errorCode: code,
    errorMessage: message,
    detail,
    errCode: code,
    errMsg: message,
  })
const invalid = (detail: string) => fault('400001', 'Invalid parameter(s)', detail)
const unknown = fault('400017', 'Instance does not exist', 'Service instance does not exist.')

suite('the status call', () => {
  test('any of the five follows any of the five, and each answer is Success in plain text', async () => {
    for (const from of statuses)
      for (const to of statuses) {
        await put(`${one}/status?value=${from}`)
        const reply = await put(`${one}/status?value=${to}`)
        assert.equal(reply.status, 200, `${from} to ${to}`)
        assert.equal(reply.text, 'Success')
        assert.equal(reply.headers.get('content-type'), 'text/plain; charset=UTF-8')
        assert.equal(await shownStatus(registry), to)
      }
  })

  test('the same value again is a change: its time and the revision go on, and nothing else', async () => {
    await put(`${one}/status?value=TESTING`)
    const before = (await instanceShown()) as Record<string, unknown> // an object, checked below
    const rev = revisionOf(await registry.call('GET', find))
    clock.jump(5_000)
    assert.equal((await put(`${one}/status?value=TESTING`)).status, 200)
    const shown = (await instanceShown()) as Record<string, unknown> // as above
    assert.ok(Number(shown['modTimestamp']) >= Number(before['modTimestamp']) + 5)
    assert.deepEqual({ ...shown, modTimestamp: '' }, { ...before, modTimestamp: '' })
    assert.notEqual(revisionOf(await registry.call('GET', find)), rev)
  })

  const bad: Readonly<Record<string, readonly [path: string, text: string]>> = {
    'no value': [`${one}/status`, invalid(statusRule(''))],
    'an empty value': [`${one}/status?value=`, invalid(statusRule(''))],
    'lower case': [`${one}/status?value=up`, invalid(statusRule('up'))],
    UNKNOWN: [`${one}/status?value=UNKNOWN`, invalid(statusRule('UNKNOWN'))],
    'another word': [`${one}/status?value=INVALID`, invalid(statusRule('INVALID'))],
    'a word of a prototype': [
      `${one}/status?value=constructor`,
      invalid(statusRule('constructor')),
    ],
    'a blank behind it': [`${one}/status?value=UP%20`, invalid(statusRule('UP '))],
    'a key in another case': [`${one}/status?Value=UP`, invalid(statusRule(''))],
    'a bad first value': [`${one}/status?value=no&value=UP`, invalid(statusRule('no'))],
    'a semicolon': [`${one}/status?value=UP;x=1`, invalid(statusRule(''))],
    'a broken escape': [`${one}/status?value=%zz`, invalid(statusRule(''))],
    'a service id of 65 characters': [
      `{r}/microservices/${'s'.repeat(65)}/instances/i1/status?value=UP`,
      invalid(serviceRule('s'.repeat(65))),
    ],
    'a service id of 1500 characters': [
      `{r}/microservices/${'s'.repeat(1500)}/instances/i1/status?value=UP`,
      invalid(serviceRule('s'.repeat(1500))),
    ],
    'a service id with a blank': [
      '{r}/microservices/s%201/instances/i1/status?value=UP',
      invalid(serviceRule('s 1')),
    ],
    'an instance id of 65 characters': [
      `{r}/microservices/svc1/instances/${'i'.repeat(65)}/status?value=UP`,
      invalid(instanceRule('i'.repeat(65))),
    ],
    'an instance id with a colon': [
      '{r}/microservices/svc1/instances/i%3A1/status?value=UP',
      invalid(instanceRule('i:1')),
    ],
    'all wrong: the service id first': [
      '{r}/microservices/s%201/instances/i%3A1/status?value=no',
      invalid(serviceRule('s 1')),
    ],
    'instance id and value wrong: the instance id first': [
      '{r}/microservices/svc1/instances/i%3A1/status?value=no',
      invalid(instanceRule('i:1')),
    ],
    'a bad value of an unknown instance': [
      '{r}/microservices/svc1/instances/i9/status?value=no',
      invalid(statusRule('no')),
    ],
    'an unknown instance': ['{r}/microservices/svc1/instances/i9/status?value=UP', unknown],
    'an unknown service': ['{r}/microservices/svc9/instances/i1/status?value=UP', unknown],
  }
  for (const [name, [path, text]] of Object.entries(bad))
    test(`${name} is refused to the byte, and nothing changes`, async () => {
      const before = await registry.call('GET', find)
      const reply = await put(path)
      assert.equal(reply.status, 400)
      assert.equal(reply.text, text)
      assert.equal(reply.headers.get('content-type'), 'application/json; charset=UTF-8')
      const behind = await registry.call('GET', find)
      assert.deepEqual([behind.text, revisionOf(behind)], [before.text, revisionOf(before)])
    })

  test('characters are counted, not bytes: 64 of three bytes each are looked up', async () => {
    const id = encodeURIComponent('服'.repeat(64))
    const reply = await put(`{r}/microservices/${id}/instances/i1/status?value=UP`)
    assert.equal(reply.text, unknown)
    const longer = encodeURIComponent('服'.repeat(65))
    const refused = await put(`{r}/microservices/${longer}/instances/i1/status?value=UP`)
    assert.equal(refused.text, invalid(serviceRule('服'.repeat(65))))
  })

  test('another domain or project does not know the instance', async () => {
    for (const tenant of [
      { domain: 'other' },
      { project: 'other' },
      { domain: 'other', project: 'other' },
    ]) {
      const reply = await client(house, tenant).call('PUT', `${one}/status?value=DOWN`)
      assert.equal(reply.text, unknown, JSON.stringify(tenant))
    }
  })

  test('an instance that has left is unknown', async () => {
    await registered(registry, { instanceId: 'gone' })
    const gone = '{r}/microservices/svc1/instances/gone'
    await registry.call('DELETE', gone)
    assert.equal((await put(`${gone}/status?value=UP`)).text, unknown)
  })

  test('the first of several values counts, once it is decoded', async () => {
    await put(`${one}/status?value=%44OWN&value=UP`)
    assert.equal(await shownStatus(registry), 'DOWN')
  })

  test('a body is ignored, whatever it holds and says it holds', async () => {
    for (const type of ['application/json', 'json', 'text/plain'])
      assert.equal(
        (await registry.call('PUT', `${one}/status?value=UP`, '{', { 'content-type': type })).text,
        'Success',
      )
  })

  test('a heartbeat and a registration with a status leave the operator’s word standing', async () => {
    await put(`${one}/status?value=OUTOFSERVICE`)
    assert.equal((await put(`${one}/heartbeat`)).status, 200)
    await registered(registry, { status: 'UP', properties: { again: '1' } })
    assert.equal(await shownStatus(registry), 'OUTOFSERVICE')
    await put(`${one}/status?value=UP`)
    assert.equal(await shownStatus(registry), 'UP')
  })

  test('a dry run says what would be, and changes nothing', async () => {
    await put(`${one}/status?value=UP`)
    const reply = await put(`${one}/status?value=DOWN`, { 'x-dry-run': 'true' })
    assert.equal(reply.status, 200)
    assert.equal(at(reply.body, 'dry_run'), true)
    assert.deepEqual([at(reply.body, 'plan', 'from'), at(reply.body, 'plan', 'to')], ['up', 'down'])
    assert.equal(await shownStatus(registry), 'UP')
    const bad = await put(`${one}/status?value=DOWN`, { 'x-dry-run': 'maybe' })
    assert.equal(codeOf(bad), '400 400001')
  })

  test('a repeated key is one change; with another request it is refused; tenants do not share keys', async () => {
    const key = { 'idempotency-key': 'k-1' }
    await put(`${one}/status?value=DOWN`, key)
    await put(`${one}/status?value=UP`)
    assert.equal((await put(`${one}/status?value=DOWN`, key)).text, 'Success')
    assert.equal(await shownStatus(registry), 'UP')
    assert.equal(codeOf(await put(`${one}/status?value=TESTING`, key)), '400 400001')
    const other = client(house, { domain: 'other' })
    await stage(other)
    await other.call('PUT', `${one}/status?value=DOWN`, undefined, key)
    assert.equal(await shownStatus(other), 'DOWN')
  })
})

suite('every answer', () => {
  test('a wrong method is named with those that are right', async () => {
    for (const method of ['GET', 'POST', 'DELETE', 'PATCH', 'OPTIONS']) {
      const reply = await registry.call(method, `${one}/status?value=UP`)
      assert.equal(reply.status, 405, method)
      assert.equal(reply.headers.get('allow'), 'PUT')
      assert.equal(reply.text, 'Method Not Allowed')
      assert.match(reply.headers.get('content-type') ?? '', /^text\/plain/)
    }
    const head = await registry.call('HEAD', '{r}/microservices')
    assert.equal(head.status, 405)
    assert.equal(head.headers.get('allow'), 'POST, GET, DELETE')
  })

  test('an unknown path, a slash too many and an escaped slash are not found', async () => {
    for (const path of [
      '{r}/nothing',
      `${one}/status/?value=UP`,
      '{r}/microservices/',
      '{r}/microservices/a%2Fb/instances/i1/status?value=UP',
      '{r}/microservices/svc1%2finstances',
      '/v4/token',
      '/registry/v3/nothing',
    ]) {
      const reply = await put(path)
      assert.equal(reply.status, 404, path)
      assert.equal(reply.text, '404 page not found')
      assert.equal(reply.headers.get('content-type'), 'text/plain; charset=utf-8')
    }
    assert.equal((await registry.call('POST', '/v4/token', { name: 'root' })).status, 404)
  })

  test('an empty segment leads to the path without it', async () => {
    const reply = await put('{r}/microservices//svc1///instances/i1/status?value=UP')
    assert.equal(reply.status, 301)
    assert.equal(
      reply.headers.get('location'),
      '/v4/default/registry/microservices/svc1/instances/i1/status?value=UP',
    )
  })

  test('a target of 2048 characters is refused, one less is not', async () => {
    const path = '/v4/default/registry/microservices?x='
    const target = (length: number) => path + 'x'.repeat(length - path.length)
    const reply = await registry.call('GET', target(2048))
    assert.equal(reply.status, 400)
    assert.match(reply.text, /^Invalid Request URI/)
    assert.match(reply.headers.get('content-type') ?? '', /^text\/plain/)
    assert.equal((await registry.call('GET', target(2047))).status, 200)
  })

  test('headers are those of the original, and an empty success has a length of 0', async () => {
    const { hostname, port } = new URL(house.url)
    const socket = connect(Number(port), hostname)
    socket.end(
      `PUT ${one.replace('{r}', '/v4/default/registry')}/heartbeat HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    )
    let raw = ''
    socket.on('data', (part: Buffer) => (raw += part.toString('latin1')))
    await once(socket, 'close')
    const [head = '', body] = raw.split('\r\n\r\n')
    const lines = head.toLowerCase().split('\r\n')
    assert.equal(lines[0], 'http/1.1 200 ok')
    for (const line of [
      'server: servicecenter/2.2.0',
      'vary: accept-encoding, origin',
      'content-type: text/plain; charset=utf-8',
      'content-length: 0',
    ])
      assert.ok(lines.includes(line), `${line} in ${head}`)
    assert.match(head, /charset=UTF-8/)
    assert.equal(body, '')
  })

  test('a page of another origin may ask, unless that is switched off', async (t) => {
    const ask = { origin: 'http://page', 'access-control-request-method': 'PUT' }
    const reply = await registry.call('OPTIONS', `${one}/status`, undefined, ask)
    assert.equal(reply.status, 200)
    assert.equal(reply.headers.get('access-control-allow-origin'), '*')
    assert.equal(reply.headers.get('access-control-allow-methods'), 'PUT')
    const closed = await world({ config: { doors: { servicecomb: { cors: false } } } })
    t.after(() => closed.close())
    const refused = await client(closed).call('OPTIONS', `${one}/status`, undefined, ask)
    assert.equal(refused.status, 405)
    assert.equal(refused.headers.get('access-control-allow-origin'), null)
  })
})

suite('settings', () => {
  const open = (servicecomb: Record<string, unknown>) =>
    world({ config: { doors: { servicecomb } } })

  test('canonical errors have three keys, and an empty status body is empty', async (t) => {
    const other = await open({ errorBody: 'canonical', statusBody: 'empty' })
    t.after(() => other.close())
    const strict = client(other)
    await stage(strict)
    const reply = await strict.call('PUT', `${one}/status?value=UP`)
    assert.deepEqual([reply.status, reply.text], [200, ''])
    assert.equal(reply.headers.get('content-type'), 'text/plain; charset=UTF-8')
    const bad = await strict.call('PUT', `${one}/status?value=no`)
    assert.deepEqual(Object.keys(bad.body as object), ['errorCode', 'errorMessage', 'detail']) // JSON, or keys() throws
  })

  test('a strict domain must be named', async (t) => {
    const other = await open({ strictDomain: true })
    t.after(() => other.close())
    assert.equal(codeOf(await client(other).call('GET', '{r}/microservices')), '400 400001')
    const named = client(other, { domain: 'default' })
    assert.equal((await named.call('GET', '{r}/microservices')).text, '{}')
  })

  test('accounts without one that makes others stop the start with a line that says so', async () => {
    await assert.rejects(open({ rbac: true }), /doors\.servicecomb needs rootPassword when rbac is/)
  })
})
