// B3, B4, B7, B9, B12, B13 and B14 through real sockets: leases, changes, tags and what leads to them.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at, listAt, type Reply } from '#test/harness/api.ts'
import { type NotebookWorld, notebookWorld } from '#test/harness/notebook-world.ts'
import { until } from '#test/harness/world.ts'

let lab: NotebookWorld
before(async () => {
  lab = await notebookWorld()
})
after(() => lab.close())

const notebooks = '/v1/{p}/notebooks'
const hourMs = 3_600_000
const codeOf = (reply: Reply) => `${reply.status} ${String(at(reply.body, 'error_code'))}`
const volume = { category: 'EVS', ownership: 'MANAGED', capacity: 50 }
const body = { name: 'nb', flavor: 'sim.billed', image_id: 'sim', volume }
const call = (method: string, path: string, sent?: unknown) =>
  lab.bob.call(method, `${notebooks}${path}`, sent)
const becomes = (id: string, status: string) =>
  until(
    () => call('GET', `/${id}`),
    (reply) => at(reply.body, 'status') === status,
  )

async function made(change: object = {}): Promise<string> {
  const reply = await call('POST', '', { ...body, ...change })
  assert.equal(reply.status, 200, reply.text)
  const id = String(at(reply.body, 'id'))
  await becomes(id, 'RUNNING')
  return id
}

async function stopped(change: object = {}): Promise<string> {
  const id = await made(change)
  await call('POST', `/${id}/stop`)
  await becomes(id, 'STOPPED')
  return id
}

interface Lease {
  readonly create_at: number
  readonly update_at: number
  readonly duration: number
  readonly enable: boolean
  readonly type: string
}
const leaseIn = (value: unknown) => value as Lease // its fields are asserted on
const holds = (lease: Lease, runMs: number) =>
  assert.equal(lease.duration, lease.update_at - lease.create_at + runMs)
const stopsAt = async (id: string) =>
  (await lab.w.plane.read.get('instances', id))?.timers.autoStopAtMs

suite('the lease', () => {
  test('B3 shows what creation and start told, whatever it has become since', async () => {
    const created = await call('POST', '', body)
    const id = String(at(created.body, 'id'))
    const first = leaseIn(at(created.body, 'lease'))
    holds(first, hourMs)
    await becomes(id, 'RUNNING')
    assert.deepEqual((await call('GET', `/${id}/lease`)).body, first)
    assert.equal(await stopsAt(id), first.create_at + first.duration)
    await call('POST', `/${id}/stop`)
    await becomes(id, 'STOPPED')
    lab.clock.jump(10_000)
    const started = await call('POST', `/${id}/start?duration=7200000&type=idle`)
    const second = leaseIn(at(started.body, 'lease'))
    holds(second, 2 * hourMs)
    assert.equal(second.type, 'IDLE')
    assert.ok(second.update_at >= first.update_at + 10_000)
    await becomes(id, 'RUNNING')
    assert.deepEqual((await call('GET', `/${id}/lease`)).body, second)
  })

  test('B4 counts from now; the query wins over the body and means timing', async () => {
    const id = await made()
    lab.clock.jump(20_000)
    const reply = await call('PATCH', `/${id}/lease`, { duration: 2 * hourMs, type: 'idle' })
    assert.equal(reply.status, 200)
    const renewed = leaseIn(reply.body)
    assert.deepEqual(Object.keys(renewed), ['create_at', 'update_at', 'duration', 'enable', 'type'])
    holds(renewed, 2 * hourMs)
    assert.equal(renewed.type, 'IDLE')
    assert.ok(renewed.update_at >= renewed.create_at + 20_000)
    assert.equal(await stopsAt(id), renewed.create_at + renewed.duration)
    const both = await call('PATCH', `/${id}/lease?duration=${3 * hourMs}`, {
      duration: hourMs,
      type: 'idle',
    })
    holds(leaseIn(both.body), 3 * hourMs)
    assert.equal(leaseIn(both.body).type, 'TIMING')
    for (const sent of [undefined, {}])
      holds(leaseIn((await call('PATCH', `/${id}/lease`, sent)).body), hourMs)
    lab.clock.jump(hourMs - 60_000)
    assert.equal(at((await call('GET', `/${id}`)).body, 'status'), 'RUNNING')
    lab.clock.jump(61_000)
    await becomes(id, 'STOPPED')
  })

  test('what is wrong is refused and moves nothing', async () => {
    const id = await made()
    const before = await stopsAt(id)
    for (const [query, sent] of [
      ['', { duration: 1 }],
      ['', { duration: 259_200_001 }],
      ['', { duration: -1 }],
      ['', { duration: '3600000' }],
      ['', { type: 'never' }],
      ['', '['],
      ['', []],
      ['?duration=1', {}],
      ['?duration=x', {}],
      ['?duration=-1', {}],
    ] as const)
      assert.equal(codeOf(await call('PATCH', `/${id}/lease${query}`, sent)), '400 ModelArts.6400')
    assert.equal(await stopsAt(id), before)
    const unknown = await call('PATCH', '/none/lease', {})
    assert.equal(codeOf(unknown), '400 ModelArts.6404')
    assert.equal(codeOf(await call('GET', '/none/lease')), '400 ModelArts.6404')
    const reader = (method: string) =>
      lab.reader.call(method, `${notebooks}/${id}/lease`, undefined)
    assert.equal((await reader('GET')).status, 200)
    assert.equal(codeOf(await reader('PATCH')), '403 ModelArts.0108')
    await call('POST', `/${id}/stop`)
    await becomes(id, 'STOPPED')
    assert.equal(codeOf(await call('PATCH', `/${id}/lease`, {})), '400 ModelArts.6357')
    assert.equal((await call('GET', `/${id}/lease`)).status, 200)
  })
})

suite('B9', () => {
  test('name, description and size change while it runs; the rest only while it is stopped', async () => {
    const id = await made({ hooks: { a: 1 }, run_user: 'ma' })
    const put = (sent: unknown) => call('PUT', `/${id}`, sent)
    const reply = await put({ name: 'other', description: 'new', storage_new_size: 60 })
    assert.equal(reply.status, 200, reply.text)
    assert.equal(at(reply.body, 'name'), 'other')
    assert.equal(at(reply.body, 'description'), 'new')
    assert.equal(at(reply.body, 'volume', 'capacity'), 60)
    assert.equal(at(reply.body, 'status'), 'RUNNING')
    const endpoints = [{ service: 'SSH', allowed_access_ips: ['10.0.0.2'] }]
    for (const sent of [{ flavor: 'sim.wide' }, { image_id: 'sim' }, { endpoints }, { hooks: {} }])
      assert.equal(codeOf(await put(sent)), '400 ModelArts.6357')
    await call('POST', `/${id}/stop`)
    await becomes(id, 'STOPPED')
    const like = await lab.w.plane.read.get('flavors', 'sim.billed')
    assert.ok(like)
    const row = { ...like, id: 'sim.wide', name: 'sim.wide' }
    await lab.direct({ verb: 'put', table: 'flavors', row })
    const deep = await put({ flavor: 'sim.wide', endpoints, hooks: { b: 2 }, name: 'third' })
    assert.equal(deep.status, 200, deep.text)
    assert.equal(at(deep.body, 'flavor'), 'sim.wide')
    assert.deepEqual(at(deep.body, 'hooks'), { b: 2 })
    assert.equal(at(deep.body, 'run_user'), 'ma')
    assert.deepEqual(at(deep.body, 'endpoints', 0, 'allowed_access_ips'), ['10.0.0.2'])
    await call('POST', `/${id}/start?duration=-1`)
    assert.equal(at((await becomes(id, 'RUNNING')).body, 'flavor'), 'sim.wide')
  })

  const refusals: readonly (readonly [string, unknown, string])[] = [
    ['no JSON', '{', '6400'],
    ['a bad name', { name: 'a b' }, '6400'],
    ['a bad description', { description: '<' }, '6400'],
    ['a smaller volume', { storage_new_size: 49 }, '6400'],
    ['a volume of 4097', { storage_new_size: 4097 }, '6400'],
    ['an unknown flavor', { flavor: 'none' }, '6400'],
    ['an unknown image', { image_id: 'none' }, '6797'],
    ['a flavor of other hardware', { flavor: 'sim.gpu' }, '6792'],
    ['a flavor of another driver', { flavor: 'modelarts.vm.cpu.2u' }, '6792'],
    ['a free flavor', { flavor: 'modelarts.vm.cpu.free' }, '6870'],
  ]
  test('what is wrong is refused and changes nothing', async () => {
    const id = await stopped()
    const before = (await call('GET', `/${id}`)).text
    for (const [name, sent, number] of refusals)
      assert.equal(codeOf(await call('PUT', `/${id}`, sent)), `400 ModelArts.${number}`, name)
    assert.equal((await call('GET', `/${id}`)).text, before)
    assert.equal(codeOf(await call('PUT', '/none', { name: 'a' })), '400 ModelArts.6404')
    const reader = await lab.reader.call('PUT', `${notebooks}/${id}`, { name: 'a' })
    assert.equal(codeOf(reader), '403 ModelArts.0108')
  })
})

test('B12: what B9 would accept, twice in one page', async () => {
  const like = await lab.w.plane.read.get('flavors', 'sim.billed')
  assert.ok(like)
  const row = { ...like, id: 'sim.tall', name: 'sim.tall' }
  await lab.direct({ verb: 'put', table: 'flavors', row })
  const id = await stopped()
  const reply = await call('GET', `/${id}/flavors`)
  const ids = listAt(reply.body, 'data').map((one) => at(one, 'id'))
  assert.ok(ids.includes('sim.tall') && !ids.includes('sim.billed') && !ids.includes('sim.gpu'))
  assert.deepEqual(at(reply.body, 'flavors'), at(reply.body, 'data'))
  for (const flavor of ids)
    assert.equal((await call('PUT', `/${id}`, { flavor })).status, 200, String(flavor))
  assert.equal(codeOf(await call('GET', '/none/flavors')), '400 ModelArts.6404')
  assert.equal(codeOf(await call('GET', `/${id}/flavors?limit=x`)), '400 ModelArts.6400')
})

test('B13: an empty page of second storages', async () => {
  const id = await made()
  assert.deepEqual((await call('GET', `/${id}/storage`)).body, {
    current: 1,
    data: [],
    pages: 0,
    size: 10,
    total: 0,
  })
  assert.equal(codeOf(await call('GET', '/none/storage')), '400 ModelArts.6404')
})

suite('B14', () => {
  const tag = (id: string, what: 'create' | 'delete', sent: unknown) =>
    call(what === 'create' ? 'POST' : 'DELETE', `/${id}/tags/${what}`, sent)

  test('tags are set, replaced and removed with 204, shown, and found again', async () => {
    const id = await made()
    const set = await tag(id, 'create', {
      tags: [
        { key: 'team', value: 'vision' },
        { key: 'ümlaut 1', value: 'a/b' },
      ],
    })
    assert.deepEqual([set.status, set.text], [204, ''])
    assert.match(set.headers.get('x-request-id') ?? '', /^[0-9a-f]{32}$/)
    await tag(id, 'create', { tags: [{ key: 'team', value: 'speech' }, { key: 'empty' }] })
    assert.deepEqual(at((await call('GET', `/${id}`)).body, 'tags'), [
      { key: 'team', value: 'speech' },
      { key: 'ümlaut 1', value: 'a/b' },
      { key: 'empty', value: '' },
    ])
    const found = async (tags: string) =>
      at((await call('GET', `?tags=${encodeURIComponent(tags)}`)).body, 'total')
    assert.deepEqual(
      [await found('team=speech'), await found('team,empty='), await found('team=vision')],
      [1, 1, 0],
    )
    const all = await call('GET', '/tags')
    assert.deepEqual(
      listAt(all.body, 'tags').find((one) => at(one, 'key') === 'team'),
      { key: 'team', values: ['speech'] },
    )
    const removed = await tag(id, 'delete', { tags: [{ key: 'team' }, { key: 'never' }] })
    assert.equal(removed.status, 204)
    assert.equal(await found('team'), 0)
  })

  test('what is wrong is refused', async () => {
    const id = await made()
    for (const sent of [
      '{',
      {},
      { tags: [] },
      { tags: [{ value: 'v' }] },
      { tags: [{ key: '' }] },
      { tags: [{ key: ' a' }] },
      { tags: [{ key: '_sys_a' }] },
      { tags: [{ key: 'k'.repeat(129) }] },
      { tags: [{ key: 'k', value: 'v'.repeat(256) }] },
      { tags: [{ key: 'k', value: '<' }] },
    ])
      assert.equal(
        codeOf(await tag(id, 'create', sent)),
        '400 ModelArts.6400',
        JSON.stringify(sent),
      )
    const many = (from: number) => ({
      tags: Array.from({ length: 11 }, (_, nth) => ({ key: `k${from + nth}` })),
    })
    assert.equal((await tag(id, 'create', many(0))).status, 204)
    assert.equal(codeOf(await tag(id, 'create', many(20))), '400 ModelArts.0116')
    assert.equal(codeOf(await tag('none', 'create', many(0))), '400 ModelArts.6404')
    assert.equal(codeOf(await tag('none', 'delete', many(0))), '400 ModelArts.6404')
    const path = `${notebooks}/${id}/tags/create`
    assert.equal(codeOf(await lab.reader.call('POST', path, many(0))), '403 ModelArts.0108')
  })
})

test('B7: all of a project, whoever made them', async () => {
  const id = await made({ name: 'whose' })
  const { body: page } = await lab.mia.call('GET', `${notebooks}/all?name=whose`)
  assert.equal(at(page, 'total'), 1)
  assert.equal(at(page, 'data', 0, 'id'), id)
  assert.equal(codeOf(await call('GET', '/all?limit=0')), '400 ModelArts.6400')
})

test('a repeated key is told the first answer byte for byte, whatever changed since', async () => {
  const key = { 'idempotency-key': 'create-1' }
  const sent = { ...body, name: 'kept' }
  const first = await lab.bob.call('POST', notebooks, sent, key)
  const id = String(at(first.body, 'id'))
  await becomes(id, 'RUNNING')
  await call('PUT', `/${id}`, { name: 'renamed', description: 'x' })
  lab.clock.jump(5_000)
  const again = await lab.bob.call('POST', notebooks, sent, key)
  assert.equal(again.text, first.text)
  assert.equal(at((await call('GET', `/${id}`)).body, 'name'), 'renamed')
})

test('while it comes, its progress is told in four steps; a failed one says where it ended', async () => {
  const steps = (shown: unknown) =>
    listAt(shown, 'action_progress').map(
      (one) => `${String(at(one, 'step'))} ${String(at(one, 'status'))}`,
    )
  const coming = await lab.reach('starting')
  const shown = (await call('GET', `/${coming}`)).body
  assert.deepEqual(steps(shown), ['1 COMPLETED', '2 PROCESSING', '3 WAITING', '4 WAITING'])
  assert.equal(at(shown, 'action_progress', 0, 'notebook_id'), coming)
  assert.equal(at(shown, 'action_progress', 0, 'description'), 'storage')
  assert.equal(at(shown, 'action_progress', 0, 'step_description'), 'storage')
  const failed = await lab.reach('failed/create')
  assert.equal(steps((await call('GET', `/${failed}`)).body)[0], '1 FAILED')
  const running = await made()
  assert.equal(at((await call('GET', `/${running}`)).body, 'action_progress'), undefined)
})
