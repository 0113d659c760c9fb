// The tenant, and the account facts that forbid some requests.

import { type ProjectId } from './ids.ts'

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
  /** Parts of the project besides the default one, or what is said of that one. */
  readonly workspaces?: readonly Workspace[]
  readonly quotas?: Quotas
}

/** A part of a project, with a policy of its own. */
export interface Workspace {
  readonly id: string
  readonly name: string
  readonly state: 'normal' | 'abnormal'
  /** The requests, by their verbs, that its policy forbids. */
  readonly denies?: readonly string[]
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
