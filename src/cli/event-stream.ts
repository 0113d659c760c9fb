// Reads server-sent events and takes a broken stream up again behind the last event that was seen.
// Source: HTML Living Standard, "Server-sent events", section 9.2.6 (parsing) and 9.2.3 (reconnecting).

import { setTimeout } from 'node:timers/promises'
import { type EventShown } from '#doors/native/wire.ts'
import { type Client } from './client.ts'
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

/** Resolves when it is interrupted, or refused; a server that is away is waited for once it has answered. */
export async function followEvents(
  client: Client,
  { query, after, signal, show, say }: Following,
): Promise<Outcome<undefined>> {
  let last = after
  let againMs = againMsMin
  for (let hasAnswered = false; ; ) {
    const from = last === undefined ? {} : { after: String(last) }
    const opened = await client.open('/events/stream', { ...query, ...from }, {}, signal)
    if (signal.aborted) return done(undefined)
    if (!opened.ok && (opened.failure.is !== 'unreachable' || !hasAnswered)) return opened
    if (opened.ok) {
      hasAnswered = true
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
    for await (const chunk of response.body ?? []) {
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
