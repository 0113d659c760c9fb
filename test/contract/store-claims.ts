// Store contract: claims, the fence against two workers at one operation.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { Store } from '#kernel/ports/store.ts'
import type { Laws } from './laws.ts'
import { put, rows, startMs } from './rows.ts'

const leaseMs = 30_000

export const claimLaws: Laws = {
  'only operations whose lease has passed are claimed, the longest due first': async (store) => {
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
  },

  'two workers never get one operation in one lease': async (store) => {
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
  },

  'each claim raises the fence, also over a commit that is under way': async (store) => {
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
  },

  'a claim never comes between a read and the commit that follows from it': async (store) => {
    for (let n = 1; n <= 40; n += 1) {
      const row = rows.operations({ leaseUntilMs: startMs, attempt: 1, graceMs: 0 })
      await store.commit(put('operations', row))
      const decide = async (): Promise<void> => {
        const seen = await store.get('operations', row.id)
        assert.ok(seen)
        await store.commit(put('operations', { ...seen, graceMs: n }))
      }
      const claim = (): ReturnType<Store['claim']> => store.claim('w', startMs, leaseMs, 1)
      // The claims are asked for before the decision, by some turns or none, and while it is made.
      const early = n % 2 === 0 ? claim() : []
      for (let turns = n % 5; turns > 0; turns -= 1) await turn()
      const [first, , second] = await Promise.all([early, decide(), claim()])
      const after = await store.get('operations', row.id)
      assert.equal(after?.attempt, 1 + first.length + second.length, 'no claim is undone')
      assert.equal(after?.graceMs, n, 'no decision is undone')
    }
  },

  'an operation that a commit under way ends is not claimed': async (store) => {
    const row = rows.operations({ leaseUntilMs: startMs })
    await store.commit(put('operations', row))
    const ended = { ...row, state: 'cancelled' } as const
    const committed = store.commit(put('operations', ended))
    assert.deepEqual(await store.claim('w', startMs, leaseMs, 1), [])
    await committed
    assert.deepEqual(await store.get('operations', row.id), ended)
  },
}
