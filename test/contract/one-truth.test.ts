// One instance, many doors: what is stopped through one is stopped for real, and every other door says so on its
// next read. The doors are data (stop-doors.ts); a law is held against each of them.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { Instance } from '#kernel/instance.ts'
import { adminApi, at, userApi } from '#test/harness/api.ts'
import { type Ecs, ecsOf, keyFor } from '#test/harness/ecs.ts'
import { type EventReader, readEvents } from '#test/harness/event-reader.ts'
import { gatedStore } from '#test/harness/gated-store.ts'
import { adminOf, type NativeApi, nativeApi, tokenOf } from '#test/harness/native-api.ts'
import { processesOf } from '#test/harness/server.ts'
import {
  type Answered,
  rowOf,
  said,
  type StopDoor,
  stopDoors,
  type StopWay,
  stopWays,
} from '#test/harness/stop-doors.ts'
import { until, type World, world } from '#test/harness/world.ts'

const graceMs = 600
const kinds = ['server', 'notebook', 'edge-instance']
/** Ready once its trap is set: a signal before that would end it. */
const trap = 'trap "" TERM; : > ready; while :; do sleep 0.1; done'
const probe = { kind: 'exec', command: ['/usr/bin/test', '-e', 'ready'], intervalMs: 20 }
const attributes = { createMs: 1, startMs: 1, stopMs: 1, hardStopMs: 1, removeMs: 1 }
const catalogue = {
  flavors: [
    { id: 'instant', driver: 'simulated', kinds, attributes },
    { id: 'brief', driver: 'process', kinds, graceMs },
    { id: 'patient', driver: 'process', kinds, graceMs: 60_000 },
  ],
  images: [
    { id: 'sleeper', kinds, launch: { command: ['sleep', '1000'] } },
    { id: 'stubborn', kinds, launch: { command: ['/bin/sh', '-c', trap], probe } },
  ],
}

let w: World
let own: NativeApi
let ecs: Ecs
let ways: Readonly<Record<StopDoor, StopWay>>
let stream: EventReader
let made = 0
before(async () => {
  w = await world({ store: 'sqlite', config: { catalogue, drivers: { process: { pollMs: 50 } } } })
  own = adminOf(w)
  ecs = ecsOf(w)
  ways = stopWays({ api: adminApi(w), ecs, own })
  stream = await readEvents(own.url, own.token)
})
after(async () => {
  stream.leave()
  await w.close()
})

/** One of this kind, made through the native door, once it runs. */
async function create(
  where: World,
  native: NativeApi,
  kind: StopWay['kind'],
  of: { readonly flavor: string; readonly image: string },
): Promise<Instance> {
  made += 1
  const name = `one-${made}`
  const asked = kind === 'edge-instance' ? { name, nodes: ['edge-1'] } : { name, kind }
  const path = kind === 'edge-instance' ? '/services' : '/instances'
  const { instances } = await native.change('POST', path, { ...asked, ...of })
  return await until(
    () => rowOf(where, instances[0] ?? ''),
    ({ state }) => state === 'running',
  )
}

async function running(kind: StopWay['kind'], flavor: string, image: string): Promise<Instance> {
  const row = await create(w, own, kind, { flavor, image })
  assert.ok(processesOf(row.id).length > 0)
  return row
}

const simulated = (where: World, native: NativeApi, kind: StopWay['kind']): Promise<Instance> =>
  create(where, native, kind, { flavor: 'instant', image: 'sim' })

const ecsId = ({ aliases }: Instance): string => aliases['ecs'] ?? ''
/** Without what is another one for each request, and when the row was last written, which is not of the answer. */
const plain = ({ status, code, text }: Answered) => ({
  status,
  code,
  text: text.replaceAll(/"(RequestId|request_id)":"[^"]*"|"update_at":\d+/g, ''),
})

const stopsOf = async (id: string) =>
  (await w.plane.read.find('operations', 'instanceId', id)).filter(({ verb }) => verb === 'stop')

const ended = (id: string) =>
  until(
    () => rowOf(w, id),
    ({ state }) => state === 'stopped',
  )

const doorsOf = (kind: StopWay['kind']) =>
  Object.entries(ways).filter(([name, way]) => way.kind === kind || name === 'native')

async function everyDoorSays(row: Instance, what: 'stopping' | 'stopped'): Promise<void> {
  for (const [name, way] of doorsOf(row.kind as StopWay['kind'])) // made of one of these
    assert.equal(await way.shows(row), way[what], `${name} of a ${row.kind}`)
}

const heardOf = (id: string) =>
  stream.events
    .filter((event) => event.instance === id)
    .map(({ data }) => data['state'] ?? data['to'])

describe('a stop', () => {
  for (const name of stopDoors) {
    it(`through ${name} ends a real process that hears it, well before its deadline`, async () => {
      const row = await running(ways[name].kind, 'patient', 'sleeper')
      assert.equal(said(await ways[name].stop(row)), ways[name].accepted)
      await ended(row.id)
      assert.deepEqual(processesOf(row.id), [])
      await everyDoorSays(row, 'stopped')
      assert.deepEqual(
        (await stopsOf(row.id)).map(({ rung }) => rung),
        ['soft'],
      )
    })

    it(`through ${name} is seen at once at every door, and one that is not heard kills at the deadline`, async () => {
      const row = await running(ways[name].kind, 'brief', 'stubborn')
      const beganMs = Date.now()
      assert.equal(said(await ways[name].stop(row)), ways[name].accepted)
      await everyDoorSays(row, 'stopping')
      await until(
        async () => heardOf(row.id),
        (heard) => heard.includes('stopping'),
        1000,
      )
      assert.ok(processesOf(row.id).length > 0, 'it does not hear the soft stop')
      await ended(row.id)
      assert.ok(Date.now() - beganMs >= graceMs)
      assert.deepEqual(processesOf(row.id), [])
      await everyDoorSays(row, 'stopped')
      await until(
        async () => heardOf(row.id),
        (heard) => heard.includes('stopped'),
        1000,
      )
      assert.deepEqual(
        (await stopsOf(row.id)).map(({ state }) => state),
        ['succeeded'],
      )
    })

    it(`through ${name} asked for two hundred times at once is one operation`, async () => {
      const way = ways[name]
      const row = await running(way.kind, 'patient', 'stubborn')
      const answers = await Promise.all(Array.from({ length: 200 }, () => way.stop(row)))
      const stops = await stopsOf(row.id)
      assert.equal(stops.length, 1)
      const counts = Map.groupBy(answers, said)
      if (name === 'native') {
        const operations = new Set(answers.map(({ text }) => at(JSON.parse(text), 'operation')))
        assert.deepEqual([...operations], [stops[0]?.id])
        assert.equal(counts.get(way.accepted)?.length, 200)
      } else {
        assert.equal(counts.get(way.accepted)?.length, 1)
        assert.equal(counts.get(way.refused)?.length, 199, [...counts.keys()].join('; '))
      }
      await own.act(row.id, { action: 'stop', mode: 'hard' })
      await ended(row.id)
    })
  }
})

describe('a hard stop', () => {
  it('through ForceStop or the native door kills at once', async () => {
    const forced = await running('server', 'patient', 'stubborn')
    const { status } = await ecs('StopInstance', { InstanceId: ecsId(forced), ForceStop: 'true' })
    assert.equal(status, 200)
    await ended(forced.id)
    const hard = await running('server', 'patient', 'stubborn')
    await own.act(hard.id, { action: 'stop', mode: 'hard' })
    await ended(hard.id)
    for (const { id } of [forced, hard]) {
      assert.deepEqual(processesOf(id), [])
      assert.deepEqual(
        (await stopsOf(id)).map(({ rung }) => rung),
        ['hard'],
      )
    }
  })

  for (const name of stopDoors)
    it(`takes the place of a soft one that came through ${name}, and kills at once`, async () => {
      const row = await running(ways[name].kind, 'patient', 'stubborn')
      await ways[name].stop(row)
      assert.ok(processesOf(row.id).length > 0)
      await own.act(row.id, { action: 'stop', mode: 'hard' })
      await ended(row.id)
      assert.deepEqual(processesOf(row.id), [])
      await everyDoorSays(row, 'stopped')
      const stops = (await stopsOf(row.id)).map(({ rung, state }) => `${rung} ${state}`)
      assert.deepEqual(stops.toSorted(), ['hard succeeded', 'soft cancelled'])
    })

  // Source: contracts/volcengine-ecs.md, appendix A4: what is STOPPING refuses ForceStop too.
  it('through ForceStop while one is under way is refused as the contract says, and a soft one joins', async () => {
    const row = await running('server', 'patient', 'stubborn')
    const soft = await own.act(row.id, { action: 'stop' })
    const { code } = await ecs('StopInstance', { InstanceId: ecsId(row), ForceStop: 'true' })
    assert.equal(code, 'InvalidInstanceStatus')
    const hard = await own.act(row.id, { action: 'stop', mode: 'hard' })
    assert.notEqual(hard.operation, soft.operation)
    const late = await own.act(row.id, { action: 'stop' })
    assert.ok(late.operation === hard.operation || late.unchanged === 'already')
    await ended(row.id)
  })
})

describe('a key that a request came with', () => {
  for (const name of stopDoors)
    it(`through ${name}: twice is one operation and the same answer, for another request it is refused`, async () => {
      const way = ways[name]
      const [row, other] = await Promise.all([
        running(way.kind, 'patient', 'sleeper'),
        running(way.kind, 'patient', 'sleeper'),
      ])
      const key = randomUUID()
      const first = await way.stop(row, { key })
      assert.equal(said(first), way.accepted)
      assert.deepEqual(plain(await way.stop(row, { key })), plain(first))
      await ended(row.id)
      assert.deepEqual(plain(await way.stop(row, { key })), plain(first), 'also when it is over')
      assert.equal((await stopsOf(row.id)).length, 1)
      assert.equal(said(await way.stop(other, { key })), way.reused)
      assert.deepEqual(await stopsOf(other.id), [])
    })

  it('while the first is being written, a retry is told so at every door, and it is one operation', async () => {
    const gate = gatedStore()
    const held = await world({ store: gate.store, config: { catalogue } })
    try {
      const native = adminOf(held)
      const its = stopWays({ api: adminApi(held), ecs: ecsOf(held), own: native })
      for (const name of stopDoors) {
        const way = its[name]
        const { kind, inProcess, accepted } = way
        const row = await simulated(held, native, kind)
        const key = randomUUID()
        const answers: Answered[] = []
        const during = await gate.whileHeld(
          async () => answers.push(await way.stop(row, { key })),
          () => way.stop(row, { key }),
        )
        assert.equal(said(during), inProcess, name)
        assert.deepEqual(answers.map(said), [accepted], name)
        const operations = await held.plane.read.find('operations', 'instanceId', row.id)
        assert.equal(operations.filter(({ verb }) => verb === 'stop').length, 1, name)
      }
    } finally {
      await held.close()
    }
  })

  it('is the key of one project: another one with the same gets its own answer', async () => {
    const projects = [{ name: 'one' }, { name: 'two' }]
    const password = 'a-good-password'
    const users = projects.map((one) => ({ ...one, password, roles: { [one.name]: 'member' } }))
    const shared = await world({ config: { catalogue, identity: { projects, users } } })
    try {
      const [one, two] = await Promise.all(
        projects.map(async ({ name }) => {
          const api = await userApi(shared, { user: name, password, project: name })
          const keys = await keyFor(shared, name, name)
          const native = nativeApi(
            shared,
            await tokenOf(shared, { user: name, password, project: name }),
          )
          return { native, ways: stopWays({ api, ecs: ecsOf(shared, keys), own: native }) }
        }),
      )
      if (!one || !two) throw new Error('there are two projects')
      for (const name of stopDoors) {
        const { kind, accepted }: StopWay = one.ways[name]
        const key = randomUUID()
        const mine = await simulated(shared, one.native, kind)
        const theirs = await simulated(shared, two.native, kind)
        assert.equal(said(await one.ways[name].stop(mine, { key })), accepted, name)
        const answer: Answered = await two.ways[name].stop(theirs, { key })
        assert.equal(said(answer), accepted, name)
        assert.ok(!answer.text.includes(mine.id), name)
        for (const { id } of [mine, theirs])
          assert.notEqual((await rowOf(shared, id)).state, 'running', name)
      }
    } finally {
      await shared.close()
    }
  })
})
