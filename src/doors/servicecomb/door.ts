// The microservice registry: clients of Service-Center and of the cloud engine built from it register, keep
// themselves alive, find each other, and are taken in and out of service.

import {
  type Answer,
  type DoorKind,
  type Exchange,
  header,
  type House,
  type Unrouted,
} from '../shared/http.ts'
import { rootName } from './accounts.ts'
import { Tenants } from './auth.ts'
import { Connections } from './connections.ts'
import { type Desk, dressed, mounted, notFoundPage, strayTarget } from './call.ts'
import { fault, type Fault, invalid, tooLarge } from './faults.ts'
import { LeaseIds } from './lease-ids.ts'
import { Mirror } from './mirror.ts'
import { adminRole } from './permissions.ts'
import { quotas } from './quota.ts'
import { routes } from './routes.ts'
import { filled, settings, type Settings } from './settings.ts'
import { Beating } from './beating.ts'
import { Watchers } from './watch.ts'
import { doorName, refusal, text } from './wire.ts'

/** The two outside the registry's base are what probes of the original ask. */
const paths = /^\/(v4|registry)(\/|$)|^\/(health|version)$/

export const servicecomb: DoorKind<typeof settings> = {
  name: doorName,
  settings,
  open: (house) => {
    const own = filled(house.settings)
    const connections = new Connections()
    const desk: Desk = {
      house,
      settings: own,
      tenants: new Tenants(house),
      quotas: quotas(house.plane.read, own),
      leaseIds: new LeaseIds(house.plane),
      mirror: new Mirror(house.plane, own.instancesMax),
      connections,
      watchers: new Watchers(connections),
      beating: new Beating(),
      openedAtMs: house.plane.nowMs(),
      ready: ensureRoot(house, own),
    }
    follow(desk)
    return {
      name: doorName,
      routes: routes.map((route) => mounted(route, desk)),
      claims: ({ rawPath }) => paths.test(rawPath.replaceAll(/\/{2,}/g, '/')),
      refuse: (why, exchange, allow) => {
        const answer = strayTarget(exchange) ?? unrouted({ why, exchange, allow, own })
        return dressed(answer, exchange, own)
      },
      close: () => connections.close(),
    }
  },
}

const accountPaths = /^\/v4\/(token|self-perms|accounts|account-locks|roles)(\/|$)/

async function ensureRoot({ identity }: House, { rbac, rootPassword }: Settings): Promise<void> {
  if (rbac && rootPassword !== undefined)
    await identity.accounts.ensure(rootName, rootPassword, adminRole)
}

/** One follower for all: who watches is told while the mirror knows both what came and what is about to go. */
function follow({ house, mirror, watchers, beating }: Desk): void {
  const bookOf = mirror.known.bind(mirror)
  house.plane.follow((events, commit) => {
    mirror.follow(commit, (retagged) => watchers.tell(bookOf, { events, commit, retagged }))
    beating.follow(commit)
  })
}

const faults = {
  'too-large': tooLarge,
  malformed: invalid('The request cannot be read.'),
  overloaded: { code: '429001', detail: '', retryAfterMs: 1_000 },
  unavailable: fault('500011'),
  internal: fault('500003'),
} as const satisfies Partial<Record<Unrouted, Fault>>

interface Stray {
  readonly why: Unrouted
  readonly exchange: Exchange
  readonly allow: readonly string[]
  readonly own: Settings
}

function unrouted({ why, exchange, allow, own }: Stray): Answer {
  const preflight = own.cors ? preflightOf(exchange) : undefined
  if (preflight) return preflight
  if (why === 'not-found') return notFoundPage
  // Where accounts are not asked for, their paths are not there, whatever the method.
  if (!own.rbac && accountPaths.test(exchange.rawPath)) return notFoundPage
  if (why !== 'method-not-allowed') return refusal(faults[why], own.errorBody)
  const refused = text(405, 'Method Not Allowed', 'text/plain; charset=utf-8')
  return { ...refused, headers: { ...refused.headers, allow: allow.join(', ') } }
}

/** Source: contracts/cse-registry.md section 1.2, "CORS". */
function preflightOf(exchange: Exchange): Answer | undefined {
  const method = header(exchange, 'access-control-request-method')
  if (exchange.method !== 'OPTIONS' || header(exchange, 'origin') === undefined) return undefined
  if (method === undefined || !methods.has(method)) return undefined
  return {
    status: 200,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': method,
      'access-control-allow-headers': 'Origin, Accept, Content-Type, X-Domain-Name, X-ConsumerId',
    },
    body: '',
  }
}

const methods: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST', 'DELETE'])
