// Whether a value fits a schema. TypeBox's checker is loaded, and a schema compiled, when first needed: a start pays for
// nothing that nobody uses.

import { createRequire } from 'node:module'
import type { Static, TSchema } from 'typebox'
import type * as Schema from 'typebox/schema'
import type { TLocalizedValidationError } from 'typebox/error'

/** A JSON Schema error object; its `params` differ by keyword. */
export type Complaint = TLocalizedValidationError

export interface Validator<Value> {
  fits(value: unknown): value is Value
  /** At least one when the value does not fit. */
  complaints(value: unknown): readonly Complaint[]
}

const require = createRequire(import.meta.url)
const known = new WeakMap<TSchema, Validator<unknown>>()

export function validatorOf<S extends TSchema>(schema: S): Validator<Static<S>> {
  let validator = known.get(schema)
  if (validator === undefined) {
    const { Compile } = require('typebox/schema') as typeof Schema
    const compiled = Compile(schema)
    validator = {
      fits: (value): value is unknown => compiled.Check(value),
      complaints: (value) => compiled.Errors(value)[1],
    }
    known.set(schema, validator)
  }
  return validator as Validator<Static<S>> // made of this schema
}
