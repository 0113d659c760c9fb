// From the three ways in which clients send parameters to one tree of names and values.
//
// - In a query or form: `Name=v`, `Name.1=v`, `Name.Field=v`, `Name.1.Values.2=v`.
// - In a JSON body: the same dotted names, or arrays and objects; both come to the same tree.
// - A parameter that the body has is the body's, whatever the query says of it.
// - Nothing is checked here but that the body is what its content type says. reading.ts gives names a meaning.
// Source: contracts/volcengine-ecs.md section 2, including every trap of 2.2.

import { err, ok, type Result } from '#kernel/errors.ts'
import { type Exchange, header, isObject, parseJson } from '#doors/shared/http.ts'
import { decodeQuery, type QueryPair, textOf } from '#doors/shared/signature.ts'

export interface Value {
  readonly text: string
  /** What it was in a JSON body; everything in a query or form is text. */
  readonly is: 'text' | 'number' | 'boolean'
}

/** One name: the values given to it, and the names below it. */
export interface Branch {
  readonly values: Value[]
  readonly parts: Map<string, Branch>
}

/** `TagFilters.1.Values.2` is the deepest that is known; what lies deeper is unknown, and so ignored. */
const depthMax = 6

const emptyBranch = (): Branch => ({ values: [], parts: new Map() })

/** @param query  the exchange's query, decoded. */
export function parametersOf(
  exchange: Pick<Exchange, 'method' | 'headers' | 'body'>,
  query: readonly QueryPair[],
): Result<Branch, 'malformed'> {
  const root = emptyBranch()
  addPairs(root, query)
  if (exchange.method !== 'POST' || exchange.body.length === 0) return ok(root)
  const body = bodyOf(exchange)
  if (!body.ok) return body
  for (const [name, branch] of body.value.parts) root.parts.set(name, branch)
  return ok(root)
}

function bodyOf(exchange: Pick<Exchange, 'headers' | 'body'>): Result<Branch, 'malformed'> {
  const root = emptyBranch()
  const [type = ''] = (header(exchange, 'content-type') ?? '').split(';')
  const json = parseJson(exchange.body)
  switch (type.trim().toLowerCase()) {
    case 'application/json':
      if (!json.ok || !isObject(json.value)) return err('malformed')
      addJson(root, [], json.value)
      return ok(root)
    case 'application/x-www-form-urlencoded':
      // A whole JSON document would pass as one long unknown name, and all that it says would be ignored.
      if (json.ok && typeof json.value === 'object' && json.value !== null) return err('malformed')
      addPairs(root, decodeQuery(exchange.body.toString('latin1'), 'space'))
      return ok(root)
    default:
      return err('malformed')
  }
}

function addPairs(root: Branch, pairs: readonly QueryPair[]): void {
  for (const pair of pairs) {
    add(root, textOf(pair.name).split('.'), { text: textOf(pair.value), is: 'text' })
  }
}

function addJson(root: Branch, path: readonly string[], value: unknown): void {
  if (path.length > depthMax) return
  if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => addJson(root, [...path, String(index + 1)], item))
  } else if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      addJson(root, [...path, ...name.split('.')], inner)
    }
  } else if (typeof value === 'string') add(root, path, { text: value, is: 'text' })
  else if (typeof value === 'number') add(root, path, { text: String(value), is: 'number' })
  else if (typeof value === 'boolean') add(root, path, { text: String(value), is: 'boolean' })
  // null is what serialisers make of "not set".
}

function add(root: Branch, path: readonly string[], value: Value): void {
  const [name = ''] = path
  if (path.length > depthMax || isGateway(name)) return
  let branch = root
  for (const part of path) {
    const known = branch.parts.get(part)
    const next = known ?? emptyBranch()
    if (known === undefined) branch.parts.set(part, next)
    branch = next
  }
  branch.values.push(value)
}

/** What says which call it is and who signs it is read from the query, elsewhere. */
const isGateway = (name: string): boolean =>
  name.startsWith('X-') || name === 'Action' || name === 'Version'
