// The service catalogue: what this server offers, under which address. Derived from the table below and the
// address by which the caller reached us, so it is right behind any port and name.

import { stableId } from './stable-id.ts'

interface ServiceWords {
  readonly type: string
  readonly name: string
  /** On this server. */
  readonly path: string
}

/** Source: contracts/identity.md section 5.1. */
export const services = [
  { type: 'identity', name: 'keystone', path: '/identity/v3' },
  { type: 'compute', name: 'nova', path: '/compute/v2.1' },
  { type: 'image', name: 'glance', path: '/image' },
] as const satisfies readonly ServiceWords[]

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

export const catalogOf = (baseUrl: string, region: string): readonly CatalogEntry[] =>
  services.map(({ type, name, path }) => ({
    id: stableId(`service ${type}`),
    type,
    name,
    endpoints: interfaces.map((side) => ({
      id: stableId(`endpoint ${type} ${side} ${region}`),
      interface: side,
      region,
      region_id: region,
      url: `${baseUrl}${path}`,
    })),
  }))
