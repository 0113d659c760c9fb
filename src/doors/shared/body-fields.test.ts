import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from '#schema/type.ts'
import { readFields } from './body-fields.ts'

const schema = Type.Object({
  verb: Type.Enum(['start', 'stop']),
  size: Type.Optional(Type.Integer({ minimum: 1 })),
  inner: Type.Optional(Type.Object({ list: Type.Array(Type.String(), { minItems: 1 }) })),
})

const faults: readonly (readonly [unknown, object])[] = [
  [{}, { field: 'verb', fault: 'missing' }],
  [[], { field: '', fault: 'type', expected: 'object' }],
  ['text', { field: '', fault: 'type', expected: 'object' }],
  [{ verb: 1 }, { field: 'verb', fault: 'type', expected: 'string' }],
  [{ verb: 'go' }, { field: 'verb', fault: 'value', value: 'go' }],
  [
    { verb: 'go', size: 'x' },
    { field: 'size', fault: 'type', expected: 'integer' },
  ],
  [
    { verb: 'stop', size: 0 },
    { field: 'size', fault: 'value', value: '0' },
  ],
  [
    { verb: 'stop', size: 'x', inner: {} },
    { field: 'inner.list', fault: 'missing' },
  ],
  [
    { verb: 'stop', inner: { list: [] } },
    { field: 'inner.list', fault: 'value', expected: 'minItems' },
  ],
  [
    { verb: 'stop', inner: { list: [1] } },
    { field: 'inner.list.0', fault: 'type' },
  ],
]
for (const [body, wanted] of faults)
  test(`${JSON.stringify(body)} names ${JSON.stringify(wanted)}`, () => {
    const read = readFields(schema, body)
    assert.ok(!read.ok)
    assert.partialDeepStrictEqual(read.error, wanted)
  })

test('what fits is let through as it is, with what the schema does not know', () => {
  const body = { verb: 'stop', unknown: true }
  const read = readFields(schema, body)
  assert.ok(read.ok)
  assert.equal(read.value, body)
})

test('only the beginning of a long value is repeated', () => {
  const read = readFields(schema, { verb: 'x'.repeat(1000) })
  assert.ok(!read.ok)
  assert.equal(read.error.value?.length, 64)
})
