// Store contract: what find, list and count take and leave out.

import assert from 'node:assert/strict'
import { instanceId, projectId, serviceId } from '#kernel/ids.ts'
import type { Query, Store } from '#kernel/ports/store.ts'
import type { Laws } from './laws.ts'
import { idOf, project, put, rows, startMs } from './rows.ts'

type Such = Omit<Query<'instances'>, 'limit' | 'order' | 'after'>

const other = projectId('other')
const failure = { verb: 'start', message: 'no', atMs: startMs, evidence: {} } as const

/** Few enough to be named in each expectation, by the last digit of their ids. */
const some = [
  rows.instances({ id: instanceId(idOf(1)), name: 'web-1', state: 'running', flavorId: 'small' }),
  rows.instances({ id: instanceId(idOf(2)), name: 'Web-2', state: 'stopped', flavorId: null }),
  rows.instances({ id: instanceId(idOf(3)), name: 'db_1%', state: 'failed', failure }),
  rows.instances({ id: instanceId(idOf(4)), name: 'web-1', project: other, driver: null }),
  rows.instances({ id: instanceId(idOf(5)), name: '', kind: 'notebook', state: 'queued' }),
  rows.instances({
    id: instanceId(idOf(6)),
    name: 'é😀',
    kind: 'service-instance',
    state: 'up',
    driver: null,
    serviceId: serviceId('s1'),
    timers: { autoStopAtMs: startMs + 100, reservedUntilMs: null, removeAtMs: startMs + 50 },
    aliases: { ecs: 'i-1', devenv: 'DE-1' },
  }),
]

const fill = (store: Store): Promise<number> => store.commit(put('instances', ...some.toReversed()))

const digits = (found: readonly { readonly id: string }[]): string =>
  found.map(({ id }) => id.at(-1)).join('')

const filters: readonly (readonly [Such, string])[] = [
  [{}, '123456'],
  [{ where: { project } }, '12356'],
  [{ where: { project, kind: 'server' } }, '123'],
  [{ where: { project: [project, other], kind: 'server' } }, '1234'],
  [{ where: { kind: ['notebook', 'service-instance'] } }, '56'],
  [{ where: { name: 'web-1' } }, '14'],
  [{ where: { name: ['web-1', 'nobody', 'Web-2'] } }, '124'],
  [{ where: { name: '' } }, '5'],
  [{ where: { name: 'WEB-1' } }, ''],
  [{ where: { project, kind: 'server', name: 'web-1' } }, '1'],
  [{ where: { name: [] } }, ''],
  [{ where: { project: 'nobody' } }, ''],
  [{ where: { driver: null } }, '46'],
  [{ where: { driver: [null] } }, '46'],
  [{ where: { driver: [null, 'simulated'], kind: 'server' } }, '1234'],
  [{ where: { flavorId: null } }, '2'],
  [{ where: { serviceId: 's1' } }, '6'],
  [{ where: { createdAtMs: startMs } }, '123456'],
  [{ where: { createdAtMs: [startMs - 1, startMs] } }, '123456'],
  [{ where: { createdAtMs: startMs + 1 } }, ''],
  [{ where: { wakeAtMs: startMs + 50 } }, '6'],
  [{ where: { situation: 'failed/start' } }, '3'],
  [{ where: { situation: 'failed/stop' } }, ''],
  [{ where: { situation: ['failed/start', 'failed/stop', 'running'] } }, '134'],
  [{ where: { situation: ['failed/start', 'running'], state: 'failed' } }, '3'],
  [{ where: { situation: 'running', state: 'failed' } }, ''],
  [{ where: { project, kind: 'server', situation: ['running', 'failed/start'] } }, '13'],
  [{ where: { project, kind: 'server', state: ['stopped', 'running'] } }, '12'],
  [{ where: { schemes: 'devenv ecs' } }, '6'],
  [{ where: { schemes: '' } }, '12345'],
  [{ contains: { column: 'name', text: 'eb-' } }, '124'],
  [{ contains: { column: 'name', text: 'web' } }, '14'],
  [{ contains: { column: 'name', text: '_1%' } }, '3'],
  [{ contains: { column: 'name', text: '😀' } }, '6'],
  [{ contains: { column: 'name', text: '' } }, '123456'],
  [{ contains: { column: 'flavorId', text: '' } }, '13456'],
  [{ contains: { column: 'schemes', text: 'ecs' } }, '6'],
  [{ where: { project }, contains: { column: 'name', text: 'web' } }, '1'],
  [{ range: { column: 'createdAtMs' } }, '123456'],
  [{ range: { column: 'createdAtMs', min: startMs } }, ''],
  [{ range: { column: 'createdAtMs', max: startMs } }, ''],
  [{ range: { column: 'createdAtMs', min: startMs - 1, max: startMs + 1 } }, '123456'],
  [{ range: { column: 'wakeAtMs', max: startMs + 51 } }, '6'],
  [{ range: { column: 'wakeAtMs', max: startMs + 50 } }, ''],
  [{ range: { column: 'wakeAtMs', min: startMs + 50 } }, ''],
  [{ range: { column: 'wakeAtMs', min: 0 }, where: { kind: 'server' } }, ''],
  [
    {
      range: [
        { column: 'wakeAtMs', min: 0 },
        { column: 'createdAtMs', max: startMs + 1 },
      ],
    },
    '6',
  ],
  [
    {
      range: [
        { column: 'wakeAtMs', min: 0 },
        { column: 'createdAtMs', max: startMs },
      ],
    },
    '',
  ],
]

export const listLaws: Laws = {
  'list and count agree on what a filter takes': async (store) => {
    await fill(store)
    for (const [such, wanted] of filters) {
      const asked = JSON.stringify(such)
      assert.equal(digits(await store.list('instances', { ...such, limit: 100 })), wanted, asked)
      assert.equal(await store.count('instances', such), wanted.length, `count of ${asked}`)
      const newest = { order: { by: 'createdAtMs', dir: 'desc' }, limit: 100 } as const
      const found = await store.list('instances', { ...such, ...newest })
      assert.equal(digits(found.toReversed()), wanted, `in order: ${asked}`)
    }
  },

  'counts follow every change': async (store) => {
    await fill(store)
    const [first] = some
    assert.ok(first)
    const total = async (): Promise<readonly number[]> => [
      await store.count('instances', {}),
      await store.count('instances', { where: { state: 'running' } }),
      await store.count('instances', { where: { project: other, flavorId: null } }),
      await store.count('instances', { where: { name: 'web-1' } }),
    ]
    assert.deepEqual(await total(), [6, 2, 0, 2])
    await store.commit(put('instances', { ...first, state: 'stopping' }))
    assert.deepEqual(await total(), [6, 1, 0, 2])
    await store.commit(put('instances', { ...first, project: other, flavorId: null, name: 'x' }))
    assert.deepEqual(await total(), [6, 2, 1, 1])
    await store.commit({ writes: [{ table: 'instances', remove: first.id }], events: [] })
    assert.deepEqual(await total(), [5, 1, 0, 1])
    const alike = Array.from({ length: 5 }, () => rows.instances({ state: 'running' }))
    await store.commit(put('instances', ...alike))
    assert.deepEqual(await total(), [10, 6, 0, 6])
    const halted = alike.slice(0, 3).map((row) => ({ ...row, state: 'stopped' }) as const)
    await store.commit(put('instances', ...halted))
    assert.deepEqual(await total(), [10, 3, 0, 6])
  },

  'no flavor and a flavor without a name are counted apart': async (store) => {
    const row = rows.instances({ flavorId: null })
    await store.commit(put('instances', row))
    await store.commit(put('instances', { ...row, flavorId: '' }))
    const such = { contains: { column: 'flavorId', text: '' } } as const
    assert.equal(await store.count('instances', such), 1)
    await store.commit(put('instances', row))
    assert.equal(await store.count('instances', such), 0)
  },

  'find gives the rows with a value, by id': async (store) => {
    await fill(store)
    assert.equal(digits(await store.find('instances', 'name', 'web-1')), '14')
    assert.equal(digits(await store.find('instances', 'driver', null)), '46')
    assert.equal(digits(await store.find('instances', 'createdAtMs', startMs)), '123456')
    assert.equal(digits(await store.find('instances', 'nameKey', `${project}/server/web-1`)), '1')
    assert.equal(digits(await store.find('instances', 'serviceId', 'nobody')), '')
  },

  'find gives ten thousand rows at most': async (store) => {
    const many = Array.from({ length: 10_001 }, (_, n) => rows.nodes({ id: `n${n}`, name: 'same' }))
    await store.commit(put('nodes', ...many))
    const found = await store.find('nodes', 'name', 'same')
    assert.equal(found.length, 10_000)
    assert.equal(await store.count('nodes', { where: { name: 'same' } }), 10_001)
  },

  'what no query may be is refused': async (store) => {
    await fill(store)
    const odd = (query: object): Promise<unknown> =>
      store.list('instances', { limit: 10, ...query } as Query<'instances'>) // what no type allows
    await assert.rejects(odd({ limit: 0 }), /1 to 1000/)
    await assert.rejects(odd({ limit: 1_001 }), /1 to 1000/)
    // A forgotten project must never mean all projects.
    await assert.rejects(odd({ where: { project: undefined } }), /project/)
    await assert.rejects(odd({ where: { 'id" OR 1=1 --': 'x' } }), /no column/)
    await assert.rejects(odd({ order: { by: 'body', dir: 'asc' } }), /no column/)
    await assert.rejects(odd({ contains: { column: 'toString', text: '' } }), /no column/)
    await assert.rejects(odd({ range: { column: 'nothing', min: 1 } }), /no column/)
    const unplaced = { order: { by: 'name', dir: 'asc' }, after: { id: 'x' } }
    await assert.rejects(odd(unplaced), /after a value/)
  },
}
