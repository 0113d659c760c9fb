// Structured lines on stderr, so that stdout stays for the ready line. Nothing here ever sees a header or a body.

import { type DestinationStream, pino, type Logger } from 'pino'
import { err, ok, type Result } from '#kernel/errors.ts'

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** @param to  for those who read what is written; default: stderr. */
export function logger(level = 'info', to?: DestinationStream): Result<Logger, string> {
  if (!(levels as readonly string[]).includes(level))
    return err(`RUNSTATE_LOG must be one of ${levels.join(', ')}, not ${JSON.stringify(level)}`) // widened: includes() wants the tuple's own union
  return ok(
    pino(
      { level, base: null, redact: ['*.password', '*.secret', '*.token', '*.authorization'] },
      to ?? pino.destination({ dest: 2, sync: false }),
    ),
  )
}
