// A2 to A6 and the queue of free flavors, through real sockets.

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

const instances = '/v1/{p}/demanager/instances'
const codeOf = (reply: Reply) => `${reply.status} ${String(at(reply.body, 'error_code'))}`
const storage = { type: 'evs' }
const body = { name: 'any', profile_id: 'sim', flavor: 'sim.billed', spec: { storage } }
const create = (sent: unknown) => lab.bob.call('POST', instances, sent)
const show = (id: string) => lab.bob.call('GET', `${instances}/${id}`)
const act = (id: string, action: string) =>
  lab.bob.call('POST', `${instances}/${id}/action`, { action })
const statusOf = async (id: string) => at((await show(id)).body, 'status')
const becomes = (id: string, status: string) =>
  until(
    () => show(id),
    (reply) => at(reply.body, 'status') === status,
  )

async function made(change: object): Promise<string> {
  const reply = await create({ ...body, ...change })
  assert.equal(reply.status, 200, reply.text)
  return String(at(reply.body, 'id'))
}

suite('A2, create', () => {
  test('it is CREATING, then RUNNING with its auto stop counting down', async () => {
    const autoStop = { enable: true, duration: 3600, prompt: false }
    const reply = await create({
      ...body,
      name: 'nb-alice-01',
      description: 'first',
      spec: {
        storage: { type: 'evs', location: { volume_size: 10 } },
        auto_stop: autoStop,
        annotations: { a: 'b' },
      },
      workspace: { id: '0' },
      extended_storage: { ignored: true },
    })
    assert.equal(at(reply.body, 'status'), 'CREATING')
    assert.equal(at(reply.body, 'spec', 'auto_stop', 'stop_timestamp'), undefined)
    assert.equal(at(reply.body, 'spec', 'annotations', 'url'), '')
    const id = String(at(reply.body, 'id'))
    assert.match(id, /^DE-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    const { body: shown } = await becomes(id, 'RUNNING')
    assert.equal(at(shown, 'name'), 'nb-alice-01')
    assert.equal(at(shown, 'description'), 'first')
    assert.match(String(at(shown, 'creation_timestamp')), /^\d{13}$/)
    assert.equal(typeof at(shown, 'creation_timestamp'), 'string')
    assert.deepEqual(at(shown, 'user', 'name'), 'bob')
    assert.deepEqual(at(shown, 'workspace'), { id: '0' })
    assert.deepEqual(at(shown, 'ai_project'), { id: 'default-ai-project' })
    assert.equal(at(shown, 'profile', 'flavor_type'), 'CPU')
    assert.equal(at(shown, 'flavor_details', 'promo_type'), 'NoDiscount')
    assert.equal(at(shown, 'flavor_details', 'status'), 'onSale')
    assert.equal(at(shown, 'flavor_details', 'store_time'), -1)
    assert.deepEqual(at(shown, 'spec', 'storage'), {
      type: 'evs',
      location: { path: '/home/ma-user/work', volume_size: 10, volume_unit: 'GB' },
    })
    assert.equal(at(shown, 'spec', 'annotations', 'a'), 'b')
    const stops = at(shown, 'spec', 'auto_stop')
    assert.equal(at(stops, 'enable'), true)
    assert.equal(at(stops, 'duration'), 3600)
    assert.equal(at(stops, 'prompt'), false)
    assert.ok(Math.abs(Number(at(stops, 'stop_timestamp')) - lab.clock.nowMs() - 3_600_000) < 5000)
    assert.ok(Number(at(stops, 'remain_time')) > 3590 && Number(at(stops, 'remain_time')) <= 3600)
    for (const key of ['pool', 'queuing_info', 'error_code', 'repository'])
      assert.equal(at(shown, key), undefined, key)
  })

  const spec = (change: object) => ({ ...body, spec: { storage, ...change } })
  const stores = (change: object) => ({ ...body, spec: { storage: change } })
  const obs = (path?: string) =>
    stores({ type: 'obs', location: path === undefined ? {} : { path } })
  const refusals: readonly (readonly [string, unknown, string])[] = [
    ['no JSON', '{', '0104'],
    ['a list', [], '0104'],
    ['no name', { ...body, name: undefined }, '6335'],
    ['no profile', { ...body, profile_id: undefined }, '6335'],
    ['no flavor', { ...body, flavor: undefined }, '6335'],
    ['no spec', { ...body, spec: undefined }, '6335'],
    ['a name that is a number', { ...body, name: 7 }, '6332'],
    ['an empty name', { ...body, name: '' }, '6336'],
    ['a name of 65', { ...body, name: 'x'.repeat(65) }, '6336'],
    ['a name with a blank', { ...body, name: 'a b' }, '6334'],
    ['a description with <', { ...body, description: 'a<b' }, '6334'],
    ['a description of 513', { ...body, description: 'x'.repeat(513) }, '6336'],
    ['another workspace', { ...body, workspace: { id: 'w-1' } }, '7005'],
    ['a workspace that is a text', { ...body, workspace: '0' }, '6332'],
    ['no storage', { ...body, spec: {} }, '6316'],
    ['a storage without a type', stores({}), '6335'],
    ['another storage', stores({ type: 'nfs' }), '6324'],
    [
      'a parallel file system without a pool',
      stores({ type: 'obsfs', location: { path: 'b' } }),
      '6324',
    ],
    ['a bucket without a path', obs(), '6317'],
    ['a path without a slash behind', obs('bucket/dir'), '6318'],
    ['a path that is the root', obs('bucket/'), '6358'],
    ['a path that is the root after a slash', obs('/bucket/'), '6358'],
    ['a volume of 4', stores({ type: 'evs', location: { volume_size: 4 } }), '6331'],
    ['a volume of 4097', stores({ type: 'evs', location: { volume_size: 4097 } }), '6331'],
    ['a volume that is a text', stores({ type: 'evs', location: { volume_size: '5' } }), '6332'],
    ['auto stop without a duration', spec({ auto_stop: { enable: true } }), '6348'],
    ['auto stop too soon', spec({ auto_stop: { enable: true, duration: 3599 } }), '6349'],
    ['auto stop too late', spec({ auto_stop: { enable: true, duration: 86_401 } }), '6349'],
    ['auto stop that is a text', spec({ auto_stop: { enable: 'yes', duration: 3600 } }), '6332'],
    ['an unknown flavor', { ...body, flavor: 'none' }, '6323'],
    ['an unknown profile', { ...body, profile_id: 'none' }, '6336'],
    ['a profile that is not for notebooks', { ...body, profile_id: 'server-only' }, '6336'],
    ['a flavor of other hardware', { ...body, flavor: 'sim.gpu' }, '6330'],
    ['a billed flavor that is sold out', { ...body, flavor: 'sim.soldout' }, '6329'],
  ]
  for (const [name, sent, number] of refusals)
    test(`${name} is ModelArts.${number}, and nothing is made`, async () => {
      const before = await lab.w.plane.read.count('instances', {})
      assert.equal(codeOf(await create(sent)), `400 ModelArts.${number}`)
      assert.equal(await lab.w.plane.read.count('instances', {}), before)
    })

  test('a name is unique, a flavor may be denied, an account frozen', async () => {
    await made({ name: 'unique' })
    assert.equal(codeOf(await create({ ...body, name: 'unique' })), '400 ModelArts.6301')
    const project = await lab.w.plane.read.get('projects', lab.bob.project)
    assert.ok(project)
    const put = (row: typeof project) => lab.direct({ verb: 'put', table: 'projects', row })
    await put({ ...project, deniedFlavors: ['sim.billed'] })
    const denied = await create(body)
    const shown = await lab.bob.call('GET', `${instances}?de_type=Notebook`)
    await put({ ...project, frozen: true })
    const frozen = await create(body)
    await put(project)
    assert.equal(codeOf(denied), '400 ModelArts.6328')
    assert.equal(at(shown.body, 'instances', 0, 'flavor_details', 'is_permitted'), false)
    assert.equal(codeOf(frozen), '400 ModelArts.6326')
  })

  test('a bucket and a file system in a dedicated pool are kept and shown', async () => {
    const bucket = await made({
      name: 'on-obs',
      spec: { storage: { type: 'obs', location: { path: 'bucket/dir/' } } },
    })
    assert.deepEqual(at((await show(bucket)).body, 'spec', 'storage'), {
      type: 'obs',
      location: { path: 'bucket/dir/' },
    })
    const pool = { id: 'pool-1', type: 'USER_DEFINED', name: 'mine' }
    const shared = await made({
      name: 'on-obsfs',
      pool,
      spec: { storage: { type: 'obsfs', location: { path: 'b' } } },
    })
    const { body: shown } = await show(shared)
    assert.deepEqual(at(shown, 'pool'), pool)
    assert.equal(at(shown, 'spec', 'storage', 'location', 'mount_path'), '/home/ma-user/work')
  })
})

suite('A3, list', () => {
  const list = async (query: string, who = lab.bob) =>
    (await who.call('GET', `${instances}?${query}`)).body
  const names = async (query: string, who = lab.bob) =>
    listAt(await list(query, who), 'instances').map((one) => at(one, 'name'))

  test('own ones by name, filtered, in pages; zero is no limit', async () => {
    for (const name of ['list-b', 'list-a', 'list-c'])
      await becomes(await made({ name }), 'RUNNING')
    const all = await names('de_type=Notebook')
    assert.deepEqual(all, all.map(String).toSorted())
    assert.deepEqual(
      all.filter((one) => String(one).startsWith('list-')),
      ['list-a', 'list-b', 'list-c'],
    )
    assert.deepEqual(await names('de_type=Notebook&limit=0'), all)
    const page = await list('de_type=Notebook&offset=1&limit=2')
    assert.equal(at(page, 'total_count'), all.length)
    assert.deepEqual(await names('de_type=Notebook&offset=1&limit=2'), all.slice(1, 3))
    assert.equal(
      (await names('de_type=Notebook&sortby=creation_timestamp&order=desc'))[0],
      'list-c',
    )
    assert.ok((await names('de_type=Notebook&status=RUNNING')).includes('list-a'))
    assert.deepEqual(await names('de_type=Notebook&status=RESIZING'), [])
    assert.deepEqual(await names('de_type=Notebook&workspace_id=w'), [])
    assert.deepEqual(await names('de_type=Notebook&pool_id=pool-1'), ['on-obsfs'])
    assert.deepEqual(await names('de_type=Notebook&ai_project=another'), [])
    assert.deepEqual(await names('de_type=Notebook&ai_project=default-ai-project'), all)
    assert.deepEqual(await names('de_type=Notebook', lab.mia), [])
    assert.ok((await names('de_type=Notebook&show_self=false', lab.mia)).includes('list-a'))
    assert.deepEqual(await names('de_type=Notebook&show_self=false', lab.stranger), [])
  })

  test('a deleted one is listed only when that is asked for', async () => {
    const id = await made({ name: 'list-deleted' })
    await becomes(id, 'RUNNING')
    await act(id, 'stop')
    await becomes(id, 'STOPPED')
    await lab.bob.call('DELETE', `${instances}/${id}`)
    assert.ok(!(await names('de_type=Notebook')).includes('list-deleted'))
    assert.ok((await names('de_type=Notebook&status=DELETED')).includes('list-deleted'))
  })

  for (const [query, number] of [
    ['', '6335'],
    ['de_type=notebook', '6336'],
    ['de_type=Notebook&provision_type=VM', '6336'],
    ['de_type=Notebook&status=running', '6336'],
    ['de_type=Notebook&order=up', '6336'],
    ['de_type=Notebook&sortby=size', '6303'],
    ['de_type=Notebook&limit=x', '6332'],
    ['de_type=Notebook&offset=-1', '6332'],
  ] as const)
    test(`?${query} is ModelArts.${number}`, async () => {
      assert.equal(
        codeOf(await lab.bob.call('GET', `${instances}?${query}`)),
        `400 ModelArts.${number}`,
      )
    })
})

suite('A5, update', () => {
  test('a description and an auto stop; while it runs the new one waits for the next start', async () => {
    const id = await made({ name: 'updated' })
    const { body: first } = await becomes(id, 'RUNNING')
    assert.equal(at(first, 'spec', 'auto_stop', 'enable'), false)
    const put = (sent: unknown) => lab.bob.call('PUT', `${instances}/${id}`, sent)
    const reply = await put({
      description: 'new',
      spec: { auto_stop: { enable: true, duration: 7200 } },
    })
    assert.equal(at(reply.body, 'description'), 'new')
    assert.equal(at(reply.body, 'spec', 'auto_stop', 'duration'), 7200)
    assert.equal(at(reply.body, 'spec', 'auto_stop', 'stop_timestamp'), undefined)
    await act(id, 'restart')
    const { body: armed } = await until(
      () => show(id),
      (one) => at(one.body, 'spec', 'auto_stop', 'stop_timestamp') !== undefined,
    )
    assert.ok(Number(at(armed, 'spec', 'auto_stop', 'remain_time')) > 7190)
    // The form of one client.
    assert.equal(
      at((await put({ auto_stop: { enable: false } })).body, 'spec', 'auto_stop', 'enable'),
      false,
    )
    assert.equal(codeOf(await put({ spec: { auto_stop: { enable: true } } })), '400 ModelArts.6348')
    assert.equal(codeOf(await put({ description: 'a/b' })), '400 ModelArts.6334')
    assert.equal(codeOf(await put('nope')), '400 ModelArts.0104')
  })

  test('what is under way takes none, and says which parameter and status', async () => {
    const id = await lab.reach('starting')
    const reply = await lab.bob.call('PUT', `${instances}/DE-${id}`, {
      auto_stop: { enable: false },
    })
    assert.equal(codeOf(reply), '400 ModelArts.6347')
    assert.equal(
      at(reply.body, 'error_msg'),
      "When the instance is in the 'STARTING' status, the 'auto_stop' parameter cannot be modified.",
    )
  })
})

test('a failure is kept: its status, a code and the reason', async () => {
  const id = await lab.reach('failed/start')
  const { body: shown } = await show(`DE-${id}`)
  assert.equal(at(shown, 'status'), 'START_FAILED')
  assert.equal(at(shown, 'error_code'), 'ModelArts.6360')
  assert.equal(at(shown, 'spec', 'failed_reasons', 'detail'), 'start')
  assert.equal(typeof at(shown, 'spec', 'failed_reasons', 'message'), 'string')
})

test('auto stop fires without any client call, and its count ends with it', async () => {
  const autoStop = { enable: true, duration: 3600 }
  const id = await made({ name: 'auto-stop', spec: { storage, auto_stop: autoStop } })
  await becomes(id, 'RUNNING')
  lab.clock.jump(3_599_000)
  assert.equal(await statusOf(id), 'RUNNING')
  lab.clock.jump(2000)
  const { body: stopped } = await becomes(id, 'STOPPED')
  assert.equal(at(stopped, 'spec', 'auto_stop', 'stop_timestamp'), undefined)
  assert.equal(at(stopped, 'spec', 'auto_stop', 'remain_time'), undefined)
})

test('auto stop that is switched off while it runs does not fire, and what is left open stays', async () => {
  const autoStop = { enable: true, duration: 3600 }
  const id = await made({ name: 'never-mind', spec: { storage, auto_stop: autoStop } })
  await becomes(id, 'RUNNING')
  const put = async (auto_stop: object) =>
    (await lab.bob.call('PUT', `${instances}/${id}`, { spec: { auto_stop } })).body
  assert.equal(at(await put({ prompt: false }), 'spec', 'auto_stop', 'enable'), true)
  const longer = await put({ duration: 7200 })
  assert.equal(at(longer, 'spec', 'auto_stop', 'enable'), true)
  assert.equal(at(longer, 'spec', 'auto_stop', 'duration'), 7200)
  assert.equal(at(longer, 'spec', 'auto_stop', 'prompt'), false)
  assert.equal(at(await put({ enable: false }), 'spec', 'auto_stop', 'stop_timestamp'), undefined)
  const row = await lab.w.plane.read.get('instances', id.slice('DE-'.length))
  assert.equal(row?.timers.autoStopAtMs, null)
})

suite('the queue of a free flavor', () => {
  test('sold out: a new one queues with rank and time, leaves it, and gets its place when one is free', async () => {
    const flavor = await lab.freeFlavor(1)
    const holder = await made({ name: 'holder', flavor })
    await becomes(holder, 'RUNNING')
    const first = await made({ name: 'waits-1', flavor })
    const second = await made({ name: 'waits-2', flavor })
    const { body: shown } = await show(second)
    assert.equal(at(shown, 'status'), 'CREATE_QUEUING')
    const details = at(shown, 'flavor_details')
    assert.equal(at(details, 'promo_type'), 'Free')
    assert.equal(at(details, 'status'), 'soldOut')
    assert.equal(at(details, 'queuing_num'), 2)
    assert.equal(at(details, 'duration'), 3600)
    assert.equal(at(details, 'store_time'), 72)
    const info = at(shown, 'queuing_info')
    assert.equal(at(info, 'rank'), 2)
    assert.equal(at(info, 'status'), 'CREATE_QUEUING')
    // Nobody keeps a place for longer than an hour and what it takes to come and go.
    const wait = Number(at(info, 'remain_time'))
    assert.ok(wait > 3600 && wait < 3 * 3600, String(wait))
    assert.equal(at(info, 'end_timestamp'), Number(at(info, 'begin_timestamp')) + wait * 1000)
    assert.equal(at((await show(first)).body, 'queuing_info', 'rank'), 1)
    // One who leaves lets the next one move up.
    assert.deepEqual((await act(first, 'dequeue')).body, {
      current_status: 'STOPPED',
      previous_state: 'CREATE_QUEUING',
    })
    assert.equal(at((await show(second)).body, 'queuing_info', 'rank'), 1)
    await act(holder, 'stop')
    await becomes(second, 'RUNNING')
    assert.equal(at((await show(second)).body, 'queuing_info'), undefined)
  })

  test('a stopped one queues, is reserved when its turn comes, and starts; or lets it lapse', async () => {
    const flavor = await lab.freeFlavor(1)
    const id = `DE-${await lab.reach('stopped', flavor)}`
    const holder = await made({ name: 'holder-2', flavor })
    await becomes(holder, 'RUNNING')
    assert.equal(codeOf(await act(id, 'start')), '400 ModelArts.6329')
    assert.deepEqual((await act(id, 'queue')).body, {
      current_status: 'START_QUEUING',
      previous_state: 'STOPPED',
    })
    assert.equal(await statusOf(id), 'START_QUEUING')
    await act(holder, 'stop')
    const { body: ready } = await becomes(id, 'READY_TO_START')
    assert.equal(typeof at(ready, 'spec', 'resource_reserved_timestamp'), 'number')
    // The place is kept for who waited.
    assert.equal(codeOf(await act(holder, 'start')), '400 ModelArts.6329')
    assert.deepEqual((await act(id, 'start')).body, {
      current_status: 'STARTING',
      previous_state: 'READY_TO_START',
    })
    const { body: running } = await becomes(id, 'RUNNING')
    // Imposed by the flavor, though nobody asked for it.
    assert.equal(at(running, 'spec', 'auto_stop', 'enable'), true)
    assert.equal(at(running, 'spec', 'auto_stop', 'duration'), 3600)
  })

  test('an unused reservation lapses, and the place goes to who asks next', async () => {
    const flavor = await lab.freeFlavor(1)
    const id = await lab.reach('reserved', flavor)
    lab.clock.jump(301_000)
    await lab.becomes(id, 'stopped')
    assert.equal((await act(`DE-${id}`, 'start')).status, 200)
  })
})
