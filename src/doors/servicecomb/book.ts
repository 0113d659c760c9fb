// One tenant's registry in memory: its versions of microservices by name and alias, who needs whom, the encoded
// instances of those that were asked for, and whole answers by revision. See mirror.ts for how it stays true.

import { createHash } from 'node:crypto'
import type { InstanceId, ProjectId, ServiceId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import { type Dependency, providerKey, providerOf, type Service } from '#kernel/service.ts'
import { textIn } from '../shared/json-facts.ts'
import { encodeInstance, identityOf, kept, keptKeys, publicId, tagsOf } from './wire.ts'

/** One version of a microservice: what finds, watches and lookups need of its row. */
export interface Version {
  readonly id: ServiceId
  readonly project: ProjectId
  readonly publicId: string
  readonly environment: string
  readonly appId: string
  readonly serviceName: string
  readonly version: string
  readonly alias: string
  /** Others of any app find it. */
  readonly isOpen: boolean
  readonly tags: Readonly<Record<string, string>>
  /** Which life of that service its revision counts in. */
  readonly life: string
  readonly revision: number
  readonly createdAtMs: number
  /** How the kernel names all its versions. */
  readonly provider: string
}

export interface Name {
  readonly environment: string
  readonly appId: string
  /** Or an alias. */
  readonly serviceName: string
}

/** How a dependency names a microservice. */
export const nameText = ({ environment, appId, serviceName }: Name): string =>
  `${environment}/${appId}/${serviceName}`

const versionOf = (row: Service): Version => ({
  id: row.id,
  project: row.project,
  publicId: publicId(row),
  ...identityOf(row),
  isOpen: row.labels['allowCrossApp'] === 'true',
  tags: tagsOf(row),
  life: textIn(kept(row, keptKeys.epoch), 'id') ?? String(row.createdAtMs),
  revision: row.revision,
  createdAtMs: row.createdAtMs,
  provider: providerOf(row),
})

/** Bytes of whole answers that one tenant's book keeps. */
const answersMax = 32 * 1024 * 1024

class Index {
  readonly #ids = new Map<string, Set<ServiceId>>()

  add(key: string, id: ServiceId): void {
    const known = this.#ids.get(key)
    if (known) known.add(id)
    else this.#ids.set(key, new Set([id]))
  }

  remove(key: string, id: ServiceId): void {
    const known = this.#ids.get(key)
    known?.delete(id)
    if (known?.size === 0) this.#ids.delete(key)
  }

  get(key: string): Iterable<ServiceId> {
    return this.#ids.get(key) ?? []
  }
}

export class Book {
  readonly project: ProjectId
  /** Open connections: while there are any, it is not forgotten. */
  watchers = 0
  readonly #versions = new Map<ServiceId, Version>()
  readonly #names = new Index()
  readonly #aliases = new Index()
  readonly #dependencies = new Map<string, Dependency>()
  readonly #needs = new Map<ServiceId, Set<string>>()
  readonly #neededBy = new Index()
  readonly #sheets = new Map<ServiceId, Map<InstanceId, string>>()
  readonly #sheetOf = new Map<InstanceId, ServiceId>()
  readonly #answers = new Map<string, { readonly rev: string; readonly body: Buffer }>()
  #answerBytes = 0

  constructor(project: ProjectId) {
    this.project = project
  }

  version(id: ServiceId): Version | undefined {
    return this.#versions.get(id)
  }

  versions(): readonly Version[] {
    return [...this.#versions.values()]
  }

  /** All versions of a microservice, oldest first. An alias is looked for only when none has that name. */
  named(name: Name): readonly Version[] {
    const named = this.#all(this.#names.get(nameText(name)))
    return named.length > 0 ? named : this.aliased(name)
  }

  /** All versions that have this name as their alias, oldest first. */
  aliased(name: Name): readonly Version[] {
    return this.#all(this.#aliases.get(nameText(name)))
  }

  #all(ids: Iterable<ServiceId>): readonly Version[] {
    const versions = []
    for (const id of ids) {
      const version = this.#versions.get(id)
      if (version) versions.push(version)
    }
    return versions.length < 2
      ? versions
      : versions.toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1))
  }

  /** Whether the consumer has said that it needs what has this name. */
  needs(consumer: ServiceId, name: string): boolean {
    return this.#needs.get(consumer)?.has(providerKey(this.project, name)) ?? false
  }

  /** What it has said that it needs, also where that is not open to it. */
  providersOf(consumer: Version): readonly Version[] {
    const found = new Map<ServiceId, Version>()
    for (const provider of this.#needs.get(consumer.id) ?? []) {
      const key = provider.slice(providerKey(this.project, '').length)
      for (const one of [...this.#all(this.#names.get(key)), ...this.#all(this.#aliases.get(key))])
        found.set(one.id, one)
    }
    return [...found.values()]
  }

  consumersOf(provider: Version): readonly Version[] {
    const ids = new Set(this.#neededBy.get(provider.provider))
    if (provider.alias !== '') {
      const alias = nameText({ ...provider, serviceName: provider.alias })
      for (const id of this.#neededBy.get(providerKey(this.project, alias))) ids.add(id)
    }
    return this.#all(ids)
  }

  hasSheet(id: ServiceId): boolean {
    return this.#sheets.has(id)
  }

  /** The encoded instances of these versions as one answer, kept until they change. Their sheets are open. */
  answer(versions: readonly Version[], rev: string): Buffer {
    const key = versions.map(({ id }) => id).join('\n')
    const known = this.#answers.get(key)
    if (known?.rev === rev) return known.body
    const texts = versions.flatMap(({ id }) => [...(this.#sheets.get(id)?.values() ?? [])])
    const body = Buffer.from(texts.length === 0 ? '{}' : `{"instances":[${texts.join(',')}]}`)
    this.#keep(key, { rev, body })
    return body
  }

  #keep(key: string, answer: { readonly rev: string; readonly body: Buffer }): void {
    this.#drop(key)
    this.#answers.set(key, answer)
    this.#answerBytes += answer.body.length
    for (const oldest of this.#answers.keys()) {
      if (this.#answerBytes <= answersMax || oldest === key) return
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#answerBytes -= this.#answers.get(key)?.body.length ?? 0
    this.#answers.delete(key)
  }

  /** The encoded instances of one version, oldest first. Its sheet is open. */
  texts(id: ServiceId): readonly string[] {
    return [...(this.#sheets.get(id)?.values() ?? [])]
  }

  /** @returns false when the service is not there any more. */
  openSheet(id: ServiceId): boolean {
    if (!this.#versions.has(id)) return false
    this.#sheets.set(id, new Map())
    return true
  }

  /** @returns which instances are no longer kept. */
  closeSheets(): readonly InstanceId[] {
    const ids = [...this.#sheetOf.keys()]
    this.#sheets.clear()
    this.#sheetOf.clear()
    this.#answers.clear()
    this.#answerBytes = 0
    return ids
  }

  rowIds(): Iterable<string> {
    return [...this.#versions.keys(), ...this.#dependencies.keys()]
  }

  /** @returns the version when its tags have changed. */
  putService(row: Service): Version | undefined {
    const before = this.#versions.get(row.id)
    const after = versionOf(row)
    this.#versions.set(row.id, after)
    if (before) return sameTags(before, after) ? undefined : after
    this.#names.add(nameText(after), row.id)
    if (after.alias !== '')
      this.#aliases.add(nameText({ ...after, serviceName: after.alias }), row.id)
    return undefined
  }

  removeService(id: ServiceId): readonly InstanceId[] {
    const gone = this.#versions.get(id)
    if (!gone) return []
    this.#versions.delete(id)
    this.#names.remove(nameText(gone), id)
    this.#aliases.remove(nameText({ ...gone, serviceName: gone.alias }), id)
    const left = [...(this.#sheets.get(id)?.keys() ?? [])]
    this.#sheets.delete(id)
    for (const instance of left) this.#sheetOf.delete(instance)
    for (const key of this.#answers.keys()) if (key.split('\n').includes(id)) this.#drop(key)
    return left
  }

  putDependency(row: Dependency): void {
    this.#dependencies.set(row.id, row)
    const known = this.#needs.get(row.serviceId)
    if (known) known.add(row.provider)
    else this.#needs.set(row.serviceId, new Set([row.provider]))
    this.#neededBy.add(row.provider, row.serviceId)
  }

  removeDependency(id: string): void {
    const row = this.#dependencies.get(id)
    if (!row) return
    this.#dependencies.delete(id)
    this.#neededBy.remove(row.provider, row.serviceId)
    const known = this.#needs.get(row.serviceId)
    known?.delete(row.provider)
    if (known?.size === 0) this.#needs.delete(row.serviceId)
  }

  /** @returns whether it is kept: only instances of services that were asked for are. */
  putInstance(row: Instance): boolean {
    const service = row.serviceId
    const sheet = service === null ? undefined : this.#sheets.get(service)
    const version = service === null ? undefined : this.#versions.get(service)
    if (service === null || !sheet || !version) return false
    sheet.set(row.id, JSON.stringify(encodeInstance(row, version.publicId)))
    this.#sheetOf.set(row.id, service)
    return true
  }

  removeInstance(id: InstanceId): void {
    const service = this.#sheetOf.get(id)
    this.#sheetOf.delete(id)
    if (service !== undefined) this.#sheets.get(service)?.delete(id)
  }
}

const sameTags = ({ tags: before }: Version, { tags: after }: Version): boolean => {
  const keys = Object.keys(after)
  return (
    keys.length === Object.keys(before).length && keys.every((key) => before[key] === after[key])
  )
}

/** Without `allowCrossApp`, a service of another app looks as if it had no instances. Source: section 5.2. */
export const isOpenTo = (provider: Version, consumer: Version | undefined): boolean =>
  consumer === undefined || consumer.appId === provider.appId || provider.isOpen

/**
 * Opaque text that is another one for every other content of the same services: each row counts the changes of
 * its instances, and says which life of that service it counts in. Source: section 5.4.
 */
export function revisionOf(versions: readonly Version[]): string {
  const parts = versions.map(({ id, life, revision }) => `${id} ${life} ${revision}`).toSorted()
  return createHash('sha1').update(parts.join('\n')).digest('hex')
}
