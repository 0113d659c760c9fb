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
}
