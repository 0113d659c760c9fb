import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareColumns, compareTexts } from './order.ts'

test('texts compare as their UTF-8 bytes do', () => {
  const text = fc.string({ unit: 'binary', maxLength: 4 })
  const property = fc.property(text, text, (a, b) => {
    const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b))
    assert.equal(Math.sign(compareTexts(a, b)), bytes)
  })
  fc.assert(property, {
    numRuns: 2_000,
    examples: [
      ['\u{ffff}', '\u{10000}'],
      ['a', 'a\u0000'],
      ['', ''],
    ],
  })
})

test('nothing comes before numbers, and numbers before texts', () => {
  const sorted = [null, -1, 0, 10, '', '10', '9']
  assert.deepEqual(sorted.toReversed().toSorted(compareColumns), sorted)
})
