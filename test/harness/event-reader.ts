// Reads a stream of server-sent events as a browser would, and says what it heard.

import { get, type IncomingMessage } from 'node:http'
import type { EventShown } from '#doors/native/wire.ts'
import { until } from './world.ts'

export interface EventReader {
  readonly status: number
  readonly contentType: string | null
  readonly events: readonly EventShown[]
  /** Lines that begin with a colon. */
  readonly comments: () => number
  readonly isEnded: () => boolean
  /** Resolves once so many events were heard. */
  heard(count: number): Promise<void>
  ended(): Promise<void>
  leave(): void
}

export async function readEvents(
  url: string,
  token: string,
  {
    query = '',
    headers = {},
  }: { readonly query?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<EventReader> {
  const response = await opened(`${url}/events/stream${query}`, {
    authorization: `Bearer ${token}`,
    ...headers,
  })
  const events: EventShown[] = []
  let comments = 0
  let isEnded = false
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    const blocks = (text + chunk).split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      if (block.startsWith(':')) comments += 1
      const [, id] = /^id: (\d+)$/m.exec(block) ?? []
      const [, data] = /^data: (.*)$/m.exec(block) ?? []
      if (data === undefined) continue
      const event = JSON.parse(data) as EventShown // what the stream holds
      if (String(event.seq) !== id) throw new Error(`event ${event.seq} has the id ${id}`)
      events.push(event)
    }
  })
  response.on('close', () => (isEnded = true))
  // A stream that is cut off has ended, however it was cut off.
  response.on('error', () => undefined)
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? null,
    events,
    comments: () => comments,
    isEnded: () => isEnded,
    heard: async (count) =>
      void (await until(
        async () => events.length,
        (heard) => heard >= count,
      )),
    ended: async () => void (await until(async () => isEnded, Boolean)),
    leave: () => response.destroy(),
  }
}

/**
 * A connection of its own: one that is shared could be closed, or kept, by what else runs on it.
 */
function opened(url: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  get(url, { headers, agent: false }, resolve).on('error', reject)
  return promise
}
