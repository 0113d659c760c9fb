// Real time in which a test can jump forward: what was due in between happens at once, in order. So a test of
// an hour's deadline takes no hour, and everything else goes on as usual.

import type { Clock } from '#kernel/ports/clock.ts'

export interface JumpingClock extends Clock {
  /** Returns the new now. */
  jump(ms: number): number
}

interface Timer {
  readonly atMs: number
  readonly fire: () => void
  handle: NodeJS.Timeout
}

const delayMsMax = 2 ** 31 - 1

export function jumpingClock(): JumpingClock {
  let jumpedMs = 0
  const timers = new Set<Timer>()
  const nowMs = () => Date.now() + jumpedMs
  const arm = (timer: Timer): NodeJS.Timeout =>
    setTimeout(
      () => {
        timers.delete(timer)
        timer.fire()
      },
      Math.min(Math.max(0, timer.atMs - nowMs()), delayMsMax),
    )
  return {
    nowMs,
    after(delayMs, then) {
      const atMs = nowMs() + delayMs
      const timer: Timer = { atMs, fire: then, handle: setTimeout(() => {}, 0) }
      clearTimeout(timer.handle)
      timer.handle = arm(timer)
      timers.add(timer)
      return () => {
        timers.delete(timer)
        clearTimeout(timer.handle)
      }
    },
    jump(ms) {
      jumpedMs += ms
      for (const timer of [...timers].toSorted((a, b) => a.atMs - b.atMs)) {
        clearTimeout(timer.handle)
        timer.handle = arm(timer)
      }
      return nowMs()
    },
  }
}
