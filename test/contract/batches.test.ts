import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Result } from '#kernel/errors.ts'
import { type Commit, type Store, StoreError } from '#kernel/ports/store.ts'
import type { Receipt } from '#kernel/request.ts'
import { memoryStore } from '#stores/memory/store.ts'
import { admin, Board } from '#test/harness/board.ts'
import { gatedStore } from '#test/harness/gated-store.ts'
import { type Batches, batches, type Draftable } from '#engine/batches.ts'

const { ids: _ids, ...context } = new Board().context({ as: admin })
const told = { dryRun: false, internal: false }

function over(store: Store): Batches {
  let nth = 0
  const parts = {
    freshId: () => `id-${++nth}`,
    committed: () => undefined,
    failed: () => undefined,
  }
  return batches({ store, ...parts })
}

const register = (to: Batches, id: string, by: Draftable = context): Promise<Result<Receipt>> =>
  to.submit(
    { verb: 'register-service', id, freshId: id, key: 'one', name: 'one', attributes: {} },
    by,
    told,
  )

const saidBy = async (answer: Promise<Result<Receipt>>): Promise<string> => {
  const result = await answer
  return result.ok ? (result.value.unchanged ?? 'done') : result.error.code
}

describe('what arrives while a batch is written', () => {
  it('is decided on top of it, and answered only after both', async () => {
    const { store, whileHeld } = gatedStore()
    const plane = over(store)
    const answers: string[] = []
    const note = async (name: string, id: string): Promise<void> => {
      answers.push(`${name} ${await saidBy(register(plane, id))}`)
    }
    let later: Promise<unknown> = Promise.resolve()
    await whileHeld(
      () => note('first', 'a'),
      async () => {
        later = Promise.all([note('same', 'a'), note('other', 'b')])
        await new Promise((resolve) => setImmediate(resolve))
        assert.deepEqual(answers, [], 'nothing is answered before the disk has it')
      },
    )
    await later
    assert.deepEqual(answers, ['first done', 'same already', 'other AlreadyExists'])
  })

  it('is decided again when that batch did not come to be on disk', async () => {
    const inner = memoryStore()
    const { store, whileHeld } = gatedStore({
      ...inner,
      commit: async (commit) => {
        if (failures-- > 0) throw new StoreError('full', 'no room')
        return await inner.commit(commit)
      },
    })
    let failures = 1
    const plane = over(store)
    let later: Promise<string> = Promise.resolve('')
    let first: Promise<string> = Promise.resolve('')
    await whileHeld(
      () => (first = saidBy(register(plane, 'a'))),
      async () => {
        later = saidBy(register(plane, 'b'))
        await new Promise((resolve) => setImmediate(resolve))
      },
    )
    assert.equal(await first, 'StoreUnavailable')
    assert.equal(await later, 'done')
    assert.equal((await inner.find('services', 'key', 'p1/microservice/one')).length, 1)
  })
})

describe('what is handed over while a batch is written', () => {
  const many = 20
  const keys = (store: Store) =>
    Array.from({ length: many + 1 }, (_, at) => `p1/microservice/key-${at}`).map(async (key) =>
      (await store.find('services', 'key', key)).map(({ id }) => id),
    )
  const named = (to: Batches, id: string, key: string) =>
    to.submit(
      { verb: 'register-service', id, freshId: id, key, name: key, attributes: {} },
      context,
      told,
    )

  /** One is being written; twenty more come, of which the first rests on it, and then one that rests on those. */
  async function played(inner: Store) {
    const { store, whileHeld, heldMost } = gatedStore(inner)
    const plane = over(store)
    const answers: Promise<string>[] = []
    await whileHeld(
      () => {
        answers.push(saidBy(named(plane, 'a', 'key-0')))
        return answers[0] ?? Promise.reject(new Error('it was just pushed'))
      },
      async () => {
        answers.push(saidBy(named(plane, 'b', 'key-0')))
        for (let at = 1; at <= many; at++) answers.push(saidBy(named(plane, `c${at}`, `key-${at}`)))
        await new Promise((resolve) => setImmediate(resolve))
        answers.push(saidBy(named(plane, 'd', 'key-1')))
        await new Promise((resolve) => setImmediate(resolve))
      },
    )
    return { said: await Promise.all(answers), keys: await Promise.all(keys(inner)), heldMost }
  }

  it('follows it at once, and is answered after it', async () => {
    const { said, keys, heldMost } = await played(memoryStore())
    assert.equal(heldMost(), 2)
    const done = Array.from({ length: many }, () => 'done')
    assert.deepEqual(said, ['done', 'AlreadyExists', ...done, 'AlreadyExists'])
    assert.ok(keys.every((ids) => ids.length === 1))
  })

  it('is decided again when that batch failed, with all that rested on both', async () => {
    const inner = memoryStore()
    const doomed = new WeakSet<Commit>()
    let isFirst = true
    const { said, keys } = await played({
      ...inner,
      commit: async (commit, after) => {
        const code = isFirst ? 'full' : after && doomed.has(after) ? 'behind' : null
        isFirst = false
        if (code === null) return await inner.commit(commit, after)
        doomed.add(commit)
        throw new StoreError(code, 'no room')
      },
    })
    const done = Array.from({ length: many }, () => 'done')
    assert.deepEqual(said, ['StoreUnavailable', 'done', ...done, 'AlreadyExists'])
    assert.deepEqual(keys[0], ['p1/b'])
    assert.ok(keys.every((ids) => ids.length === 1))
  })
})

it('who must be alone begins when nothing is being written, and nothing is written meanwhile', async () => {
  const inner = memoryStore()
  const order: string[] = []
  const { store, whileHeld } = gatedStore({
    ...inner,
    commit: async (commit) => {
      const first = await inner.commit(commit)
      order.push('on disk')
      return first
    },
  })
  const plane = over(store)
  let alone: Promise<unknown> = Promise.resolve()
  let after: Promise<unknown> = Promise.resolve()
  await whileHeld(
    () => register(plane, 'a'),
    async () => {
      alone = plane.alone(async () => {
        order.push('alone')
        await new Promise((resolve) => setImmediate(resolve))
        order.push('over')
      })
      after = plane.submit(
        {
          verb: 'register-service',
          id: 'b',
          freshId: 'b',
          key: 'two',
          name: 'two',
          attributes: {},
        },
        context,
        told,
      )
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(order, [])
    },
  )
  await Promise.all([alone, after])
  assert.deepEqual(order, ['on disk', 'alone', 'over', 'on disk'])
})

it('what is decided after somebody was alone rests on what he left', async () => {
  const inner = memoryStore()
  const { store, whileHeld } = gatedStore(inner)
  const plane = over(store)
  let alone: Promise<unknown> = Promise.resolve()
  let after: Promise<string> = Promise.resolve('')
  await whileHeld(
    () => register(plane, 'a'),
    async () => {
      const gone = { table: 'services', remove: 'p1/a' } as const
      alone = plane.alone(() => inner.commit({ writes: [gone], events: [] }))
      after = saidBy(register(plane, 'b'))
      await new Promise((resolve) => setImmediate(resolve))
    },
  )
  await alone
  assert.equal(await after, 'done')
})
