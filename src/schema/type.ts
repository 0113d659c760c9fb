// Builds JSON Schemas: the part of TypeBox's builder that is used here, under TypeBox's own types. Loading all of that
// builder was a tenth of each start (docs/decisions/0016); a test holds what is built against what TypeBox builds.

import type { Type as TypeBox } from 'typebox'

type Properties = Readonly<Record<string, object>>

/** Marks are for builders and checkers: no schema that is published shows them. */
const marked = (schema: object, mark: '~optional' | '~refine', value: unknown): object =>
  Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(schema), [mark]: { value } })

const optional = (schema: object): object => marked(schema, '~optional', true)

const plain = (type: string) => (options?: object) => ({ type, ...options })

function objectOf(properties: Properties, options?: object): object {
  const required = Object.entries(properties).flatMap(([key, one]) =>
    '~optional' in one ? [] : [key],
  )
  return { type: 'object', ...(required.length > 0 ? { required } : {}), properties, ...options }
}

const builders = {
  Array: (items: object, options?: object) => ({ type: 'array', items, ...options }),
  Boolean: plain('boolean'),
  Enum: (values: readonly unknown[], options?: object) => ({ enum: values, ...options }),
  Integer: plain('integer'),
  Literal: (value: unknown, options?: object) => ({ type: typeof value, const: value, ...options }),
  Null: plain('null'),
  Number: plain('number'),
  Object: objectOf,
  Optional: optional,
  Partial: ({ properties }: { readonly properties: Properties }, options?: object) =>
    objectOf(
      Object.fromEntries(Object.entries(properties).map(([key, one]) => [key, optional(one)])),
      options,
    ),
  Record: (key: { readonly pattern?: string }, value: object, options?: object) => ({
    type: 'object',
    patternProperties: { [key.pattern ?? '^.*$']: value },
    ...options,
  }),
  Refine: (schema: object, check: (value: unknown) => boolean, error: () => string) =>
    marked(schema, '~refine', [{ check, error }]),
  String: plain('string'),
  Union: (anyOf: readonly object[], options?: object) => ({ anyOf, ...options }),
  Unknown: (options?: object) => ({ ...options }),
  Unsafe: (schema: object) => schema,
}

/** The types are TypeBox's: which value a schema lets through is inferred from them. */
export const Type = builders as unknown as Pick<typeof TypeBox, keyof typeof builders>
