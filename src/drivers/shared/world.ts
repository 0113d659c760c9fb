// What every driver is given, and the few things that all of them do alike. No driver is named here.

import type { Clock } from '#kernel/ports/clock.ts'
import { err, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { DriverError } from '#kernel/request.ts'

/** The part of a pino logger that drivers use. See https://getpino.io/#/docs/api?id=logger */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface DriverWorld {
  readonly clock: Clock
  readonly log: Log
}

/** What an act came to: the handle to keep, or why not. */
export type Acted = Result<{ readonly handle: JsonObject }, DriverError>

/** May be tried again. */
export const failed = (message: string, evidence: JsonObject = {}) =>
  err<DriverError>({ code: 'failed', message, evidence })

/** May be tried again: the outside did not answer in time, or the caller lost patience. */
export const timedOut = (message: string) => err<DriverError>({ code: 'timeout', message })

/** Not to be tried again: asking the same once more cannot help. */
export const refused = (message: string) => err<DriverError>({ code: 'refused', message })

export const unsupported = (message: string) => err<DriverError>({ code: 'unsupported', message })

/** A worker that was overtaken by a later act on the same thing (law 4). */
export const stale = (attempt: number, latest: number) =>
  refused(`attempt ${attempt} is older than attempt ${latest}, which has acted since`)

export const calledOff = (act: string) => timedOut(`${act} was called off before it was done`)

/** Keeps listeners, and tells all of them; used for hints. */
export interface Listeners<T> {
  add(listener: (value: T) => void): () => void
  tell(value: T): void
  clear(): void
}

export function listeners<T>(): Listeners<T> {
  const all = new Set<(value: T) => void>()
  return {
    add(listener) {
      // Wrapped, so that one function added twice is called off once at a time.
      const own = (value: T) => listener(value)
      all.add(own)
      return () => void all.delete(own)
    },
    tell(value) {
      for (const listener of all) listener(value)
    },
    clear: () => all.clear(),
  }
}

/** A message for people from whatever was thrown; system errors keep their code. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)

/** The disk, or this user's part of it, is full. */
export const isNoRoom = (thrown: unknown): boolean =>
  codeOf(thrown) === 'ENOSPC' || codeOf(thrown) === 'EDQUOT'

/** The code of a system error (`ENOENT`), or undefined for anything else. */
export function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}
