// B1, B2, B5, B6, B8, B10, B11 and B15 through real sockets, and that the two families are separate views.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { at, listAt, type Reply } from '#test/harness/api.ts'
import {
  type NotebookWorld,
  notebookWorld,
  type Reachable,
  reachable,
} from '#test/harness/notebook-world.ts'
import { until } from '#test/harness/world.ts'
import { labRows } from './states.ts'

let lab: NotebookWorld
before(async () => {
  lab = await notebookWorld()
})
after(() => lab.close())

const notebooks = '/v1/{p}/notebooks'
const hourMs = 3_600_000
const codeOf = (reply: Reply) => `${reply.status} ${String(at(reply.body, 'error_code'))}`
const volume = { category: 'evs', ownership: 'managed', capacity: 50 }
const body = { name: 'nb', flavor: 'sim.billed', image_id: 'sim', volume }
const create = (sent: unknown) => lab.bob.call('POST', notebooks, sent)
const show = (id: string) => lab.bob.call('GET', `${notebooks}/${id}`)
const post = (path: string, sent?: unknown) => lab.bob.call('POST', `${notebooks}/${path}`, sent)
const becomes = (id: string, status: string) =>
  until(
    () => show(id),
    (reply) => at(reply.body, 'status') === status,
  )

async function made(change: object = {}, status = 'RUNNING'): Promise<string> {
  const reply = await create({ ...body, ...change })
  assert.equal(reply.status, 200, reply.text)
  const id = String(at(reply.body, 'id'))
  await becomes(id, status)
  return id
}

suite('B5, create', () => {
  test('it is CREATING, then RUNNING, with its lease from its creation on', async () => {
    const endpoints = [{ service: 'SSH', key_pair_names: ['k'], allowed_access_ips: ['10.0.0.1'] }]
    const reply = await create({
      ...body,
      name: 'nb-bob',
      feature: 'NOTEBOOK',
      workspace_id: '0',
      description: 'demo',
      endpoints,
      lease: { duration: hourMs, type: 'timing' },
      hooks: {},
    })
    assert.equal(at(reply.body, 'status'), 'CREATING')
    const id = String(at(reply.body, 'id'))
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    const { body: shown } = await becomes(id, 'RUNNING')
    assert.equal(at(shown, 'name'), 'nb-bob')
    assert.equal(at(shown, 'feature'), 'NOTEBOOK')
    assert.equal(typeof at(shown, 'create_at'), 'number')
    assert.equal(typeof at(shown, 'update_at'), 'number')
    assert.equal(at(shown, 'image', 'id'), 'sim')
    assert.deepEqual(at(shown, 'volume'), {
      category: 'EVS',
      ownership: 'MANAGED',
      mount_path: '/home/ma-user/work/',
      capacity: 50,
    })
    assert.deepEqual(at(shown, 'endpoints', 0, 'ssh_keys'), ['k'])
    assert.deepEqual(at(shown, 'user', 'name'), 'bob')
    assert.equal(at(shown, 'user', 'domain', 'id'), 'default')
    const lease = at(shown, 'lease')
    assert.equal(at(lease, 'enable'), true)
    assert.equal(at(lease, 'type'), 'TIMING')
    const { createdAt, duration, updatedAt } = leaseOf(lease)
    assert.equal(createdAt, at(shown, 'create_at'))
    assert.equal(duration, updatedAt - createdAt + hourMs)
    const row = await lab.w.plane.read.get('instances', id)
    assert.equal(createdAt + duration, row?.timers.autoStopAtMs)
  })

  test('names may repeat; a duration of -1 switches auto stop off, and wins over a lease', async () => {
    await made({ name: 'twin' })
    const id = await made({ name: 'twin', duration: -1, lease: { duration: hourMs, type: 'IDLE' } })
    const { body: shown } = await show(id)
    assert.equal(at(shown, 'lease', 'enable'), false)
    assert.equal(at(shown, 'lease', 'type'), 'TIMING')
    const row = await lab.w.plane.read.get('instances', id)
    assert.equal(row?.timers.autoStopAtMs, null)
  })

  const refusals: readonly (readonly [string, unknown, string])[] = [
    ['no JSON', '{', '6400'],
    ['a list', [], '6400'],
    ['no name', { ...body, name: undefined }, '6400'],
    ['a name of 129', { ...body, name: 'x'.repeat(129) }, '6400'],
    ['a description with <', { ...body, description: '<' }, '6400'],
    ['no volume', { ...body, volume: undefined }, '6400'],
    ['a volume without a category', { ...body, volume: { ownership: 'MANAGED' } }, '6400'],
    ['another category', { ...body, volume: { category: 'TAPE', ownership: 'MANAGED' } }, '6400'],
    ['another ownership', { ...body, volume: { category: 'EVS', ownership: 'RENTED' } }, '6400'],
    ['a volume of 4', { ...body, volume: { ...volume, capacity: 4 } }, '6400'],
    ['a volume of 4097', { ...body, volume: { ...volume, capacity: 4097 } }, '6400'],
    ['a lease too short', { ...body, lease: { duration: 1 } }, '6400'],
    ['a lease too long', { ...body, duration: 259_200_001 }, '6400'],
    ['another lease type', { ...body, lease: { type: 'FOREVER' } }, '6400'],
    [
      'six addresses',
      { ...body, endpoints: [{ allowed_access_ips: ['1', '2', '3', '4', '5', '6'] }] },
      '6400',
    ],
    ['another workspace', { ...body, workspace_id: 'w' }, '7005'],
    ['another feature', { ...body, feature: 'FREE' }, '6400'],
    ['a feature that the flavor has not', { ...body, feature: 'DEFAULT' }, '6870'],
    ['an unknown flavor', { ...body, flavor: 'none' }, '6400'],
    ['an unknown image', { ...body, image_id: 'none' }, '6797'],
    ['an image of other hardware', { ...body, flavor: 'sim.gpu' }, '6870'],
    ['a flavor that is sold out', { ...body, flavor: 'sim.soldout' }, '6716'],
  ]
  for (const [name, sent, number] of refusals)
    test(`${name} is ModelArts.${number}, and nothing is made`, async () => {
      const before = await lab.w.plane.read.count('instances', {})
      assert.equal(codeOf(await create(sent)), `400 ModelArts.${number}`)
      assert.equal(await lab.w.plane.read.count('instances', {}), before)
    })
})

suite('B1 and B2', () => {
  test('stop and start; the run time counts from this start, measured from the creation', async () => {
    const id = await made()
    const stopping = await post(`${id}/stop`)
    assert.equal(stopping.status, 200)
    assert.equal(at(stopping.body, 'status'), 'STOPPING')
    await becomes(id, 'STOPPED')
    lab.clock.jump(10_000)
    const starting = await post(`${id}/start?duration=7200000&type=timing`)
    assert.equal(at(starting.body, 'status'), 'STARTING')
    const first = leaseOf(at(starting.body, 'lease'))
    assert.equal(first.duration, first.updatedAt - first.createdAt + 7_200_000)
    assert.ok(first.updatedAt - first.createdAt >= 10_000)
    const { body: shown } = await becomes(id, 'RUNNING')
    const second = leaseOf(at(shown, 'lease'))
    assert.equal(second.duration, second.updatedAt - second.createdAt + 7_200_000)
    const row = await lab.w.plane.read.get('instances', id)
    assert.equal(second.createdAt + second.duration, row?.timers.autoStopAtMs)
  })

  test('the default is an hour; -1 switches it off; the body may be an empty object', async () => {
    const id = await made()
    for (const [query, sent, enable] of [
      ['', {}, true],
      ['?duration=-1', undefined, false],
    ] as const) {
      await post(`${id}/stop`, sent)
      await becomes(id, 'STOPPED')
      const started = await post(`${id}/start${query}`, sent)
      assert.equal(at(started.body, 'lease', 'enable'), enable)
      await becomes(id, 'RUNNING')
    }
  })

  test('a wrong run time or body is refused and starts nothing', async () => {
    const id = await made()
    await post(`${id}/stop?duration=1`)
    await becomes(id, 'STOPPED')
    for (const query of ['duration=1', 'duration=x', 'duration=259200001', 'type=never'])
      assert.equal(codeOf(await post(`${id}/start?${query}`)), '400 ModelArts.6400')
    assert.equal(codeOf(await post(`${id}/start`, '[')), '400 ModelArts.6400')
    assert.equal(codeOf(await post(`${id}/stop`, '[]')), '400 ModelArts.6400')
    assert.equal(at((await show(id)).body, 'status'), 'STOPPED')
  })

  test('a lease fires at its end', async () => {
    const id = await made()
    lab.clock.jump(hourMs + 1000)
    await becomes(id, 'STOPPED')
  })
})

suite('every status × start, stop, delete', { concurrency: 4 }, () => {
  const ask = (id: string, verb: 'start' | 'stop' | 'delete') =>
    verb === 'delete' ? lab.bob.call('DELETE', `${notebooks}/${id}`) : post(`${id}/${verb}`)
  const cellOf = (situation: Reachable, verb: 'start' | 'stop' | 'delete'): string => {
    const row = labRows[situation]
    if (verb === 'delete') return row.delete
    return row[verb] ? 'ok' : '6357'
  }
  for (const situation of reachable) {
    const { status } = labRows[situation]
    test(`${status} (${situation})`, async () => {
      const id = await lab.reach(situation)
      assert.equal(at((await show(id)).body, 'status'), status)
      for (const verb of ['start', 'stop', 'delete'] as const) {
        const cell = cellOf(situation, verb)
        if (cell === 'ok') continue
        assert.equal(codeOf(await ask(id, verb)), `400 ModelArts.${cell}`, `${status} ${verb}`)
        assert.equal(await lab.situation(id), situation)
      }
      for (const verb of ['start', 'stop', 'delete'] as const) {
        if (cellOf(situation, verb) !== 'ok') continue
        const fresh = await lab.reach(situation)
        const reply = await ask(fresh, verb)
        const wanted = { start: 'STARTING', stop: 'STOPPING', delete: 'DELETING' }[verb]
        assert.equal(at(reply.body, 'status'), wanted, reply.text)
      }
    })
  }
})

suite('B6, B8 and B10', () => {
  test('a list is paged and filtered, newest first', async () => {
    for (const name of ['page-1', 'page-2', 'page-3'])
      await made({ name, volume: { ...volume }, pool_id: 'p-1' })
    const list = async (query: string) => (await lab.bob.call('GET', `${notebooks}?${query}`)).body
    const names = async (query: string) =>
      listAt(await list(query), 'data').map((one) => at(one, 'name'))
    assert.deepEqual(await names('name=page-'), ['page-3', 'page-2', 'page-1'])
    const page = await list('name=page-&limit=2&offset=2&sort_dir=ASC&sort_key=name')
    assert.equal(at(page, 'total'), 3)
    assert.equal(at(page, 'pages'), 2)
    assert.equal(at(page, 'current'), 2)
    assert.equal(at(page, 'size'), 2)
    assert.equal(at(page, 'data', 0, 'name'), 'page-3')
    assert.equal((await names('pool_id=p-1')).length, 3)
    assert.deepEqual(await names('name=page-&status=STOPPED'), [])
    assert.deepEqual(await names('name=page-&feature=DEFAULT'), [])
    assert.deepEqual(await names('name=page-&flavor=none'), [])
    assert.deepEqual(await names('workspaceId=w'), [])
    assert.deepEqual(await names('status=SNAPSHOTTING'), [])
    const id = String(at(await list('name=page-1'), 'data', 0, 'id'))
    assert.deepEqual(await names(`id=${id}&image_id=sim&flavor=sim.billed&status=running`), [
      'page-1',
    ])
    for (const query of ['limit=0', 'offset=x', 'status=UP', 'sort_dir=UP', 'sort_key=size'])
      assert.equal(codeOf(await lab.bob.call('GET', `${notebooks}?${query}`)), '400 ModelArts.6400')
    const elsewhere = await lab.stranger.call('GET', `${notebooks}?name=page-`)
    assert.equal(at(elsewhere.body, 'total'), 0)
  })

  test('a running one is deleted; then it is unknown, by 400', async () => {
    const id = await made()
    assert.equal(
      codeOf(await lab.stranger.call('DELETE', `${notebooks}/${id}`)),
      '400 ModelArts.6404',
    )
    assert.equal(codeOf(await lab.root.call('DELETE', `${notebooks}/${id}`)), '400 ModelArts.6404')
    const reply = await lab.bob.call('DELETE', `${notebooks}/${id}`)
    assert.equal(at(reply.body, 'status'), 'DELETING')
    const gone = await until(
      () => show(id),
      (one) => one.status !== 200,
    )
    assert.equal(codeOf(gone), '400 ModelArts.6404')
    assert.equal(at(gone.body, 'error_msg'), `Notebook ${id} not found.`)
  })

  test('a reader looks and does not touch', async () => {
    const id = await made()
    assert.equal((await lab.reader.call('GET', `${notebooks}/${id}`)).status, 200)
    const reply = await lab.reader.call('POST', `${notebooks}/${id}/stop`)
    assert.equal(codeOf(reply), '403 ModelArts.0108')
    assert.match(reply.text, /\(modelarts:notebook:stop\)/)
  })
})

test('the families are separate views: an id of one is unknown in the other', async () => {
  const id = await made()
  const devenv = '/v1/{p}/demanager/instances'
  assert.equal(codeOf(await lab.bob.call('GET', `${devenv}/${id}`)), '400 ModelArts.6309')
  assert.equal(codeOf(await lab.bob.call('GET', `${devenv}/DE-${id}`)), '400 ModelArts.6309')
  const spec = { storage: { type: 'evs' } }
  const other = await lab.bob.call('POST', devenv, {
    name: 'view',
    profile_id: 'sim',
    flavor: 'sim.billed',
    spec,
  })
  const otherId = String(at(other.body, 'id'))
  assert.equal(codeOf(await show(otherId)), '400 ModelArts.6404')
  assert.equal(codeOf(await show(otherId.slice(3))), '400 ModelArts.6404')
  assert.equal(at((await lab.bob.call('GET', `${notebooks}?name=view`)).body, 'total'), 0)
})

suite('B11 and B15', () => {
  test('flavors for notebooks, narrowed by category and feature', async () => {
    const free = await lab.freeFlavor(0)
    const list = async (query: string) =>
      (await lab.bob.call('GET', `${notebooks}/flavors${query}`)).body
    const rows = async (query: string) => listAt(await list(query), 'data')
    const all = await rows('')
    const one = all.find((flavor) => at(flavor, 'id') === free)
    assert.equal(at(one, 'free'), true)
    assert.equal(at(one, 'sold_out'), true)
    assert.equal(at(one, 'feature'), 'DEFAULT')
    assert.equal(at(one, 'memory'), 1024 * 1024)
    assert.deepEqual(
      (await rows('?category=GPU')).map((flavor) => at(flavor, 'id')),
      ['sim.gpu'],
    )
    assert.ok((await rows('?feature=DEFAULT')).every((flavor) => at(flavor, 'free') === true))
    const page = await list('?limit=1&offset=1')
    assert.equal(at(page, 'size'), 1)
    assert.equal(at(page, 'total'), all.length)
    assert.equal(at(page, 'data', 0, 'id'), at(all[1], 'id'))
    assert.equal(at(await list(''), 'current'), 1)
  })

  test('images for notebooks, each active', async () => {
    const reply = await lab.bob.call('GET', '/v1/{p}/images?limit=50')
    const data = listAt(reply.body, 'data')
    assert.ok(data.length > 0)
    assert.ok(data.every((image) => at(image, 'status') === 'ACTIVE'))
    assert.ok(!data.some((image) => at(image, 'id') === 'server-only'))
  })
})

function leaseOf(lease: unknown) {
  return {
    createdAt: Number(at(lease, 'create_at')),
    updatedAt: Number(at(lease, 'update_at')),
    duration: Number(at(lease, 'duration')),
  }
}
