// The tenant, and the account facts that forbid some requests.

import type { ProjectId } from './ids.ts'
import type { Kind } from './kinds.ts'

export interface Project {
  readonly id: ProjectId
  readonly name: string
  readonly domainId: string
  readonly enabled: boolean
  readonly description: string
  readonly frozen: boolean
  readonly lacksBalance: boolean
  /** A stop that names no mode releases the capacity of instances that may. */
  readonly releasesByDefault: boolean
  /** Flavors this project may not use. */
  readonly deniedFlavors: readonly string[]
  /** How many instances of a kind it may have; a kind that is not named has no limit. */
  readonly instancesMax?: Readonly<Partial<Record<Kind, number>>>
  /** Parts of it with rules of their own; the default one is always there, and has none unless it is named. */
  readonly workspaces?: readonly Workspace[]
  readonly quotas?: Quotas
}

export interface Workspace {
  readonly id: string
  readonly name: string
  /** Nothing may be done in it, whatever it is. */
  readonly isAbnormal: boolean
  /** The requests that its policy does not let anybody make. */
  readonly denies: readonly string[]
  /** How many instances it may hold; null: no limit. */
  readonly instancesMax: number | null
}

/** Always there, unless `workspaces` says otherwise. */
export const defaultWorkspace = '0'

/** How much of services on nodes one user may have; absent: as much as the default says, or no bound. */
export interface Quotas {
  /** Default 1000. */
  readonly services?: number
  readonly runningServices?: number
  readonly serviceInstances?: number
  /** Different nodes. */
  readonly nodes?: number
}
