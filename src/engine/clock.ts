// The real clock.

import { type Clock } from '#kernel/ports/clock.ts'

/** setTimeout fires at once beyond this. */
const delayMsMax = 2 ** 31 - 1

export const realClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, then) {
    const timer = setTimeout(then, Math.min(Math.max(0, delayMs), delayMsMax))
    return () => clearTimeout(timer)
  },
}

/** Said once: an abort without a reason makes an error with a stack each time. */
const calledOff = new Error('called off')
const late = new Error('its time is over')
export const callOff = (controller: AbortController): void => controller.abort(calledOff)

/** A signal that aborts with another one, or after the delay; `end` forgets it. Cheaper than `AbortSignal.any`. */
export function within(
  clock: Clock,
  delayMs: number,
  outer: AbortSignal,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const inner = new AbortController()
  const off = (): void => callOff(inner)
  const stop = clock.after(delayMs, () => inner.abort(late))
  if (outer.aborted) off()
  else outer.addEventListener('abort', off)
  const end = (): void => {
    stop()
    outer.removeEventListener('abort', off)
  }
  return { signal: inner.signal, end }
}

/** Resolves after the delay, or at once when the signal aborts. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const stop = clock.after(delayMs, done)
    function done(): void {
      stop()
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
  })
}
