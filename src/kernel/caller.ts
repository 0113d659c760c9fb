// Who asks, and the record of it that every change carries (law 8).

import type { ProjectId, UserId } from './ids.ts'

/** OpenStack's standard role names, used by every door; each includes the ones after it. */
export const roles = ['admin', 'member', 'reader'] as const
export type Role = (typeof roles)[number]

export interface Caller {
  readonly userId: UserId
  readonly userName: string
  /** The project acted in; null for a token without a scope. */
  readonly projectId: ProjectId | null
  readonly projectName: string | null
  readonly domainId: string
  /** The strongest role in that project; null when there is none. */
  readonly role: Role | null
}

export const hasRole = (caller: Caller, wanted: Role): boolean =>
  caller.role !== null && roles.indexOf(caller.role) <= roles.indexOf(wanted)

export interface Cause {
  readonly by: 'user' | 'timer' | 'queue' | 'drift' | 'recovery' | 'configuration'
  readonly userId: UserId | null
  readonly userName: string | null
  readonly door: string
  readonly requestId: string
  readonly why: string | null
}
