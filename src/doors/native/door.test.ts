// The gate of this door: who may pass, what a request must look like, and that the table of routes,
// the OpenAPI document and the refusals say the same.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { adminOf, type NativeApi, nativeApi, tokenOf } from '#test/harness/native-api.ts'
import { type World, world } from '#test/harness/world.ts'
import { isChange } from './endpoint.ts'
import { faultOf, faults, ownFaults, problemCodes, problemHeads } from './faults.ts'
import { endpoints } from './routes.ts'

const people = {
  projects: [{ name: 'alpha' }],
  users: [
    { name: 'rea', password: 'reader-of-alpha', roles: { alpha: 'reader' } },
    { name: 'mem', password: 'member-of-alpha', roles: { alpha: 'member' } },
  ],
}

let w: World
let admin: NativeApi
let member: NativeApi
let reader: NativeApi

before(async () => {
  w = await world({ config: { identity: people } })
  admin = adminOf(w)
  member = nativeApi(
    w,
    await tokenOf(w, { user: 'mem', password: 'member-of-alpha', project: 'alpha' }),
  )
  reader = nativeApi(
    w,
    await tokenOf(w, { user: 'rea', password: 'reader-of-alpha', project: 'alpha' }),
  )
})
after(() => w.close())

test('nobody passes without a token that is good now', async () => {
  const nobody = nativeApi(w, '')
  for (const [sent, code] of [
    [{}, 'Unauthenticated'],
    [{ headers: { authorization: 'Basic YTpi' } }, 'Unauthenticated'],
    [{ headers: { authorization: 'Bearer' } }, 'Unauthenticated'],
    [{ headers: { authorization: 'Bearer not-a-token' } }, 'Unauthenticated'],
    [{ headers: { authorization: `Bearer ${admin.token} ${admin.token}` } }, 'Unauthenticated'],
  ] as const) {
    const reply = await nobody.call('GET', '/instances', sent)
    assert.equal((reply.body as { code: string }).code, code)
    assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer/)
  }
  const short = await tokenOf(w, {
    user: 'mem',
    password: 'member-of-alpha',
    project: 'alpha',
    lifeMs: 1,
  })
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal((await nativeApi(w, short).refused('GET', '/instances')).code, 'TokenExpired')
})

test('every route asks for a token before it looks at anything else', async () => {
  const nobody = nativeApi(w, '')
  for (const { method, path } of endpoints) {
    const sent = method === 'GET' ? {} : { body: '{', headers: { 'if-match': 'no tag' } }
    assert.equal(
      (await nobody.refused(method, path.replaceAll(/:\w+/g, 'x'), sent)).code,
      'Unauthenticated',
      `${method} ${path}`,
    )
  }
})

test('a revoked token is as good as none', async () => {
  const text = await tokenOf(w, { user: 'mem', password: 'member-of-alpha', project: 'alpha' })
  const api = nativeApi(w, text)
  await api.get('/instances')
  const proved = await w.identity.byToken(text)
  assert.ok(proved.ok)
  await w.identity.revoke(proved.value.token)
  assert.equal((await api.refused('GET', '/instances')).code, 'Unauthenticated')
})

test('a reader reads everything and changes nothing; a member does not set the catalogue', async () => {
  const { id } = await member.server({ name: 'guarded' })
  const { hold } = await member.change('POST', `/instances/${id}/holds`, {})
  const fill = (path: string): string =>
    path
      .replace('/instances/:id', `/instances/${id}`)
      .replace(':hold', hold ?? '')
      .replaceAll(/:\w+/g, 'x')
  for (const row of endpoints.filter(isChange)) {
    const problem = await reader.refused(row.method, fill(row.path), { body: {} })
    assert.equal(problem.code, 'Forbidden', row.operation)
    if (row.role === 'admin')
      assert.equal(
        (await member.refused(row.method, fill(row.path), { body: {} })).code,
        'Forbidden',
        row.operation,
      )
  }
  for (const row of endpoints.filter((one) => !isChange(one) && one.path.startsWith('/instances')))
    assert.ok((await reader.call('GET', fill(row.path))).status === 200, row.operation)
  assert.equal((await reader.get<{ state: string }>(`/instances/${id}`)).state, 'running')
})

test('what is not a request of this door is refused in its words', async () => {
  assert.equal((await admin.refused('GET', '/nothing')).code, 'NoSuchPath')
  const wrong = await admin.call('PUT', '/instances')
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, POST'])
  const big = `{"name":"${'x'.repeat(300_000)}"}`
  assert.equal((await admin.refused('POST', '/instances', { body: big })).code, 'TooLarge')
  const form = {
    body: 'kind=server',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }
  assert.equal((await admin.refused('POST', '/instances', form)).code, 'NotJson')
  assert.equal((await admin.refused('POST', '/instances', { body: '{"name":' })).code, 'Malformed')
  assert.equal(
    (
      await admin.refused('POST', '/instances', {
        body: '{"launch":"\xff"}'.replace('\xff', '\\ud800'),
      })
    ).field,
    'body',
  )
  const deep = { body: `{"launch":${'['.repeat(60)}${']'.repeat(60)}}` }
  assert.equal((await admin.refused('POST', '/instances', deep)).field, 'body')
})

const good = { kind: 'server', name: 'n', flavor: 'sim.small', image: 'sim' }

/** body, and the field that the refusal must name */
const badBodies: readonly (readonly [body: unknown, field: string])[] = [
  [[], 'body'],
  ['null', 'body'],
  ['"text"', 'body'],
  [{}, 'kind'],
  [{ ...good, kind: 'edge-instance' }, 'kind'],
  [{ ...good, name: 7 }, 'name'],
  [{ ...good, name: '' }, 'name'],
  [{ ...good, name: 'a\u0000b' }, 'name'],
  [{ ...good, name: 'x'.repeat(129) }, 'name'],
  [{ ...good, nam: 'n' }, 'nam'],
  [{ ...good, count: 0 }, 'count'],
  [{ ...good, count: 1.5 }, 'count'],
  [{ ...good, count: 101 }, 'count'],
  [{ ...good, labels: { a: 1 } }, 'labels.a'],
  [{ ...good, labels: [] }, 'labels'],
  [{ ...good, launch: 'x' }, 'launch'],
  [{ ...good, charge: 'Free' }, 'charge'],
  [{ ...good, autoStop: { enabled: true } }, 'autoStop.afterMs'],
  [{ ...good, conditions: { scheduled: true } }, 'conditions.scheduled'],
]

test('a body that is not as it must be is refused by the name of the field, and makes nothing', async () => {
  const count = async (): Promise<number> =>
    (await admin.get<{ items: unknown[] }>('/instances')).items.length
  const was = await count()
  for (const [body, field] of badBodies) {
    const problem = await admin.refused('POST', '/instances', { body })
    assert.deepEqual([problem.code, problem.field], ['BadField', field], JSON.stringify(body))
  }
  assert.equal(await count(), was)
})

test('parameters and headers that are not as they must be are refused by name', async () => {
  const { id } = await admin.server({ name: 'parameters' })
  const acting = { body: { action: 'start' } }
  const path = `/instances/${id}/actions`
  for (const [method, target, sent, field] of [
    ['GET', '/instances?limit=0', {}, 'limit'],
    ['GET', '/instances?limit=ten', {}, 'limit'],
    ['GET', '/instances?kind=server,car', {}, 'kind.1'],
    ['GET', '/instances?colour=red', {}, 'colour'],
    ['GET', '/instances?cursor=abc', {}, 'cursor'],
    ['GET', '/instances?allProjects=yes', {}, 'allProjects'],
    ['GET', '/events/stream?after=-1', {}, 'after'],
    ['GET', '/events/stream', { headers: { 'last-event-id': 'x' } }, 'Last-Event-ID'],
    ['POST', path, { ...acting, headers: { 'if-match': '3' } }, 'If-Match'],
    ['POST', path, { ...acting, headers: { 'if-match': 'W/"3"' } }, 'If-Match'],
    ['POST', path, { ...acting, headers: { 'x-dry-run': 'maybe' } }, 'X-Dry-Run'],
    ['POST', path, { ...acting, headers: { 'idempotency-key': 'a b' } }, 'Idempotency-Key'],
    ['POST', path, { body: { action: 'jump' } }, 'action'],
    ['POST', path, { body: {} }, 'action'],
    ['POST', path, { body: { action: 'stop', mode: 'gentle' } }, 'mode'],
    ['POST', path, { body: { action: 'stop', graceMs: -1 } }, 'graceMs'],
    ['POST', path, { body: { action: 'stop', from: ['asleep'] } }, 'from.0'],
    ['POST', path, { body: { action: 'status', status: 'up', until: 'tomorrow' } }, 'until'],
    [
      'POST',
      path,
      { body: { action: 'status', status: 'up', until: '2026-06-30T23:59:60Z' } },
      'until',
    ],
    [
      'POST',
      '/services',
      { body: { name: 's', nodes: [], flavor: 'f', image: 'i' }, headers: { 'if-match': '"1"' } },
      'If-Match',
    ],
    ['POST', `/instances/${id}/holds`, { body: { until: '2020-01-01T00:00:00Z' } }, 'until'],
    ['PUT', '/pools/a%2Fb', { body: { capacity: 1 } }, 'id'],
    ['PATCH', `/instances/${id}`, { body: {} }, 'body'],
  ] as const) {
    const problem = await admin.refused(method, target, sent)
    assert.deepEqual(
      [problem.code, problem.field],
      ['BadField', field],
      `${method} ${target} ${JSON.stringify(sent)}`,
    )
  }
})

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<Record<string, { readonly operationId: string; readonly responses: object }>>
    >
  >
  readonly components: {
    readonly schemas: Readonly<
      Record<
        string,
        { readonly properties: { readonly code: { readonly enum: readonly string[] } } }
      >
    >
    readonly responses: Readonly<Record<string, { readonly 'x-codes': readonly string[] }>>
  }
}

test('the document lists every route, and no other', async () => {
  const reply = await fetch(`${w.url}/api/v1/openapi.json`)
  const document = (await reply.json()) as Document // read below, field by field
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`,
    ),
  )
  const routed = endpoints.map(
    (row) => `${row.method} ${row.path.replaceAll(/:(\w+)/g, '{$1}')} ${row.operation}`,
  )
  assert.deepEqual(documented.toSorted(), routed.toSorted())
  assert.equal(
    new Set(endpoints.map((row) => row.operation)).size,
    endpoints.length,
    'operation names are unique',
  )
  const refs = [...JSON.stringify(document).matchAll(/#\/components\/(\w+)\/(\w+)/g)]
  assert.ok(refs.length > 100)
  for (const [, part, name] of refs)
    assert.ok(
      name &&
        (part === 'schemas' ? document.components.schemas : document.components.responses)[name],
      `${part} ${name}`,
    )
})

test('every refusal of the kernel and of this door is documented, with its status', async () => {
  const document = (await (await fetch(`${w.url}/api/v1/openapi.json`)).json()) as Document // as above
  assert.deepEqual(
    document.components.schemas['Problem']?.properties.code.enum.toSorted(),
    problemCodes.toSorted(),
  )
  for (const code of [
    ...Object.keys(faults),
    ...Object.keys(ownFaults),
  ] as (typeof problemCodes)[number][]) {
    const documented = Object.entries(document.components.responses).filter(([, response]) =>
      response['x-codes'].includes(code),
    )
    assert.deepEqual(
      documented.map(([status]) => Number(status)),
      [problemHeads[code].status],
      code,
    )
  }
})

test('no refusal shows more than its own words', () => {
  const fault = faultOf({ code: 'TokenReused', token: 'p1/native/stop/secret-key' })
  assert.ok(!JSON.stringify(fault).includes('secret-key'))
})
