// Time that stands still until a test moves it. What is due happens in order, and between two moments everything
// that needs no time runs to its end: so a walk with one seed is the same walk every time. As on a real machine,
// what the clock on the wall says may jump either way, and no timer is the sooner or the later for it.

import type { Clock } from '#kernel/ports/clock.ts'

export interface HandClock {
  nowMs(): number
  /** The clock of one process: after `stop` nothing of it ever fires. */
  life(): Life
  /** Counts what a process does besides waiting: reads, commits. */
  stir(): void
  /** Lets everything run that needs no time. */
  settle(): Promise<void>
  advance(ms: number): Promise<void>
  /** Sets the clock on the wall forward, or back. */
  jump(ms: number): void
}

/** `ranMs`: how much time has passed, whatever the clock on the wall says. */
export type Life = Clock & { stop(): void; ranMs(): number }

interface Timer {
  readonly atMs: number
  readonly nth: number
  readonly fire: () => void
}

/** A turn without a stir may only pass the word on; so many in a row are the end. */
const stillTurns = 3

export function handClock(startMs = 1_700_000_000_000): HandClock {
  let passedMs = 0
  let wallMs = startMs
  let stirs = 0
  const timers = new Set<Timer>()

  async function settle(): Promise<void> {
    for (let still = 0; still < stillTurns; still++) {
      const before = stirs
      await new Promise((resolve) => setImmediate(resolve))
      if (stirs !== before) still = -1
    }
  }

  function next(untilMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of timers) {
      if (timer.atMs > untilMs) continue
      const isSooner =
        !first || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.nth < first.nth)
      if (isSooner) first = timer
    }
    return first
  }

  function life(): Life {
    const own = new Set<Timer>()
    let isStopped = false
    return {
      nowMs: () => wallMs + passedMs,
      ranMs: () => passedMs,
      after(delayMs, then) {
        stirs++
        const drop = (): void => {
          own.delete(timer)
          timers.delete(timer)
        }
        const fire = (): void => {
          drop()
          then()
        }
        const timer: Timer = { atMs: passedMs + Math.max(0, Math.ceil(delayMs)), nth: stirs, fire }
        if (!isStopped) {
          own.add(timer)
          timers.add(timer)
        }
        return drop
      },
      stop() {
        isStopped = true
        for (const timer of own) timers.delete(timer)
      },
    }
  }

  return {
    nowMs: () => wallMs + passedMs,
    life,
    settle,
    stir: () => void stirs++,
    async advance(ms) {
      const untilMs = passedMs + ms
      await settle()
      for (let timer = next(untilMs); timer; timer = next(untilMs)) {
        passedMs = Math.max(passedMs, timer.atMs)
        timer.fire()
        await settle()
      }
      passedMs = untilMs
    },
    jump: (ms) => void (wallMs += ms),
  }
}
