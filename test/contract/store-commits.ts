// Store contract: commits and single rows.

import assert from 'node:assert/strict'
import { instanceId, serviceId } from '#kernel/ids.ts'
import { type Commit, type Store, StoreError } from '#kernel/ports/store.ts'
import { tableNames } from '#kernel/tables.ts'
import type { Laws } from './laws.ts'
import { eventDraft, idOf, project, put, rows } from './rows.ts'

const isConflict = (error: unknown): boolean =>
  error instanceof StoreError && error.code === 'conflict'

async function everything(store: Store): Promise<readonly unknown[]> {
  const all = tableNames.map((table) => store.list(table, { limit: 1_000 }))
  return [...(await Promise.all(all)), await store.events({ after: 0, limit: 1_000 })]
}

export const commitLaws: Laws = {
  'rows of every table come back as they were put': async (store) => {
    for (const table of tableNames) {
      const row = rows[table]()
      await store.commit(put(table, row))
      assert.deepEqual(await store.get(table, row.id), row)
      assert.deepEqual(await store.list(table, { limit: 10 }), [row])
      assert.equal(await store.get(table, 'nobody'), undefined)
      await store.commit({ writes: [{ table, remove: row.id }], events: [] })
      assert.equal(await store.get(table, row.id), undefined)
      assert.equal(await store.count(table, {}), 0)
    }
  },

  'texts of every kind come back as they were put': async (store) => {
    const texts = [
      '',
      ' ',
      "'; DROP TABLE instances --",
      '名前',
      '😀',
      '\u0000',
      '\\"\n',
      '__proto__',
    ]
    const some = texts.map((text) =>
      rows.instances({ name: text, labels: { [`${text}.`]: text }, reason: text }),
    )
    await store.commit(put('instances', ...some))
    for (const row of some) {
      assert.deepEqual(await store.get('instances', row.id), row)
      assert.deepEqual(await store.list('instances', { where: { name: row.name }, limit: 9 }), [
        row,
      ])
    }
  },

  'a commit is read by whoever reads after it': async (store) => {
    const before = rows.instances({ serviceId: serviceId('s1'), state: 'running' })
    await store.commit(put('instances', before))
    const after = { ...before, serviceId: serviceId('s2'), state: 'stopped' } as const
    await store.commit(put('instances', after))
    assert.deepEqual(await store.get('instances', before.id), after)
    assert.deepEqual(await store.find('instances', 'serviceId', 's1'), [])
    assert.deepEqual(await store.find('instances', 'serviceId', 's2'), [after])
    assert.equal(await store.count('instances', { where: { state: 'running' } }), 0)
    assert.equal(await store.count('instances', { where: { state: 'stopped' } }), 1)
  },

  'what is at hand is what a reader would be given': async (store) => {
    const before = rows.instances({ state: 'running' })
    const { id } = before
    assert.equal(store.kept('instances', id), undefined)
    await store.commit(put('instances', before))
    assert.deepEqual(await store.get('instances', id), before)
    assert.deepEqual(store.kept('instances', id), before)
    assert.equal(store.kept('operations', id), undefined)
    // While a commit is under way a reader may see its row already, and nobody may see the older one after that.
    const after = { ...before, state: 'stopped' } as const
    const committed = store.commit(put('instances', after))
    assert.notDeepEqual(store.kept('instances', id), before)
    await committed
    assert.deepEqual(store.kept('instances', id), after)
    await store.commit({ writes: [{ table: 'instances', remove: id }], events: [] })
    assert.equal(store.kept('instances', id), undefined)
    await store.close()
    assert.equal(store.kept('instances', id), undefined)
  },

  'a later write of a commit wins over an earlier one': async (store) => {
    const row = rows.nodes({ name: 'a' })
    await store.commit({
      writes: [
        { table: 'nodes', row },
        { table: 'nodes', remove: row.id },
        { table: 'nodes', row: { ...row, name: 'b' } },
        { table: 'nodes', remove: 'nobody' },
      ],
      events: [],
    })
    assert.deepEqual(await store.list('nodes', { limit: 9 }), [{ ...row, name: 'b' }])
  },

  'a commit with one write that fails changes nothing': async (store) => {
    const kept = rows.services({ key: 'taken' })
    const pool = rows.pools()
    await store.commit({
      writes: [
        { table: 'services', row: kept },
        { table: 'pools', row: pool },
      ],
      events: [eventDraft()],
    })
    const before = await everything(store)
    const doomed: Commit = {
      writes: [
        { table: 'instances', row: rows.instances() },
        { table: 'pools', row: { ...pool, taken: 1 } },
        { table: 'services', row: { ...kept, name: 'renamed' } },
        { table: 'services', row: rows.services({ key: 'taken' }) },
        { table: 'pools', remove: pool.id },
      ],
      events: [eventDraft(), eventDraft()],
    }
    await assert.rejects(store.commit(doomed), isConflict)
    assert.deepEqual(await everything(store), before)
    assert.equal(await store.count('instances', {}), 0)
    assert.equal(await store.commit({ writes: [], events: [eventDraft()] }), 2)
  },

  'what rests on a commit that fails is not carried out, nor what rests on that': async (store) => {
    const kept = rows.services({ key: 'taken' })
    await store.commit(put('services', kept))
    const doomed = put('services', rows.services({ key: 'taken' }))
    const [first, second, third] = [rows.nodes(), rows.nodes(), rows.nodes()].map((row) =>
      put('nodes', row),
    )
    assert.ok(first && second && third)
    const outcomes = await Promise.allSettled([
      store.commit(doomed),
      store.commit(first, doomed),
      store.commit(second, first),
      store.commit(third),
    ])
    const codes = outcomes.map((one) =>
      one.status === 'rejected' ? (one.reason as StoreError).code : 'done',
    )
    assert.deepEqual(codes, ['conflict', 'behind', 'behind', 'done'])
    assert.equal(await store.count('nodes', {}), 1)
    // Known by now, and yet no ground to stand on.
    await assert.rejects(
      store.commit(first, second),
      (error) => (error as StoreError).code === 'behind',
    )
    assert.equal(await store.commit({ writes: [], events: [eventDraft()] }, third), 1)
  },

  'what rests on a commit that could not even be handed over is not carried out': async (store) => {
    const odd = 1n as unknown as string // what no type allows, and no JSON holds
    const broken = put('nodes', rows.nodes({ name: odd }))
    const outcomes = await Promise.allSettled([
      store.commit(broken),
      store.commit(put('nodes', rows.nodes()), broken),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.equal(await store.count('nodes', {}), 0)
  },

  'a deleted service gives its key back': async (store) => {
    const old = rows.services({ key: 'detector' })
    await store.commit(put('services', old))
    const gone = { ...old, status: 'deleted' } as const
    const fresh = rows.services({ key: 'detector' })
    await store.commit(put('services', gone, fresh, rows.services({ status: 'deleted' })))
    const key = `${project}/inference/detector`
    assert.deepEqual(await store.find('services', 'key', key), [fresh])
  },

  'a state that its lifecycle does not have is refused': async (store) => {
    const odd = [
      put('instances', rows.instances({ kind: 'server', state: 'queued' })),
      put('instances', rows.instances({ kind: 'service-instance', state: 'running' })),
      put('operations', rows.operations({ state: 'deleted' as 'failed' })), // what no type allows
    ]
    for (const commit of odd) await assert.rejects(store.commit(commit), isConflict)
    assert.equal(await store.count('instances', {}), 0)
    assert.equal(await store.count('operations', {}), 0)
  },

  'what a caller does to its objects does not reach the store': async (store) => {
    const labels = { tier: 'gold' }
    const row = rows.instances({ id: instanceId(idOf(1)), labels })
    const data = { from: 'a' }
    const committed = store.commit({
      writes: [{ table: 'instances', row }],
      events: [eventDraft({ data })],
    })
    // Whether it throws is the store's choice; that nothing is stored is not.
    const change = (): void => {
      labels.tier = 'changed'
    }
    if (Object.isFrozen(labels)) assert.throws(change, TypeError)
    else change()
    data.from = 'changed'
    await committed
    const read = async () => [
      (await store.get('instances', row.id))?.labels['tier'],
      (await store.events({ after: 0, limit: 1 }))[0]?.data['from'],
    ]
    assert.deepEqual(await read(), ['gold', 'a'])
    const mine = (await store.get('instances', row.id))?.labels as { tier: string } // a caller that cheats
    const cheat = (): void => {
      mine.tier = 'cheated'
    }
    if (Object.isFrozen(mine)) assert.throws(cheat, TypeError)
    else cheat()
    assert.deepEqual(await read(), ['gold', 'a'])
  },

  'a closed store refuses, and may be closed twice': async (store) => {
    await store.commit(put('nodes', rows.nodes()))
    await store.close()
    await store.close()
    const isClosed = (error: unknown): boolean =>
      error instanceof StoreError && error.code === 'closed'
    await assert.rejects(store.commit(put('nodes', rows.nodes())), isClosed)
    await assert.rejects(store.count('nodes', {}), isClosed)
    await assert.rejects(store.claim('w', 0, 1, 1), isClosed)
  },
}
