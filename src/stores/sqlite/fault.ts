// SQLite's result codes as what they mean to whoever called the store.
// Source: https://www.sqlite.org/rescode.html

import { StoreError } from '#kernel/ports/store.ts'

const codes: Readonly<Record<number, StoreError['code']>> = {
  5: 'busy',
  6: 'busy',
  8: 'io', // read-only
  10: 'io',
  11: 'corrupt',
  13: 'full',
  14: 'io', // cannot be opened
  19: 'conflict',
  26: 'corrupt',
}

/** The primary result code; undefined when SQLite did not speak. */
export function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown)) return undefined
  return typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : undefined
}

/** What SQLite says of the world is the store's error; a bug of ours, in SQL or not, stays what it is. */
export function storeError(thrown: unknown): unknown {
  const code = codes[resultCode(thrown) ?? 0]
  if (code === undefined || !(thrown instanceof Error)) return thrown
  return new StoreError(code, `the store failed: ${thrown.message}`, { cause: thrown })
}
