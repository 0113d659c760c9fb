// Law of the name by which a caller calls this server: links and headers repeat it only when it is one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostOf } from './http.ts'

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
