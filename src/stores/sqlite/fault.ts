// SQLite's result codes as what they mean to whoever called the store.
// Source: https://www.sqlite.org/rescode.html

import { StoreError } from '#kernel/ports/store.ts'

const codes: Readonly<Record<number, StoreError['code']>> = {
  5: 'busy',
  6: 'busy',
  11: 'corrupt',
  13: 'full',
  19: 'conflict',
  26: 'corrupt',
}

/** The primary result code; undefined when SQLite did not speak. */
export function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown)) return undefined
  return typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : undefined
}

/** Anything that SQLite did not say is a bug, and stays what it is. */
export function storeError(thrown: unknown): unknown {
  const code = resultCode(thrown)
  if (code === undefined || !(thrown instanceof Error)) return thrown
  return new StoreError(codes[code] ?? 'io', `the store failed: ${thrown.message}`, {
    cause: thrown,
  })
}
