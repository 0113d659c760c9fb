// What consoles show of a whole tenant: services with all that belongs to them, counts, apps, who calls whom, and
// a dump of what is in the registry.
// Source: contracts/cse-registry.md section 3.6.

import { err, ok } from '#kernel/errors.ts'
import type { Service } from '#kernel/service.ts'
import type { Book, Version } from './book.ts'
import type { Answered, Asked } from './call.ts'
import { rowsOf } from './dependencies.ts'
import { fault, invalid } from './faults.ts'
import { isVisible } from './permissions.ts'
import { listServices, serviceOf } from './reading.ts'
import { firstFault, rules } from './rules.ts'
import { about } from './server.ts'
import {
  encodeSchema,
  encodeService,
  identityOf,
  json,
  publicId,
  schemasOf,
  struct,
  tagsOf,
} from './wire.ts'

const parts = ['tags', 'instances', 'schemas', 'dependencies', 'statistics'] as const
type Part = (typeof parts)[number]

/** G1: all services, with the parts that `options` names. */
export async function listDetails(asked: Asked): Answered {
  const { query } = asked
  const countOnly = query.get('countOnly') ?? ''
  if (!['', '0', '1'].includes(countOnly.trim()))
    return err(invalid('parameter countOnly must be 1 or 0'))
  const named = (query.get('options') ?? '').split(',')
  const wanted = new Set<string>(named.includes('all') ? parts : named)
  const { book, rows } = await all(asked)
  const statistics = wanted.has('statistics')
    ? statisticsOf(visibleIn(asked, book), book)
    : undefined
  if (countOnly === '1') return ok(json(struct({ statistics })))
  const allServicesDetail = []
  for (const row of rows.filter((one) => isAsked(asked, one)))
    allServicesDetail.push(await detailOf(asked, book, row, (part) => wanted.has(part)))
  return ok(json(struct({ allServicesDetail, statistics })))
}

function isAsked({ query, exchange }: Asked, row: Service): boolean {
  const { appId, serviceName, environment } = identityOf(row)
  const fits = (name: string, value: string): boolean => (query.get(name) || value) === value
  if (!fits('appId', appId) || !fits('serviceName', serviceName) || !fits('env', environment))
    return false
  const properties = new URLSearchParams(exchange.rawQuery).getAll('property')
  return properties.every((property) => {
    const colon = property.indexOf(':')
    const [key, value] =
      colon === -1 ? [property, ''] : [property.slice(0, colon), property.slice(colon + 1)]
    return (row.labels[key] ?? '') === value
  })
}

const visibleIn = (asked: Asked, book: Book): readonly Version[] =>
  book.versions().filter((one) => isVisible(asked, one))

/** The tenant's rows, and its book with every instance in it. */
async function all(
  asked: Asked,
): Promise<{ readonly book: Book; readonly rows: readonly Service[] }> {
  const rows = (await listServices(asked)).filter((row) => isVisible(asked, identityOf(row)))
  const book = await asked.desk.mirror.withInstances(asked.project, (now) => now.versions())
  return { book, rows }
}

async function detailOf(
  asked: Asked,
  book: Book,
  row: Service,
  wants: (part: Part) => boolean,
): Promise<object> {
  const version = book.version(row.id)
  const others = wants('dependencies') && version
  return struct({
    microService: encodeService(row),
    instances: wants('instances') ? instancesIn(book, row) : undefined,
    schemaInfos: wants('schemas')
      ? schemasOf(row).map((schema) => encodeSchema(schema, true))
      : undefined,
    providers: others && (await rowsOf(asked, book.providersOf(version))).map(encodeService),
    consumers: others && (await rowsOf(asked, book.consumersOf(version))).map(encodeService),
    tags: wants('tags') ? tagsOf(row) : undefined,
  })
}

const instancesIn = (book: Book, { id }: Pick<Service, 'id'>): readonly object[] =>
  book.texts(id).map((text) => JSON.parse(text) as object) // written by the book itself

/** G1: one service with everything. */
export async function getDetail(asked: Asked): Answered {
  const id = asked.exchange.params['serviceId'] ?? ''
  const bad = firstFault('GetServiceRequest', [['ServiceId', id, rules.serviceId]])
  if (bad) return err(bad)
  const row = await serviceOf(asked, id)
  if (!row.ok) return row
  const only = (book: Book): readonly Version[] => {
    const version = book.version(row.value.id)
    return version ? [version] : []
  }
  const book = await asked.desk.mirror.withInstances(asked.project, only)
  const microServiceVersions = book.named(identityOf(row.value)).map(({ version }) => version)
  const detail = await detailOf(asked, book, row.value, (part) => part !== 'statistics')
  return ok(json({ service: struct({ ...detail, microServiceVersions }) }))
}

/** G1: names of apps. */
export async function listApps(asked: Asked): Answered {
  const book = await asked.desk.mirror.book(asked.project)
  const environment = asked.query.get('env') ?? ''
  const apps = visibleIn(asked, book)
    .filter((one) => environment === '' || one.environment === environment)
    .map(({ appId }) => appId)
  return ok(json(struct({ appIds: [...new Set(apps)].toSorted() })))
}

/** G1: how many there are of each. */
export async function statistics(asked: Asked): Answered {
  const { book } = await all(asked)
  return ok(json({ statistics: statisticsOf(visibleIn(asked, book), book) }))
}

function statisticsOf(versions: readonly Version[], book: Book): object {
  const counts = versions.map(({ id }) => book.texts(id).length)
  const instances = counts.reduce((sum, count) => sum + count, 0)
  // A microservice is counted once, however many versions it has.
  const names = (those: readonly Version[]): number =>
    new Set(those.map(({ provider }) => provider)).size
  return {
    services: struct({
      count: names(versions),
      onlineCount: names(versions.filter((_, index) => (counts[index] ?? 0) > 0)),
    }),
    instances: struct({ count: instances, countByDomain: instances }),
    apps: struct({ count: new Set(versions.map(({ appId }) => appId)).size }),
  }
}

/** G1: a graph of who calls whom. */
export async function relations(asked: Asked): Answered {
  const book = await asked.desk.mirror.book(asked.project)
  const versions = visibleIn(asked, book)
  const nodes = versions.map(nodeOf)
  const lines = versions.flatMap((consumer) =>
    book
      .providersOf(consumer)
      .filter((one) => one.id !== consumer.id && isVisible(asked, one))
      .map((provider) => ({
        from: nodeOf(consumer),
        to: nodeOf(provider),
        fromDesc: '',
        toDesc: '',
      })),
  )
  return ok(json({ nodes, lines, circles: [] }))
}

const nodeOf = ({ publicId: id, serviceName, appId, version }: Version): object => ({
  id,
  name: serviceName,
  appId,
  version,
  type: '',
  color: '',
  position: '',
})

/** G2: only for the default tenant, and with nothing of the server but its version. */
export async function dump(asked: Asked): Answered {
  const { domain, project } = asked.tenant
  if (domain !== 'default' || project !== 'default')
    return err(fault('403001', 'Required admin permission'))
  const info = { version: about('4.0.0') }
  const options = (asked.query.get('options') ?? 'cache').split(',')
  if (!options.includes('cache') && !options.includes('all')) return ok(json({ info }))
  const { book, rows } = await all(asked)
  const entry = (key: string, rev: number, value: object): object => ({
    key,
    rev,
    cluster: 'default',
    value,
  })
  const services = rows.map((row) =>
    entry(`/services/${publicId(row)}`, row.revision, encodeService(row)),
  )
  const instances = rows.flatMap((row) =>
    instancesIn(book, row).map((one) =>
      entry(`/instances/${publicId(row)}/${instanceIdIn(one)}`, row.revision, one),
    ),
  )
  return ok(json({ info, cache: struct({ services, instances }) }))
}

const instanceIdIn = (one: object): string => String('instanceId' in one ? one.instanceId : '')

/** G3: one store, of which callers learn no address. */
export async function clusters(): Answered {
  return ok(json({ clusters: { default: ['embedded'] } }))
}
