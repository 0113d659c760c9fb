// Reads server-sent events and takes a broken stream up again behind the last event that was seen.
// Source: HTML Living Standard, "Server-sent events", section 9.2.6 (parsing) and 9.2.3
// (reconnecting).

import { setTimeout } from 'node:timers/promises'
import type { EventPageShown, EventShown } from '#doors/native/wire.ts'
import type { Client } from './client.ts'
import { done, type Outcome } from './outcome.ts'

interface Following {
  readonly query: Readonly<Record<string, string | undefined>>
  readonly after: number | undefined
  /** Ends it, as its only good end. */
  readonly signal: AbortSignal
  readonly show: (event: EventShown) => void
  readonly say: (text: string) => void
}

const againMsMin = 500
const againMsMax = 10_000

/** Resolves when it is interrupted, or refused; a server that goes away is waited for. */
export async function followEvents(
  client: Client,
  { query, after, signal, show, say }: Following,
): Promise<Outcome<undefined>> {
  const begun = after === undefined ? await newestOf(client) : done(after)
  if (!begun.ok) return begun
  let last = begun.value
  let againMs = againMsMin
  for (;;) {
    const opened = await client.open('/events/stream', { ...query, after: String(last) }, signal)
    if (signal.aborted) return done(undefined)
    if (!opened.ok && opened.failure.is !== 'unreachable') return opened
    if (opened.ok) {
      againMs = againMsMin
      for await (const event of eventsIn(opened.value, signal)) {
        last = event.seq
        show(event)
      }
      if (signal.aborted) return done(undefined)
      say('the stream ended; taking it up again')
    }
    await pause(againMs, signal)
    if (signal.aborted) return done(undefined)
    againMs = Math.min(againMsMax, againMs * 2)
  }
}

/**
 * Where to begin is fixed before the first stream: one that breaks before its first event loses
 * nothing either.
 */
async function newestOf(client: Client): Promise<Outcome<number>> {
  const query = { newest: 'true', limit: '1' }
  const page = await client.get<EventPageShown>('/events', { query })
  return page.ok ? done(page.value.items[0]?.seq ?? 0) : page
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal })
  } catch {
    // Interrupted: the caller looks at the signal.
  }
}

/** Ends when the stream does, however it does: whoever reads on knows where to go on. */
async function* eventsIn(response: Response, signal: AbortSignal): AsyncGenerator<EventShown> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    const body = response.body as AsyncIterable<Uint8Array> // a stream that is open has one, of bytes
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = block.split('\n').filter((line) => line.startsWith('data: '))
        if (data.length > 0)
          yield JSON.parse(data.map((line) => line.slice(6)).join('\n')) as EventShown // our own door's stream holds nothing else
      }
    }
  } catch (thrown) {
    // A broken connection ends the stream as a closed one does; anything else is a bug.
    if (!signal.aborted && !(thrown instanceof TypeError)) throw thrown
  }
}
