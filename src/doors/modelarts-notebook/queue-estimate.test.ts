// The estimate is a bound: whoever plays by the rules, a turn never comes later than was told.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { latestTurnMs } from './queue-estimate.ts'

test('a free place is now, a taken one when its run ends, a later rank when a later one does', () => {
  assert.equal(latestTurnMs(1, { freeAtMs: [0], holdMs: 100, nowMs: 50 }), 50)
  assert.equal(latestTurnMs(1, { freeAtMs: [80, 70], holdMs: 100, nowMs: 50 }), 70)
  assert.equal(latestTurnMs(2, { freeAtMs: [80, 70], holdMs: 100, nowMs: 50 }), 80)
  assert.equal(latestTurnMs(3, { freeAtMs: [80, 70], holdMs: 100, nowMs: 50 }), 170)
  assert.equal(latestTurnMs(4, { freeAtMs: [80, 70], holdMs: 100, nowMs: 50 }), 180)
})

test('a pool without places promises nothing', () => {
  assert.equal(latestTurnMs(1, { freeAtMs: [], holdMs: 100, nowMs: 0 }), undefined)
})

test('a turn never comes later than told, whenever each one really leaves', () => {
  const line = fc.record({
    freeAtMs: fc.array(fc.nat(1000), { minLength: 1, maxLength: 5 }),
    holdMs: fc.integer({ min: 1, max: 500 }),
    nowMs: fc.nat(500),
  })
  const early = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
    minLength: 40,
    maxLength: 40,
  })
  fc.assert(
    fc.property(line, early, fc.integer({ min: 1, max: 20 }), (given, shares, rank) => {
      const told = latestTurnMs(rank, given)
      assert.ok(told !== undefined)
      let drawn = 0
      const share = () => shares[drawn++ % shares.length] ?? 1
      // What happens: each holder leaves some time before its end, each one served keeps its place for a while.
      const ends = given.freeAtMs.map(
        (end) => given.nowMs + Math.max(0, end - given.nowMs) * share(),
      )
      let turn = 0
      for (let served = 0; served < rank; served += 1) {
        ends.sort((a, b) => a - b)
        turn = ends.shift() ?? 0
        ends.push(turn + given.holdMs * share())
      }
      assert.ok(turn <= told + 1e-6, `${turn} after ${told}`)
    }),
  )
})
