// Rows into the registry's JSON, and its answers. Wire names live here and in decode.ts only.
//
// - Objects are compact, in the vendor's field order, and leave out what is empty: '', 0, false, null, [] and {}.
// - Times are decimal texts of Unix seconds.
// Source: contracts/cse-registry.md sections 1.3, 2, 3.2, 3.4 and 9.1.

import { microserviceId, microserviceKey } from '#kernel/aliases.ts'
import type { Event } from '#kernel/event.ts'
import { type ProjectId, type ServiceId, serviceId } from '#kernel/ids.ts'
import type { Instance, Registration } from '#kernel/instance.ts'
import type { State } from '#kernel/kinds.ts'
import type { Json, JsonObject } from '#kernel/json.ts'
import type { Service } from '#kernel/service.ts'
import type { Answer } from '../shared/http.ts'
import { listIn, numberIn, objectIn, textIn, textsIn } from '../shared/json-facts.ts'
import { type Fault, httpStatus, messages } from './faults.ts'
import { statusWord } from './states.ts'

export const doorName = 'servicecomb'

/** Release of the original whose protocol this is; old clients compare it. */
export const protocolVersion = '2.2.0'

export const plainText = 'text/plain; charset=UTF-8'
export const jsonText = 'application/json; charset=UTF-8'
const revisionHeader = 'x-resource-revision'

/** Keys under which a service row keeps what this door was told; each changes on its own, so that two changes
 * at once never undo each other. */
export const keptKeys = {
  identity: doorName,
  framework: `${doorName}.framework`,
  tag: (key: string) => `${doorName}.tag:${key}`,
  /** Tells a service from an earlier one of the same name, whose revisions began at the same number. */
  epoch: `${doorName}.epoch`,
  schema: (schemaId: string) => `${doorName}.schema:${schemaId}`,
} as const
const schemaPrefix = keptKeys.schema('')
const tagPrefix = keptKeys.tag('')

/** A client may choose an id with a slash, which separates project and id in a row's id. */
export const rowPart = (serviceId: string): string =>
  serviceId.replaceAll('%', '%25').replaceAll('/', '%2F')
export const publicId = (service: Pick<Service, 'id' | 'project'>): string =>
  microserviceId(service).replaceAll('%2F', '/').replaceAll('%25', '%')

/** A row's id from the id that clients know. */
export const serviceRowId = ({ project }: { readonly project: ProjectId }, id: string): ServiceId =>
  serviceId(microserviceKey(project, rowPart(id)))

export const kept = (service: Service, key: string): JsonObject => service.attributes[key] ?? {}
export const identityOf = (service: Service) => {
  const facts = kept(service, keptKeys.identity)
  return {
    appId: textIn(facts, 'appId') ?? 'default',
    serviceName: textIn(facts, 'serviceName') ?? service.name,
    version: textIn(facts, 'version') ?? '0.0.1',
    environment: textIn(facts, 'environment') ?? '',
    alias: textIn(facts, 'alias') ?? '',
  }
}

export const tagsOf = (service: Pick<Service, 'attributes'>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(service.attributes).flatMap(([key, facts]) =>
      key.startsWith(tagPrefix)
        ? [[key.slice(tagPrefix.length), textIn(facts, 'value') ?? '']]
        : [],
    ),
  )

/** Null removes a tag. */
export const tagAttributes = <Value extends string | null>(
  tags: Readonly<Record<string, Value>>,
): Readonly<Record<string, JsonObject | (Value extends null ? null : never)>> =>
  Object.fromEntries(
    Object.entries(tags).map(([key, value]) => [
      keptKeys.tag(key),
      value === null ? null : { value },
    ]),
  ) as Record<string, JsonObject | (Value extends null ? null : never)> // null in, null out

export interface Schema {
  readonly schemaId: string
  readonly summary: string
  readonly schema: string
  /** Declared by the service, but never uploaded. */
  readonly isMissing: boolean
}

/** Declared ones first, in their order, then those that were only uploaded. */
export function schemasOf(service: Service): readonly Schema[] {
  const uploaded = Object.keys(service.attributes)
    .filter((key) => key.startsWith(schemaPrefix))
    .map((key) => key.slice(schemaPrefix.length))
  const declared = textsIn(kept(service, keptKeys.identity), 'schemas')
  return [...new Set([...declared, ...uploaded])].map((schemaId) => {
    const facts = service.attributes[keptKeys.schema(schemaId)]
    return {
      schemaId,
      summary: textIn(facts ?? {}, 'summary') ?? '',
      schema: textIn(facts ?? {}, 'schema') ?? '',
      isMissing: facts === undefined,
    }
  })
}

export const encodeSchema = (schema: Schema, withText: boolean): object =>
  struct({
    schemaId: schema.schemaId,
    summary: schema.summary,
    schema: withText ? schema.schema : '',
  })

export function encodeService(service: Service): object {
  const facts = kept(service, keptKeys.identity)
  const { appId, serviceName, version, environment, alias } = identityOf(service)
  return struct({
    serviceId: publicId(service),
    appId,
    serviceName,
    version,
    description: service.description,
    level: textIn(facts, 'level'),
    schemas: schemasOf(service).map((schema) => schema.schemaId),
    paths: listIn(facts, 'paths'),
    status: textIn(facts, 'status'),
    properties: service.labels,
    timestamp: seconds(service.createdAtMs),
    providers: listIn(facts, 'providers'),
    alias,
    LBStrategy: objectIn(facts, 'LBStrategy'),
    modTimestamp: seconds(service.updatedAtMs),
    environment,
    registerBy: textIn(facts, 'registerBy'),
    framework: service.attributes[keptKeys.framework],
  })
}

/** What is shown of an instance, also of one whose row is gone. */
export type Shown = Pick<Instance, 'name' | 'state' | 'labels' | 'createdAtMs' | 'updatedAtMs'> & {
  readonly registration: Pick<
    Registration,
    'hostName' | 'endpoints' | 'healthCheck' | 'dataCenter' | 'version'
  > | null
}

/** The instance as an event left it: the last one tells what it was, others are about a row of their commit. */
export function shownFrom(event: Event, row: Instance | undefined): Shown | undefined {
  const { last, from, effective } = event.data
  if (last !== undefined) return shownLast(last as JsonObject, from as State) // so the kernel writes them
  if (!row || effective === undefined) return row
  return { ...row, state: effective as State } // as above
}

function shownLast(last: JsonObject, state: State): Shown {
  return {
    name: textIn(last, 'name') ?? '',
    state,
    labels: (objectIn(last, 'labels') ?? {}) as Record<string, string>, // a row's labels
    createdAtMs: numberIn(last, 'createdAtMs') ?? 0,
    updatedAtMs: numberIn(last, 'updatedAtMs') ?? 0,
    registration: {
      hostName: textIn(last, 'hostName') ?? '',
      endpoints: textsIn(last, 'endpoints'),
      healthCheck: objectIn(last, 'healthCheck') ?? {},
      dataCenter: objectIn(last, 'dataCenter') ?? null,
      version: textIn(last, 'version') ?? '',
    },
  }
}

export function encodeInstance(instance: Shown, serviceId: string): object {
  const { registration } = instance
  return struct({
    instanceId: instance.name,
    serviceId,
    endpoints: registration?.endpoints,
    hostName: registration?.hostName,
    status: statusWord(instance),
    properties: instance.labels,
    healthCheck: registration && struct(registration.healthCheck),
    timestamp: seconds(instance.createdAtMs),
    dataCenterInfo: registration?.dataCenter,
    modTimestamp: seconds(instance.updatedAtMs),
    version: registration?.version,
  })
}

export const seconds = (ms: number): string => String(Math.floor(ms / 1000))

/** Drops empty fields, as the registry's own encoder does. Values inside maps stay, empty or not. */
export const struct = (fields: Readonly<Record<string, unknown>>): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value))) as Record<
    string,
    Json
  > // callers put JSON in

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false)
    return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

export const json = (body: object, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 200,
  headers: { 'content-type': jsonText, ...headers },
  body: JSON.stringify(body),
})

/** A collection answer under one key; exactly `{}` when there is nothing. */
export const collection = (
  key: string,
  rows: readonly object[],
  headers?: Readonly<Record<string, string>>,
): Answer => json(struct({ [key]: rows }), headers)

export const text = (status: number, body: string, contentType = plainText): Answer => ({
  status,
  headers: { 'content-type': contentType },
  body,
})
export const empty: Answer = text(200, '')

export const revised = (revision: string) => ({ [revisionHeader]: revision })
export const notModified = (revision: string): Answer => ({
  status: 304,
  headers: revised(revision),
})

/** The three keys that every version of the protocol knows; entries of batch answers have no others. */
export const encodeFault = ({ code, detail }: Fault): object =>
  struct({ errorCode: code, errorMessage: messages[code], detail })

export function refusal(fault: Fault, keys: 'both' | 'canonical'): Answer {
  const { code, retryAfterMs } = fault
  const body = encodeFault(fault)
  const twice = keys === 'both' ? { errCode: code, errMsg: messages[code] } : {}
  return {
    status: httpStatus(fault),
    headers: {
      'content-type': jsonText,
      ...(retryAfterMs === undefined
        ? {}
        : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    },
    body: JSON.stringify({ ...body, ...twice }),
  }
}
