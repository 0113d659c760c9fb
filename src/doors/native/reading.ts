// From what was sent to what a schema allows, or the one field that is at fault. The schema is the
// only rule here; what it means for an instance is the kernel's to say.

import type { Static, TObject, TSchema } from 'typebox'
import { err, type ErrorOf, ok, type Result } from '#kernel/errors.ts'
import { type Exchange, header, parseJson } from '../shared/http.ts'
import { type Complaint, validatorOf } from '#schema/validator.ts'
import { type Fault, faultOf, ownFault } from './faults.ts'

type BadField = ErrorOf<'BadField'>

/**
 * Checks a value; of several faults the first that is not a mere consequence of another is named.
 */
export function check<S extends TSchema>(
  schema: S,
  value: unknown,
  what = 'body',
): Result<Static<S>, BadField> {
  const validator = validatorOf(schema)
  if (validator.fits(value)) return ok(value)
  const complaints = validator.complaints(value).filter(({ keyword }) => !consequences.has(keyword))
  const worst = complaints.find(({ keyword }) => keyword === 'required') ?? complaints[0]
  return err(worst ? fieldOf(worst, what) : bad(what, 'another value'))
}

/** Said in addition to what caused them. */
const consequences = new Set(['boolean', 'anyOf', 'propertyNames'])

const bad = (field: string, expected: string, fault: BadField['fault'] = 'value'): BadField => ({
  code: 'BadField',
  field,
  fault,
  expected,
})

function fieldOf({ keyword, instancePath, params, message }: Complaint, what: string): BadField {
  const path = instancePath.split('/').slice(1)
  const field = path.join('.') || what
  if (keyword === 'required') {
    const first = params.requiredProperties[0] ?? '' // always names at least one
    return bad([...path, first].join('.'), '', 'missing')
  }
  if (keyword === 'additionalProperties') {
    const first = params.additionalProperties[0] ?? '' // always names at least one
    return bad([...path, first].join('.'), 'left out: it is not known here')
  }
  if (keyword === 'type') return bad(field, String(params.type), 'type')
  if (keyword === 'enum') return bad(field, `one of ${params.allowedValues.join(', ')}`)
  if (keyword === 'minimum') return bad(field, `at least ${params.limit}`, 'range')
  if (keyword === 'maximum') return bad(field, `at most ${params.limit}`, 'range')
  if (keyword === 'minLength') return bad(field, `at least ${params.limit} long`, 'range')
  if (keyword === 'maxLength') return bad(field, `at most ${params.limit} long`, 'range')
  if (keyword === 'format') return bad(field, aTime)
  return bad(field, message.replace(/^must (be )?/, ''))
}

const aTime = 'a time such as 2026-11-21T08:00:00Z'
const depthMax = 32

/**
 * Not so deep that writing it again would overflow the stack, and text that every store keeps as it
 * is.
 */
function isKeepable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (depth === depthMax) return false
  return Object.entries(value).every(
    ([key, inner]) => key.isWellFormed() && isKeepable(inner, depth + 1),
  )
}

const jsonTypes = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i

export function readJson(exchange: Exchange): Result<unknown, Fault> {
  const type = header(exchange, 'content-type')
  if (type === undefined || !jsonTypes.test(type))
    return err(
      ownFault('NotJson', {
        detail: `Send it with Content-Type: application/json${type === undefined ? '' : `, not ${type.slice(0, 64)}`}.`,
      }),
    )
  const parsed = parseJson(exchange.body)
  if (!parsed.ok) return err(ownFault('Malformed', { detail: 'The body is not valid JSON.' }))
  if (!isKeepable(parsed.value))
    return err(
      faultOf(bad('body', `well-formed Unicode, nested no deeper than ${depthMax} levels`)),
    )
  return ok(parsed.value)
}

/** A leap second has the form of a time, and is none that a clock here can tell. */
export function readMoment(field: string, text: string): Result<number, Fault> {
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? err(faultOf(bad(field, aTime))) : ok(ms)
}

interface Parameter {
  readonly type?: string
  readonly items?: { readonly enum?: unknown }
}

/**
 * Query parameters are text: a schema that wants a number, a claim or a list gets one, if the text
 * is one.
 */
export function readQuery<S extends TObject>(
  schema: S,
  values: URLSearchParams,
): Result<Static<S>, BadField> {
  const found: Record<string, unknown> = {}
  for (const key of new Set(values.keys())) {
    const parameter = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
    found[key] = valueOf(parameter as Parameter | undefined, values.getAll(key)) // our own schemas say so of themselves
  }
  return check<S>(schema, found, 'query')
}

function valueOf(parameter: Parameter | undefined, sent: readonly string[]): unknown {
  const [first = ''] = sent
  if (parameter?.type === 'integer') return /^-?\d{1,16}$/.test(first) ? Number(first) : first
  if (parameter?.type === 'boolean') return first === 'true' || (first === 'false' ? false : first)
  if (parameter?.type !== 'array') return first
  return parameter.items?.enum === undefined ? sent : sent.flatMap((one) => one.split(','))
}
