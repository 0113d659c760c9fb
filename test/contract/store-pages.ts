// Store contract: the order of lists, and pages that neither repeat nor lose a row.

import assert from 'node:assert/strict'
import { instanceId } from '#kernel/ids.ts'
import type { Query, Store } from '#kernel/ports/store.ts'
import { type ColumnName, columns } from '#kernel/tables.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Laws } from './laws.ts'
import { idOf, project, put, rows, startMs } from './rows.ts'

type Order = NonNullable<Query<'instances'>['order']>
type Such = Omit<Query<'instances'>, 'limit' | 'after'>

/** Every page of a query; `between` runs after each one. */
async function walk(
  store: Store,
  query: Such,
  limit: number,
  between: (page: number) => Promise<void> = async () => undefined,
): Promise<readonly Instance[]> {
  const all: Instance[] = []
  for (let page = 0; ; page += 1) {
    const last = all.at(-1)
    const { order } = query
    const after = last && {
      id: last.id,
      ...(order ? { value: columns.instances[order.by](last) } : {}),
    }
    const found = await store.list('instances', { ...query, limit, ...(after ? { after } : {}) })
    all.push(...found)
    if (found.length < limit) return all
    await between(page)
  }
}

const ids = (found: readonly { readonly id: string }[]): readonly string[] =>
  found.map(({ id }) => id)

/** A mixture with many ties and many rows without a value. */
const mixed = Array.from({ length: 60 }, (_, n) =>
  rows.instances({
    id: instanceId(idOf(1_000 + ((n * 37) % 60))),
    name: `n${n % 4}`,
    createdAtMs: startMs + (n % 5),
    updatedAtMs: startMs - n,
    flavorId: n % 3 === 0 ? null : `f${n % 2}`,
    nodeId: n % 2 === 0 ? null : `edge-${n % 3}`,
    kind: 'edge-instance',
    state: (['running', 'stopped', 'failed', 'starting'] as const)[n % 4] ?? 'running',
    failure: n % 4 === 2 ? { verb: 'start', message: '', atMs: 0, evidence: {} } : null,
    queue: n % 7 === 0 ? { poolId: 'p', awaits: 'start', sinceMs: 0, ticket: n } : null,
  }),
)

export const pageLaws: Laws = {
  'nothing comes before numbers before texts, and texts come by their bytes': async (store) => {
    const names = ['', 'A', 'Z', 'a', 'a ', 'aa', 'é', '\u{e000}', '\u{ffff}', '😀', '😁']
    const some = names.map((text) => rows.instances({ name: text }))
    await store.commit(put('instances', ...some.toReversed()))
    const order = { by: 'name', dir: 'asc' } as const
    assert.deepEqual(ids(await walk(store, { order }, 3)), ids(some))
    const down = { by: 'name', dir: 'desc' } as const
    assert.deepEqual(ids(await walk(store, { order: down }, 3)), ids(some.toReversed()))
  },

  'rows without a value come first going up, last going down; ties go by id': async (store) => {
    const some = [null, null, 'f1', 'f1', 'f2'].map((flavorId) => rows.instances({ flavorId }))
    await store.commit(put('instances', ...some.toReversed()))
    const up = { by: 'flavorId', dir: 'asc' } as const
    const down = { by: 'flavorId', dir: 'desc' } as const
    for (const limit of [1, 2, 3, 10]) {
      assert.deepEqual(ids(await walk(store, { order: up }, limit)), ids(some))
      assert.deepEqual(ids(await walk(store, { order: down }, limit)), ids(some.toReversed()))
      assert.deepEqual(ids(await walk(store, {}, limit)), ids(some))
    }
  },

  'pages of any size, in any order, give each row once': async (store) => {
    await store.commit(put('instances', ...mixed))
    const orders: readonly (ColumnName<'instances'> | undefined)[] = [
      ...(Object.keys(columns.instances) as ColumnName<'instances'>[]), // keys of a const table
      undefined,
    ]
    const wheres: readonly Such['where'][] = [
      {},
      { project },
      { project, kind: 'edge-instance', state: ['running', 'failed', 'stopped'] },
      { project, kind: ['edge-instance', 'server'] },
      { nodeId: ['edge-1', 'edge-2', null] },
      { queuePool: 'p' },
    ]
    for (const where of wheres) {
      const wanted = ids(
        await store.list('instances', { ...(where ? { where } : {}), limit: 1_000 }),
      )
      for (const by of orders) {
        const whole: (readonly string[])[] = []
        for (const dir of ['asc', 'desc'] as const) {
          const order: { order?: Order } = by === undefined ? {} : { order: { by, dir } }
          for (const limit of [7, 60]) {
            const walked = ids(await walk(store, { ...(where ? { where } : {}), ...order }, limit))
            whole.push(dir === 'desc' && by !== undefined ? walked.toReversed() : walked)
          }
        }
        const [first] = whole
        assert.deepEqual(first?.toSorted(), wanted, `${by}: each row once`)
        for (const one of whole) assert.deepEqual(one, first, `${by}: one order for all pages`)
      }
    }
  },

  'rows that come and go between pages going up repeat and hide no other': (store) =>
    walkAmongPassing(store, 'asc'),
  'rows that come and go between pages going down repeat and hide no other': (store) =>
    walkAmongPassing(store, 'desc'),
}

async function walkAmongPassing(store: Store, dir: 'asc' | 'desc'): Promise<void> {
  const steady = Array.from({ length: 40 }, (_, n) =>
    rows.instances({ id: instanceId(idOf(n * 10)), createdAtMs: startMs + n }),
  )
  await store.commit(put('instances', ...steady))
  const passing = (page: number, at: number): Instance =>
    rows.instances({ id: instanceId(`passing-${page}-${at}`), createdAtMs: startMs + at })
  const between = async (page: number): Promise<void> => {
    const fresh = [0, 5, 20, 39].map((at) => passing(page, at))
    const gone = page === 0 ? [] : [0, 5, 20, 39].map((at) => passing(page - 1, at).id)
    await store.commit({
      writes: [
        ...put('instances', ...fresh).writes,
        ...gone.map((remove) => ({ table: 'instances', remove }) as const),
      ],
      events: [],
    })
  }
  const walked = await walk(store, { order: { by: 'createdAtMs', dir } }, 3, between)
  assert.equal(new Set(ids(walked)).size, walked.length, 'nothing twice')
  const stayed = walked.filter(({ id }) => !id.startsWith('passing'))
  const wanted = dir === 'asc' ? steady : steady.toReversed()
  assert.deepEqual(ids(stayed), ids(wanted), 'nothing missing')
  assert.ok(walked.length > steady.length, 'some came while it walked')
}
