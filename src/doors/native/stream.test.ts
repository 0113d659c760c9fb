// Laws of the event stream: whoever comes back hears every event once and in order, nobody hears
// another tenant's, a slow reader is closed and slows nobody, and who may not see any more is
// closed.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Event } from '#kernel/event.ts'
import { readEvents } from '#test/harness/event-reader.ts'
import { adminOf, type NativeApi, nativeApi, tokenOf } from '#test/harness/native-api.ts'
import { until, type World, world } from '#test/harness/world.ts'
import { EventStream, type Source } from './stream.ts'
import type { EventPageShown, EventShown } from './wire.ts'

const people = {
  projects: [{ name: 'alpha' }],
  users: [{ name: 'ann', password: 'password-of-ann', roles: { alpha: 'member' } }],
}

let w: World
let admin: NativeApi
let ann: NativeApi

before(async () => {
  w = await world({
    config: { identity: people, doors: { native: { heartbeatMs: 50, streamsMax: 8 } } },
  })
  admin = adminOf(w)
  ann = nativeApi(
    w,
    await tokenOf(w, { user: 'ann', password: 'password-of-ann', project: 'alpha' }),
  )
})
after(() => w.close())

const seqs = (events: readonly EventShown[]): readonly number[] => events.map(({ seq }) => seq)

async function everyEvent(api: NativeApi, after: number): Promise<readonly EventShown[]> {
  const all: EventShown[] = []
  for (let from = after; ; ) {
    const page = await api.get<EventPageShown>(`/events?after=${from}&limit=1000`)
    if (page.items.length === 0) return all
    all.push(...page.items)
    from = page.next ?? from
  }
}

const lastSeq = async (): Promise<number> =>
  (await admin.get<EventPageShown>('/events?newest=true&limit=1')).items[0]?.seq ?? 0

test('a reader who comes and goes while much happens hears everything once and in order', async () => {
  const { id } = await admin.server({ name: 'busy' })
  const begin = await lastSeq()
  let isDone = false
  const produce = async (): Promise<void> => {
    for (let index = 0; index < 300; index++)
      await admin.change('PATCH', `/instances/${id}`, { description: String(index) })
    isDone = true
  }
  const producing = produce()
  const heard: EventShown[] = []
  let visits = 0
  while (!isDone || (heard.at(-1)?.seq ?? 0) < (await lastSeq())) {
    const headers = { 'last-event-id': String(heard.at(-1)?.seq ?? begin) }
    // The header is the newer word: the query is where it all began.
    const reader = await readEvents(admin.url, admin.token, { query: `?after=${begin}`, headers })
    await reader.heard(1)
    await until(
      async () => reader.events.length,
      (count) => count >= 5 + visits * 3 || isDone,
      5_000,
    )
    heard.push(...reader.events)
    reader.leave()
    visits += 1
  }
  await producing
  const all = await everyEvent(admin, begin)
  assert.ok(visits > 3, `${visits} visits`)
  assert.ok(all.length >= 300)
  assert.deepEqual(seqs(heard), seqs(all))
})

test('a reader from the beginning hears a long past and then the present, without a seam', async () => {
  const { id } = await ann.server({ name: 'long-past' })
  const rename = (index: number): Promise<unknown> =>
    ann.change('PATCH', `/instances/${id}`, { description: `x${index}` })
  for (let round = 0; round < 13; round++)
    await Promise.all(Array.from({ length: 100 }, (_, index) => rename(index)))
  const reader = await readEvents(ann.url, ann.token, { query: '?after=0' })
  assert.deepEqual([reader.status, reader.contentType], [200, 'text/event-stream; charset=utf-8'])
  // While it reads the store, more is committed.
  await Promise.all(Array.from({ length: 200 }, (_, index) => rename(index)))
  const all = await everyEvent(ann, 0)
  assert.ok(all.length > 1_500)
  await reader.heard(all.length)
  assert.deepEqual(seqs(reader.events), seqs(all))
  reader.leave()
})

test('a stream holds nothing of another tenant, and only what was asked for', async () => {
  const mine = await ann.server({ name: 'watched' })
  const other = await ann.server({ name: 'unwatched' })
  const [everything, states] = await Promise.all([
    readEvents(ann.url, ann.token),
    readEvents(ann.url, ann.token, { query: `?instance=${mine.id}&type=instance.state` }),
  ])
  await admin.server({ name: 'somebody-else' })
  await Promise.all(
    [mine, other].map(({ id }) => ann.act(id, { action: 'stop' }, { prefer: 'wait=20' })),
  )
  await states.heard(2)
  await everything.heard(8)
  assert.ok(everything.events.every((event) => event.project === mine.project))
  assert.deepEqual(
    states.events.map(({ instance, data }) => [instance, data['to']]),
    [
      [mine.id, 'stopping'],
      [mine.id, 'stopped'],
    ],
  )
  everything.leave()
  states.leave()
})

test('only an admin hears every project', async () => {
  assert.equal((await ann.refused('GET', '/events/stream?allProjects=true')).code, 'Forbidden')
  const reader = await readEvents(admin.url, admin.token, {
    query: '?allProjects=true&type=instance.created',
  })
  await ann.server({ name: 'heard-by-admin' })
  await admin.change('PUT', '/pools/heard', { capacity: 1 })
  await reader.heard(1)
  assert.equal(reader.events[0]?.data['name'], 'heard-by-admin')
  reader.leave()
})

test('a silent stream says that it lives; a revoked token closes it', async () => {
  const text = await tokenOf(w, { user: 'ann', password: 'password-of-ann', project: 'alpha' })
  const reader = await readEvents(ann.url, text)
  await until(
    async () => reader.comments(),
    (count) => count >= 2,
  )
  assert.ok(!reader.isEnded())
  const proved = await w.identity.byToken(text)
  assert.ok(proved.ok)
  await w.identity.revoke(proved.value.token)
  await reader.ended()
})

test('streams are counted, and a place that is left is free again', async () => {
  const readers = await Promise.all(Array.from({ length: 8 }, () => readEvents(ann.url, ann.token)))
  assert.ok(readers.every(({ status }) => status === 200))
  const refusal = await ann.call('GET', '/events/stream')
  assert.deepEqual(
    [refusal.status, (refusal.body as { code: string }).code],
    [503, 'TooManyStreams'],
  )
  assert.ok(Number(refusal.headers.get('retry-after')) > 0)
  for (const reader of readers) reader.leave()
  const again = await until(
    () => readEvents(ann.url, ann.token),
    ({ status }) => status === 200,
  )
  again.leave()
})

test('a server that closes ends its streams and answers who waits', async () => {
  const other = await world()
  const api = adminOf(other)
  const { id } = await api.server({ launch: { scenario: { ignoreSoftStop: true } } })
  const reader = await readEvents(api.url, api.token)
  const waiting = api.call('POST', `/instances/${id}/actions`, {
    body: { action: 'stop', graceMs: 600_000 },
    headers: { prefer: 'wait=60' },
  })
  await reader.heard(1)
  const startedMs = performance.now()
  await other.server.close()
  assert.ok(performance.now() - startedMs < 3_000, 'closing does not wait for readers')
  await reader.ended()
  assert.equal((await waiting).status, 202)
})

interface Rig {
  readonly stream: EventStream
  /** Commits so many more events. */
  readonly commit: (count: number) => void
  readonly isClosed: () => boolean
}

/**
 * A plane whose events a test makes. `reading` is called while the store is read, before it
 * answers.
 */
function rig(
  past: number,
  reading: (commit: Rig['commit'], reads: number) => void,
  streamBytesMax = 16_777_216,
): Rig {
  const log: Event[] = []
  let listener: Parameters<Source['plane']['follow']>[0] = () => undefined
  let isClosed = false
  let reads = 0
  const cause = {
    by: 'user',
    userId: null,
    userName: null,
    door: 'test',
    requestId: 'r',
    why: null,
  } as const
  const commit = (count: number): void => {
    const fresh = Array.from(
      { length: count },
      (_, index): Event => ({
        seq: log.length + index + 1,
        type: 'instance.updated',
        project: null,
        subject: 'x',
        instanceId: null,
        atMs: 0,
        cause,
        data: {},
      }),
    )
    log.push(...fresh)
    listener(fresh, { writes: [], events: fresh })
  }
  commit(past)
  const stream = new EventStream({
    filter: {},
    after: 0,
    settings: { heartbeatMs: 60_000, streamsMax: 1, streamBytesMax },
    plane: {
      read: {
        events: async ({ after, limit }) => {
          await new Promise((resolve) => setImmediate(resolve))
          reading(commit, ++reads)
          const page = log.slice(after, after + limit)
          await new Promise((resolve) => setImmediate(resolve))
          return page
        },
      },
      follow: (heard) => {
        listener = heard
        return () => (listener = () => undefined)
      },
    },
    closing: new AbortController().signal,
    isStillAllowed: async () => true,
    onClosed: () => (isClosed = true),
  })
  return { stream, commit, isClosed: () => isClosed }
}

async function heardFrom({ stream }: Rig, count: number): Promise<readonly number[]> {
  let text = ''
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const ids = (): readonly number[] =>
    [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
  await until(
    async () => ids().length,
    (heard) => heard >= count,
  )
  stream.destroy()
  return ids()
}

const upTo = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index + 1)

test('what is committed while the store is read is heard once, whether the read saw it or not', async () => {
  // Half of it before the page is taken, so it comes both ways; half after, so it comes live alone.
  const both = rig(10, (commit) => {
    commit(3)
    setImmediate(() => setImmediate(() => commit(2)))
    queueMicrotask(() => commit(4))
  })
  assert.deepEqual(await heardFrom(both, 19), upTo(19))
})

test('when more is committed than may wait, the store is read again, and nothing is lost', async () => {
  const flood = rig(1, (commit, reads) => {
    if (reads <= 3) queueMicrotask(() => commit(2_500))
  })
  assert.deepEqual(await heardFrom(flood, 7_501), upTo(7_501))
})

test('a reader who takes nothing is closed once enough waits for him, and holds no more than that', async () => {
  const { stream, commit, isClosed } = rig(0, () => undefined, 16_384)
  // Some of them come while it still reads the store, however long that takes.
  for (let round = 0; round < 5_000 && !stream.destroyed; round++) {
    commit(1)
    assert.ok(stream.readableLength < 16_384 + 1_024, 'bounded')
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(stream.destroyed)
  await until(async () => isClosed(), Boolean)
})

test('a reader who takes nothing does not make us read the whole past', async () => {
  const { stream } = rig(20_000, () => undefined)
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(
    stream.readableLength > 0 && stream.readableLength < 300_000,
    `${stream.readableLength} bytes`,
  )
  stream.destroy()
})

test('a reader who keeps up is not closed, however much there is', async () => {
  const one = rig(0, () => undefined, 16_384)
  const hearing = heardFrom(one, 3_000)
  for (let round = 0; round < 300; round++) {
    one.commit(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual(await hearing, upTo(3_000))
})
