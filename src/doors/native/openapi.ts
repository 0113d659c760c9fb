// The OpenAPI 3.1 document, made of the table of routes. Schemas with a title become components,
// once each; the refusals of a route are those that the gate before it can make and those that the
// kernel can.

import type { TObject, TSchema } from 'typebox'
import { type Endpoint, base, isChange, type Variants } from './endpoint.ts'
import { type ProblemCode, problemCodes, problemHeads } from './faults.ts'
import { problem } from './wire.ts'

type Json = { readonly [key: string]: unknown }

interface Schema {
  readonly title?: string
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, TSchema>>
}

/** Collects named schemas while it rewrites what refers to them. */
class Components {
  readonly schemas: Record<string, unknown> = {}

  refer(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map((one: unknown) => this.refer(one))
    if (typeof schema !== 'object' || schema === null) return schema
    const { title } = schema as Schema // every schema may have one
    if (typeof title !== 'string') return this.#within(schema)
    if (!(title in this.schemas)) {
      this.schemas[title] = {}
      this.schemas[title] = this.#within(schema)
    }
    return { $ref: `#/components/schemas/${title}` }
  }

  #within(schema: object): Json {
    return Object.fromEntries(
      Object.entries(schema).map(([key, value]) => [key, this.refer(value)]),
    )
  }
}

export function documentOf(endpoints: readonly Endpoint[]): Json {
  const components = new Components()
  components.refer(problem)
  const paths: Record<string, Record<string, Json>> = {}
  for (const row of endpoints) {
    const path = row.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operationOf(row, components) }
  }
  return {
    openapi: '3.1.1',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'runstate',
      version: '1.0.0',
      description:
        'Every kind of instance through one API. Changes converge, unless `from` says otherwise.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: base }],
    security: [{ token: [] }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components.schemas,
      responses: Object.fromEntries(statuses.map((status) => [String(status), refusals(status)])),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  }
}

function operationOf(row: Endpoint, components: Components): Json {
  return {
    operationId: row.operation,
    summary: row.summary,
    tags: [row.tag],
    'x-role': row.role,
    parameters: parametersOf(row, components),
    ...(row.body === undefined ? {} : { requestBody: bodyOf(row.body, components) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(row.answers).map(([status, schema]) => [
          status,
          answerOf(status, schema, components),
        ]),
      ),
      ...Object.fromEntries(
        statusesOf(row).map((status) => [
          String(status),
          { $ref: `#/components/responses/${status}` },
        ]),
      ),
    },
  }
}

function bodyOf(body: TSchema | Variants, components: Components): Json {
  if (!('schemas' in body)) return { required: false, content: jsonOf(components.refer(body)) }
  const { by, schemas } = body as Variants // no JSON Schema keyword is called so
  const named = Object.entries(schemas).map(
    ([word, schema]) => [word, components.refer(schema)] as const,
  )
  const mapping = Object.fromEntries(
    named.map(([word, ref]) => [word, (ref as { readonly $ref: string }).$ref]),
  ) // each variant has a title
  const schema = {
    oneOf: named.map(([, ref]) => ref),
    discriminator: { propertyName: by, mapping },
  }
  return { required: true, content: jsonOf(schema) }
}

const jsonOf = (schema: unknown): Json => ({ 'application/json': { schema } })

const sentences: Readonly<Record<string, string>> = {
  200: 'As asked, or a dry run of it.',
  201: 'Made.',
  202: 'Accepted and on disk; it goes on.',
}

const answerOf = (status: string, schema: TSchema | null, components: Components): Json => ({
  description: sentences[status] ?? '',
  content: schema === null ? { 'text/event-stream': {} } : jsonOf(components.refer(schema)),
})

function parametersOf(row: Endpoint, components: Components): readonly Json[] {
  const inPath = [...row.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const query = (row.query as (TObject & Schema) | undefined)?.properties ?? {} // an object schema has properties
  const inQuery = Object.entries(query).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    ...(isWordList(schema) ? { explode: false } : {}),
    schema: components.refer(schema),
  }))
  return [...inPath, ...inQuery, asProject, ...headersOf(row)]
}

const isWordList = (schema: TSchema & { readonly items?: { readonly enum?: unknown } }): boolean =>
  schema.items?.enum !== undefined

const asProject = {
  name: 'project',
  in: 'query',
  description: 'Admins only: act in this project.',
  schema: { type: 'string' },
}
const wait = {
  name: 'Prefer',
  in: 'header',
  description: '`wait=N`: up to N (at most 60) seconds for the end of the operation.',
  schema: { type: 'string' },
}
const lent = [
  {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'The same key and request again get the same answer and change nothing.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  {
    name: 'X-Dry-Run',
    in: 'header',
    description: '`true`: check everything, change nothing, answer the receipt there would be.',
    schema: { type: 'string', enum: ['true', 'false'] },
  },
]
const ifMatch = {
  name: 'If-Match',
  in: 'header',
  description: 'A generation in quotes, from the entity tag: refuse when it is another now.',
  schema: { type: 'string' },
}
const lastEventId = { name: 'Last-Event-ID', in: 'header', schema: { type: 'integer', minimum: 0 } }

function headersOf(row: Endpoint): readonly Json[] {
  if (isChange(row)) return [...lent, wait, ...(row.generation ? [ifMatch] : [])]
  if (row.operation === 'getOperation') return [wait]
  return row.answers[200] === null ? [lastEventId] : []
}

const statuses = [...new Set(problemCodes.map((code) => problemHeads[code].status))].toSorted(
  (a, b) => a - b,
)
const ofChangesOnly = new Set([402, 409, 412, 413, 415, 422, 423])
/** Before a route is reached, so of none of them. */
const unrouted = new Set([405])

const statusesOf = (row: Endpoint): readonly number[] =>
  statuses.filter(
    (status) => !unrouted.has(status) && (isChange(row) || !ofChangesOnly.has(status)),
  )

function refusals(status: number): Json {
  const codes: readonly ProblemCode[] = problemCodes.filter(
    (code) => problemHeads[code].status === status,
  )
  const lines = codes.map((code) => `- \`${code}\`: ${problemHeads[code].title}`)
  return {
    description: lines.join('\n'),
    'x-codes': codes,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}
