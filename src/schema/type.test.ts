import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Type as TypeBox, type TSchema } from 'typebox'
import { Type } from './type.ts'
import { validatorOf } from './validator.ts'

type Build = (type: typeof Type) => TSchema

const described = { description: 'what it is' }
const leaves: readonly Build[] = [
  (type) => type.Boolean(),
  (type) => type.Enum(['on', 'off', 3], described),
  (type) => type.Integer({ minimum: 1 }),
  (type) => type.Literal('one'),
  (type) => type.Literal(204, described),
  (type) => type.Literal(true),
  (type) => type.Null(),
  (type) => type.Number({ exclusiveMinimum: 0 }),
  (type) => type.String({ pattern: '^a', minLength: 1 }),
  (type) => type.Unknown(),
  (type) => type.Unknown(described),
  (type) => type.Unsafe<string>({ type: ['string', 'null'] }),
]

const { schema } = fc.letrec<{ schema: Build; fields: readonly [string, Build][] }>((tie) => ({
  fields: fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), tie('schema')), {
    maxLength: 4,
    selector: ([name]) => name,
  }),
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(...leaves),
    tie('schema').map(
      (of): Build =>
        (type) =>
          type.Optional(of(type)),
    ),
    tie('schema').map(
      (of): Build =>
        (type) =>
          type.Array(of(type), { minItems: 1 }),
    ),
    tie('schema').map(
      (of): Build =>
        (type) =>
          type.Record(type.String(), of(type)),
    ),
    tie('schema').map(
      (of): Build =>
        (type) =>
          type.Record(type.String({ pattern: '^x' }), of(type), { additionalProperties: false }),
    ),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map(
      (all): Build =>
        (type) =>
          type.Union(
            all.map((of) => of(type)),
            described,
          ),
    ),
    tie('fields').map(
      (fields): Build =>
        (type) =>
          type.Object(built(fields, type), { additionalProperties: false }),
    ),
    tie('fields').map(
      (fields): Build =>
        (type) =>
          type.Partial(type.Object(built(fields, type)), { additionalProperties: false }),
    ),
    tie('fields').map(
      (fields): Build =>
        (type) =>
          type.Optional(
            type.Refine(
              type.Object(built(fields, type)),
              (value) => !('a' in value),
              () => 'no a',
            ),
          ),
    ),
  ),
}))

const built = (fields: readonly (readonly [string, Build])[], type: typeof Type) =>
  Object.fromEntries(fields.map(([name, of]) => [name, of(type)]))

test('what is built here is, to the last byte, what TypeBox builds', () => {
  fc.assert(
    fc.property(schema, (build) => {
      assert.equal(JSON.stringify(build(Type)), JSON.stringify(build(TypeBox)))
    }),
    { numRuns: 1_000 },
  )
})

test('and lets the same values through', () => {
  const value = fc.oneof(
    fc.constantFrom('on', 'one', 204, true, null, 'abc', [], {}),
    fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', 'x'),
      fc.constantFrom('on', 3, null, 'abc', []),
    ),
  )
  let refused = 0
  let taken = 0
  fc.assert(
    fc.property(schema, value, (build, one) => {
      const fits = validatorOf(build(Type)).fits(one)
      assert.equal(fits, validatorOf(build(TypeBox)).fits(one))
      if (fits) taken += 1
      else refused += 1
    }),
    { numRuns: 1_000 },
  )
  assert.ok(refused > 50 && taken > 50, `${refused} refused, ${taken} let through`)
})
