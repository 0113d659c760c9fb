// Reads a JSON body the way the registry's own decoder does: a field that is absent or null is its type's zero
// value, unknown fields are ignored, and one value of a wrong type makes the whole document unreadable.
// Source: contracts/cse-registry.md section 1.2.

import { err, ok, type Result } from '#kernel/errors.ts'
import { isObject, parseJson } from '../shared/http.ts'
import { type Fault, unmarshal } from './faults.ts'

interface Flaw {
  isFlawed: boolean
}

export class Fields {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #flaw: Flaw

  constructor(values: Readonly<Record<string, unknown>>, flaw: Flaw) {
    this.#values = values
    this.#flaw = flaw
  }

  text(name: string): string {
    return this.#read(name, '', isText)
  }

  flag(name: string): boolean {
    return this.#read(name, false, (value) => typeof value === 'boolean')
  }

  /** A 32-bit integer, as the registry declares all its numbers. */
  integer(name: string): number {
    return this.#read(name, 0, isInt32)
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((value) => (isText(value) ? value : this.#zero(value, '')))
  }

  /** A map from text to text. */
  map(name: string): Readonly<Record<string, string>> {
    const entries = Object.entries(this.#read(name, {}, isObject))
    return Object.fromEntries(
      entries.map(([key, value]) => [key, isText(value) ? value : this.#zero(value, '')]),
    )
  }

  list(name: string): readonly unknown[] {
    return this.#read<readonly unknown[]>(name, [], Array.isArray)
  }

  /** Absent and null are told apart from an empty object. */
  object(name: string): Fields | undefined {
    const value = this.#value(name)
    if (value === undefined || value === null) return undefined
    return this.#inner(value)
  }

  objects(name: string): readonly Fields[] {
    return this.list(name).map((value) => this.#inner(value ?? {}))
  }

  #inner(value: unknown): Fields {
    if (!isObject(value)) this.#flaw.isFlawed = true
    return new Fields(isObject(value) ? value : {}, this.#flaw)
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined
  }

  #read<T>(name: string, zero: T, fits: (value: unknown) => value is T): T {
    const value = this.#value(name)
    return fits(value) ? value : this.#zero(value, zero)
  }

  #zero<T>(value: unknown, zero: T): T {
    if (value !== undefined && value !== null) this.#flaw.isFlawed = true
    return zero
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isInt32 = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2_147_483_647

/** `read` must take every field that it wants before it returns: only then is the whole body known to be sound. */
export function readBody<T>(body: Buffer, read: (fields: Fields) => T): Result<T, Fault> {
  const parsed = parseJson(body)
  if (!parsed.ok) return err(unmarshal)
  const value = parsed.value ?? {}
  if (!isObject(value)) return err(unmarshal)
  const flaw = { isFlawed: false }
  const wanted = read(new Fields(value, flaw))
  return flaw.isFlawed ? err(unmarshal) : ok(wanted)
}
