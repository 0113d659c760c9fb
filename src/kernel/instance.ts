// One thing with a run state. Intent, observation and presentation are apart: `intent` is what somebody asked
// for, `observation` what a driver last saw, and `present.ts` computes what callers are shown.

import type { InstanceId, OperationId, ProjectId, ServiceId, UserId } from './ids.ts'
import type { JsonObject } from './json.ts'
import type { FailedVerb, Kind, Situation, State, StateOfKind, Verb } from './kinds.ts'
import type { Rung } from './ladder.ts'
import type { Observation } from './observation.ts'

export interface Instance {
  readonly id: InstanceId
  readonly project: ProjectId
  readonly kind: Kind
  readonly name: string
  readonly description: string
  readonly createdBy: UserId
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** When it was first seen up; null before. */
  readonly launchedAtMs: number | null

  readonly state: State
  readonly stateSinceMs: number
  /** Why it is in this state when nobody asked for it; null when somebody did. */
  readonly reason: string | null
  /** Present exactly while `state` is `failed`. */
  readonly failure: Failure | null
  /** The running operation; null at rest. Everything a list shows of it, so lists load no operations. */
  readonly underway: Underway | null
  readonly intent: Intent
  readonly observation: Observation

  readonly flavorId: string | null
  readonly imageId: string | null
  readonly serviceId: ServiceId | null
  /** Of its project; absent: the default one. */
  readonly workspaceId?: string
  readonly nodeId: string | null
  /** Null for kinds that no driver acts on (service-instance). */
  readonly driver: string | null
  /** The driver's own note to find its thing again; the kernel never reads it. Null until created. */
  readonly handle: JsonObject | null
  /** What the driver needs beyond flavor and image: environment, scenario, … */
  readonly launch: JsonObject

  /** What it is to be made of from its next start on; null: as it is. */
  readonly refit: Refit | null

  readonly charge: Charge
  /** Whether it is being charged for now; see meter.ts. */
  readonly charged: boolean
  /** On a stopped instance, whether its capacity was kept or released; null while it is not stopped. */
  readonly stoppedMode: StoppedMode | null
  readonly place: Place | null
  readonly queue: QueuePlace | null
  readonly holds: readonly Hold[]
  readonly conditions: Conditions
  readonly autoStop: AutoStop | null
  readonly timers: Timers
  readonly registration: Registration | null
  /** The registered instances that it is, for whoever calls it through the registry. */
  readonly serves: readonly Served[]

  readonly labels: Readonly<Record<string, string>>
  /** Other ids of this instance, by scheme: `{ecs: 'i-…', devenv: 'DE-…'}`. */
  readonly aliases: Readonly<Record<string, string>>
  /** What each door was told and shows again, by door; the kernel never reads it. */
  readonly attributes: Readonly<Record<string, JsonObject>>
}

/** PostPaid: by use; PrePaid: for a term; free: not charged, auto-stopped, queued when sold out. */
export type Charge = 'PostPaid' | 'PrePaid' | 'free'
export type StoppedMode = 'keep' | 'release'

export interface Intent {
  readonly want: 'up' | 'down' | 'gone'
  /** Counts changes of what somebody asked for; starts at 1. */
  readonly generation: number
}

export interface Underway {
  readonly operationId: OperationId
  readonly verb: Verb
  /** How hard it has come to be: bare metal is always forced, and a deadline makes it harder. */
  readonly rung: Rung | null
  /** How hard it was asked to be. */
  readonly asked: Rung | null
  /** The situation in which it was accepted. */
  readonly from: Situation | null
  readonly sinceMs: number
}

export interface Failure {
  readonly verb: FailedVerb
  readonly message: string
  readonly atMs: number
  readonly evidence: JsonObject
}

/** Everything of an instance that another configuration replaces. */
export type Refit = Pick<Instance, 'imageId' | 'driver' | 'launch' | 'charge'> & {
  readonly flavorId: string
}

/** Counted capacity that this instance holds. */
export interface Place {
  readonly poolId: string
  readonly units: number
}

export interface QueuePlace {
  readonly poolId: string
  /** What the place is for once it comes free. */
  readonly awaits: 'create' | 'start'
  readonly sinceMs: number
  /** Order within the pool: lower is served first. Made of a turn and a number, see capacity.ts. */
  readonly ticket: number
}

/**
 * A reason somebody gave why an instance must not be changed.
 * lock: the owner's or an admin's; an admin passes it. hold: nobody passes it until it is released.
 */
export interface Hold {
  readonly id: string
  readonly kind: 'lock' | 'hold'
  readonly owner: UserId
  readonly byAdmin: boolean
  readonly reason: string | null
  readonly sinceMs: number
  /** Null: until somebody releases it. */
  readonly untilMs: number | null
}

/** Facts that forbid some requests; set at creation, by configuration or through the native door. */
export interface Conditions {
  /** Name of another service that owns this instance, or null. */
  readonly createdByService: string | null
  /** An elastic, reserved-slot instance. */
  readonly scheduled: boolean
  /** The dedicated host it runs on cannot serve requests. */
  readonly hostUnsupported: boolean
  readonly deletionProtected: boolean
}

export interface AutoStop {
  readonly enabled: boolean
  readonly afterMs: number
  /** A lease: it counts from this moment, at which it was asked for. Absent: from each moment it is seen up. */
  readonly sinceMs?: number
}

/** Deadlines that live on the instance; the earliest one is indexed and wakes the engine. */
export interface Timers {
  readonly autoStopAtMs: number | null
  readonly reservedUntilMs: number | null
  readonly removeAtMs: number | null
}

export type ServiceStatus = StateOfKind<'service-instance'> &
  ('up' | 'down' | 'starting' | 'testing' | 'out-of-service')

/** The facts of a registered microservice instance; its `state` is computed from all but the lease. */
export interface Registration {
  /** What it says of itself. */
  readonly reported: ServiceStatus
  /** What an operator set; survives heartbeat, re-registration and restart. */
  readonly override: Override | null
  /** Covers what is reported and set, and leaves it as it is. */
  readonly withdrawal: Withdrawal | null
  readonly lease: Lease
  readonly hostName: string
  readonly endpoints: readonly string[]
  readonly healthCheck: JsonObject
  readonly dataCenter: JsonObject | null
  readonly version: string
}

/** Names the pair and not the row: it outlives the lease, and what registers again is bound again. */
export interface Served {
  readonly service: ServiceId
  readonly instance: string
}

/** Taken out of service by an operation that drains what it is bound to. */
export interface Withdrawal {
  readonly operation: OperationId
  readonly sinceMs: number
}

export interface Override {
  readonly status: ServiceStatus
  readonly by: UserId
  readonly why: string | null
  readonly sinceMs: number
  readonly untilMs: number | null
}

/** `renewedAtMs` is durable within a window: the live value is with the engine's lease keeper. */
export interface Lease {
  readonly ttlMs: number
  readonly renewedAtMs: number
}

const isOut = (status: ServiceStatus): boolean => status === 'down' || status === 'out-of-service'

/** What callers are told of it: the newest word of a person, else its own, unless it is being drained. */
export function statusOf({
  reported,
  override,
  withdrawal,
}: Pick<Registration, 'reported' | 'override' | 'withdrawal'>): ServiceStatus {
  const word = override?.status ?? reported
  return withdrawal === null || isOut(word) ? word : 'out-of-service'
}

export const noTimers: Timers = { autoStopAtMs: null, reservedUntilMs: null, removeAtMs: null }
export const noConditions: Conditions = {
  createdByService: null,
  scheduled: false,
  hostUnsupported: false,
  deletionProtected: false,
}

/** What most instances say, and each new one until it is said otherwise; see `usual` in tables.ts. */
export const usualInstance = {
  description: '',
  launchedAtMs: null,
  reason: null,
  failure: null,
  underway: null,
  flavorId: null,
  imageId: null,
  serviceId: null,
  nodeId: null,
  driver: null,
  handle: null,
  launch: {},
  refit: null,
  charge: 'PostPaid',
  charged: false,
  stoppedMode: null,
  place: null,
  queue: null,
  holds: [],
  conditions: noConditions,
  autoStop: null,
  timers: noTimers,
  registration: null,
  serves: [],
  labels: {},
  aliases: {},
  attributes: {},
} as const satisfies Partial<Instance>

export function situationOf(instance: Pick<Instance, 'state' | 'failure'>): Situation {
  if (instance.state !== 'failed') return instance.state
  return `failed/${instance.failure?.verb ?? 'run'}`
}

/** The earliest moment at which time alone changes this instance; null when none does. */
export function wakeAtMs(instance: Instance): number | null {
  const moments = [
    instance.timers.autoStopAtMs,
    instance.timers.reservedUntilMs,
    instance.timers.removeAtMs,
    instance.registration?.override?.untilMs ?? null,
  ]
  for (const hold of instance.holds) moments.push(hold.untilMs)
  const set = moments.filter((at) => at !== null)
  return set.length === 0 ? null : Math.min(...set)
}
