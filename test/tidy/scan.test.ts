import assert from 'node:assert/strict'
import { test } from 'node:test'

import { identifierWords, importsOf, only } from './rules/scan.ts'

test('strings, comments, templates and regular expressions are told apart from code', () => {
  const cases: readonly (readonly [text: string, code: string])[] = [
    ["a = 'b' // c", 'a ='],
    ['a = "\\"b" + c', 'a = + c'],
    ['/* a\nb */ c', '\n c'],
    ['a = /[/"]b/g.test(c)', 'a = .test(c)'],
    ['a = b / c / d', 'a = b / c / d'],
    ['`a${b}c${`d${e}`}f` + g', 'b e + g'],
    ['`${{ a: { b } }}` + c', '{ a: { b } } + c'],
    ["a = 'unclosed\nb", 'a = \nb'],
    ['return /a/', 'return'],
  ]
  for (const [text, code] of cases) {
    const seen = only(text, 'code')
    assert.equal(seen.replace(/ +/g, ' ').trim(), code.trim(), text)
    assert.equal(seen.length, text.length, 'offsets stay')
  }
})

test('imports of every form are found, with their lines', () => {
  const text = [
    "import a from './a.ts'",
    "import type { B } from './b.ts'",
    "export * from './c.ts'",
    "import './d.ts'",
    "const e = await import('./e.ts')",
    "type F = import('./f.ts').F",
    "// import g from './g.ts'",
    "const h = Array.from('./h.ts')",
    'const i = "import i from \'./i.ts\'"',
  ].join('\n')
  assert.deepEqual(
    importsOf(text).map(({ from, line }) => `${line} ${from}`),
    ['1 ./a.ts', '2 ./b.ts', '3 ./c.ts', '4 ./d.ts', '5 ./e.ts', '6 ./f.ts'],
  )
})

test('identifiers fall apart into words', () => {
  const words = identifierWords('retryDelayMs HTTPServer max_jobs\nTaskId').map(({ word }) => word)
  assert.deepEqual(words, ['retry', 'delay', 'ms', 'http', 'server', 'max', 'jobs', 'task', 'id'])
})
