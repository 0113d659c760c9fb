// The service catalogue: what this server offers, under which address. Derived from the doors that are open and the
// address by which the caller reached us, so it is right behind any port and name.

import type { Offer } from '../shared/http.ts'
import { stableId } from './stable-id.ts'

/** One address serves all three; some tools are set to ask for one of the others. */
export const interfaces = ['public', 'internal', 'admin'] as const

export interface Endpoint {
  readonly id: string
  readonly interface: string
  readonly region: string
  readonly region_id: string
  readonly url: string
}

export interface CatalogEntry {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly endpoints: readonly Endpoint[]
}

export const catalogOf = (
  baseUrl: string,
  { region, offers }: { readonly region: string; readonly offers: readonly Offer[] },
): readonly CatalogEntry[] =>
  offers.map((offer) => ({
    id: stableId(`service ${offer.type}`),
    type: offer.type,
    name: offer.name,
    endpoints: interfaces.map((side) => ({
      id: stableId(`endpoint ${offer.type} ${side} ${region}`),
      interface: side,
      region,
      region_id: region,
      url: urlOf(baseUrl, offer),
    })),
  }))

/** On a listener of its own it has our name, and another port. */
function urlOf(baseUrl: string, { path, port }: Offer): string {
  if (port === null) return `${baseUrl}${path}`
  const url = new URL(baseUrl)
  url.port = String(port)
  return `${url.origin}${path}`
}
