// What a file for `apply` may say: a list of instances that shall exist. A word that is not known
// is refused, so that a misspelt one is not silently ignored.

import { readFileSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import { done, type Outcome, usage } from './outcome.ts'

export interface Wanted {
  readonly kind: 'server' | 'notebook'
  readonly name: string
  readonly flavor: string
  readonly image: string
  readonly description?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly charge?: string
  readonly autoStop?: { readonly enabled: boolean; readonly afterMs: number }
  readonly deletionProtected?: boolean
  /** Counts at creation only: what a driver was told is never shown, so it cannot be compared. */
  readonly launch?: object
  readonly state?: 'running' | 'stopped'
}

type Claim = readonly [says: string, holds: (value: unknown) => boolean]
const isText = (value: unknown): boolean => typeof value === 'string' && value.length > 0
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const oneOf = (...words: readonly string[]): Claim => [
  `one of ${words.join(', ')}`,
  (value) => words.some((word) => word === value),
]
const text: Claim = ['text', isText]

const fields = {
  kind: oneOf('server', 'notebook'),
  name: text,
  flavor: text,
  image: text,
  description: ['text', (value) => typeof value === 'string'],
  labels: [
    'texts by key',
    (value) => isObject(value) && Object.values(value).every((one) => typeof one === 'string'),
  ],
  charge: oneOf('PostPaid', 'PrePaid', 'free'),
  autoStop: [
    '{enabled, afterMs}',
    (value) =>
      isObject(value) &&
      typeof value['enabled'] === 'boolean' &&
      Number.isInteger(value['afterMs']),
  ],
  deletionProtected: ['true or false', (value) => typeof value === 'boolean'],
  launch: ['an object', isObject],
  state: oneOf('running', 'stopped'),
} as const satisfies Record<keyof Wanted, Claim>
const needed = ['name', 'flavor', 'image'] as const

/** @param path  of YAML or JSON; `-` is standard input. */
export function readWanted(path: string): Outcome<readonly Wanted[]> {
  const file = path === '-' ? 'standard input' : path
  const read = readText(path, file)
  if (!read.ok) return read
  const value = parseText(read.value, file)
  if (!value.ok) return value
  const list = isObject(value.value) ? value.value['instances'] : value.value
  if (!Array.isArray(list))
    return usage(`${file}: say a list of instances, or instances: and a list`)
  const wanted: Wanted[] = []
  for (const [index, item] of (list as readonly unknown[]).entries()) {
    const fault = faultOf(item)
    if (fault !== undefined) return usage(`${file}: instance ${index + 1}: ${fault}`)
    wanted.push({ kind: 'server', ...(item as Omit<Wanted, 'kind'>) }) // every field has just been checked
  }
  const names = wanted.map(({ kind, name }) => `${kind} ${name}`)
  const twin = names.find((name, index) => names.indexOf(name) !== index)
  return twin === undefined ? done(wanted) : usage(`${file}: ${twin} is there twice`)
}

function faultOf(item: unknown): string | undefined {
  if (!isObject(item)) return 'it must be an object'
  for (const name of needed) if (!(name in item)) return `${name} is missing`
  for (const [name, value] of Object.entries(item)) {
    if (!Object.hasOwn(fields, name))
      return `${name} is not known; known are ${Object.keys(fields).join(', ')}`
    const [says, holds] = fields[name as keyof typeof fields] // it has this key
    if (!holds(value)) return `${name} must be ${says}`
  }
  return undefined
}

function readText(path: string, file: string): Outcome<string> {
  try {
    return done(readFileSync(path === '-' ? 0 : path, 'utf8'))
  } catch (thrown) {
    return usage(
      `cannot read ${file}: ${thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown)}`,
    )
  }
}

function parseText(content: string, file: string): Outcome<unknown> {
  try {
    return done(parse(content))
  } catch (thrown) {
    // An alias of nothing, or of too much, is found when the text has been read.
    const isTheirs = thrown instanceof YAMLParseError || thrown instanceof ReferenceError
    if (!isTheirs) throw thrown
    return usage(`${file} is not YAML: ${thrown.message.split('\n')[0]}`)
  }
}
