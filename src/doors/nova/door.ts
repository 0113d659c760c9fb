// Upstream's compute API, twice: at `/compute/v2.1` as the service catalogue advertises it, and at `/v2.1` as the
// bare-metal service of one cloud documents the same calls. One set of handlers, one truth, two dialects; plus
// the image service that compute clients insist on.
//
// Source: contracts/openstack-compute.md.

import type { DoorKind, Exchange, Unrouted } from '../shared/http.ts'
import { absent } from './absent.ts'
import { finished, type Mount } from './call.ts'
import { type NovaFault, noSuchRoute, refusal, unavailable, unexpected } from './faults.ts'
import { imagePrefix, refused } from './images.ts'
import { doorName } from './kept.ts'
import { negotiate, versionMin, versionText } from './microversion.ts'
import { mounts, routesOf } from './routes.ts'
import { novaSettings } from './settings.ts'
import { choices } from './versions.ts'

export const nova: DoorKind<typeof novaSettings> = {
  name: doorName,
  settings: novaSettings,
  open: (house) => ({
    name: doorName,
    routes: routesOf(house),
    absent,
    claims: ({ rawPath }) => isImage(rawPath) || mountOf(rawPath) !== undefined,
    refuse,
  }),
}

const isBelow = (path: string, prefix: string): boolean =>
  path === prefix || path.startsWith(`${prefix}/`)

const isImage = (path: string): boolean => isBelow(path, imagePrefix)

/** The root mount is at home only below its versions: what else is at `/` belongs to others. */
const mountOf = (path: string): Mount | undefined =>
  mounts.find(({ prefix }) =>
    prefix === ''
      ? isBelow(path, '/v2.1') || isBelow(path, '/v2') || path === '/'
      : isBelow(path, prefix),
  )

const unrouted = {
  'not-found': noSuchRoute,
  // Source: contract, section 2.3; upstream's router knows no other methods of a path.
  'method-not-allowed': noSuchRoute,
  'too-large': { status: 413, message: 'Request is too large.' },
  malformed: { status: 400, message: 'Malformed request' },
  overloaded: {
    status: 503,
    message: 'The server is busy. Try again later.',
    retryAfterMs: 1000,
  },
  unavailable,
  internal: unexpected,
} as const satisfies Record<Unrouted, NovaFault>

function refuse(why: Unrouted, exchange: Exchange): ReturnType<typeof refusal> {
  const fault: NovaFault = unrouted[why]
  const path = exchange.rawPath
  if (isImage(path)) return refused(exchange, fault.status, fault.message)
  const mount = mountOf(path)
  const isUnversioned = mount !== undefined && !isBelow(path, `${mount.prefix}/v2.1`)
  if (why === 'not-found' && isUnversioned) return choices(exchange, mount)
  const negotiated = negotiate(exchange)
  const version = negotiated.ok ? negotiated.value.version : versionMin
  return finished(exchange, refusal(fault), versionText(version))
}
