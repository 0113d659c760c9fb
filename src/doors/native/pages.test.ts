// Laws of pages: walked to the end they hold every row once and in order, whatever the size of the
// page.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { adminOf, type NativeApi } from '#test/harness/native-api.ts'
import { type World, world } from '#test/harness/world.ts'
import type { InstanceShown, PageShown } from './wire.ts'

let w: World
let api: NativeApi

const count = 37
before(async () => {
  w = await world()
  api = adminOf(w)
  const body = { kind: 'server', flavor: 'sim.small', image: 'sim' }
  for (let index = 0; index < count; index++) {
    const labels = { ...(index % 10 === 3 ? { rare: 'yes' } : {}), index: String(index) }
    // Names repeat, so that ties must be told apart.
    await api.change('POST', '/instances', { ...body, name: `n${index % 5}`, labels })
  }
})
after(() => w.close())

async function walk(query: string, limit: number): Promise<readonly InstanceShown[]> {
  const items: InstanceShown[] = []
  let cursor = ''
  for (let pages = 0; pages <= count; pages++) {
    const page = await api.get<PageShown<InstanceShown>>(
      `/instances?limit=${limit}${query}${cursor}`,
    )
    assert.ok(page.items.length <= limit)
    items.push(...page.items)
    if (page.nextCursor === null) return items
    cursor = `&cursor=${page.nextCursor}`
  }
  assert.fail('the pages do not end')
}

const orders: Readonly<Record<string, (a: InstanceShown, b: InstanceShown) => boolean>> = {
  '': (a, b) => a.id < b.id,
  '&sort=name': (a, b) => a.name <= b.name,
  '&sort=-name': (a, b) => a.name >= b.name,
  '&sort=createdAt': (a, b) => a.createdAt <= b.createdAt,
  '&sort=-updatedAt': (a, b) => a.updatedAt >= b.updatedAt,
}

for (const [query, inOrder] of Object.entries(orders))
  test(`pages hold every row once and in order ${query}`, async () => {
    for (const limit of [1, 7, 36, 37, 38]) {
      const all = await walk(query, limit)
      assert.equal(new Set(all.map(({ id }) => id)).size, count)
      assert.equal(all.length, count)
      for (const [index, one] of all.slice(1).entries())
        assert.ok(inOrder(all[index] ?? one, one), `${query} ${limit}`)
    }
  })

test('a filter that no column knows keeps the law', async () => {
  for (const limit of [1, 2, 100]) {
    const found = await walk('&label=rare', limit)
    assert.deepEqual(
      found.map(({ labels }) => labels['index'] ?? '').toSorted((a, b) => a.localeCompare(b)),
      ['13', '23', '3', '33'],
    )
  }
  assert.equal((await walk('&label=rare=no', 10)).length, 0)
  assert.equal((await walk('&label=rare=yes&label=index=13', 10)).length, 1)
})

test('a cursor of one order is refused in another', async () => {
  const page = await api.get<PageShown<InstanceShown>>('/instances?limit=1&sort=name')
  for (const query of ['', '&sort=-name', '&sort=createdAt'])
    assert.equal(
      (await api.refused('GET', `/instances?limit=1${query}&cursor=${page.nextCursor}`)).field,
      'cursor',
    )
})

test('what is gone is not listed unless it is asked for', async () => {
  const { id } = await api.server({ name: 'gone' })
  await api.change('DELETE', `/instances/${id}`, undefined, { prefer: 'wait=20' })
  const listed = async (query: string): Promise<boolean> =>
    (await walk(query, 100)).some((one) => one.id === id)
  assert.deepEqual([await listed(''), await listed('&state=deleted')], [false, true])
  const history = await api.get<PageShown<{ verb: string }>>(`/instances/${id}/operations`)
  assert.deepEqual(
    history.items.map(({ verb }) => verb),
    ['delete', 'create'],
    'its history outlasts it',
  )
})
