import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Type } from './type.ts'
import { validatorOf } from './validator.ts'

const many = (length: number): readonly number[] => Array.from({ length }, (_, at) => at)
const told = (schema: Parameters<typeof validatorOf>[0], value: unknown) =>
  validatorOf(schema)
    .complaints(value)
    .map(({ keyword, instancePath }) => `${keyword} ${instancePath}`)

it('of a list that is too long, that is what is told', () => {
  const schema = Type.Object({ list: Type.Array(Type.Object({}), { maxItems: 64 }) })
  assert.deepEqual(told(schema, { list: many(100_000).map(() => ({})) }), ['maxItems /list'])
})

it('a wrong member is found, however far behind', () => {
  const schema = Type.Object({ list: Type.Array(Type.Number()) })
  assert.deepEqual(told(schema, { list: [...many(10_000), 'x'] }), ['type /list/10000'])
})

it('nothing that is there is said to be missing, whatever stands before it', () => {
  const strays = Object.fromEntries(many(10_000).map((at) => [`k${at}`, at]))
  const closed = { additionalProperties: false }
  const schema = Type.Object({ inner: Type.Object({ name: Type.String() }, closed) }, closed)
  const complaints = told(schema, { inner: { ...strays, name: 'n' } })
  assert.ok(complaints.length > 0)
  assert.ok(complaints.every((one) => !one.startsWith('required')))
})
