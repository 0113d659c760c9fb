// For probes and scrapers. None needs a token, and none tells a name.

import type { Registry } from 'prom-client'
import type { Door, Route } from '#doors/shared/http.ts'
import type { Event } from '#kernel/event.ts'
import { kindNames } from '#kernel/kinds.ts'
import type { Plane } from '#kernel/ports/plane.ts'

export interface Vitals {
  readonly plane: Plane
  readonly depth: () => number
  readonly stopping: () => boolean
}

export function healthDoor(vitals: Vitals): Door {
  const told = counting(vitals.plane)
  let registry: Promise<Registry> | undefined
  // Every server has HEAD where it has GET (RFC 9110 section 9.1), and some probes ask nothing else.
  const seen = ['GET', 'HEAD'] as const
  const text = { 'content-type': 'text/plain; charset=utf-8' }
  const routes: readonly Route[] = [
    {
      method: seen,
      path: '/healthz',
      operation: 'health',
      source: 'README, "Health"',
      handle: async () => ({ status: 200, headers: text, body: 'ok\n' }),
    },
    {
      method: seen,
      path: '/readyz',
      operation: 'readiness',
      source: 'README, "Health"',
      handle: async ({ log }) => {
        if (vitals.stopping()) return { status: 503, headers: text, body: 'stopping\n' }
        try {
          await vitals.plane.read.lastEvent()
          return { status: 200, headers: text, body: `ready\n${await guarded(vitals.plane)}` }
        } catch (cause) {
          log.error({ err: cause }, 'not ready: the store does not answer')
          return { status: 503, headers: text, body: 'store unavailable\n' }
        }
      },
    },
    {
      method: seen,
      path: '/metrics',
      operation: 'metrics',
      source: 'README, "Health"',
      handle: async () => {
        registry ??= metricsOf(vitals, told).catch((cause: unknown) => {
          // Whoever asks next tries again.
          registry = undefined
          throw cause
        })
        const known = await registry
        const headers = { 'content-type': known.contentType }
        return { status: 200, headers, body: await known.metrics() }
      },
    },
  ]
  return {
    name: 'health',
    routes,
    claims: () => false,
    refuse: () => ({ status: 404, headers: text, body: 'not found\n' }),
  }
}

/** Said of a server that is ready all the same: it answers, and expires less than it would. */
async function guarded(plane: Plane): Promise<string> {
  const guards = await plane.read.list('guards', { limit: 1 })
  return guards.length === 0 ? '' : `guarded: ${plane.leases().held} leases are held\n`
}

/** Events since the start, by type. */
function counting(plane: Plane): ReadonlyMap<string, number> {
  const told = new Map<string, number>()
  plane.follow((events: readonly Event[]) => {
    for (const { type } of events) told.set(type, (told.get(type) ?? 0) + 1)
  })
  return told
}

/** Loaded when somebody scrapes: many never do. */
async function metricsOf(
  { plane, depth }: Vitals,
  told: ReadonlyMap<string, number>,
): Promise<Registry> {
  const { collectDefaultMetrics, Counter, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  new Gauge({
    name: 'runstate_requests_waiting',
    help: 'Requests that wait for a commit.',
    registers,
    collect() {
      this.set(depth())
    },
  })
  new Gauge({
    name: 'runstate_instances',
    help: 'Instances by kind.',
    labelNames: ['kind'],
    registers,
    async collect() {
      for (const kind of kindNames)
        this.set({ kind }, await plane.read.count('instances', { where: { kind } }))
    },
  })
  new Gauge({
    name: 'runstate_operations_running',
    help: 'Operations under way.',
    registers,
    async collect() {
      this.set(await plane.read.count('operations', { where: { state: 'running' } }))
    },
  })
  new Gauge({
    name: 'runstate_leases',
    help: 'Leases of registered instances: living, and of those held by a guard.',
    labelNames: ['state'],
    registers,
    collect() {
      const { living, held } = plane.leases()
      this.set({ state: 'living' }, living)
      this.set({ state: 'held' }, held)
    },
  })
  new Gauge({
    name: 'runstate_guards',
    help: 'Circles in which a mass loss of leases holds expiries.',
    registers,
    async collect() {
      this.set(await plane.read.count('guards', {}))
    },
  })
  new Counter({
    name: 'runstate_events_total',
    help: 'Events committed since the start, by type.',
    labelNames: ['type'],
    registers,
    collect() {
      this.reset()
      for (const [type, count] of told) this.inc({ type }, count)
    },
  })
  return registry
}
