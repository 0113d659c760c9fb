import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok } from '#kernel/errors.ts'
import { Epoch, ShortCache } from './cache.ts'

function begin() {
  const clock = { nowMs: 0 }
  const epoch = new Epoch()
  return { clock, epoch, cache: new ShortCache<string>(epoch, () => clock.nowMs) }
}

test('what was read is known for five seconds', async () => {
  const { clock, cache } = begin()
  await cache.fill('a', async () => ok('1'))
  clock.nowMs = 4_999
  assert.equal(cache.get('a'), '1')
  clock.nowMs = 5_000
  assert.equal(cache.get('a'), undefined)
})

test('a change voids everything at once', async () => {
  const { epoch, cache } = begin()
  await cache.fill('a', async () => ok('1'))
  epoch.moveOn()
  assert.equal(cache.get('a'), undefined)
})

test('what was being read while something changed is answered, not remembered', async () => {
  const { epoch, cache } = begin()
  const filling = cache.fill('a', async () => {
    await Promise.resolve()
    return ok('old')
  })
  epoch.moveOn()
  assert.deepEqual(await filling, ok('old'))
  assert.equal(cache.get('a'), undefined)
})

test('a refusal is not remembered', async () => {
  const { cache } = begin()
  await cache.fill('a', async () => ({ ok: false, error: 'unknown' }))
  assert.equal(cache.get('a'), undefined)
  assert.deepEqual(await cache.fill('a', async () => ok('1')), ok('1'))
})

test('memory is bounded: the oldest goes first', async () => {
  const { cache } = begin()
  for (let n = 0; n <= 10_000; n += 1) await cache.fill(`${n}`, async () => ok('x'))
  assert.equal(cache.get('0'), undefined)
  assert.equal(cache.get('1'), 'x')
  assert.equal(cache.get('10000'), 'x')
})
