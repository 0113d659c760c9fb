// Who is told what: a watcher is told of the instances of every microservice that its own one needs, once for each
// change, as the change is committed. Nothing is replayed, and nothing is kept for who is not connected.
// Source: contracts/cse-registry.md section 6.

import type { Event } from '#kernel/event.ts'
import type { ProjectId, ServiceId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Commit } from '#kernel/ports/store.ts'
import type { Connections, Link } from './connections.ts'
import type { Frame } from './push.ts'
import { type Book, isOpenTo, type Version } from './book.ts'
import { encodeInstance, type Shown, shownFrom, struct } from './wire.ts'

export const gone = 'service does not exist'
/** Source: section 9.8. */
export const goneCode = 1008

type Action = 'CREATE' | 'UPDATE' | 'DELETE' | 'EXPIRE'

/** A tenant as its watchers name it: `<domain>/<project>`. */
export type TenantText = string

interface Watcher {
  readonly link: Link
  readonly tenant: TenantText
}

interface Change {
  readonly action: Action
  readonly provider: Version
  readonly instance: Shown | null
  readonly rowId: string
}

export class Watchers {
  readonly #connections: Connections
  readonly #byConsumer = new Map<ServiceId, Set<Watcher>>()

  constructor(connections: Connections) {
    this.#connections = connections
  }

  get size(): number {
    return this.#byConsumer.size
  }

  /** @returns how to stop. */
  add(consumer: ServiceId, watcher: Watcher): () => void {
    const known = this.#byConsumer.get(consumer) ?? new Set()
    this.#byConsumer.set(consumer, known)
    known.add(watcher)
    return () => {
      known.delete(watcher)
      if (known.size === 0 && this.#byConsumer.get(consumer) === known)
        this.#byConsumer.delete(consumer)
    }
  }

  /** Called for each commit while the tenants' memory holds both what came and what is about to go. */
  tell(
    bookOf: (project: ProjectId) => Book | undefined,
    { events, commit, retagged }: Committed,
  ): void {
    if (this.#byConsumer.size === 0) return
    const rows = rowsIn(commit)
    for (const event of events) {
      const book = event.project === null ? undefined : bookOf(event.project)
      if (!book) continue
      if (event.type === 'service.removed') this.#end(event.subject as ServiceId) // that event's subject
      const change = changeIn(event, book, rows)
      if (change) this.#send(change, watching(book, change.provider))
    }
    for (const consumer of retagged) this.#expire(consumer, bookOf)
  }

  /** Its tags decide what it may see: what it knows of its providers is to be asked for again. */
  #expire(consumer: Version, bookOf: (project: ProjectId) => Book | undefined): void {
    if (!this.#byConsumer.has(consumer.id)) return
    const book = bookOf(consumer.project)
    for (const provider of book?.providersOf(consumer) ?? [])
      if (isOpenTo(provider, consumer))
        this.#send({ action: 'EXPIRE', provider, instance: null, rowId: provider.id }, [consumer])
  }

  #end(service: ServiceId): void {
    for (const { link } of this.#byConsumer.get(service) ?? []) link.farewell(gone, goneCode)
  }

  #send(change: Change, consumers: readonly Version[]): void {
    const frames = new Map<TenantText, Frame>()
    for (const consumer of consumers)
      for (const { link, tenant } of this.#byConsumer.get(consumer.id) ?? []) {
        const frame = frames.get(tenant) ?? encodeFrame(change, tenant)
        frames.set(tenant, frame)
        this.#connections.send(link, frame)
      }
  }
}

const watching = (book: Book, provider: Version): readonly Version[] =>
  book.consumersOf(provider).filter((consumer) => isOpenTo(provider, consumer))

export interface Committed {
  readonly events: readonly Event[]
  readonly commit: Commit
  readonly retagged: readonly Version[]
}

function rowsIn({ writes }: Commit): ReadonlyMap<string, Instance> {
  const rows = new Map<string, Instance>()
  for (const write of writes)
    if (write.table === 'instances' && 'row' in write) rows.set(write.row.id, write.row)
  return rows
}

const actions: { readonly [Type in Event['type']]?: Action } = {
  'instance.created': 'CREATE',
  'instance.registered': 'UPDATE',
  'instance.status': 'UPDATE',
  'instance.updated': 'UPDATE',
  'instance.state': 'DELETE',
}

function changeIn(
  event: Event,
  book: Book,
  rows: ReadonlyMap<string, Instance>,
): Change | undefined {
  const action = actions[event.type]
  const service = event.data['service']
  const provider = typeof service === 'string' ? book.version(service as ServiceId) : undefined // an event's service is a row's id
  if (action === undefined || !provider) return undefined
  // A state is the sum of what was told, which has events of its own; only the last one has `last`.
  const isOver = event.data['last'] !== undefined
  if (action === 'DELETE' && !isOver) return undefined
  const instance = shownFrom(event, rows.get(event.subject))
  return instance && { action, provider, instance, rowId: event.subject }
}

function encodeFrame({ action, provider, instance, rowId }: Change, tenant: TenantText): Frame {
  const { environment, appId, serviceName, alias, version, publicId } = provider
  const text = JSON.stringify(
    struct({
      action,
      key: struct({ tenant, environment, appId, serviceName, alias, version }),
      instance: instance && encodeInstance(instance, publicId),
    }),
  )
  return {
    instance: rowId,
    isLast: action === 'DELETE',
    of: { service: provider.id, revision: provider.revision },
    text: Buffer.from(text),
  }
}
