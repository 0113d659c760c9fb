// How services find each other: find by name, list of one service, one instance, and many of both in one call.
// The server shows instances of every status and version; clients choose. A find of a consumer is how it comes to
// be told of changes, so the first one of each pair is written down before it is answered.
// Source: contracts/cse-registry.md sections 3.4 (I5 to I8) and 5.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import { type Answer, header } from '../shared/http.ts'
import { type Book, isOpenTo, type Name, nameText, revisionOf, type Version } from './book.ts'
import { type Answered, type Asked, submit, viewerOf } from './call.ts'
import { type BatchFind, decodeBatchFind } from './decode.ts'
import { type Fault, fault, invalid } from './faults.ts'
import { seenInstance } from './instances.ts'
import { firstFault, rules } from './rules.ts'
import {
  encodeFault,
  encodeInstance,
  jsonText,
  notModified,
  revised,
  rowPart,
  serviceRowId,
  struct,
} from './wire.ts'

/** Null: the asker has this revision already. */
interface Found {
  readonly rev: string
  readonly body: Buffer | null
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
  const { rev, body } = found.value
  if (body === null) return ok(notModified(rev))
  return ok({ status: 200, headers: { 'content-type': jsonText, ...revised(rev) }, body })
}

/** `noCache` and `cacheOnly` choose where to read, and then no revision is compared. Source: section 1.2. */
const revAsked = ({ query }: Asked): string =>
  query.has('noCache') || query.has('cacheOnly') ? '' : (query.get('rev') ?? '')

async function consumerOf(asked: Asked): Promise<Result<Version | undefined, Fault>> {
  const id = header(asked.exchange, 'x-consumerid') ?? ''
  if (id === '') return ok(undefined)
  const book = await asked.desk.mirror.book(asked.project)
  const consumer = book.version(serviceRowId(asked, id))
  return consumer ? ok(consumer) : err(fault('400012', `Consumer[${id}] does not exist.`))
}

interface Wanted extends Name {
  readonly tags: string
  readonly rev: string
}

const nameFault = ({ appId, serviceName, environment }: Name): Fault | undefined =>
  firstFault('FindInstancesRequest', [
    ['AppId', appId, rules.appId],
    ['ServiceName', serviceName, rules.nameOrAlias],
    ['Environment', environment, rules.environment],
  ])

async function find(
  asked: Asked,
  wanted: Wanted,
  consumer: Version | undefined,
): Promise<Result<Found, Fault>> {
  const bad = nameFault(wanted)
  if (bad) return err(bad)
  // A consumer sees its own environment, whatever it asks for. Source: section 5.2.
  const name = consumer ? { ...wanted, environment: consumer.environment } : wanted
  const book = await asked.desk.mirror.book(asked.project)
  const versions = book.named(name)
  // What is there and not open to it is as good as never found. Source: section 5.2.
  const isOpen = versions.length === 0 || versions.some((one) => isOpenTo(one, consumer))
  if (consumer && isOpen) await remember(asked, book, consumer, versions[0] ?? name)
  if (versions.length === 0) return err(unknownProvider(name, consumer))
  return foundIn(asked, wanted.rev, (now) =>
    now.named(name).filter((one) => hasTags(one, wanted.tags) && isOpenTo(one, consumer)),
  )
}

const unknownProvider = (name: Name, consumer: Version | undefined): Fault => {
  const from = consumer?.publicId ?? ''
  return fault(
    '400012',
    `Consumer[${from}] find provider[${nameText(name)}] failed, provider does not exist`,
  )
}

/**
 * The consumer's watchers are told of this provider from now on, also of one that is yet to come. What cannot be
 * written down spoils no find: the next one tries again.
 */
async function remember(asked: Asked, book: Book, consumer: Version, name: Name): Promise<void> {
  const text = nameText(name)
  if (asked.lent.dryRun || book.needs(consumer.id, text)) return
  const service = rowPart(consumer.publicId)
  const kept = await submit(
    asked,
    { verb: 'depend', service, on: [text], replace: false },
    'depend',
  )
  if (!kept.ok) asked.exchange.log.info({ err: kept.error }, 'a dependency could not be kept')
}

/** A comma list of tag keys; a version fits when it has every one. */
const hasTags = ({ tags }: Version, keys: string): boolean =>
  keys === '' || keys.split(',').every((key) => key === '' || Object.hasOwn(tags, key))

async function foundIn(
  asked: Asked,
  known: string,
  pick: (book: Book) => readonly Version[],
): Promise<Result<Found, Fault>> {
  const { mirror } = asked.desk
  const same = pick(await mirror.book(asked.project))
  const rev = revisionOf(same)
  if (rev === known) {
    seen(asked, same)
    return ok({ rev, body: null })
  }
  const book = await mirror.withInstances(asked.project, pick)
  const versions = pick(book)
  const now = revisionOf(versions)
  seen(asked, versions)
  return ok({ rev: now, body: book.answer(versions, now) })
}

/** An answer that nothing changed shows what is there as well as a whole one. */
function seen(asked: Asked, versions: readonly Version[]): void {
  const by = viewerOf(asked, header(asked.exchange, 'x-consumerid') ?? '')
  for (const { id, revision } of versions) asked.plane.shown(id, by, revision)
}

const serviceIdIn = (asked: Asked): string => asked.exchange.params['serviceId'] ?? ''

/** I7. */
export async function listInstances(asked: Asked): Answered {
  const id = serviceIdIn(asked)
  const bad = firstFault('GetInstancesRequest', [['ProviderServiceId', id, rules.serviceId]])
  if (bad) return err(bad)
  const provider = await providerOf(asked, id)
  if (!provider.ok) return provider
  const tags = asked.query.get('tags') ?? ''
  const found = await foundIn(asked, revAsked(asked), (book) => {
    const version = book.version(provider.value.id)
    return version && hasTags(version, tags) ? [version] : []
  })
  return shown(found)
}

async function providerOf(asked: Asked, id: string): Promise<Result<Version, Fault>> {
  const consumer = await consumerOf(asked)
  if (!consumer.ok) return consumer
  const book = await asked.desk.mirror.book(asked.project)
  const provider = book.version(serviceRowId(asked, id))
  return provider ? ok(provider) : err(fault('400012', `Provider[${id}] does not exist.`))
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
  const tags = asked.query.get('tags') ?? ''
  const one = await oneInstance(asked, { serviceId, instanceId, tags })
  if (!one.ok) return one
  const { rev, instance } = one.value
  if (rev === revAsked(asked)) return ok(notModified(rev))
  const body = JSON.stringify({ instance: encodeInstance(instance, serviceId) })
  return ok({ status: 200, headers: { 'content-type': jsonText, ...revised(rev) }, body })
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
  // The revision first: what is shown may then be newer than its revision, never older.
  const provider = await providerOf(asked, serviceId)
  if (!provider.ok) return provider
  const instance = await seenInstance(asked, { serviceId, instanceId })
  seen(asked, [provider.value])
  return instance && hasTags(provider.value, tags)
    ? ok({ rev: revisionOf([provider.value]), instance })
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
  const byInstance = await inTurn(instances, (one) => findOne(asked, one))
  const parts = [
    ...(services.length === 0 ? [] : [`"services":${sorted(byService)}`]),
    ...(instances.length === 0 ? [] : [`"instances":${sorted(byInstance)}`]),
  ]
  return ok({
    status: 200,
    headers: { 'content-type': jsonText },
    body: `{${parts.join(',')}}`,
  })
}

async function findOne(
  asked: Asked,
  one: BatchFind['instances'][number],
): Promise<Result<Found, Fault>> {
  const found = await oneInstance(asked, { ...one, tags: '' })
  if (!found.ok) return found
  const { rev, instance } = found.value
  if (rev === one.rev) return ok({ rev, body: null })
  const instances = [encodeInstance(instance, one.serviceId)]
  return ok({ rev, body: Buffer.from(JSON.stringify({ instances })) })
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
function sorted(results: readonly Result<Found, Fault>[]): string {
  const failed = new Map<string, { readonly indexes: number[]; readonly error: object }>()
  const notModifiedAt: number[] = []
  const updated: string[] = []
  for (const [index, result] of results.entries()) {
    if (!result.ok) {
      const { code } = result.error
      const entry = failed.get(code) ?? { indexes: [], error: encodeFault(result.error) }
      entry.indexes.push(index)
      failed.set(code, entry)
    } else if (result.value.body === null) notModifiedAt.push(index)
    else updated.push(updatedEntry(index, result.value.rev, result.value.body))
  }
  const rest = JSON.stringify(struct({ failed: [...failed.values()], notModified: notModifiedAt }))
  if (updated.length === 0) return rest
  return `${rest.slice(0, -1)}${rest === '{}' ? '' : ','}"updated":[${updated.join(',')}]}`
}

/** The members of the answer that is kept for this revision come along as they are. */
function updatedEntry(index: number, rev: string, body: Buffer): string {
  const members = body.toString().slice(1, -1)
  return `{"index":${index},"rev":"${rev}"${members === '' ? '' : `,${members}`}}`
}
