// Store contract: claims, the fence against two workers at one operation.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OpenStore } from './open-store.ts'
import { put, rows, startMs } from './rows.ts'

const leaseMs = 30_000

export function storeClaims(name: string, open: OpenStore): void {
  test(`${name}: only operations whose lease has passed are claimed, the longest due first`, async (t) => {
    const store = await open(t)
    const at = (leaseUntilMs: number, notBeforeMs: number | null = null) =>
      rows.operations({ leaseUntilMs, notBeforeMs, attempt: 4 })
    const [held, late, now, waits, ended] = [
      at(startMs + 1),
      at(startMs - 500),
      at(startMs),
      at(startMs - 900, startMs + 1),
      rows.operations({ leaseUntilMs: 0, state: 'succeeded' }),
    ]
    await store.commit(put('operations', now, held, ended, waits, late))
    const claimed = await store.claim('w2', startMs, leaseMs, 10)
    const fence = { attempt: 5, worker: 'w2', leaseUntilMs: startMs + leaseMs }
    assert.deepEqual(claimed, [
      { ...late, ...fence },
      { ...now, ...fence },
    ])
    for (const one of claimed) assert.deepEqual(await store.get('operations', one.id), one)
    assert.deepEqual(await store.get('operations', held.id), held)
    assert.deepEqual(await store.get('operations', ended.id), ended)
  })

  test(`${name}: two workers never get one operation in one lease`, async (t) => {
    const store = await open(t)
    const some = Array.from({ length: 50 }, () => rows.operations({ leaseUntilMs: startMs }))
    await store.commit(put('operations', ...some))
    const claims = Array.from({ length: 20 }, (_, n) =>
      store.claim(`w${n % 2}`, startMs, leaseMs, 3),
    )
    const claimed = (await Promise.all(claims)).flat()
    assert.equal(new Set(claimed.map(({ id }) => id)).size, some.length)
    assert.equal(claimed.length, some.length)
    assert.ok(new Set(claimed.map(({ worker }) => worker)).size === 2)
    assert.deepEqual(await store.claim('w3', startMs, leaseMs, 3), [])
  })

  test(`${name}: each claim raises the fence, also over a commit that is under way`, async (t) => {
    const store = await open(t)
    const row = rows.operations({ leaseUntilMs: startMs, attempt: 1 })
    await store.commit(put('operations', row))
    for (let attempt = 2; attempt < 6; attempt += 1) {
      const nowMs = startMs + attempt * leaseMs
      const other = store.commit(put('nodes', rows.nodes()))
      const [claimed] = await store.claim('w', nowMs, leaseMs, 1)
      await other
      assert.equal(claimed?.attempt, attempt)
      assert.equal((await store.get('operations', row.id))?.attempt, attempt)
      assert.deepEqual(await store.claim('w', nowMs + leaseMs - 1, leaseMs, 1), [])
    }
  })

  test(`${name}: an operation that a commit under way ends is not claimed`, async (t) => {
    const store = await open(t)
    const row = rows.operations({ leaseUntilMs: startMs })
    await store.commit(put('operations', row))
    const ended = { ...row, state: 'cancelled' } as const
    const committed = store.commit(put('operations', ended))
    assert.deepEqual(await store.claim('w', startMs, leaseMs, 1), [])
    await committed
    assert.deepEqual(await store.get('operations', row.id), ended)
  })
}
