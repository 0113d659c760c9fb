// Bodies of the registry's calls into what the kernel is asked. Each decoder checks types first (one wrong type
// spoils the document), then fields in the order of the vendor's tables, and names the first that does not fit.
// Source: contracts/cse-registry.md sections 3.2, 3.3 and 3.4.

import type { ServiceStatus } from '#kernel/instance.ts'
import type { JsonObject } from '#kernel/json.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Name } from './book.ts'
import { type Fields, readBody } from './fields.ts'
import { type Fault, invalid } from './faults.ts'
import { type Check, firstFault, rules, violation } from './rules.ts'
import { statusOf } from './states.ts'
import { struct } from './wire.ts'

export interface NewInstance {
  readonly instanceId: string
  readonly status: ServiceStatus | undefined
  readonly hostName: string
  readonly endpoints: readonly string[]
  readonly healthCheck: JsonObject
  readonly dataCenter: JsonObject | null
  readonly ttlMs: number
  readonly properties: Readonly<Record<string, string>>
}

export interface NewService {
  readonly serviceId: string
  readonly environment: string
  readonly appId: string
  readonly serviceName: string
  readonly version: string
  readonly alias: string
  readonly description: string
  readonly properties: Readonly<Record<string, string>>
  readonly framework: JsonObject | undefined
  /** Everything that never changes, as it is kept. */
  readonly identity: JsonObject
  readonly tags: Readonly<Record<string, string>>
  readonly instances: readonly NewInstance[]
}

type Read<T> = Result<T, Fault>
const judged = <T>(fault: Fault | undefined, value: T): Read<T> => (fault ? err(fault) : ok(value))

export function decodeInstance(body: Buffer): Read<NewInstance> {
  const read = readBody(body, (fields) => {
    const instance = fields.object('instance')
    return instance && readInstance(instance)
  })
  if (!read.ok) return read
  return read.value ?? err(violation('RegisterInstanceRequest.Instance', '<nil>', { min: 1 }))
}

function readInstance(fields: Fields): Read<NewInstance> {
  const instanceId = fields.text('instanceId')
  const endpoints = fields.texts('endpoints')
  const hostName = fields.text('hostName')
  const status = fields.text('status')
  const properties = fields.map('properties')
  const health = readHealthCheck(fields.object('healthCheck'))
  const center = readDataCenter(fields.object('dataCenterInfo'))
  const fault =
    firstFault('MicroServiceInstance', [
      ['InstanceId', instanceId, rules.ownInstanceId],
      ...endpoints.map((one): Check => ['Endpoints', one, rules.endpoint]),
      ['HostName', hostName, rules.hostName],
      ['Status', status, rules.ownStatus],
    ]) ??
    health.fault ??
    center.fault
  return judged(fault, {
    instanceId,
    endpoints,
    hostName,
    status: statusOf(status),
    properties,
    healthCheck: health.healthCheck,
    ttlMs: health.ttlMs,
    dataCenter: center.dataCenter,
  })
}

const intervalMin = 5
const timesMin = 3
const usual = { mode: 'push', interval: 30, times: 3 } as const

/** A push is never taken to be more frequent than 5 s or less patient than 3 misses; a pull is always the usual. */
function readHealthCheck(fields: Fields | undefined): {
  readonly healthCheck: JsonObject
  readonly ttlMs: number
  readonly fault: Fault | undefined
} {
  if (!fields) return { healthCheck: usual, ttlMs: ttlMs(usual), fault: undefined }
  const mode = fields.text('mode')
  const port = fields.integer('port')
  const asked = { interval: fields.integer('interval'), times: fields.integer('times') }
  const url = fields.text('url')
  const fault = firstFault('HealthCheck', [
    ['Mode', mode, rules.mode],
    ['Port', port, rules.port],
    ['Interval', asked.interval, rules.interval],
    ['Times', asked.times, rules.times],
    ['Url', url, rules.url],
  ])
  const { interval, times } =
    mode === 'pull'
      ? usual
      : {
          interval: Math.max(asked.interval, intervalMin),
          times: Math.max(asked.times, timesMin),
        }
  const healthCheck = struct({ mode, port, interval, times, url })
  return { healthCheck, ttlMs: ttlMs({ interval, times }), fault }
}

/** Source: section 4.2. The bound only keeps absurd products exact. */
const ttlMs = ({ interval, times }: { readonly interval: number; readonly times: number }) =>
  Math.min(interval * (times + 1) * 1000, Number.MAX_SAFE_INTEGER / 2)

function readDataCenter(fields: Fields | undefined): {
  readonly dataCenter: JsonObject | null
  readonly fault: Fault | undefined
} {
  if (!fields) return { dataCenter: null, fault: undefined }
  const name = fields.text('name')
  const region = fields.text('region')
  const availableZone = fields.text('availableZone')
  const fault = firstFault('DataCenterInfo', [
    ['Name', name, rules.dataCenter],
    ['Region', region, rules.dataCenter],
    ['AvailableZone', availableZone, rules.dataCenter],
  ])
  return { dataCenter: { name, region, availableZone }, fault }
}

export function decodeService(body: Buffer): Read<NewService> {
  const read = readBody(body, (fields) => {
    const service = fields.object('service')
    const tags = fields.map('tags')
    const instances = fields.objects('instances').map(readInstance)
    return service && { service: readService(service), tags, instances }
  })
  if (!read.ok) return read
  if (!read.value) return err(invalid('Request body is empty'))
  const { service, tags, instances } = read.value
  if (!service.ok) return service
  const badTag = tagFault('CreateServiceRequest', tags)
  if (badTag) return err(badTag)
  const made: NewInstance[] = []
  for (const instance of instances) {
    if (!instance.ok) return instance
    made.push(instance.value)
  }
  return ok({ ...service.value, tags, instances: made })
}

export function tagFault(type: string, tags: Readonly<Record<string, string>>): Fault | undefined {
  const entries = Object.entries(tags)
  if (entries.length > rules.tagCount.max)
    return violation(`${type}.Tags`, `${entries.length} tags`, rules.tagCount)
  return firstFault(
    type,
    entries.flat().map((word): Check => ['Tags', word, rules.tag]),
  )
}

function readService(fields: Fields): Read<Omit<NewService, 'tags' | 'instances'>> {
  const serviceId = fields.text('serviceId')
  const appId = fields.text('appId') || 'default'
  const serviceName = fields.text('serviceName')
  const version = fields.text('version') || '0.0.1'
  const environment = fields.text('environment')
  const description = fields.text('description')
  const level = fields.text('level') || 'BACK'
  const schemas = fields.texts('schemas')
  const paths = fields.objects('paths').map((path) => ({
    path: path.text('path'),
    property: path.map('property'),
  }))
  const status = fields.text('status') || 'UP'
  const properties = fields.map('properties')
  const alias = fields.text('alias')
  const registerBy = fields.text('registerBy')
  const framework = readFramework(fields.object('framework'))
  const providers = fields.objects('providers').map(readKey)
  const LBStrategy = fields.map('LBStrategy')
  const fault =
    firstFault('MicroService', [
      ['ServiceId', serviceId, rules.ownServiceId],
      ['AppId', appId, rules.ownAppId],
      ['ServiceName', serviceName, rules.serviceName],
      ['Version', version, rules.version],
      ['Environment', environment, rules.environment],
      ['Description', description, rules.description],
      ['Level', level, rules.level],
      ['Schemas', schemas.length, rules.schemaCount],
      ...schemas.map((id): Check => ['Schemas', id, rules.schemaId]),
      ...paths.map(({ path }): Check => ['Paths', path, rules.path]),
      ['Status', status, rules.serviceStatus],
      ['Alias', alias, rules.alias],
      ['RegisterBy', registerBy, rules.registerBy],
    ]) ?? framework.fault
  const identity = struct({
    appId,
    serviceName,
    version,
    level,
    status,
    alias,
    registerBy,
    schemas,
    LBStrategy,
    paths: paths.map(struct),
    providers,
  })
  return judged(fault, {
    serviceId,
    environment,
    appId,
    serviceName,
    version,
    alias,
    description,
    properties,
    framework: framework.value,
    identity: { ...identity, environment },
  })
}

const readKey = (fields: Fields): JsonObject =>
  struct({
    environment: fields.text('environment'),
    appId: fields.text('appId'),
    serviceName: fields.text('serviceName'),
    version: fields.text('version'),
  })

function readFramework(fields: Fields | undefined): {
  readonly value: JsonObject | undefined
  readonly fault: Fault | undefined
} {
  if (!fields) return { value: undefined, fault: undefined }
  const name = fields.text('name')
  const version = fields.text('version')
  const fault = firstFault('FrameWork', [
    ['Name', name, rules.frameworkName],
    ['Version', version, rules.frameworkVersion],
  ])
  return { value: struct({ name, version }), fault }
}

/** Absent properties clear the map; an absent framework stays as it is. */
export function decodeProperties(body: Buffer): Read<{
  readonly properties: Readonly<Record<string, string>>
  readonly framework: JsonObject | undefined
}> {
  const read = readBody(body, (fields) => ({
    properties: fields.map('properties'),
    framework: readFramework(fields.object('framework')),
  }))
  if (!read.ok) return read
  const { properties, framework } = read.value
  return judged(framework.fault, { properties, framework: framework.value })
}

export function decodeSchema(
  body: Buffer,
): Read<{ readonly schema: string; readonly summary: string }> {
  const read = readBody(body, (fields) => ({
    schema: fields.text('schema'),
    summary: fields.text('summary'),
  }))
  if (!read.ok) return read
  const { schema, summary } = read.value
  // The text itself is not repeated in a refusal: the one rule it can break is to be empty.
  const fault = firstFault('ModifySchemaRequest', [
    ['Schema', schema, rules.schema],
    ['Summary', summary, rules.summary],
  ])
  return judged(fault, read.value)
}

/** S11: the whole set, at least one, each with its summary. */
export function decodeSchemas(body: Buffer): Read<readonly NewSchema[]> {
  const read = readBody(body, (fields) =>
    fields.objects('schemas').map((one) => ({
      schemaId: one.text('schemaId'),
      schema: one.text('schema'),
      summary: one.text('summary'),
    })),
  )
  if (!read.ok) return read
  const schemas = read.value
  if (schemas.length === 0) return err(invalid('Invalid request.'))
  const type = 'ModifySchemasRequest'
  const fault =
    firstFault(type, [['Schemas', schemas.length, rules.schemaSet]]) ??
    firstFault(
      'Schema',
      schemas.flatMap(({ schemaId, summary, schema }): readonly Check[] => [
        ['SchemaId', schemaId, rules.schemaId],
        ['Summary', summary, rules.fullSummary],
        ['Schema', schema, rules.schema],
      ]),
    )
  return judged(fault, schemas)
}

export interface NewSchema {
  readonly schemaId: string
  readonly schema: string
  readonly summary: string
}

export function decodeTags(body: Buffer): Read<Readonly<Record<string, string>>> {
  return readBody(body, (fields) => fields.map('tags'))
}

export interface DeclaredDependency {
  readonly consumer: Name & { readonly version: string }
  readonly providers: readonly Name[]
}

/** A provider's app and environment are the consumer's unless it says so. */
export function decodeDependencies(
  body: Buffer,
  how: 'add' | 'replace',
): Read<readonly DeclaredDependency[]> {
  const read = readBody(body, (fields) =>
    fields.objects('dependencies').map((one) => {
      const consumer = one.object('consumer')
      return {
        consumer: consumer && keyOf(consumer),
        providers: one.objects('providers').map(keyOf),
      }
    }),
  )
  if (!read.ok) return read
  const type = how === 'add' ? 'AddDependenciesRequest' : 'CreateDependenciesRequest'
  const counted = firstFault(type, [['Dependencies', read.value.length, rules.dependencies]])
  if (counted) return err(counted)
  const declared: DeclaredDependency[] = []
  for (const { consumer, providers } of read.value) {
    if (!consumer) return err(violation('ConsumerDependency.Consumer', '<nil>', { min: 1 }))
    const bad = dependencyFault(consumer, providers, how)
    if (bad) return err(bad)
    const { appId, environment } = consumer
    const full = providers.map((one) => ({
      ...one,
      appId: one.appId || appId,
      environment: one.environment || environment,
    }))
    declared.push({ consumer, providers: full })
  }
  return ok(declared)
}

type Key = DeclaredDependency['consumer']

const keyOf = (fields: Fields): Key => ({
  environment: fields.text('environment'),
  appId: fields.text('appId'),
  serviceName: fields.text('serviceName'),
  version: fields.text('version'),
})

const keyChecks = ({ environment, appId, serviceName, version }: Key): readonly Check[] => [
  ['Environment', environment, rules.environment],
  ['AppId', appId, rules.appId],
  ['ServiceName', serviceName, rules.serviceName],
  ['Version', version, rules.version],
]

function dependencyFault(
  consumer: Key,
  providers: readonly Key[],
  how: 'add' | 'replace',
): Fault | undefined {
  const enough: readonly Check[] =
    how === 'add' ? [['Providers', providers.length, rules.providers]] : []
  return (
    firstFault('MicroServiceKey', keyChecks(consumer)) ??
    firstFault('ConsumerDependency', enough) ??
    firstFault(
      'MicroServiceKey',
      providers.flatMap(({ environment, appId, serviceName, version }): readonly Check[] => [
        ['Environment', environment, rules.environment],
        ['AppId', appId, rules.needed],
        ['ServiceName', serviceName, rules.serviceName],
        ['Version', version, rules.neededVersion],
      ]),
    )
  )
}

/** I12. An empty filter would mean every instance there is, so it is refused. */
export function decodeMatches(body: Buffer): Read<{
  readonly properties: Readonly<Record<string, string>>
  readonly status: ServiceStatus
}> {
  const read = readBody(body, (fields) => ({
    properties: fields.object('matches')?.map('properties') ?? {},
    word: fields.text('status'),
  }))
  if (!read.ok) return read
  const { properties, word } = read.value
  const type = 'UpdateManyInstanceStatusRequest'
  const few = firstFault(type, [['Matches', Object.keys(properties).length, rules.properties]])
  if (few) return err(few)
  const status = statusOf(word)
  return status === undefined
    ? err(violation(`${type}.Status`, word, rules.status))
    : ok({ properties, status })
}

export interface Pair {
  readonly serviceId: string
  readonly instanceId: string
}

/** One entry per distinct pair, in the order of the request. */
export function decodePairs(body: Buffer): Read<readonly Pair[]> {
  const read = readBody(body, (fields) =>
    fields.objects('instances').map((one) => ({
      serviceId: one.text('serviceId'),
      instanceId: one.text('instanceId'),
    })),
  )
  if (!read.ok) return read
  if (read.value.length === 0) return err(invalid('Request format invalid.'))
  const distinct = new Map(read.value.map((pair) => [JSON.stringify(Object.values(pair)), pair]))
  return ok([...distinct.values()])
}

export function decodeServiceIds(
  body: Buffer,
): Read<{ readonly serviceIds: readonly string[]; readonly force: boolean }> {
  const read = readBody(body, (fields) => ({
    serviceIds: fields.texts('serviceIds'),
    force: fields.flag('force'),
  }))
  if (!read.ok) return read
  const { serviceIds, force } = read.value
  if (serviceIds.length === 0)
    return err(violation('DelServicesRequest.ServiceIds', '[]', { min: 1 }))
  return ok({ serviceIds: [...new Set(serviceIds)], force })
}

export interface BatchFind {
  readonly services: readonly {
    readonly environment: string
    readonly appId: string
    readonly serviceName: string
    readonly rev: string
  }[]
  readonly instances: readonly (Pair & { readonly rev: string })[]
}

export function decodeBatchFind(body: Buffer): Read<BatchFind> {
  const read = readBody(body, (fields) => ({
    services: fields.objects('services').map((one) => {
      const service = one.object('service')
      return {
        environment: service?.text('environment') ?? '',
        appId: service?.text('appId') ?? '',
        serviceName: service?.text('serviceName') ?? '',
        rev: one.text('rev'),
      }
    }),
    instances: fields.objects('instances').map((one) => {
      const instance = one.object('instance')
      return {
        serviceId: instance?.text('serviceId') ?? '',
        instanceId: instance?.text('instanceId') ?? '',
        rev: one.text('rev'),
      }
    }),
  }))
  if (!read.ok) return read
  const { services, instances } = read.value
  return services.length + instances.length === 0
    ? err(invalid('Required services or instances'))
    : read
}
