// The transcripts' own checks can fail.

import assert from 'node:assert/strict'
import test from 'node:test'
import { holdFacts, lacking } from '#test/harness/golden.ts'
import { Masks } from '#test/harness/masks.ts'
import { parse, print } from '#test/harness/transcript.ts'

const route = {
  method: 'POST',
  path: '/servers/:id/action',
  operation: 'act',
  source: '',
  handle: () => Promise.resolve({ status: 200 }),
} as const
const operations = [{ operation: 'act', route, isNamed: false }]

const file = `# A stop is accepted.
# operation: act
# source: somewhere 1

###
@rest
POST /servers/1/action
X: y

{"os-stop":null}

HTTP/1.1 202 Accepted
`

test('a transcript that says what it shows is taken, and written again as it was', () => {
  const transcript = parse(file)
  holdFacts(transcript, operations)
  assert.deepEqual(transcript.turns[0]?.headers, [['X', 'y']])
  assert.equal(transcript.turns[0]?.body?.trim(), '{"os-stop":null}')
  assert.equal(print(file, ['HTTP/1.1 202 Accepted']), file)
})

for (const [why, wrong] of [
  ['no sentence', file.replace('accepted.', 'accepted')],
  ['no source', file.replace('somewhere 1', ' ')],
  ['an operation that no door has', file.replace('operation: act', 'operation: fly')],
  ['another route', file.replace('/servers/1/action', '/servers/1')],
  ['another method', file.replace('POST', 'GET')],
] as const)
  test(`a transcript with ${why} is refused`, () => {
    assert.throws(() => holdFacts(parse(wrong), operations))
  })

test('an operation without its two transcripts, and an excuse for none, are found', () => {
  assert.deepEqual(lacking(operations, new Set(['act success']), {}), ['act fault'])
  assert.deepEqual(lacking(operations, new Set(['act success', 'act fault']), {}), [])
  assert.deepEqual(lacking(operations, new Set(['act success']), { noFault: { act: 'why' } }), [])
  assert.equal(lacking(operations, new Set(), { noFault: { fly: 'why' } }).length, 3)
})

test('a value has one name, a time keeps its form, and what is not volatile is not touched', () => {
  const masks = new Masks(['left'])
  masks.know('web', '0b5c2b4e-9a0e-4c57-9f0c-1d2e3f405060')
  const other = '11111111-2222-3333-4444-555555555555'
  assert.equal(
    masks.mask(`0b5c2b4e-9a0e-4c57-9f0c-1d2e3f405060 ${other} ${other}`),
    '{{web}} {{uuid-1}} {{uuid-1}}',
  )
  assert.equal(masks.expand('{{uuid-1}}'), other)
  assert.equal(
    masks.mask('"2026-11-30T01:02:03.456789Z"'),
    '"{{time:YYYY-MM-DDThh:mm:ss.ffffff}}Z"',
  )
  assert.equal(masks.mask('{"left": 12,"right": 12}'), '{"left": {{left}},"right": 12}')
  assert.throws(() => masks.expand('{{nobody}}'))
})
