// Whether a value fits a schema. A schema is compiled when it is first needed, and TypeBox's checker is loaded behind
// the ready line, or before that by who needs it earlier (docs/decisions/0016).

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

/** A server calls it once: what it acts with must not be read from the disk later, where an upgrade may be replacing it. */
export const loadChecker = (): typeof Schema => require('typebox/schema') as typeof Schema

const known = new WeakMap<TSchema, Validator<unknown>>()

export function validatorOf<S extends TSchema>(schema: S): Validator<Static<S>> {
  let validator = known.get(schema)
  if (validator === undefined) {
    const compiled = loadChecker().Compile(schema)
    validator = {
      fits: (value): value is unknown => compiled.Check(value),
      complaints: (value) => compiled.Errors(value)[1],
    }
    known.set(schema, validator)
  }
  return validator as Validator<Static<S>> // made of this schema
}
