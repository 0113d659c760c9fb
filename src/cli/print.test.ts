import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { span } from './columns.ts'
import { plain, print, printFields, type Sink } from './print.ts'
import { progressOn } from './progress.ts'

function paper(isTTY: boolean): Sink & { readonly text: () => string } {
  let text = ''
  return { isTTY, write: (more) => (text += more), text: () => text }
}

const shown = {
  rows: [
    { name: 'plain', note: 'a' },
    { name: '服务器', note: 'wide' },
  ],
  columns: { NAME: (row: { name: string }) => row.name, NOTE: (row: { note: string }) => row.note },
  nameOf: (row: { name: string }) => row.name,
}

test('a table is aligned, wide characters too, and has no colour without a terminal', () => {
  const out = paper(false)
  print(out, 'table', shown)
  assert.deepEqual(out.text().split('\n'), ['NAME    NOTE', 'plain   a', '服务器  wide', ''])
})

test('a span of time is told in the largest unit that fits and the one below it', () => {
  const told = [0, 450, 59_900, 60_000, 5_430_000, 90_000_000].map(span)
  assert.deepEqual(told, ['0s', '0.4s', '59.9s', '1m', '1h 30m', '1d 1h'])
})

test('a terminal gets a head that stands out', () => {
  delete process.env['NO_COLOR']
  const out = paper(true)
  print(out, 'table', shown)
  assert.ok(out.text().includes('\u001b[1m'))
})

test('machines get the rows as they are', () => {
  for (const [output, read] of [
    ['json', (text: string): unknown => JSON.parse(text)],
    ['yaml', (text: string): unknown => parse(text)],
  ] as const) {
    const out = paper(false)
    print(out, output, shown)
    assert.deepEqual(read(out.text()), shown.rows)
  }
  const names = paper(false)
  print(names, 'name', shown)
  assert.equal(names.text(), 'plain\n服务器\n')
})

test('no text moves the cursor of a terminal or turns its direction', () => {
  const evil = 'a\u001b[2Jb\rc\nd\u202ee\u009bf'
  assert.doesNotMatch(plain(evil), /[\p{Cc}\u202e]/u)
  const out = paper(true)
  printFields(out, { name: evil })
  assert.equal(out.text().split('\n').length, 2)
  assert.ok(!out.text().includes('\u001b'))
})

test('progress is for terminals alone, fits the line, and leaves nothing behind', () => {
  const log = paper(false)
  progressOn(log).show('working')
  assert.equal(log.text(), '')
  const screen = paper(true)
  const progress = progressOn({ ...screen, columns: 20 })
  progress.show(`evil\u001b[2J ${'x'.repeat(100)}`)
  const [, drawn = ''] = screen.text().split('\u001b[2K')
  assert.ok(drawn.length <= 19 && !drawn.includes('\u001b'), drawn)
  progress.end()
  assert.ok(screen.text().endsWith('\r\u001b[2K'))
})
