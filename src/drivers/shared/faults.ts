// Says in one line what is wrong with a value, so that whoever wrote it finds the place.

import type { Static, TSchema } from 'typebox'
import { Compile, Errors } from 'typebox/schema'

/** Compiled once per schema: drivers check a handle at every look. */
const checks = new WeakMap<TSchema, (value: unknown) => boolean>()

export function fits<S extends TSchema>(schema: S, value: unknown): value is Static<S> {
  const known = checks.get(schema)
  if (known) return known(value)
  const compiled = Compile(schema)
  checks.set(schema, (one) => compiled.Check(one))
  return compiled.Check(value)
}

/** `at` names the value in the message: "image.launch". Undefined when nothing is wrong. */
export function faultOf(schema: TSchema, value: unknown, at: string): string | undefined {
  if (fits(schema, value)) return undefined
  for (const error of Errors(schema, value)[1]) {
    // TypeBox reports an unknown key twice; the second report names the key.
    if (error.keyword === 'boolean') continue
    const place = `${at}${error.instancePath.replaceAll('/', '.')}`
    if (error.keyword === 'additionalProperties') {
      return `${place} does not know ${error.params.additionalProperties.join(', ')}`
    }
    if (error.keyword === 'required') {
      return `${place} lacks ${error.params.requiredProperties.join(', ')}`
    }
    return `${place} ${error.message}`
  }
  return `${at} is not as it should be`
}
