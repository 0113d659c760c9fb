// Waits for the end of an operation. A server that goes away meanwhile may come back and carry it
// on, so only time or the person at the keyboard ends the wait; neither ends the operation.

import { setTimeout } from 'node:timers/promises'
import type { OperationShown } from '#doors/native/wire.ts'
import type { Client } from './client.ts'
import { failed, type Outcome } from './outcome.ts'

export interface Patience {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Told of what is under way each time somebody looked. */
  readonly seen: (text: string) => void
}

/** Short, so that what a terminal shows is fresh. */
const lookS = 1
const againMs = 500

export async function waitForEnd(
  client: Client,
  operation: string,
  { timeoutMs, signal, seen }: Patience,
): Promise<Outcome<OperationShown>> {
  const untilMs = Date.now() + timeoutMs
  for (;;) {
    const leftMs = untilMs - Date.now()
    const waitS = Math.max(0, Math.min(lookS, Math.floor(leftMs / 1000)))
    const looked = await client.get<OperationShown>(`/operations/${operation}`, { waitS, signal })
    if (signal.aborted) return failed({ is: 'interrupted', operation })
    if (!looked.ok && looked.failure.is !== 'unreachable') return looked
    if (looked.ok && looked.value.state !== 'running') {
      return looked.value.state === 'succeeded'
        ? looked
        : failed({ is: 'ended', operation: looked.value })
    }
    seen(looked.ok ? stepOf(looked.value) : 'the server does not answer')
    if (Date.now() >= untilMs) return failed({ is: 'timed-out', operation, afterMs: timeoutMs })
    if (!looked.ok || waitS === 0)
      await setTimeout(Math.min(againMs, Math.max(1, untilMs - Date.now())))
  }
}

function stepOf({ verb, rung, step, undoing }: OperationShown): string {
  const hard = rung === null ? '' : ` (${rung})`
  if (step === null) return `${verb}${hard}`
  const tries = step.tries === 0 ? '' : `, try ${step.tries + 1}`
  return `${verb}${hard} ${undoing ? 'undo ' : ''}${step.number}/${step.of} ${step.name}${tries}`
}

/** Aborts at the first Ctrl-C; the second one ends the process as usual. */
export function untilInterrupted(): { readonly signal: AbortSignal; readonly end: () => void } {
  const interrupted = new AbortController()
  const stop = (): void => interrupted.abort()
  process.once('SIGINT', stop)
  return { signal: interrupted.signal, end: () => void process.off('SIGINT', stop) }
}

/** At most so many at once; answers in the order of the items. */
export async function inParallel<Item, Answer>(
  items: readonly Item[],
  atOnceMax: number,
  work: (item: Item) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  const queue = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift())
      answers[next[0]] = await work(next[1])
  }
  await Promise.all(Array.from({ length: Math.min(atOnceMax, items.length) }, worker))
  return answers
}
