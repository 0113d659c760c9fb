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
    const named = namesIn(schema)
    validator = {
      fits: (value): value is unknown => compiled.Check(value),
      complaints(value) {
        // Telling what is wrong takes far longer than seeing that something is.
        const [, some] = compiled.Errors(shortened(value, named))
        return some.length > 0 ? some : compiled.Errors(value)[1]
      },
    }
    known.set(schema, validator)
  }
  return validator as Validator<Static<S>> // made of this schema
}

/** More than any schema allows: whoever sends so many is told of the first ones. */
const membersMax = 2_000

/** The value without most of its members where there are too many; what the schema speaks of stays. */
function shortened(value: unknown, named: ReadonlySet<string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const inner = (one: unknown): unknown => shortened(one, named)
  if (Array.isArray(value)) return value.slice(0, membersMax).map(inner)
  const facts = value as Readonly<Record<string, unknown>> // neither a list nor null
  const kept = Object.keys(facts).filter((name, at) => at < membersMax || named.has(name))
  return Object.fromEntries(kept.map((name) => [name, inner(facts[name])]))
}

/** Every name that a schema has for a property, wherever it is. */
function namesIn(schema: unknown, names = new Set<string>()): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return names
  if ('properties' in schema)
    for (const name of Object.keys(schema.properties as object)) names.add(name) // a schema's are an object
  for (const inner of Object.values(schema)) namesIn(inner, names)
  return names
}
