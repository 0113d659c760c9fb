// What instances are made of and where they run. All of it is configuration, shared by every project.

import type { ProjectId } from './ids.ts'
import type { Charge } from './instance.ts'
import type { JsonObject } from './json.ts'
import type { Kind } from './kinds.ts'
import type { Act } from './operation.ts'

export interface Flavor {
  readonly id: string
  readonly name: string
  /** Theirs alone to know of and to use; absent: everybody's. */
  readonly projects?: readonly ProjectId[]
  readonly kinds: readonly Kind[]
  readonly driver: string
  readonly vcpus: number
  readonly memoryMiB: number
  readonly diskGiB: number
  readonly gpus: number
  readonly charge: Charge
  /** Capacity that one instance takes while it holds its place; null: not counted. */
  readonly poolId: string | null
  readonly units: number
  readonly bareMetal: boolean
  /** May give its capacity back while stopped: not bare metal, no local disks, not high-performance. */
  readonly mayRelease: boolean
  /** Gives its place back whenever it stops (notebooks). */
  readonly releasesOnStop: boolean
  /** Imposed after each start, in place of the instance's own setting; null: none. */
  readonly autoStopMs: number | null
  /** An instance of this flavor that stays inactive so long is removed; null: kept. */
  readonly storeMs: number | null
  readonly reserveMs: number
  /** How long a soft stop may take before it becomes hard. */
  readonly graceMs: number
  /** How long a start may take until the thing is ready. */
  readonly startMs: number
  readonly family: string
  readonly hardware: 'CPU' | 'GPU' | 'ASCEND'
  readonly attributes: JsonObject
}

/** Whether a project has a flavor: everybody's, or one that is also its own. */
export const isFlavorOf = (
  { projects }: Pick<Flavor, 'projects'>,
  project: ProjectId | null,
): boolean => projects === undefined || (project !== null && projects.includes(project))

/** What a flavor is when nobody says otherwise. */
export const plainFlavor: Omit<Flavor, 'id' | 'name' | 'kinds' | 'driver'> = {
  vcpus: 1,
  memoryMiB: 1024,
  diskGiB: 10,
  gpus: 0,
  charge: 'PostPaid',
  poolId: null,
  units: 1,
  bareMetal: false,
  mayRelease: true,
  releasesOnStop: false,
  autoStopMs: null,
  storeMs: null,
  reserveMs: 300_000,
  graceMs: 10_000,
  startMs: 60_000,
  family: 'custom',
  hardware: 'CPU',
  attributes: {},
}

export interface Image {
  readonly id: string
  readonly name: string
  /** Captured in this project, and only there to be had; absent: everybody's. */
  readonly project?: ProjectId
  /** It is being captured, and cannot be used yet; absent: it is whole. */
  readonly isSaving?: true
  readonly kinds: readonly Kind[]
  /** What the driver runs: for `process` command, environment and probe. */
  readonly launch: JsonObject
  readonly hardware: 'CPU' | 'GPU' | 'ASCEND'
  /** Not finished yet: no service can be deployed of it. */
  readonly publishing?: boolean
  /** A port of its node that each instance needs for itself; null or absent: none. */
  readonly hostPort?: number | null
  readonly attributes: JsonObject
}

/** Whether a project may know of an image: everybody's, or one that was captured in it. */
export const isImageOf = (image: Pick<Image, 'project'>, project: string | null): boolean =>
  image.project === undefined || image.project === project

export interface Pool {
  readonly id: string
  readonly capacity: number
  /** Units held by instances now; kept in the same commit as each instance's `place`. */
  readonly taken: number
  /** Counts tickets, so that no two of one turn are alike. */
  readonly nextTicket: number
  /** The turn that was served last: who comes now begins there. See capacity.ts. */
  readonly turn: number
  /** Per project the turn after its last one, while that is still ahead. */
  readonly turnAfter: Readonly<Record<string, number>>
  /** Instances that wait; kept with each instance's `queue`. */
  readonly waiting: number
  /** Set when a scheduler pass is due: places are free and somebody waits. */
  readonly passAtMs: number | null
}

export const nodeStates = {
  ready: 'In contact.',
  failed: 'Reports a fault.',
  unconnected: 'Out of contact.',
} as const

export interface Node {
  readonly id: string
  readonly name: string
  readonly state: keyof typeof nodeStates
  readonly accelerators?: readonly ('GPU' | 'ASCEND')[]
  readonly attributes: JsonObject
  /** Set by the kernel. */
  readonly createdAtMs?: number
  readonly updatedAtMs?: number
}

/** What can be wrong with a driver, as far as protocols tell it apart. */
export const driverFaults = {
  down: 'Out of service.',
  initializing: 'Still coming up.',
  full: 'Has no room left.',
  denied: 'Does not take the credentials that it is given.',
  unsuited: 'Was pointed at something that it cannot use.',
} as const
export type DriverFault = keyof typeof driverFaults

/** Storage back ends stand beside the drivers; one that has no row is as good as available. */
export const storages = ['evs', 'obs', 'obsfs', 'efs', 'sfs'] as const

/** Whether a driver may be used now; the native door can take one out to test how clients cope. */
export interface DriverRow {
  readonly id: string
  readonly available: boolean
  readonly reason: string | null
  /** Which part of it is out, for clients that tell them apart; null or absent: all of it. */
  readonly part?: DriverPart | null
  /** While it is not available; absent: down. */
  readonly fault?: DriverFault
  /** What it can do, as it said at the last start; absent: everything. */
  readonly acts?: readonly Act[]
}

/** Parts of what stands behind a driver, each with a refusal of its own in some cloud. */
export const driverParts = {
  certificates: 'Makes certificates.',
  configurations: 'Keeps configurations.',
  backend: 'Is reached at all.',
  volumes: 'Makes volumes and environments.',
  lookup: 'Finds what is there.',
  network: 'Connects what runs.',
  payload: 'Is told what to run.',
} as const
export type DriverPart = keyof typeof driverParts
