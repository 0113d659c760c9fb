// Reads parameters in the order in which they are validated, and keeps the first fault.
//
// Reading goes on after a fault with harmless values, so that an action reads straight down and asks once
// whether all went well. What was read is what the request means: `fingerprint` is made of it, so unknown names
// and empty values make no difference to an idempotency token.
// Source: contracts/volcengine-ecs.md sections 2.2 and 8.1.

import { createHash } from 'node:crypto'
import type { Json } from '#kernel/json.ts'
import { business, type Fault, malformed, missing, tooMany } from './faults.ts'
import type { Branch } from './parameters.ts'

interface Ledger {
  fault: Fault | undefined
  readonly read: (readonly [name: string, value: Json])[]
}

interface TextCheck {
  readonly like?: RegExp
  readonly fault?: Fault
}

interface ListCheck {
  readonly max: number
  readonly fault?: Fault
  readonly of?: 'number'
  readonly emptyCounts?: true
}

const clientTokenMax = 64
const ascii = /^[\0-\x7f]*$/
const integerText = /^-?\d{1,15}$/
const listIndex = /^\d{1,9}$/
/** More structures in one list than any action takes; what asks for fewer says so itself. */
const groupsMax = 100

export class Reading {
  readonly #branch: Branch | undefined
  readonly #path: string
  readonly #ledger: Ledger

  constructor(
    branch: Branch | undefined,
    path = '',
    ledger: Ledger = { fault: undefined, read: [] },
  ) {
    this.#branch = branch
    this.#path = path
    this.#ledger = ledger
  }

  /** The first thing that was wrong. */
  get fault(): Fault | undefined {
    return this.#ledger.fault
  }

  fail(fault: Fault): void {
    this.#ledger.fault ??= fault
  }

  text(name: string, check: TextCheck = {}): string | undefined {
    const { like, fault = malformed(name) } = check
    const value = this.#textOf(name, business.invalidArgument)
    if (value !== undefined && like !== undefined && !like.test(value)) {
      this.fail(fault)
      return undefined
    }
    return this.#keep(name, value)
  }

  /** Like `text`, but a name given with an empty value alone is '': it clears what was set. */
  clearable(name: string, check: TextCheck = {}): string | undefined {
    const { values = [], parts } = this.#branch?.parts.get(name) ?? {}
    const isCleared =
      values.length > 0 && parts?.size === 0 && values.every(({ text }) => text === '')
    return isCleared ? this.#keep(name, '') : this.text(name, check)
  }

  /** Is '' only when the fault says so. */
  required(name: string, check: TextCheck = {}): string {
    const value = this.text(name, check)
    if (value === undefined) this.fail(missing(name))
    return value ?? ''
  }

  /** Not in the fingerprint: an unsalted hash of a password would be kept with the token. */
  secret(name: string): string | undefined {
    return this.#textOf(name, malformed(name))
  }

  flag(name: string): boolean | undefined {
    return this.#keep(name, this.#flagOf(name))
  }

  integer(
    name: string,
    range: { readonly min: number; readonly max: number; readonly fault?: Fault },
  ): number | undefined {
    const value = this.#single(name, business.invalidArgument)
    if (value === undefined) return undefined
    const number =
      value.is === 'boolean' || !integerText.test(value.text) ? Number.NaN : Number(value.text)
    if (Number.isNaN(number)) this.fail(business.invalidArgument)
    else if (number < range.min || number > range.max)
      this.fail(range.fault ?? business.invalidArgument)
    else return this.#keep(name, number)
    return undefined
  }

  /** A price: decimal, not negative. */
  decimal(name: string): number | undefined {
    const value = this.#single(name, business.invalidArgument)
    if (value === undefined) return undefined
    if (value.is !== 'boolean' && /^\d{1,9}(\.\d{1,9})?$/.test(value.text))
      return this.#keep(name, Number(value.text))
    this.fail(business.invalidArgument)
    return undefined
  }

  choice<const Option extends string>(
    name: string,
    options: readonly Option[],
    fault: Fault = business.invalidArgument,
  ): Option | undefined {
    const value = this.#textOf(name, fault)
    if (value === undefined) return undefined
    const option = options.find((one) => one === value)
    if (option === undefined) this.fail(fault)
    return this.#keep(name, option)
  }

  /**
   * Empty when it was not supplied, or supplied with nothing but empty values.
   *
   * @param check.of  numbers may come as JSON numbers.
   * @param check.emptyCounts  a numbered empty text is a value; `Name=` alone is still an empty list.
   */
  list(name: string, check: ListCheck): readonly string[] {
    const branch = this.#branch?.parts.get(name)
    if (branch === undefined) return []
    const elements = indexed(branch)
    const isSingle = elements.every(({ values, parts }) => values.length <= 1 && parts.size === 0)
    const all = [...branch.values, ...elements.flatMap(({ values }) => values)]
    const isFit = all.every(({ is }) => is === 'text' || is === check.of)
    if (!isSingle || !isFit) this.fail(business.invalidArgument)
    const isNumbered = new Set(elements.flatMap(({ values }) => values))
    const given = all.filter(
      (value) => value.text !== '' || (check.emptyCounts === true && isNumbered.has(value)),
    )
    if (given.length > check.max) this.fail(check.fault ?? tooMany(name))
    const texts = given.map(({ text }) => text)
    return texts.length === 0 ? texts : this.#keep(name, texts)
  }

  /** One reading per structure of a list, in the order of their numbers. */
  groups(name: string, check: { readonly max?: number } = {}): readonly Reading[] {
    const branch = this.#branch?.parts.get(name)
    if (branch === undefined) return []
    const found = indexed(branch).filter(({ parts }) => parts.size > 0)
    const isGiven =
      branch.values.some(({ text }) => text !== '') ||
      indexed(branch).some(({ values }) => values.some(({ text }) => text !== ''))
    if (isGiven) this.fail(business.invalidArgument)
    const max = check.max ?? groupsMax
    if (found.length > max) this.fail(tooMany(name))
    return found
      .slice(0, max)
      .map((one, index) => new Reading(one, `${this.#path}${name}.${index + 1}.`, this.#ledger))
  }

  group(name: string): Reading {
    return new Reading(this.#branch?.parts.get(name), `${this.#path}${name}.`, this.#ledger)
  }

  /** At most 64 ASCII characters; whatever else it is, it is malformed. */
  clientToken(): string | undefined {
    const token = this.#textOf('ClientToken', business.clientTokenMalformed)
    if (token === undefined || (token.length <= clientTokenMax && ascii.test(token))) return token
    this.fail(business.clientTokenMalformed)
    return undefined
  }

  dryRun(): boolean {
    return this.#flagOf('DryRun') ?? false
  }

  /** What was asked for, whatever the spelling. */
  fingerprint(action: string): string {
    return createHash('sha256')
      .update(JSON.stringify([action, ...this.#ledger.read]))
      .digest('hex')
  }

  #keep<T extends Json | undefined>(name: string, value: T): T {
    if (value !== undefined) this.#ledger.read.push([this.#path + name, value])
    return value
  }

  #flagOf(name: string): boolean | undefined {
    const value = this.#single(name, business.invalidArgument)
    const word = value?.text.toLowerCase()
    if (word === undefined || word === 'true' || word === 'false')
      return word === undefined ? undefined : word === 'true'
    this.fail(business.invalidArgument)
    return undefined
  }

  #textOf(name: string, wrong: Fault): string | undefined {
    const value = this.#single(name, wrong)
    if (value === undefined || value.is === 'text') return value?.text
    this.fail(wrong)
    return undefined
  }

  /** The one value of a name. An empty one is none; two, or a structure, are not what was asked for. */
  #single(name: string, wrong: Fault): Branch['values'][number] | undefined {
    const branch = this.#branch?.parts.get(name)
    if (branch === undefined) return undefined
    const [value, ...more] = branch.values.filter(({ text }) => text !== '')
    if (more.length === 0 && branch.parts.size === 0) return value
    this.fail(wrong)
    return undefined
  }
}

/** List elements in the order of their numbers, which may begin anywhere and have gaps. */
function indexed(branch: Branch): readonly Branch[] {
  return [...branch.parts]
    .filter(([part]) => listIndex.test(part))
    .toSorted(([one], [other]) => Number(one) - Number(other))
    .map(([, element]) => element)
}
