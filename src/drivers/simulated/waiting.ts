// Waiting on the kernel's clock, so that tests move the time by hand.

import type { Clock } from '#kernel/ports/clock.ts'

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}

/** True when the delay has passed, false when it was called off. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (delayMs <= 0) return Promise.resolve(!signal.aborted)
  return new Promise((done) => {
    const stop = clock.after(delayMs, () => {
      signal.removeEventListener('abort', callOff)
      done(true)
    })
    const callOff = () => {
      stop()
      done(false)
    }
    if (signal.aborted) callOff()
    else signal.addEventListener('abort', callOff, { once: true })
  })
}
