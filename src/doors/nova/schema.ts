// Checks bodies and queries against schemas, and says what is wrong as Nova says it.
//
// The schemas are closed where Nova's are: a property that the negotiated version does not define is refused.
// Source: contract, sections 3.5 and 6.1; openstack/nova nova/api/validation/validators.py.

import type { Static, TSchema } from 'typebox'
import { err, ok, type Result } from '#kernel/errors.ts'
import { type Complaint as Complained, validatorOf } from '#schema/validator.ts'
import { badRequest, type NovaFault } from './faults.ts'
import { pythonText, pythonTextOf, quoted } from './python-text.ts'

type Complaint = Pick<Complained, 'keyword' | 'instancePath'> & {
  readonly params: Readonly<Record<string, unknown>>
}

export type Checked<T> = (value: unknown) => Result<T, NovaFault>

/** A check for one schema. `subject` names what the value is part of. */
export function checks<S extends TSchema>(
  schema: S,
  subject: 'field/attribute' | 'query parameters' = 'field/attribute',
): Checked<Static<S>> {
  return (value) => {
    const validator = validatorOf(schema)
    if (validator.fits(value)) return ok(value)
    const complaints = validator.complaints(value) as readonly Complaint[] // its params differ by keyword; each row below knows its own
    return err(badRequest(sentence(complaints, value, subject)))
  }
}

/** Of several complaints the shallowest is named; a closed object's own complaint beats that of its members. */
function sentence(complaints: readonly Complaint[], value: unknown, subject: string): string {
  const named = complaints.filter(({ keyword }) => keyword !== 'boolean')
  const depth = ({ instancePath }: Complaint): number => instancePath.split('/').length
  const alternatives = named.find(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  const worst = [...(alternatives ? [alternatives] : []), ...named].toSorted(
    (a, b) => depth(a) - depth(b),
  )[0]
  if (!worst) return 'Malformed request body'
  const path = worst.instancePath.split('/').slice(1).map(unescaped)
  const wrong = at(value, path)
  const name = path.at(-1)
  const reason = reasonOf(worst, wrong, name ?? '')
  if (name === undefined) return reason
  return `Invalid input for ${subject} ${name}. Value: ${pythonTextOf(name, wrong)}. ${reason}`
}

const unescaped = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')

type Reason = (value: string, params: Complaint['params'], raw: unknown) => string

const reasons: Readonly<Record<string, Reason>> = {
  required: (_value, { requiredProperties }) =>
    `${quoted(String(list(requiredProperties)[0]))} is a required property`,
  type: (value, { type }) =>
    `${value} is not of type ${(Array.isArray(type) ? type : [type]).map((one) => quoted(String(one))).join(', ')}`,
  enum: (value, { allowedValues }) => `${value} is not one of ${pythonText(allowedValues)}`,
  const: (value, { allowedValue }) =>
    `${pythonText(allowedValue)} was expected instead of ${value}`,
  minLength: (value) => `${value} is too short`,
  maxLength: (value) => `${value} is too long`,
  minItems: (value) => `${value} is too short`,
  maxItems: (value) => `${value} is too long`,
  uniqueItems: (value) => `${value} has non-unique elements`,
  minProperties: (value) => `${value} does not have enough properties`,
  maxProperties: (value) => `${value} has too many properties`,
  minimum: (value, { limit }) => `${value} is less than the minimum of ${String(limit)}`,
  maximum: (value, { limit }) => `${value} is greater than the maximum of ${String(limit)}`,
  pattern: (value, { pattern }) => `${value} does not match ${pythonText(pattern)}`,
  format: (value, { format }) => `${value} is not a ${pythonText(format)}`,
  additionalProperties: (_value, { additionalProperties }) => {
    const names = list(additionalProperties).map((one) => quoted(String(one)))
    return `Additional properties are not allowed (${names.join(', ')} ${names.length === 1 ? 'was' : 'were'} unexpected)`
  },
}

function reasonOf({ keyword, params }: Complaint, wrong: unknown, name: string): string {
  const value = pythonTextOf(name, wrong)
  return (
    reasons[keyword]?.(value, params, wrong) ??
    `${value} is not valid under any of the given schemas`
  )
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function at(value: unknown, path: readonly string[]): unknown {
  let inner = value
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined
    inner = (inner as Readonly<Record<string, unknown>>)[key] // an object that has this key
  }
  return inner
}
