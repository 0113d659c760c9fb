// From a schema's complaint to the one field that a door names in its refusal. A schema says what a body may
// hold; clouds have a code each for "missing", "of the wrong type" and "not an allowed value".

import type { Static, TSchema } from 'typebox'
import { err, type ErrorOf, ok, type Result } from '#kernel/errors.ts'
import { type Complaint, validatorOf } from '#schema/validator.ts'

type BadField = ErrorOf<'BadField'>

/**
 * Checks a parsed body. Of several faults the first is named: what is missing, then what has the wrong type,
 * then what is not allowed. Fields that the schema does not know are let through unread.
 */
export function readFields<S extends TSchema>(
  schema: S,
  value: unknown,
): Result<Static<S>, BadField> {
  const validator = validatorOf(schema)
  if (validator.fits(value)) return ok(value)
  const faults = validator.complaints(value).map((complaint) => fieldOf(complaint, value))
  const worst = faults.toSorted((a, b) => ranks.indexOf(a.fault) - ranks.indexOf(b.fault))[0]
  return err(worst ?? { code: 'BadField', field: '', fault: 'value', expected: 'another value' })
}

const ranks: readonly BadField['fault'][] = ['missing', 'type', 'value', 'range']

function fieldOf({ keyword, instancePath, params }: Complaint, body: unknown): BadField {
  const path = instancePath.split('/').slice(1)
  if (keyword === 'required') {
    const first = params.requiredProperties[0] ?? '' // always names at least one
    return { code: 'BadField', field: [...path, first].join('.'), fault: 'missing', expected: '' }
  }
  const value = at(body, path)
  const field = path.join('.')
  if (keyword === 'type')
    return { code: 'BadField', field, fault: 'type', expected: String(params.type) }
  if (keyword === 'enum' && typeof value !== 'string')
    return { code: 'BadField', field, fault: 'type', expected: 'string' }
  return { code: 'BadField', field, fault: 'value', expected: keyword, ...shown(value) }
}

function at(body: unknown, path: readonly string[]): unknown {
  let value = body
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key] // an object that has this key
  }
  return value
}

const shownMax = 64

/** Only short scalars are repeated to the caller. */
const shown = (value: unknown): { readonly value?: string } =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? { value: String(value).slice(0, shownMax) }
    : {}
