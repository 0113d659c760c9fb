// Where a driver says that a thing listens, as the address of a web page.

import type { JsonObject } from '#kernel/json.ts'
import { numberIn, textIn } from './json-facts.ts'

/** Undefined when its driver does not say, because it does not run or nothing listens. */
export function seenUrl(evidence: JsonObject): string | undefined {
  const port = numberIn(evidence, 'port')
  const address = textIn(evidence, 'address')
  return port === undefined || address === undefined
    ? undefined
    : `http://${hostInUrl(address)}:${port}`
}

/** In a URL an IPv6 address stands in brackets. */
export const hostInUrl = (address: string): string =>
  address.includes(':') ? `[${address}]` : address
