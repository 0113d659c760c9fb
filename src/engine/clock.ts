// The real clock.

import type { Clock } from '#kernel/ports/clock.ts'

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

/** How long work that was told to let go may take to do so, before it is gone on without it. */
const lettingGoMs = 2_000

/**
 * What the work comes to. Its signal aborts with the outer one, or when its time is over; work that has not let go
 * shortly after that is left behind, for `otherwise`.
 */
export function within<T>(
  bounds: { readonly clock: Clock; readonly timeoutMs: number; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
  otherwise: () => T,
): Promise<T> {
  const { clock, timeoutMs, signal: outer } = bounds
  const inner = new AbortController()
  return new Promise<T>((resolve, reject) => {
    const letGo = (why: Error): void => {
      if (inner.signal.aborted) return
      stop()
      stop = clock.after(lettingGoMs, () => {
        end()
        resolve(otherwise())
      })
      inner.abort(why)
    }
    const off = (): void => letGo(calledOff)
    const end = (): void => {
      stop()
      outer.removeEventListener('abort', off)
    }
    let stop = clock.after(timeoutMs, () => letGo(late))
    if (outer.aborted) off()
    else outer.addEventListener('abort', off)
    Promise.try(work, inner.signal).then(
      (value) => {
        end()
        resolve(value)
      },
      (thrown: unknown) => {
        end()
        reject(thrown as Error) // the work's own
      },
    )
  })
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
