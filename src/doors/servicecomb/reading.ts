// Rows of one tenant's registry, for calls that show them. A revision is made from a service row, so that row is
// always read before its instances: what is shown may then be newer than its revision, never older.

import { createHash } from 'node:crypto'
import { microserviceKey } from '#kernel/aliases.ts'
import { type Instance } from '#kernel/instance.ts'
import { type Service } from '#kernel/service.ts'
import { textIn } from '../shared/json-facts.ts'
import { type Asked } from './call.ts'
import { identityOf, kept, keptKeys, rowPart } from './wire.ts'

type Tenancy = Pick<Asked, 'plane' | 'project'>

const pageRows = 1_000

export async function readService(
  { plane, project }: Tenancy,
  serviceId: string,
): Promise<Service | undefined> {
  const row = await plane.read.get('services', microserviceKey(project, rowPart(serviceId)))
  return row?.kind === 'microservice' && row.project === project ? row : undefined
}

/** Every microservice of the tenant, or those of one name. */
export async function listServices(
  { plane, project }: Tenancy,
  name?: string,
): Promise<readonly Service[]> {
  const rows: Service[] = []
  for (;;) {
    const last = rows.at(-1)
    const page = await plane.read.list('services', {
      where: { project, kind: 'microservice', ...(name === undefined ? {} : { name }) },
      limit: pageRows,
      ...(last ? { after: { id: last.id } } : {}),
    })
    rows.push(...page)
    if (page.length < pageRows) return rows
  }
}

export interface ServiceName {
  readonly environment: string
  readonly appId: string
  /** Or an alias. */
  readonly serviceName: string
}

/** All versions of one service. An alias is looked for only when no service has that name. */
export async function versionsOf(
  tenancy: Tenancy,
  { environment, appId, serviceName }: ServiceName,
): Promise<readonly Service[]> {
  const isWanted = (service: Service): boolean => {
    const identity = identityOf(service)
    return identity.environment === environment && identity.appId === appId
  }
  const named = (await listServices(tenancy, serviceName)).filter(isWanted)
  if (named.length > 0 || serviceName === '') return named
  const all = await listServices(tenancy)
  return all.filter((one) => isWanted(one) && identityOf(one).alias === serviceName)
}

/** Instances of every status: clients choose among them. Source: section 5.1. */
export async function instancesOf(
  { plane }: Tenancy,
  services: readonly Service[],
): Promise<readonly Instance[]> {
  if (services.length === 0) return []
  const rows: Instance[] = []
  for (;;) {
    const last = rows.at(-1)
    const page = await plane.read.list('instances', {
      where: { serviceId: services.map((service) => service.id) },
      limit: pageRows,
      ...(last ? { after: { id: last.id } } : {}),
    })
    rows.push(...page)
    if (page.length < pageRows) return rows
  }
}

/**
 * Opaque text that is another one for every other content of the same services: each row counts the changes of
 * its instances, and says which life of that service it counts in.
 */
export function revisionOf(services: readonly Service[]): string {
  const parts = services
    .map((service) => `${service.id} ${epochOf(service)} ${service.revision}`)
    .toSorted()
  return createHash('sha1').update(parts.join('\n')).digest('hex')
}

const epochOf = (service: Service): string =>
  textIn(kept(service, keptKeys.epoch), 'id') ?? String(service.createdAtMs)

/** A comma list of tag keys; a service fits when it has every one. */
export function hasTags(service: Service, keys: string): boolean {
  const tags = kept(service, keptKeys.tags)
  return keys
    .split(',')
    .filter((key) => key !== '')
    .every((key) => Object.hasOwn(tags, key))
}
