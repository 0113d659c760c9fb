// What drivers are given in tests that take their time from the machine and say nothing.

import { realClock } from '#engine/clock.ts'

export const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

export const realWorld = { clock: realClock, log: quiet }
