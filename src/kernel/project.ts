// The tenant, and the account facts that forbid some requests.

import { type ProjectId } from './ids.ts'
import { type Kind } from './kinds.ts'

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
  /** Parts of it with rules of their own. What is in none of them is in the default one, which has no rules. */
  readonly workspaces?: readonly Workspace[]
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
