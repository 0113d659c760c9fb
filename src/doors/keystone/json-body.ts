// Bodies as Keystone reads them: the content type first, then JSON, then field by field. A refusal names the
// field and never its value, which may be a secret.
//
// Source: contracts/identity.md section 4.3; keystone/api/auth.py and keystone/exception.py.

import { type Result, err, ok } from '#kernel/errors.ts'
import { type Exchange, header, isObject, parseJson } from '../shared/http.ts'
import { type KeystoneFault, expecting, invalidInput } from './faults.ts'

export type JsonFields = Readonly<Record<string, unknown>>
export type Decoded<T> = Result<T, KeystoneFault>

/** An empty body is an empty object, so that what is missed is the first thing in it. */
export function readBody(exchange: Exchange): Decoded<JsonFields> {
  if (exchange.body.length === 0) return ok({})
  const type = header(exchange, 'content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type !== '' && type !== 'application/json')
    return err(expecting('application/json', 'Content-Type header'))
  const parsed = parseJson(exchange.body)
  if (!parsed.ok || !isObject(parsed.value)) return err(expecting('valid JSON', 'request body'))
  return ok(parsed.value)
}

/** A place in the body: the object found there, and the path that a refusal names. */
export interface Place {
  readonly fields: JsonFields
  /** `identity/password/user`. */
  readonly path: string
  readonly name: string
}

export function objectAt(within: Place, key: string): Decoded<Place | undefined> {
  const value = valueAt(within, key)
  if (value === undefined) return ok(undefined)
  const path = pathOf(within, key)
  return isObject(value)
    ? ok({ fields: value, path, name: key })
    : err(invalidInput(path, "it is not of type 'object'"))
}

export function neededObject(within: Place, key: string): Decoded<Place> {
  const found = objectAt(within, key)
  if (!found.ok) return found
  return found.value === undefined ? err(expecting(key, within.name)) : ok(found.value)
}

export function textAt(within: Place, key: string): Decoded<string | undefined> {
  const value = valueAt(within, key)
  if (value === undefined || typeof value === 'string') return ok(value)
  return err(invalidInput(pathOf(within, key), "it is not of type 'string'"))
}

/** Own fields only: `constructor` is nobody's field. */
export const valueAt = ({ fields }: Place, key: string): unknown =>
  Object.hasOwn(fields, key) ? fields[key] : undefined

const pathOf = ({ path }: Place, key: string): string => (path === '' ? key : `${path}/${key}`)
