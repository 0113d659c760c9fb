// The quota's laws, with a count and registrations that resolve when the test says so.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ok } from '#kernel/errors.ts'
import { Quota } from './quota.ts'

const refusal = {
  ok: false,
  error: { code: 'QuotaExceeded', what: 'instance', limit: 2 },
}

test('what is under way holds its place while rows are counted again', async () => {
  let rows = 0
  const quota = new Quota('instance', 2, () => Promise.resolve(rows))
  const gate = Promise.withResolvers<void>()
  const first = quota.within(() => gate.promise.then(() => ok(1)))
  const second = quota.within(() => gate.promise.then(() => ok(2)))
  await nextTurn()
  assert.deepEqual(await quota.within(() => Promise.resolve(ok(3))), refusal)
  rows = 2
  gate.resolve()
  assert.deepEqual(await Promise.all([first, second]), [ok(1), ok(2)])
  assert.deepEqual(await quota.within(() => Promise.resolve(ok(4))), refusal)
  rows = 1
  assert.deepEqual(await quota.within(() => Promise.resolve(ok(5))), ok(5))
})

test('rows are counted at the start and near the limit only', async () => {
  let counted = 0
  const quota = new Quota('instance', 100, () => {
    counted += 1
    return Promise.resolve(0)
  })
  for (let n = 0; n < 100; n += 1) await quota.within(() => Promise.resolve(ok(n)))
  assert.equal(counted, 1)
})
