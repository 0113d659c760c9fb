// Laws of changes through this door: the same key twice is one change, a dry run changes nothing,
// an old picture is refused, waiting answers with the end, and requests converge.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { adminOf, type NativeApi } from '#test/harness/native-api.ts'
import { type World, world } from '#test/harness/world.ts'
import type { EventPageShown, InstanceShown, PageShown, OperationShown } from './wire.ts'

let w: World
let api: NativeApi

before(async () => {
  w = await world()
  api = adminOf(w)
})
after(() => w.close())

const slow = { launch: { scenario: { stopMs: 3_000, hardStopMs: 20 } } }
const sticky = { launch: { scenario: { ignoreSoftStop: true, hardStopMs: 20 } } }
const operationsOf = async (id: string): Promise<readonly OperationShown[]> =>
  (await api.get<PageShown<OperationShown>>(`/instances/${id}/operations`)).items
const instanceOf = (id: string): Promise<InstanceShown> =>
  api.get<InstanceShown>(`/instances/${id}`)
const lastSeq = async (): Promise<number> =>
  (await api.get<EventPageShown>('/events?newest=true&limit=1')).items[0]?.seq ?? 0

test('the same key twice is one operation and one answer, whenever the second comes', async () => {
  const { id } = await api.server({ name: 'twice' })
  const headers = { 'idempotency-key': 'stop-it-once' }
  const first = await api.act(id, { action: 'stop' }, headers)
  const again = await api.act(id, { action: 'stop' }, headers)
  assert.deepEqual(again, first)
  await api.ended(first.operation)
  assert.deepEqual(await api.act(id, { action: 'stop' }, headers), first, 'also after it has ended')
  assert.deepEqual(
    (await operationsOf(id)).map(({ verb }) => verb),
    ['stop', 'create'],
  )
})

test('requests with one key at the same moment are one operation and one answer', async () => {
  const body = { kind: 'server', name: 'at-once', flavor: 'sim.small', image: 'sim' }
  const headers = { 'idempotency-key': 'create-at-once' }
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => api.change('POST', '/instances', body, headers)),
  )
  for (const answer of answers) assert.deepEqual(answer, answers[0])
  assert.equal((await api.get<PageShown<InstanceShown>>('/instances?name=at-once')).items.length, 1)
})

test('another request with a used key is refused; on another route the key is a new one', async () => {
  const { id } = await api.server({ name: 'mismatch' })
  const headers = { 'idempotency-key': 'only-one-meaning' }
  await api.act(id, { action: 'stop' }, headers)
  const sent = { body: { action: 'stop', mode: 'hard' }, headers }
  assert.equal((await api.refused('POST', `/instances/${id}/actions`, sent)).code, 'TokenReused')
  await api.change('PATCH', `/instances/${id}`, { description: 'another route' }, headers)
  assert.equal((await instanceOf(id)).description, 'another route')
})

test('a refused request keeps no key', async () => {
  const { id } = await api.server({ name: 'refused-first' })
  const headers = { 'idempotency-key': 'refused-first' }
  const sent = { body: { action: 'start', from: ['stopped'] }, headers }
  assert.equal((await api.refused('POST', `/instances/${id}/actions`, sent)).code, 'WrongState')
  await api.act(id, { action: 'stop' }, { prefer: 'wait=20' })
  assert.equal(
    (await api.act(id, { action: 'start', from: ['stopped'] }, headers)).before,
    'stopped',
  )
})

test('a dry run says what would come and changes nothing', async () => {
  const one = await api.server({ name: 'rehearsed' })
  const was = await lastSeq()
  const headers = { 'x-dry-run': 'true', 'idempotency-key': 'rehearsal' }
  const plan = await api.act(one.id, { action: 'stop' }, headers)
  assert.deepEqual(
    [plan.dryRun, plan.before, plan.after, plan.operation],
    [true, 'running', 'stopping', null],
  )
  const made = await api.change(
    'POST',
    '/instances',
    { kind: 'server', name: 'never', flavor: 'sim.small', image: 'sim' },
    headers,
  )
  assert.deepEqual([made.dryRun, made.after, made.instances], [true, 'provisioning', []])
  const held = await api.change('POST', `/instances/${one.id}/holds`, { why: 'no' }, headers)
  assert.equal(held.hold, null)
  await api.change('PUT', '/pools/never', { capacity: 3 }, headers)
  await api.change('DELETE', `/instances/${one.id}`, undefined, headers)
  assert.deepEqual(await instanceOf(one.id), one)
  assert.equal(await lastSeq(), was, 'no event')
  assert.equal((await api.refused('GET', '/pools/never')).code, 'NotFound')
  const refusal = await api.refused('POST', `/instances/${one.id}/actions`, {
    body: { action: 'queue' },
    headers,
  })
  assert.equal(refusal.code, 'NotQueueable', 'a dry run is refused as the request would be')
  assert.equal(
    (await api.act(one.id, { action: 'stop' }, { 'idempotency-key': 'rehearsal' })).dryRun,
    false,
  )
})

test('a change that expects another generation is refused; the entity tag says which is expected', async () => {
  const { id } = await api.server({ name: 'tagged' })
  const seen = await api.call('GET', `/instances/${id}`)
  const tag = seen.headers.get('etag') ?? ''
  assert.match(tag, /^"\d+"$/)
  await api.act(id, { action: 'stop' }, { 'if-match': tag, prefer: 'wait=20' })
  for (const [method, path, body] of [
    ['POST', `/instances/${id}/actions`, { action: 'start' }],
    ['PATCH', `/instances/${id}`, { name: 'late' }],
    ['DELETE', `/instances/${id}`, undefined],
    ['POST', `/instances/${id}/holds`, {}],
  ] as const) {
    const problem = await api.refused(method, path, { body, headers: { 'if-match': tag } })
    assert.deepEqual(
      [problem.status, problem.code],
      [412, 'GenerationChanged'],
      `${method} ${path}`,
    )
  }
  await api.act(id, { action: 'start' }, { 'if-match': '*' })
})

test('who prefers to wait is answered with the end, or with what is so when the patience ends', async () => {
  const { id } = await api.server({ name: 'awaited', ...slow })
  const accepted = await api.call('POST', `/instances/${id}/actions`, { body: { action: 'stop' } })
  assert.deepEqual(
    [accepted.status, accepted.headers.get('location')],
    [202, `/api/v1/operations/${(accepted.body as { operation: string }).operation}`],
  )
  const early = await api.call('POST', `/instances/${id}/actions`, {
    body: { action: 'stop' },
    headers: { prefer: 'wait=0' },
  })
  assert.equal(early.status, 202)
  const late = await api.call('POST', `/instances/${id}/actions`, {
    body: { action: 'stop' },
    headers: { prefer: 'respond-async, wait=20' },
  })
  assert.deepEqual([late.status, late.headers.get('preference-applied')], [200, 'wait=20'])
  assert.equal((await instanceOf(id)).state, 'stopped')
  assert.equal((late.body as { results: readonly OperationShown[] }).results[0]?.state, 'succeeded')
})

test('an operation that fails is told as failed to who waited, with the driver’s own reason', async () => {
  const body = {
    kind: 'server',
    name: 'fails',
    flavor: 'sim.small',
    image: 'sim',
    launch: { scenario: { refuse: ['start'] } },
  }
  const made = await api.change('POST', '/instances', body, { prefer: 'wait=20' })
  const [result] = made.results ?? []
  assert.equal(result?.state, 'failed')
  assert.ok(result?.failure?.message)
  const seen = await instanceOf(made.instances[0] ?? '')
  assert.deepEqual([seen.situation, seen.reason], ['failed/create', result?.failure?.message])
})

test('two hundred stops at once are one operation, and everybody is told its id', async () => {
  const { id } = await api.server({ name: 'crowded', ...sticky })
  // One that does not end by itself: on a busy machine the last of them may come seconds after the first.
  const soft = { action: 'stop', graceMs: 600_000 }
  const answers = await Promise.all(Array.from({ length: 200 }, () => api.act(id, soft)))
  const operations = new Set(answers.map(({ operation }) => operation))
  assert.equal(operations.size, 1)
  assert.equal(answers.filter(({ unchanged }) => unchanged === null).length, 1, 'one began it')
  assert.equal(answers.filter(({ unchanged }) => unchanged === 'joined').length, 199)
  assert.deepEqual(
    (await operationsOf(id)).map(({ verb }) => verb),
    ['stop', 'create'],
  )
  const hard = await api.act(id, { action: 'stop', mode: 'hard' }, { prefer: 'wait=20' })
  assert.equal((await api.ended(hard.operation)).state, 'succeeded')
})

test('requests converge: already, joined, and the harder stop takes the place of the softer one', async () => {
  const { id } = await api.server({ name: 'converging', ...sticky })
  assert.equal((await api.act(id, { action: 'start' })).unchanged, 'already')
  const soft = await api.act(id, { action: 'stop', graceMs: 600_000 })
  assert.equal(
    (await api.act(id, { action: 'stop', mode: 'drain' })).unchanged,
    'joined',
    'softer joins',
  )
  assert.equal((await api.act(id, { action: 'stop' })).operation, soft.operation)
  const hard = await api.act(id, { action: 'stop', mode: 'hard' }, { prefer: 'wait=20' })
  assert.notEqual(hard.operation, soft.operation)
  const before = await api.ended(soft.operation)
  assert.deepEqual([before.state, before.supersededBy], ['cancelled', hard.operation])
  assert.equal((await instanceOf(id)).state, 'stopped')
  assert.equal((await api.act(id, { action: 'stop' })).unchanged, 'already')
})

test('a caller who names the states to come from is refused from others, by what is so', async () => {
  const { id } = await api.server({ name: 'strict', ...slow })
  const path = `/instances/${id}/actions`
  const strict = { body: { action: 'start', from: ['stopped', 'failed/start'] } }
  const wrong = await api.refused('POST', path, strict)
  assert.deepEqual([wrong.status, wrong.code], [409, 'WrongState'])
  assert.deepEqual((wrong as unknown as { allowed: unknown }).allowed, ['stopped', 'failed/start'])
  const { operation } = await api.act(id, { action: 'stop' })
  const busy = await api.refused('POST', path, strict)
  assert.deepEqual(
    [busy.code, (busy as unknown as { operation: unknown }).operation],
    ['Busy', operation],
  )
})

test('a stop before the thing was made leaves nothing that could be missed; a start makes it', async () => {
  const body = {
    kind: 'server',
    name: 'unmade',
    flavor: 'sim.small',
    image: 'sim',
    launch: { scenario: { createMs: 2_000 } },
  }
  const [id = ''] = (await api.change('POST', '/instances', body)).instances
  await api.act(id, { action: 'stop' }, { prefer: 'wait=20' })
  const row = await w.plane.read.get('instances', id)
  assert.deepEqual([row?.state, row?.handle], ['stopped', null])
  await api.act(id, { action: 'start' }, { prefer: 'wait=20' })
  assert.equal((await instanceOf(id)).state, 'running')
})
