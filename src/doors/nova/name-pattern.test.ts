// Laws of patterns: what the store is asked to find never leaves out a match, and no pattern runs for long.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { namePattern } from './name-pattern.ts'

const piece = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', 'ba', '.', '-', '\\d', '[ab]', '(a|b)', '(?:ab)', 'a|b'),
  fc.constantFrom(
    'a*',
    'b?',
    'a+',
    'a+?',
    'b*?',
    'a{0,1}',
    'b{2}',
    'b{1,}',
    '.*',
    '(ab)?',
    '^',
    '$',
  ),
)
const pattern = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''))
const name = fc
  .array(fc.constantFrom('a', 'b', 'ab', '-', '1'), { maxLength: 8 })
  .map((parts) => parts.join(''))

test('every match contains the text that the store is asked for', () => {
  let matched = 0
  fc.assert(
    fc.property(pattern, fc.array(name, { maxLength: 10 }), (text, names) => {
      const made = namePattern(text)
      if (!made.ok) return
      const found = made.value.test(names)
      assert.ok(found.ok)
      const { contains, isPlain } = made.value
      for (const [at, isMatch] of found.value.entries()) {
        assert.equal(isMatch, new RegExp(text).test(names[at] ?? ''))
        if (isMatch && contains !== undefined) assert.ok((names[at] ?? '').includes(contains), text)
        if (isPlain) assert.equal(isMatch, (names[at] ?? '').includes(contains ?? ''))
        matched += Number(isMatch)
      }
    }),
    { numRuns: 500 },
  )
  assert.ok(matched > 100, `only ${matched} matches were looked at`)
})

test('a pattern that would take for ever is stopped', () => {
  const made = namePattern('^(a+)+$')
  assert.ok(made.ok)
  const startedMs = performance.now()
  assert.deepEqual(made.value.test([`${'a'.repeat(64)}!`]), { ok: false, error: 'costly' })
  assert.ok(performance.now() - startedMs < 1000)
  assert.deepEqual(made.value.test(['aaa', 'b']), { ok: true, value: [true, false] })
})

test('what is no pattern, or far too long for one, is refused', () => {
  for (const text of ['(', '[a', 'a{2,1}', 'x'.repeat(256)])
    assert.equal(namePattern(text).ok, false)
})
