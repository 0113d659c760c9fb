// Other ids under which doors show an instance. Every id that a cloud shapes keeps that cloud's shape; the
// aliases table leads from it to the instance, and is written in the same commit.

import { base36, type InstanceId } from './ids.ts'
import type { Served } from './instance.ts'
import type { Kind } from './kinds.ts'
import type { Scheme } from './request.ts'

interface SchemeSpec {
  readonly kind: Kind
  readonly doc: string
  /** The id made from the instance's own; null: it is made of other parts. */
  readonly make: ((id: InstanceId) => string) | null
}

export const schemes = {
  ecs: {
    kind: 'server',
    doc: '`i-` and 20 lower-case letters or digits',
    make: (id) => `i-${base36(id, 20)}`,
  },
  devenv: { kind: 'notebook', doc: '`DE-` and a UUID', make: (id) => `DE-${id}` },
  lab: { kind: 'notebook', doc: 'a UUID', make: (id) => id },
  edge: { kind: 'edge-instance', doc: 'service and node', make: null },
  registry: { kind: 'service-instance', doc: 'project, service and instance', make: null },
} as const satisfies Record<Scheme, SchemeSpec>

export const aliasKey = (scheme: Scheme, id: string): string => `${scheme}:${id}`

/** The schemes under which an instance of this kind is shown when nobody chose. */
export const defaultSchemes = (kind: Kind): readonly Scheme[] =>
  (Object.keys(schemes) as Scheme[]).filter(
    (name) => schemes[name].kind === kind && schemes[name].make !== null,
  ) // keys of a const table

export const edgeAlias = (service: string, node: string): string =>
  aliasKey('edge', `${service}/${node}`)
export const registryAlias = (service: string, instance: string): string =>
  aliasKey('registry', `${service}/${instance}`)
/** Leads from a registered pair to the instance that it is bound to. */
export const servedAlias = ({ service, instance }: Served): string =>
  `serves:${service}/${instance}`

/** Microservice ids may be chosen by clients, so two tenants may choose the same. */
export const microserviceKey = (project: string, id: string): string => `${project}/${id}`
export const microserviceId = (service: {
  readonly id: string
  readonly project: string
}): string => service.id.slice(service.project.length + 1)
