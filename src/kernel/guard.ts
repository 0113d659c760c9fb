// Mass loss of leases: when most instances around one fall silent together, it is the network or the registry
// that is away and not they. Then expiry is held for a while. This is the rule; `decisions/guard.ts` writes what
// comes of it (decision record 0013).
//
// - It holds expiries only, never a removal that somebody asked for.
// - Each lease is held once, at most `holdMs` long.

import type { ProjectId, UserId } from './ids.ts'
import type { Instance } from './instance.ts'

/** How far around a lease others are counted. */
export const circleKinds = {
  service: 'The instances of one microservice.',
  project: 'All registered instances of one project.',
  registry: 'All registered instances that have been heard.',
} as const
export type CircleKind = keyof typeof circleKinds

export interface Circle {
  readonly id: string
  readonly kind: CircleKind
  /** Null: of no project, an administrator's to see. */
  readonly project: ProjectId | null
}

export interface Census {
  readonly circle: Circle
  readonly living: number
  /** Of those, in the last part of their term, or past it. */
  readonly silent: number
}

/** A circle whose expiries are held, or were until somebody released them. */
export interface Guard extends Circle {
  readonly sinceMs: number
  /** As counted when it was raised. */
  readonly living: number
  readonly silent: number
  readonly release: Release | null
}

export interface Release {
  readonly by: UserId
  readonly why: string | null
  readonly atMs: number
}

export interface GuardPolicy {
  readonly enabled: boolean
  /** A circle of this many leases or fewer says nothing about the network. */
  readonly moreThan: number
  /** The part of them that must be silent, 0 to 1. */
  readonly share: number
}
export const defaultGuardPolicy: GuardPolicy = { enabled: true, moreThan: 5, share: 0.8 }

const holdMsMax = 600_000

/** How much longer than the moment at which it was found due a lease may be held. */
export const holdMs = (ttlMs: number): number => Math.min(ttlMs, holdMsMax)

/** After so long without a beat a lease is silent: most clients beat four times in a term. */
export const silentAfterMs = (ttlMs: number): number => Math.ceil((ttlMs * 3) / 4)

export const registryCircle: Circle = { id: 'registry', kind: 'registry', project: null }

export function circlesOf({ project, serviceId }: Pick<Instance, 'project' | 'serviceId'>): {
  readonly [Kind in CircleKind]: Circle
} {
  return {
    service: { id: `service/${serviceId ?? ''}`, kind: 'service', project },
    project: { id: `project/${project}`, kind: 'project', project },
    registry: registryCircle,
  }
}

/** What a census changes. The engine asks before it pays for a commit; the decision asks again. */
export function guardMove(
  { living, silent }: Census,
  known: Guard | undefined,
  { enabled, moreThan, share }: GuardPolicy,
): 'raise' | 'lift' | null {
  const isMass = enabled && silent > 0 && silent >= share * living
  if (known) return isMass ? null : 'lift'
  return isMass && living > moreThan ? 'raise' : null
}

export const isHolding = (guard: Guard | undefined): boolean =>
  guard !== undefined && guard.release === null
