// What is kept in memory is never older than what was committed, and a poll that brings nothing new reads no store.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { serviceId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Commit, Store, Write } from '#kernel/ports/store.ts'
import { project, rows } from '#test/contract/rows.ts'
import { gatedStore } from '#test/harness/gated-store.ts'
import {
  type Client,
  client,
  find,
  made,
  one,
  registered,
  revisionOf,
  stage,
} from '#test/harness/registry.ts'
import { type World, world } from '#test/harness/world.ts'
import type { Book, Version } from './book.ts'
import { Mirror } from './mirror.ts'

const name = { environment: '', appId: 'shop', serviceName: 'provider' }
const own = serviceId(`${project}/svc1`)
const service = (revision: number) =>
  rows.services({
    id: own,
    kind: 'microservice',
    key: '/shop/provider/1.0.0',
    name: 'provider',
    revision,
    attributes: { servicecomb: { ...name, version: '1.0.0' } },
  })
const instance = (change: Partial<Instance>): Instance =>
  rows.instances({ kind: 'service-instance', state: 'up', serviceId: own, ...change })

/** A mirror over a store whose lists wait until they are let go. */
function scene(): {
  readonly store: Store
  readonly mirror: Mirror
  readonly commit: (...writes: readonly Write[]) => Promise<void>
  readonly hold: () => void
  readonly release: () => void
} {
  const store = gatedStore().store
  let gate = Promise.resolve()
  let open = (): void => undefined
  const list: Store['list'] = async (table, query) => {
    // What is read is read before the wait: the oldest that a slow reading can be.
    const page = await store.list(table, query)
    await gate
    return page
  }
  const mirror = new Mirror({ read: { ...store, list } }, 10)
  return {
    store,
    mirror,
    async commit(...writes) {
      const commit: Commit = { writes, events: [] }
      await store.commit(commit)
      mirror.follow(commit, () => undefined)
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      open = resolve
    },
    release: () => open(),
  }
}

const pick = (book: Book): readonly Version[] => book.named(name)
const shown = (book: Book): string => book.answer(pick(book), 'any').toString()

suite('a mirror', () => {
  test('holds what was committed while it was reading', async () => {
    const { mirror, commit, hold, release } = scene()
    const first = instance({ name: 'first' })
    await commit({ table: 'services', row: service(1) }, { table: 'instances', row: first })
    hold()
    const reading = mirror.withInstances(project, pick)
    await nextTurn()
    await commit({ table: 'services', row: service(2) })
    release()
    hold()
    await nextTurn()
    const second = instance({ name: 'second' })
    await commit({ table: 'services', row: service(3) }, { table: 'instances', row: second })
    await commit({ table: 'instances', remove: first.id })
    release()
    const book = await reading
    assert.equal(pick(book)[0]?.revision, 3)
    assert.match(shown(book), /second/)
    assert.doesNotMatch(shown(book), /first/)
  })

  test('follows every commit once it has read, and answers anew at each revision', async () => {
    const { mirror, commit } = scene()
    const row = instance({ name: 'i1' })
    await commit({ table: 'services', row: service(1) }, { table: 'instances', row })
    const book = await mirror.withInstances(project, pick)
    const before = book.answer(pick(book), '1')
    assert.equal(book.answer(pick(book), '1'), before, 'the same bytes')
    await commit({ table: 'instances', row: { ...row, state: 'down' } })
    assert.match(book.answer(pick(book), '2').toString(), /"status":"DOWN"/)
    await commit({ table: 'instances', remove: row.id })
    assert.equal(book.answer(pick(book), '3').toString(), '{}')
    await commit({ table: 'services', remove: own })
    assert.deepEqual(pick(book), [])
  })

  test('forgets instances rather than grow beyond its bound, and reads them again', async () => {
    const { mirror, commit } = scene()
    const many = Array.from({ length: 11 }, (_, n) => instance({ name: `n${n}` }))
    await commit(
      { table: 'services', row: service(1) },
      ...many.map((row) => ({ table: 'instances', row }) as const),
    )
    const book = await mirror.withInstances(project, pick)
    const other = { ...service(1), id: serviceId(`${project}/svc2`), key: '/shop/other/1.0.0' }
    const attributes = { servicecomb: { ...name, serviceName: 'other', version: '1.0.0' } }
    await commit({ table: 'services', row: { ...other, name: 'other', attributes } })
    await mirror.withInstances(project, (now) => now.named({ ...name, serviceName: 'other' }))
    assert.equal(book.hasSheet(own), false)
    const again = await mirror.withInstances(project, pick)
    assert.equal(again.texts(own).length, 11)
  })
})

suite('a find', () => {
  let house: World
  let registry: Client
  let reads = 0
  before(async () => {
    const inner = gatedStore().store
    const counted = new Set(['get', 'find', 'list', 'count'])
    const store = new Proxy(inner, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        return (...given: unknown[]): unknown => {
          // The engine looks after its own tables all the time.
          if (
            counted.has(String(key)) &&
            ['services', 'instances', 'projects'].includes(String(given[0]))
          )
            if (!JSON.stringify(given).includes('wakeAtMs')) reads += 1
          return Reflect.apply(value, target, given)
        }
      },
    })
    house = await world({ store })
    registry = client(house, { domain: 'read' })
  })
  after(() => house.close())

  test('that brings nothing new reads no store, and what was answered is there at once', async () => {
    await stage(registry)
    let rev = revisionOf(await made(registry.call('GET', find)))
    for (let n = 0; n < 5; n += 1) {
      const before = reads
      assert.equal((await registry.call('GET', `${find}&rev=${rev}`)).status, 304)
      await made(registry.call('GET', find))
      assert.equal(reads, before)
      await made(registry.call('PUT', `${one}/status?value=${n % 2 === 0 ? 'DOWN' : 'UP'}`))
      const next = await registry.call('GET', `${find}&rev=${rev}`)
      assert.equal(next.status, 200)
      assert.match(next.text, n % 2 === 0 ? /"DOWN"/ : /"UP"/)
      rev = revisionOf(next)
    }
  })

  test('of any client shows what any other was just told', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        await registered(registry, { instanceId: `r${n}` })
        const reply = await made(registry.call('GET', find))
        assert.ok(reply.text.includes(`"r${n}"`))
      }),
    )
  })
})
