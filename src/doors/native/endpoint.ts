// One row of this door's table of routes, and the way to its handler, the same for all: who asks is
// proved, may act in the project and has the role; then parameters, headers and body are read; only
// then the handler runs.
//
// - A row says all that the OpenAPI document says of it; nothing is written down twice.
// - A change goes through `change`, which knows dry runs, keys, generations and waiting.

import type { Static, TObject, TSchema } from 'typebox'
import type { Caller, Role } from '#kernel/caller.ts'
import { err, type ErrorOf, ok, type Result } from '#kernel/errors.ts'
import type { ProjectId } from '#kernel/ids.ts'
import type { Identity } from '#kernel/ports/identity.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import { Type } from '#schema/type.ts'
import {
  type Answer,
  type Exchange,
  header,
  type House,
  isObject,
  type Route,
} from '../shared/http.ts'
import { type Lent, lentHeaders } from '../shared/lent-headers.ts'
import { callerOf, inProject, mayUse, projectParameter } from './auth.ts'
import { type Fault, faultOf, ownFault } from './faults.ts'
import { check, readJson, readQuery } from './reading.ts'
import type { Settings } from './settings.ts'
import type { ProblemShown } from './wire.ts'

export const doorName = 'native'
export const base = '/api/v1'
const bodyBytesMax = 262_144
const waitMsMax = 60_000

/** One request that has passed the gate. */
export interface Asked<Query = unknown, Body = unknown> {
  readonly exchange: Exchange
  readonly house: House<Settings>
  readonly plane: Plane
  readonly identity: Identity
  readonly caller: Caller
  /** The project acted in; never null behind the gate. */
  readonly project: ProjectId
  readonly operation: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  readonly lent: Lent
  readonly ifGeneration: number | undefined
  /** Aborts when the door closes, or when a caller who waits goes away. */
  readonly signal: AbortSignal
  /** How long the caller would wait for the end of what he asks for; 0: not at all. */
  readonly waitMs: number
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Answer['body']
}

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the base, with `:name` for parameters. */
  readonly path: string
  readonly operation: string
  readonly summary: string
  readonly tag: string
  readonly role: Role
  readonly query?: TObject
  readonly body?: TSchema | Variants
  /** It changes one instance, so `If-Match` with its generation is understood. */
  readonly generation?: true
  /** What it answers by status when all is well; null: not JSON. */
  readonly answers: Readonly<Record<number, TSchema | null>>
  readonly handle: (asked: Asked) => Promise<Result<Reply, Fault>>
}

/**
 * Bodies told apart by the word in one field: each has its own schema, so a refusal names the right
 * field.
 */
export interface Variants<
  Schemas extends Readonly<Record<string, TSchema>> = Readonly<Record<string, TSchema>>,
> {
  readonly by: string
  readonly schemas: Schemas
}

/** What a handler is given once its row's schema has been checked. */
export type Read<S> =
  S extends Variants<infer Schemas>
    ? { [Name in keyof Schemas]: Static<Schemas[Name]> }[keyof Schemas]
    : S extends TSchema
      ? Static<S>
      : undefined

/** A row whose handler is typed by its own schemas. */
export function endpoint<
  const Query extends TObject | undefined = undefined,
  const Body extends TSchema | Variants | undefined = undefined,
>(
  row: Omit<Endpoint, 'query' | 'body' | 'handle'> & {
    readonly query?: Query
    readonly body?: Body
    readonly handle: NoInfer<
      (asked: Asked<Read<Query>, Read<Body>>) => Promise<Result<Reply, Fault>>
    >
  },
): Endpoint {
  return row as unknown as Endpoint // `asked` below gives each handler what its own row's schemas have checked
}

export const isChange = (row: Pick<Endpoint, 'method'>): boolean => row.method !== 'GET'

/**
 * @param closing  aborts when the door closes: who waits is answered at once with what is so then.
 */
export const mounted = (row: Endpoint, house: House<Settings>, closing: AbortSignal): Route => ({
  method: row.method,
  path: `${base}${row.path}`,
  operation: row.operation,
  source: 'our own protocol: GET /api/v1/openapi.json',
  bodyLimit: bodyBytesMax,
  handle: async (exchange) => {
    const answered = await pass(row, exchange, house, closing)
    return answered.ok ? reply(exchange, answered.value) : refusal(exchange, answered.error)
  },
})

async function pass(
  row: Endpoint,
  exchange: Exchange,
  house: House<Settings>,
  closing: AbortSignal,
): Promise<Result<Reply, Fault>> {
  const values = new URLSearchParams(exchange.rawQuery)
  const named = values.get(projectParameter)
  values.delete(projectParameter)
  const caller = await admitted(row, named, exchange, house.identity)
  if (!caller.ok) return caller
  const read = readRequest(row, exchange, values)
  if (!read.ok) return read
  const { plane, identity } = house
  const { projectId } = caller.value
  if (projectId === null)
    return err(ownFault('ProjectRequired', { detail: 'Use a token of a project.' }))
  return row.handle({
    exchange,
    house,
    plane,
    identity,
    caller: caller.value,
    project: projectId,
    operation: row.operation,
    params: exchange.params,
    signal: read.value.waitMs === 0 ? closing : AbortSignal.any([exchange.signal, closing]),
    ...read.value,
  })
}

async function admitted(
  row: Endpoint,
  named: string | null,
  exchange: Exchange,
  identity: Identity,
): Promise<Result<Caller, Fault>> {
  const proved = await callerOf(exchange, identity)
  if (!proved.ok) return proved
  const placed = await inProject(proved.value, named, identity)
  if (!placed.ok) return placed
  return mayUse(placed.value, row.role)
}

type Sent = Pick<Asked, 'query' | 'body' | 'lent' | 'ifGeneration' | 'waitMs'>

const noParameters = Type.Object({}, { additionalProperties: false })

function readRequest(
  row: Endpoint,
  exchange: Exchange,
  values: URLSearchParams,
): Result<Sent, Fault> {
  const query = readQuery(row.query ?? noParameters, values)
  if (!query.ok) return err(faultOf(query.error))
  const waitMs = waitMsOf(header(exchange, 'prefer'))
  if (!isChange(row))
    return ok({ query: query.value, body: undefined, lent: {}, ifGeneration: undefined, waitMs })
  const lent = lentHeaders(exchange)
  if (!lent.ok) return err(faultOf(lent.error))
  const generation = generationOf(row, header(exchange, 'if-match'))
  if (!generation.ok) return err(faultOf(generation.error))
  const body = row.body === undefined ? ok(undefined) : readBody(row.body, exchange)
  if (!body.ok) return body
  return ok({
    query: query.value,
    body: body.value,
    lent: lent.value,
    ifGeneration: generation.value,
    waitMs,
  })
}

function readBody(schema: TSchema | Variants, exchange: Exchange): Result<unknown, Fault> {
  // Nothing sent is an empty object: a request that needs no field needs no body.
  const sent = exchange.body.length === 0 ? ok({}) : readJson(exchange)
  if (!sent.ok) return sent
  const fit = 'schemas' in schema ? variantOf(schema as Variants, sent.value) : ok(schema) // no JSON Schema keyword is called so
  if (!fit.ok) return err(faultOf(fit.error))
  const checked = check(fit.value, sent.value)
  return checked.ok ? checked : err(faultOf(checked.error))
}

function variantOf({ by, schemas }: Variants, sent: unknown): Result<TSchema, ErrorOf<'BadField'>> {
  const field = {
    code: 'BadField' as const,
    field: by,
    expected: `one of ${Object.keys(schemas).join(', ')}`,
  }
  if (!isObject(sent)) return err({ ...field, field: 'body', fault: 'type', expected: 'object' })
  const word = sent[by]
  if (word === undefined) return err({ ...field, fault: 'missing' })
  const schema =
    typeof word === 'string' && Object.hasOwn(schemas, word) ? schemas[word] : undefined
  return schema ? ok(schema) : err({ ...field, fault: 'value' })
}

/**
 * Source: RFC 9110 section 13.1.1; our entity tags are generations in quotes, so a weak one is
 * never ours.
 */
function generationOf(
  row: Endpoint,
  sent: string | undefined,
): Result<number | undefined, ErrorOf<'BadField'>> {
  if (sent === undefined || sent === '*') return ok(undefined)
  const digits = /^"(\d{1,15})"$/.exec(sent)?.[1]
  if (row.generation && digits !== undefined) return ok(Number(digits))
  const expected = row.generation
    ? 'one generation in quotes, such as "3"'
    : 'left out: this is not a change of one instance'
  return err({ code: 'BadField', field: 'If-Match', fault: 'value', expected })
}

/** Seconds, as RFC 7240 has it; a preference that cannot be read is none. */
function waitMsOf(prefer: string | undefined): number {
  const seconds = /(?:^|[,;]\s*)wait\s*=\s*"?(\d{1,6})"?/i.exec(prefer ?? '')?.[1]
  return seconds === undefined ? 0 : Math.min(waitMsMax, Number(seconds) * 1000)
}

function reply(exchange: Exchange, { status, headers, body }: Reply): Answer {
  const all = { 'x-request-id': exchange.requestId, ...headers }
  return body === undefined ? { status, headers: all } : { status, headers: all, body }
}

export function refusal(exchange: Exchange, fault: Fault, allow: readonly string[] = []): Answer {
  const { code, status, title, detail, field, data, retryAfterMs } = fault
  const shown: ProblemShown = {
    ...data,
    type: `urn:runstate:problem:${code}`,
    title,
    status,
    detail,
    code,
    ...(field === undefined ? {} : { field }),
    requestId: exchange.requestId,
  }
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'x-request-id': exchange.requestId,
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="runstate"' } : {}),
      ...(retryAfterMs === undefined
        ? {}
        : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
      ...(allow.length === 0 ? {} : { allow: allow.join(', ') }),
    },
    body: shown,
  }
}
