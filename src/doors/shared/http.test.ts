// Laws of the name by which a caller calls this server: links and headers repeat it only when it is one; and of
// what a body may be to be read at all.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostOf, parseJson } from './http.ts'

const names = ['localhost', '127.0.0.1:7070', 'runstate.example-1.org:443', '[::1]:7070', 'my_host']
const noNames = [
  undefined,
  '',
  'a b',
  '8 ?l\u009fÍ\u008ao h',
  '\u008e',
  'a/b',
  'a?b',
  'a:99999',
  'a:b',
  'u@a',
  'a"b',
  '1.2.3.999',
]

test('a host is repeated as it was named, and anything else is localhost', () => {
  for (const name of names) assert.equal(hostOf(name), name)
  for (const name of noNames) assert.equal(hostOf(name), 'localhost', String(name))
})

test('JSON is read as deep as 100 levels and no deeper, whatever brackets its texts hold', () => {
  const read = (text: string): boolean => parseJson(Buffer.from(text)).ok
  const nested = (levels: number, inner = ''): string =>
    `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`
  assert.equal(read(nested(100)), true)
  assert.equal(read(nested(101)), false)
  assert.equal(read(nested(100_000)), false)
  assert.equal(read(`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`), false)
  assert.equal(read(nested(99, JSON.stringify(['['.repeat(500), '\\"[{', '\\']))), true)
  assert.equal(read(`[${Array.from({ length: 500 }, () => '[{}]').join()}]`), true)
})
