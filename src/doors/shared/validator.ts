// Schemas, compiled when they are first needed: a start pays for none that nobody uses.

import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/schema'

/** What we read of a complaint. Source: JSON Schema error objects as TypeBox shapes them. */
export interface Complaint {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  /** Differ by keyword. */
  readonly params: object
}

export interface Validator<Value> {
  fits(value: unknown): value is Value
  /** At least one when the value does not fit. */
  complaints(value: unknown): readonly Complaint[]
}

const known = new WeakMap<TSchema, Validator<unknown>>()

export function validatorOf<S extends TSchema>(schema: S): Validator<Static<S>> {
  let validator = known.get(schema)
  if (validator === undefined) {
    const compiled = Compile(schema)
    validator = {
      fits: (value): value is unknown => compiled.Check(value),
      complaints: (value) => compiled.Errors(value)[1],
    }
    known.set(schema, validator)
  }
  return validator as Validator<Static<S>> // made of this schema
}
