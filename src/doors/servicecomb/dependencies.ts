// Who needs whom, as declared by clients and by finds, and as shown to people. A provider that is needed and not
// there yet is not shown.
// Source: contracts/cse-registry.md section 3.5.

import { err, ok } from '#kernel/errors.ts'
import type { Service } from '#kernel/service.ts'
import type { Answer } from '../shared/http.ts'
import { type Book, nameText, type Version } from './book.ts'
import { type Answered, type Asked, submit } from './call.ts'
import { decodeDependencies, type DeclaredDependency } from './decode.ts'
import { type Fault, fault, faultOf } from './faults.ts'
import { isVisible } from './permissions.ts'
import { firstFault, rules } from './rules.ts'
import { collection, empty, encodeService, rowPart, serviceRowId } from './wire.ts'

const deprecated: Answer = { ...empty, headers: { ...empty.headers, deprecation: 'version="v4"' } }

/** D1: `POST` adds to what a consumer needs, `PUT` replaces it. */
export const declare =
  (how: 'add' | 'replace') =>
  async (asked: Asked): Answered => {
    const wanted = decodeDependencies(asked.exchange.body, how)
    if (!wanted.ok) return wanted
    const book = await asked.desk.mirror.book(asked.project)
    const consumers: Version[] = []
    // All are looked up before any is changed: an unknown one refuses the whole call.
    for (const one of wanted.value) {
      const consumer = consumerIn(book, one)
      if (!consumer) return err(unknownConsumer(one))
      consumers.push(consumer)
    }
    for (const [index, one] of wanted.value.entries()) {
      const bad = await write(asked, consumers[index]?.publicId ?? '', one, how, index)
      if (bad) return err(bad)
    }
    return ok(deprecated)
  }

const consumerIn = (book: Book, { consumer }: DeclaredDependency): Version | undefined =>
  book.named(consumer).find((one) => one.version === consumer.version)

const unknownConsumer = ({ consumer }: DeclaredDependency): Fault =>
  fault('400012', `Consumer ${nameText(consumer)}/${consumer.version} does not exist.`)

async function write(
  asked: Asked,
  consumer: string,
  { providers }: DeclaredDependency,
  how: 'add' | 'replace',
  index: number,
): Promise<Fault | undefined> {
  const on = providers.map(nameText)
  const request = {
    verb: 'depend',
    service: rowPart(consumer),
    on,
    replace: how === 'replace',
  } as const
  const done = await submit(asked, request, index === 0 ? '' : `consumer-${index}`)
  return done.ok ? undefined : faultOf(done.error)
}

type Others = (book: Book, one: Version) => readonly Version[]

const reading =
  (key: 'providers' | 'consumers', of: Others) =>
  async (asked: Asked): Answered => {
    const id = asked.exchange.params['serviceId'] ?? ''
    const bad = firstFault('GetDependenciesRequest', [['ServiceId', id, rules.serviceId]])
    if (bad) return err(bad)
    const book = await asked.desk.mirror.book(asked.project)
    const one = book.version(serviceRowId(asked, id))
    if (!one) return err(fault('400012', 'Service does not exist.'))
    const noSelf = asked.query.get('noSelf') === '1'
    const found = of(book, one).filter((other) => !noSelf || other.id !== one.id)
    return ok(collection(key, (await rowsOf(asked, found)).map(encodeService)))
  }

/** D2. All is of one tenant here, so `sameDomain` changes nothing. */
export const listProviders = reading('providers', (book, one) => book.providersOf(one))
export const listConsumers = reading('consumers', (book, one) => book.consumersOf(one))

/** What the caller may see of them. One that left meanwhile is left out. */
export async function rowsOf(
  asked: Pick<Asked, 'plane' | 'labels'>,
  versions: readonly Version[],
): Promise<readonly Service[]> {
  const seen = versions.filter((one) => isVisible(asked, one))
  const rows = await Promise.all(seen.map(({ id }) => asked.plane.read.get('services', id)))
  return rows.filter((row) => row !== undefined)
}
