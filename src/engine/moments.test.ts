// The heap of moments against a sorted list.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { type Moment, Moments } from './moments.ts'

it('whatever is set, moved and taken out, what is due comes in order and all of it', () => {
  const step = fc.tuple(fc.nat(9), fc.option(fc.nat(100), { nil: null }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(100), (steps, nowMs) => {
      const entries = Array.from({ length: 10 }, (): Moment => ({ atMs: 0, place: -1 }))
      const moments = new Moments<Moment>()
      const wanted = new Map<Moment, number>()
      for (const [which, atMs] of steps) {
        const entry = entries[which]
        assert.ok(entry)
        if (atMs === null) moments.delete(entry)
        else moments.set(entry, atMs)
        if (atMs === null) wanted.delete(entry)
        else wanted.set(entry, atMs)
      }
      assert.equal(moments.size, wanted.size)
      const taken: number[] = []
      for (let one = moments.take(nowMs); one; one = moments.take(nowMs)) {
        assert.equal(one.atMs, wanted.get(one))
        assert.equal(one.place, -1)
        taken.push(one.atMs)
      }
      const due = [...wanted.values()].filter((atMs) => atMs <= nowMs)
      assert.deepEqual(
        taken,
        due.toSorted((a, b) => a - b),
      )
      assert.equal(moments.size, wanted.size - due.length)
    }),
  )
})
