// Which version of the API a request wants. Within one major version Nova counts minor ones ("microversions"):
// a caller names one per request and gets exactly the fields and routes of it.
//
// Each changes bodies or rules, so the maximum may only rise to a number up to which every change is done. Which
// version brought what is written where it shows: `since` of a route, the schemas of bodies.ts, the fields of wire.ts.
// Source: contract, section 3.2; openstack/nova nova/api/openstack/wsgi.py, microversion-parse.

import { err, ok, type Result } from '#kernel/errors.ts'
import { type Exchange, header } from '../shared/http.ts'
import type { NovaFault } from './faults.ts'

/** The minor number; the major one is always 2. */
export type Microversion = number

export const versionMin: Microversion = 1
export const versionMax: Microversion = 93

export const versionText = (version: Microversion): string => `2.${version}`

export interface Negotiated {
  readonly version: Microversion
  /** The caller named a version: only OpenStack's own clients do so without being told to. */
  readonly isAsked: boolean
}

export interface Refused {
  readonly fault: NovaFault
  /** The version that the headers of the refusal repeat; null: they carry none. */
  readonly echo: string | null
}

export function negotiate(exchange: Pick<Exchange, 'headers'>): Result<Negotiated, Refused> {
  const asked = askedIn(exchange)
  if (asked === undefined) return ok({ version: versionMin, isAsked: false })
  if (asked === 'latest') return ok({ version: versionMax, isAsked: true })
  const parts = /^([1-9]\d*)\.([1-9]\d*|0)$/.exec(asked)
  if (!parts) return err({ fault: malformed(asked), echo: null })
  const minor = Number(parts[2])
  const isServed = parts[1] === '2' && minor >= versionMin && minor <= versionMax
  return isServed
    ? ok({ version: minor, isAsked: true })
    : err({ fault: outside(asked), echo: asked })
}

/** The newer header wins when it speaks of compute; what it says of other services is not for us. */
function askedIn(exchange: Pick<Exchange, 'headers'>): string | undefined {
  const entries = (header(exchange, 'openstack-api-version') ?? '').split(',')
  for (const entry of entries) {
    const [service, version, ...rest] = entry.trim().split(/\s+/)
    if (service?.toLowerCase() === 'compute' && rest.length === 0) return version ?? ''
  }
  return header(exchange, 'x-openstack-nova-api-version')?.trim()
}

const malformed = (asked: string): NovaFault => ({
  status: 400,
  message: `API Version String ${asked.slice(0, 64)} is of invalid format. Must be of format MajorNum.MinorNum.`,
})

const outside = (asked: string): NovaFault => ({
  status: 406,
  message: `Version ${asked} is not supported by the API. Minimum is ${versionText(versionMin)} and maximum is ${versionText(versionMax)}.`,
})

/** On every answer whose version was settled, good or bad. */
export const versionHeaders = (text: string): Readonly<Record<string, string>> => ({
  'openstack-api-version': `compute ${text}`,
  'x-openstack-nova-api-version': text,
})
