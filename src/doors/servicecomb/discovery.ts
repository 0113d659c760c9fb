// How services find each other: find by name, list of one service, one instance, and many of both in one call.
// The server shows instances of every status and version; clients choose.
// Source: contracts/cse-registry.md sections 3.4 (I5 to I8) and 5.

import { err, ok, type Result } from '#kernel/errors.ts'
import { type Instance } from '#kernel/instance.ts'
import { type Service } from '#kernel/service.ts'
import { type Answer, header } from '../shared/http.ts'
import { type Answered, type Asked } from './call.ts'
import { decodeBatchFind } from './decode.ts'
import { type Fault, fault, invalid } from './faults.ts'
import { seenInstance } from './instances.ts'
import {
  hasTags,
  instancesOf,
  readService,
  revisionOf,
  type ServiceName,
  versionsOf,
} from './reading.ts'
import { firstFault, rules } from './rules.ts'
import {
  collection,
  encodeFault,
  encodeInstance,
  identityOf,
  json,
  notModified,
  publicId,
  revised,
  struct,
} from './wire.ts'

/** Null: the asker has this revision already. */
interface Found {
  readonly rev: string
  readonly instances: readonly object[] | null
}

/** I5. */
export async function findInstances(asked: Asked): Answered {
  const { query } = asked
  const name = {
    appId: query.get('appId') ?? '',
    serviceName: query.get('serviceName') ?? '',
    environment: query.get('env') ?? '',
  }
  // What is asked for is judged before who asks is looked up. Source: section 1.2, "Validation order".
  const bad = nameFault(name)
  if (bad) return err(bad)
  const consumer = await consumerOf(asked)
  if (!consumer.ok) return consumer
  const wanted = { ...name, tags: query.get('tags') ?? '', rev: revAsked(asked) }
  return shown(await find(asked, wanted, consumer.value))
}

const shown = (found: Result<Found, Fault>): Result<Answer, Fault> => {
  if (!found.ok) return found
  const { rev, instances } = found.value
  return ok(
    instances === null ? notModified(rev) : collection('instances', instances, revised(rev)),
  )
}

/** `noCache` and `cacheOnly` choose where to read, and then no revision is compared. Source: section 1.2. */
const revAsked = ({ query }: Asked): string =>
  query.has('noCache') || query.has('cacheOnly') ? '' : (query.get('rev') ?? '')

async function consumerOf(asked: Asked): Promise<Result<Service | undefined, Fault>> {
  const id = header(asked.exchange, 'x-consumerid') ?? ''
  if (id === '') return ok(undefined)
  const consumer = await readService(asked, id)
  return consumer ? ok(consumer) : err(fault('400012', `Consumer[${id}] does not exist.`))
}

interface Wanted extends ServiceName {
  readonly tags: string
  readonly rev: string
}

const nameFault = ({ appId, serviceName, environment }: ServiceName): Fault | undefined =>
  firstFault('FindInstancesRequest', [
    ['AppId', appId, rules.appId],
    ['ServiceName', serviceName, rules.nameOrAlias],
    ['Environment', environment, rules.environment],
  ])

async function find(
  asked: Asked,
  wanted: Wanted,
  consumer: Service | undefined,
): Promise<Result<Found, Fault>> {
  const bad = nameFault(wanted)
  if (bad) return err(bad)
  // A consumer sees its own environment, whatever it asks for. Source: section 5.2.
  const environment = consumer ? identityOf(consumer).environment : wanted.environment
  const versions = await versionsOf(asked, { ...wanted, environment })
  if (versions.length === 0) return err(unknownProvider({ ...wanted, environment }, consumer))
  const open = versions.filter(
    (service) => hasTags(service, wanted.tags) && isOpenTo(service, consumer),
  )
  return foundIn(asked, open, wanted.rev)
}

const unknownProvider = (
  { environment, appId, serviceName }: ServiceName,
  consumer: Service | undefined,
): Fault => {
  const from = consumer ? publicId(consumer) : ''
  const provider = `${environment}/${appId}/${serviceName}`
  return fault(
    '400012',
    `Consumer[${from}] find provider[${provider}] failed, provider does not exist`,
  )
}

/** Without `allowCrossApp`, a service of another app looks as if it had no instances. */
const isOpenTo = (service: Service, consumer: Service | undefined): boolean =>
  consumer === undefined ||
  identityOf(consumer).appId === identityOf(service).appId ||
  service.labels['allowCrossApp'] === 'true'

async function foundIn(
  asked: Asked,
  services: readonly Service[],
  known: string,
): Promise<Result<Found, Fault>> {
  const rev = revisionOf(services)
  if (rev === known) return ok({ rev, instances: null })
  const ids = new Map(services.map((service) => [service.id, publicId(service)] as const))
  const rows = await instancesOf(asked, services)
  const instances = rows.map((row) =>
    encodeInstance(row, (row.serviceId === null ? undefined : ids.get(row.serviceId)) ?? ''),
  )
  return ok({ rev, instances })
}

const serviceIdIn = (asked: Asked): string => asked.exchange.params['serviceId'] ?? ''

/** I7. */
export async function listInstances(asked: Asked): Answered {
  const id = serviceIdIn(asked)
  const bad = firstFault('GetInstancesRequest', [['ProviderServiceId', id, rules.serviceId]])
  if (bad) return err(bad)
  const service = await providerOf(asked, id)
  if (!service.ok) return service
  const isFit = hasTags(service.value, asked.query.get('tags') ?? '')
  return shown(await foundIn(asked, isFit ? [service.value] : [], revAsked(asked)))
}

async function providerOf(asked: Asked, id: string): Promise<Result<Service, Fault>> {
  const consumer = await consumerOf(asked)
  if (!consumer.ok) return consumer
  const service = await readService(asked, id)
  return service ? ok(service) : err(fault('400012', `Provider[${id}] does not exist.`))
}

/** I8. */
export async function getInstance(asked: Asked): Answered {
  const serviceId = serviceIdIn(asked)
  const instanceId = asked.exchange.params['instanceId'] ?? ''
  const bad = firstFault('GetOneInstanceRequest', [
    ['ProviderServiceId', serviceId, rules.serviceId],
    ['ProviderInstanceId', instanceId, rules.instanceId],
  ])
  if (bad) return err(bad)
  const one = await oneInstance(asked, {
    serviceId,
    instanceId,
    tags: asked.query.get('tags') ?? '',
  })
  if (!one.ok) return one
  const { rev, instance } = one.value
  if (rev === revAsked(asked)) return ok(notModified(rev))
  return ok(json({ instance: encodeInstance(instance, serviceId) }, revised(rev)))
}

interface OneWanted {
  readonly serviceId: string
  readonly instanceId: string
  readonly tags: string
}

/** Its revision is its service's: that changes whenever the instance does, and sometimes when it does not. */
async function oneInstance(
  asked: Asked,
  { serviceId, instanceId, tags }: OneWanted,
): Promise<Result<{ readonly rev: string; readonly instance: Instance }, Fault>> {
  const service = await providerOf(asked, serviceId)
  if (!service.ok) return service
  const instance = await seenInstance(asked, { serviceId, instanceId })
  return instance && hasTags(service.value, tags)
    ? ok({ rev: revisionOf([service.value]), instance })
    : err(fault('400017', 'Service instance does not exist.'))
}

/** I6. */
export async function findMany(asked: Asked): Answered {
  const type = asked.query.get('type') ?? ''
  if (type !== 'query') return err(invalid(`Invalid action: ${type}`))
  const wanted = decodeBatchFind(asked.exchange.body)
  if (!wanted.ok) return wanted
  const consumer = await consumerOf(asked)
  if (!consumer.ok) return consumer
  const { services, instances } = wanted.value
  const byService = await inTurn(services, (one) =>
    find(asked, { ...one, tags: '' }, consumer.value),
  )
  const byInstance = await inTurn(instances, async (one) => {
    const found = await oneInstance(asked, { ...one, tags: '' })
    if (!found.ok) return found
    const { rev, instance } = found.value
    return ok({
      rev,
      instances: rev === one.rev ? null : [encodeInstance(instance, one.serviceId)],
    })
  })
  return ok(
    json({
      ...(services.length === 0 ? {} : { services: sorted(byService) }),
      ...(instances.length === 0 ? {} : { instances: sorted(byInstance) }),
    }),
  )
}

/** One after the other: a call may ask for thousands, and others wait for the same store. */
async function inTurn<Item>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result<Found, Fault>>,
): Promise<readonly Result<Found, Fault>[]> {
  const results: Result<Found, Fault>[] = []
  for (const item of items) results.push(await ask(item))
  return results
}

/** Positions in the request by what became of them. Failures of one code share an entry; index 0 is printed. */
function sorted(results: readonly Result<Found, Fault>[]): object {
  const failed = new Map<string, { readonly indexes: number[]; readonly error: object }>()
  const same: number[] = []
  const updated: object[] = []
  for (const [index, result] of results.entries()) {
    if (!result.ok) {
      const { code } = result.error
      const entry = failed.get(code) ?? { indexes: [], error: encodeFault(result.error) }
      entry.indexes.push(index)
      failed.set(code, entry)
    } else if (result.value.instances === null) same.push(index)
    else {
      const { rev, instances } = result.value
      updated.push({ index, rev, ...struct({ instances }) })
    }
  }
  return struct({ failed: [...failed.values()], notModified: same, updated })
}
