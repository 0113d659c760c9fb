// Events as they happen, as server-sent events: `id:` is the event's number, and who comes back
// with it (in `Last-Event-ID` or `after`) goes on where he stopped, without gaps and without
// doubles.
//
// - It listens first and reads the store afterwards; what was committed meanwhile waits, and what
//   comes both ways    is told apart by its number. When too much waits, it is dropped and read
//   from the store again.
// - A reader who does not keep up is closed: he may come back, and he slows nobody meanwhile.
// - Who lost his right to see (token ended, role taken) is closed at the next heartbeat.

import { Readable } from 'node:stream'
import type { Event } from '#kernel/event.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { EventQuery } from '#kernel/ports/store.ts'
import { header } from '../shared/http.ts'
import { callerOf } from './auth.ts'
import type { StreamEventsQuery } from './bodies.ts'
import { showEvent } from './encode.ts'
import type { Asked, Reply } from './endpoint.ts'
import { type Fault, faultOf, ownFault } from './faults.ts'
import { historyId, projectsOf } from './lookups.ts'
import type { Settings } from './settings.ts'

type Filter = Omit<EventQuery, 'after' | 'limit' | 'newestFirst' | 'before'>

export interface Source {
  readonly filter: Filter
  readonly after: number
  readonly settings: Settings
  readonly plane: Pick<Plane, 'follow'> & { readonly read: Pick<Plane['read'], 'events'> }
  readonly closing: AbortSignal
  /** Whether the caller may still see what he sees. */
  readonly isStillAllowed: () => Promise<boolean>
  readonly onClosed: () => void
}

const pageSize = 500
/** Bytes that may wait before reading the store stops for the reader. */
const comfortable = 65_536
const waitingMax = 2_000

export class EventStream extends Readable {
  readonly #source: Source
  readonly #unfollow: () => void
  readonly #heartbeat: NodeJS.Timeout
  /** The number of the last event that was sent. */
  #last: number
  /** What was committed while the store is being read; null once the stream is live. */
  #waiting: Event[] | null = []
  /** Resumes the reading of the store; set while it waits for the reader. */
  #resume: (() => void) | null = null
  #wasStuck = false

  constructor(source: Source) {
    super({ highWaterMark: comfortable })
    this.#source = source
    this.#last = source.after
    this.push('retry: 2000\n\n')
    this.#unfollow = source.plane.follow((events) => this.#hear(events))
    const beat = (): void => this.#guarded(this.#beat())
    this.#heartbeat = setInterval(beat, source.settings.heartbeatMs).unref()
    this.#guarded(this.#catchUp())
    source.closing.addEventListener('abort', this.#close)
  }

  readonly #close = (): void => void this.destroy()

  /** The reader has room again. What is live needs no asking: it was pushed. */
  override _read(): void {
    this.#resume?.()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearInterval(this.#heartbeat)
    this.#source.closing.removeEventListener('abort', this.#close)
    this.#unfollow()
    this.#resume?.()
    this.#source.onClosed()
    done(error)
  }

  async #catchUp(): Promise<void> {
    const { plane, filter } = this.#source
    while (!this.destroyed) {
      const page = await plane.read.events({ ...filter, after: this.#last, limit: pageSize })
      for (const event of page) this.#send(event)
      if (page.length === pageSize) await this.#drained()
      else if (this.#goLive()) return
    }
  }

  async #drained(): Promise<void> {
    if (this.readableLength < comfortable || this.destroyed) return
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#resume = () => resolve(undefined)
    await promise
    this.#resume = null
  }

  /** False: so much came meanwhile that it was dropped, and the store has to be read once more. */
  #goLive(): boolean {
    const waiting = this.#waiting ?? []
    const isWhole = waiting.length <= waitingMax
    this.#waiting = isWhole ? null : []
    if (isWhole) this.#hear(waiting)
    return isWhole
  }

  #hear(events: readonly Event[]): void {
    const { filter } = this.#source
    for (const event of events) {
      if (!fits(filter, event)) continue
      if (this.#waiting === null) this.#sendLive(event)
      else if (this.#waiting.length <= waitingMax) this.#waiting.push(event)
    }
  }

  #sendLive(event: Event): void {
    if (this.readableLength > this.#source.settings.streamBytesMax) this.destroy()
    else this.#send(event)
  }

  #send(event: Event): void {
    if (event.seq <= this.#last || this.destroyed) return
    this.#last = event.seq
    this.push(`id: ${event.seq}\ndata: ${JSON.stringify(showEvent(event))}\n\n`)
  }

  /**
   * Closes a reader who took nothing for a whole beat though enough waits, and one who may not see
   * any more.
   */
  async #beat(): Promise<void> {
    const isStuck = this.readableLength >= comfortable
    if (isStuck && this.#wasStuck) this.destroy()
    this.#wasStuck = isStuck
    if (!(await this.#source.isStillAllowed())) this.destroy()
    if (!this.destroyed && !isStuck) this.push(':\n\n')
  }

  #guarded(work: Promise<void>): void {
    work.catch((error: unknown) =>
      this.destroy(error instanceof Error ? error : new Error(String(error))),
    )
  }
}

const fits = (filter: Filter, event: Event): boolean =>
  (filter.project === undefined || filter.project === event.project) &&
  (filter.instanceId === undefined || filter.instanceId === event.instanceId) &&
  (filter.types === undefined || filter.types.includes(event.type))

/**
 * How many streams are open on a plane: sockets of this process, so nothing that a row could hold.
 */
const open = new WeakMap<Plane, number>()

export async function streamEvents(asked: Asked<StreamEventsQuery>): Promise<Result<Reply, Fault>> {
  const { query, plane, house, exchange } = asked
  const project = projectsOf(asked, query.allProjects)
  if (!project.ok) return project
  const after = await startOf(asked)
  if (!after.ok) return after
  const instance = query.instance === undefined ? undefined : await historyId(asked, query.instance)
  const count = open.get(plane) ?? 0
  if (count >= house.settings.streamsMax)
    return err(ownFault('TooManyStreams', { detail: 'Come back later.', retryAfterMs: 5000 }))
  open.set(plane, count + 1)
  const body = new EventStream({
    filter: {
      ...(project.value === undefined ? {} : { project: project.value }),
      ...(instance === undefined ? {} : { instanceId: instance }),
      ...(query.type === undefined ? {} : { types: query.type }),
    },
    after: after.value,
    settings: house.settings,
    plane,
    closing: asked.signal,
    isStillAllowed: async () => {
      const caller = await callerOf(exchange, asked.identity)
      return (
        caller.ok &&
        caller.value.role !== null &&
        (asked.caller.role !== 'admin' || caller.value.role === 'admin')
      )
    },
    onClosed: () => open.set(plane, (open.get(plane) ?? 1) - 1),
  })
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  }
  return ok({ status: 200, headers, body })
}

/**
 * A browser that comes back sends the header, and the query that it began with: the header is the
 * newer word.
 */
async function startOf({
  exchange,
  query,
  plane,
}: Asked<StreamEventsQuery>): Promise<Result<number, Fault>> {
  const sent = header(exchange, 'last-event-id')
  if (sent === undefined || sent === '') return ok(query.after ?? (await plane.read.lastEvent()))
  if (/^\d{1,15}$/.test(sent)) return ok(Number(sent))
  return err(
    faultOf({
      code: 'BadField',
      field: 'Last-Event-ID',
      fault: 'value',
      expected: 'the id of an event',
    }),
  )
}
