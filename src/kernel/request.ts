// What a door (or the engine) asks the kernel for: typed, and free of wire words.

import type { Caller, Cause } from './caller.ts'
import type { Result } from './errors.ts'
import type { Census, GuardPolicy } from './guard.ts'
import type { DriverRow, Flavor, Image, Node, Pool, storages } from './catalogue.ts'
import type { BatchId, Ids, InstanceId, OperationId, ProjectId, ServiceId } from './ids.ts'
import type { AutoStop, Charge, Conditions, Hold, ServiceStatus, StoppedMode } from './instance.ts'
import type { JsonObject } from './json.ts'
import type { KeyPair } from './key-pair.ts'
import type { Kind, Situation } from './kinds.ts'
import type { Rung } from './ladder.ts'
import type { Observation } from './observation.ts'
import type { Act } from './operation.ts'
import type { Project } from './project.ts'
import type { Service } from './service.ts'

/** Other ids under which doors show an instance, and their shapes; see aliases.ts. */
export type Scheme = 'ecs' | 'devenv' | 'lab' | 'edge' | 'registry'

/** How a caller names an instance. A kind or scheme that does not fit is the same as an unknown id. */
export type InstanceRef =
  | { readonly kind: Kind | 'any'; readonly id: string }
  /** `within`: not found in another project, not even by an admin: for protocols whose accounts know no others. */
  | {
      readonly kind: Kind
      readonly scheme: Scheme
      readonly id: string
      readonly within?: ProjectId
    }
  | { readonly kind: 'edge-instance'; readonly service: string; readonly node: string }
  | { readonly kind: 'service-instance'; readonly service: string; readonly instance: string }

/** `isLease`: it counts from this request on, not from the moment at which the instance is seen up. */
export interface AutoStopAsked extends Omit<AutoStop, 'sinceMs'> {
  readonly isLease?: true
}

/** Replaces one door's attributes, or with `isMerged` only those it names, and removes those that are null. */
export interface AttributesChange {
  readonly door: string
  readonly value: JsonObject
  readonly isMerged?: true
}

interface Change {
  readonly target: InstanceRef
  /**
   * The situations in which the caller's protocol accepts this request; the kernel refuses others.
   * Absent: converge. Then a repeated request joins or does nothing, and a harder stop pre-empts a softer one.
   */
  readonly from?: readonly Situation[]
  /** Refuse what runs by its record while the last look could not tell: for protocols that show it as not running. */
  readonly ifSure?: true
  /** Refuse when the instance's generation is another (If-Match). */
  readonly ifGeneration?: number
  readonly why?: string
}

export interface CreateInstance {
  readonly verb: 'create'
  readonly kind: 'server' | 'notebook'
  readonly name: string
  readonly description?: string
  readonly flavorId: string
  readonly imageId: string
  /** Created names get the suffixes -1, -2, … when it is more than one. Default 1. */
  readonly count?: number
  /** One for each instance, in place of the suffixes. */
  readonly names?: readonly string[]
  /** With fewer places than `count`, create as many as fit, at least this. Default `count`. */
  readonly countMin?: number
  /** Refuse a name that another instance of this kind and project has. */
  readonly uniqueName?: boolean
  /** Absent: the project's default one. */
  readonly workspace?: string
  /** The storage back end that it needs besides its driver. */
  readonly storage?: (typeof storages)[number]
  /** A sold-out free flavor queues instead of refusing. */
  readonly queues?: boolean
  /** Under which other ids doors show it. Default: every scheme of its kind. */
  readonly schemes?: readonly Scheme[]
  readonly charge?: Charge
  readonly launch?: JsonObject
  readonly labels?: Readonly<Record<string, string>>
  readonly attributes?: Readonly<Record<string, JsonObject>>
  readonly conditions?: Partial<Conditions>
  readonly autoStop?: AutoStopAsked
}

export interface StartInstance extends Change {
  readonly verb: 'start'
  /** Its run time from this start on; absent: as before. */
  readonly autoStop?: AutoStopAsked
  readonly attributes?: AttributesChange
}
export interface StopInstance extends Change {
  readonly verb: 'stop'
  readonly rung: Rung
  /** How long each rung below hard may take, 0 to 3_600_000. Default: the flavor's. */
  readonly graceMs?: number
  /** Keep or release capacity. Named on a stopped instance it only switches the mode. */
  readonly stoppedMode?: StoppedMode
}
export interface RestartInstance extends Change {
  readonly verb: 'restart'
  readonly rung: Rung
  readonly graceMs?: number
}
export interface CaptureInstance extends Change {
  readonly verb: 'capture'
  readonly imageName: string
  /** What its maker says of the image, kept with it. */
  readonly imageAttributes?: JsonObject
}
/** Pause and suspend, and back: only drivers that can are asked. */
export interface StillInstance extends Change {
  readonly verb: 'pause' | 'unpause' | 'suspend' | 'resume'
}
/** Made anew from an image, under its old id; what it held is lost. One that was stopped stays so. */
export interface RebuildInstance extends Change {
  readonly verb: 'rebuild'
  readonly imageId: string
  readonly name?: string
  readonly description?: string
  /** Replaces all labels. */
  readonly labels?: Readonly<Record<string, string>>
  /** Merged into one door's attributes. */
  readonly attributes?: { readonly door: string; readonly value: JsonObject }
}
export interface DeleteInstance extends Change {
  readonly verb: 'delete'
}
export interface QueueInstance extends Change {
  readonly verb: 'queue'
}
export interface DequeueInstance extends Change {
  readonly verb: 'dequeue'
}
/** It serves as this registered instance of the caller's project, which need not be registered yet. */
export interface BindInstance extends Change {
  readonly verb: 'bind'
  readonly service: string
  readonly instance: string
}
export interface UnbindInstance extends Change {
  readonly verb: 'unbind'
  readonly service: string
  readonly instance: string
}
/** Admin only: puts the state right by hand; ends whatever operation runs. */
export interface ResetInstance extends Change {
  readonly verb: 'reset'
  readonly to: 'running' | 'failed'
}

export interface UpdateInstance extends Change {
  readonly verb: 'update'
  readonly name?: string
  readonly description?: string
  /** Replaces all labels. */
  readonly labels?: Readonly<Record<string, string>>
  /** Sets these labels, removes those that are null, and leaves the others. */
  readonly changedLabels?: Readonly<Record<string, string | null>>
  /** Refused when more labels than this, and more than before, would be left. */
  readonly labelsMax?: number
  readonly attributes?: AttributesChange
  /** Refused while somebody holds the instance; otherwise its description changes all the same. */
  readonly heedsHolds?: true
  /** Admin or owner, except `createdByService`, `scheduled` and `hostUnsupported`: admin only. */
  readonly conditions?: Partial<Conditions>
  readonly charge?: Charge
  /** Made of something else from the next start on: only of what is stopped, and only of what its driver has. */
  readonly flavorId?: string
  readonly imageId?: string
  /** From the next start on; a lease at once. */
  readonly autoStop?: AutoStopAsked
  readonly launch?: JsonObject
}

export interface HoldInstance extends Change {
  readonly verb: 'hold'
  readonly kind: Hold['kind']
  readonly untilMs?: number
}
export interface ReleaseInstance extends Change {
  readonly verb: 'release'
  readonly hold: { readonly id: string } | { readonly kind: Hold['kind'] }
}

/** What each instance of a service needs of its node besides its flavor. */
export interface Needs {
  readonly gpus: number
  readonly npus: number
}

export interface DeployService {
  readonly verb: 'deploy'
  readonly name: string
  readonly description?: string
  /** Empty for a service that is only kept, not run on nodes. */
  readonly nodes: readonly string[]
  readonly onNodes: boolean
  readonly flavorId: string
  readonly imageId: string
  readonly needs?: Needs
  /** The part of the project that it is to be in. */
  readonly workspace?: string
  readonly launch?: JsonObject
  readonly labels?: Readonly<Record<string, string>>
  readonly attributes?: Readonly<Record<string, JsonObject>>
}
/**
 * Another configuration for a service. Instances on nodes that stay are made anew, those on nodes that are new
 * are made, and those on nodes no longer named are removed.
 */
export interface RedeployService {
  readonly verb: 'redeploy'
  readonly service: string
  readonly description?: string
  /** Empty for a service that does not run on nodes. */
  readonly nodes: readonly string[]
  readonly flavorId: string
  readonly imageId: string
  readonly needs?: Needs
  readonly launch?: JsonObject
  /** Replaces one door's attributes. */
  readonly attributes?: { readonly door: string; readonly value: JsonObject }
}
export interface PowerService {
  readonly verb: 'start-service' | 'stop-service'
  readonly service: string
  readonly why?: string
}
export interface UpdateService {
  readonly verb: 'update-service'
  readonly service: string
  /** Clients choose a microservice's id, so it may look like an inference service's. Absent: whichever it is. */
  readonly kind?: Service['kind']
  readonly description?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly attributes?: { readonly door: string; readonly value: JsonObject }
  /** Sets these attributes, removes those that are null, and leaves the others. */
  readonly changedAttributes?: Readonly<Record<string, JsonObject | null>>
  /** A shared service takes no change but this one. */
  readonly shared?: boolean
  readonly usedBy?: string | null
}
/** All or none: one unknown id refuses the whole request. */
export interface RemoveServices {
  readonly verb: 'remove-services'
  readonly services: readonly string[]
}

export interface RegisterService {
  readonly verb: 'register-service'
  /** Chosen by the client; refused when the identity has another one. */
  readonly id?: string
  /** Used when the identity is new and the client chose none. */
  readonly freshId: string
  /** Identity text, unique in the project: environment, app, name and version. */
  readonly key: string
  readonly name: string
  readonly description?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly attributes: Readonly<Record<string, JsonObject>>
}
export interface UnregisterService {
  readonly verb: 'unregister-service'
  readonly service: string
  readonly force: boolean
}

/** What is said again changes nothing. */
export interface Depend {
  readonly verb: 'depend'
  readonly service: string
  /** Names of microservices of the same project: their keys without the version. They need not exist. */
  readonly on: readonly string[]
  /** Forget what was said before. */
  readonly replace: boolean
}

export interface RegisterInstance {
  readonly verb: 'register'
  readonly service: string
  readonly instance?: string
  /** Absent: UP for a new one, unchanged for one that is known. */
  readonly status?: ServiceStatus
  readonly hostName: string
  readonly endpoints: readonly string[]
  readonly healthCheck: JsonObject
  readonly dataCenter: JsonObject | null
  readonly version: string
  readonly ttlMs: number
  readonly properties: Readonly<Record<string, string>>
}
/** `operator` sets the override, `self` what the instance says of itself. Any status may follow any. */
export interface SetStatus extends Change {
  readonly verb: 'set-status'
  readonly as: 'operator' | 'self'
  readonly status: ServiceStatus
  readonly untilMs?: number
}
export interface ClearStatus extends Change {
  readonly verb: 'clear-status'
}
export interface UnregisterInstance extends Change {
  readonly verb: 'unregister'
}

/** Admin only: what is held in this circle expires at once. */
export interface ReleaseGuard {
  readonly verb: 'release-guard'
  readonly guard: string
  readonly why?: string
}

/** Admin only. */
export type PutCatalogue =
  | {
      readonly verb: 'put'
      readonly table: 'flavors'
      readonly row: Flavor
      /** Refused when there is one of its id or its name. */
      readonly isNew?: true
    }
  | { readonly verb: 'put'; readonly table: 'images'; readonly row: Image }
  | { readonly verb: 'put'; readonly table: 'pools'; readonly row: Pick<Pool, 'id' | 'capacity'> }
  | { readonly verb: 'put'; readonly table: 'nodes'; readonly row: Node }
  | { readonly verb: 'put'; readonly table: 'drivers'; readonly row: DriverRow }
  | { readonly verb: 'put'; readonly table: 'projects'; readonly row: Project }

/** Admin only. What is there already, or is not there to be taken away, stays unchanged and is no error. */
export interface EditFlavor {
  readonly verb: 'edit-flavor'
  readonly id: string
  /** A project that gets a flavor which is not everybody's, or has it no longer. */
  readonly access?: { readonly project: ProjectId; readonly isGranted: boolean }
  /** Merged into what the attributes hold under that name; a fact that is null goes. */
  readonly facts?: { readonly under: string; readonly change: JsonObject }
}

/**
 * An image: an admin any, a member those that were captured in the own project. A flavor: admin only, and what is
 * made of it stays. What somebody else's configuration names comes back at the next start.
 */
export interface RemoveCatalogue {
  readonly verb: 'remove-from-catalogue'
  readonly table: 'flavors' | 'images'
  readonly id: string
}

/** A user's public keys: the caller's own, or those of `userId`, which is an admin's to say. */
export interface AddKeyPair extends Pick<KeyPair, 'name' | 'type' | 'publicKey' | 'fingerprint'> {
  readonly verb: 'add-key-pair'
  readonly userId?: KeyPair['userId']
}
export interface RemoveKeyPair extends Pick<KeyPair, 'name'> {
  readonly verb: 'remove-key-pair'
  readonly userId?: KeyPair['userId']
}

/** Independent items in one commit: one that is refused never sinks the others. */
export interface Batch {
  readonly verb: 'batch'
  readonly items: readonly InstanceRequest[]
  /** Keeps what came of each item, under the receipt's `batchId`, with what the door says of it. */
  readonly kept?: JsonObject
}

export type InstanceRequest =
  | StartInstance
  | StopInstance
  | RestartInstance
  | CaptureInstance
  | StillInstance
  | RebuildInstance
  | DeleteInstance
  | QueueInstance
  | DequeueInstance
  | ResetInstance
  | UpdateInstance
  | HoldInstance
  | ReleaseInstance
  | BindInstance
  | UnbindInstance
  | SetStatus
  | ClearStatus
  | UnregisterInstance

export type CallerRequest =
  | InstanceRequest
  | CreateInstance
  | Batch
  | DeployService
  | RedeployService
  | PowerService
  | UpdateService
  | RemoveServices
  | RegisterService
  | UnregisterService
  | Depend
  | RegisterInstance
  | ReleaseGuard
  | PutCatalogue
  | EditFlavor
  | RemoveCatalogue
  | AddKeyPair
  | RemoveKeyPair

/** What one act or look of a driver came to. */
export type Report =
  | { readonly act: Act; readonly ok: true; readonly handle?: JsonObject }
  | { readonly act: Act; readonly ok: false; readonly error: DriverError }
  | { readonly observation: Observation }
  /** A step of rows alone: the decision carries it out. */
  | { readonly rows: true }
  /** Whether all consumers have been shown what was withdrawn. */
  | { readonly unseen: boolean }
  | { readonly shift: true }

export interface DriverError {
  /** timeout and failed may be tried again; refused and unsupported may not. */
  readonly code: 'failed' | 'timeout' | 'refused' | 'unsupported'
  readonly message: string
  readonly evidence?: JsonObject
}

/** The engine's own moves: they go through the same function as everybody else's. */
export type EngineRequest =
  | {
      readonly verb: 'settle'
      readonly operation: OperationId
      readonly attempt: number
      readonly report: Report
    }
  | { readonly verb: 'extend'; readonly operation: OperationId; readonly attempt: number }
  | {
      readonly verb: 'observed'
      readonly instance: InstanceId
      /** What somebody wanted when the look began. */
      readonly generation: number
      readonly observation: Observation
    }
  | { readonly verb: 'wake'; readonly instance: InstanceId }
  | { readonly verb: 'pass'; readonly pool: string }
  /** What a request with an idempotency token was answered, for those who repeat it. */
  | { readonly verb: 'keep'; readonly token: string; readonly answer: string }
  /** Idempotency records and kept batches that have ended. */
  | {
      readonly verb: 'forget'
      readonly tokens: readonly string[]
      readonly batches: readonly string[]
    }
  /** How many leases around those that are due live, and how many of them are silent. */
  | { readonly verb: 'count'; readonly censuses: readonly Census[]; readonly policy: GuardPolicy }
  | {
      readonly verb: 'expire'
      readonly instance: InstanceId
      readonly renewedAtMs: number
      readonly dueSinceMs: number
    }

export type Request = CallerRequest | EngineRequest

export interface Context {
  readonly caller: Caller
  readonly cause: Cause
  readonly nowMs: number
  readonly ids: Ids
  /** Who will carry out what is accepted, and for how long before somebody else may. */
  readonly worker: string
  readonly leaseMs: number
  readonly idempotency?: Idempotency
}

/** What an accepted request came to: small, so that an idempotency record can keep it. */
export interface Receipt {
  readonly instanceIds: readonly InstanceId[]
  readonly serviceId?: ServiceId
  readonly operationId?: OperationId
  readonly before?: Situation
  readonly after?: Situation
  /** What it waited for in its queue before, when it did. */
  readonly awaited?: 'create' | 'start'
  readonly generation?: number
  /** It was so already, or an operation under way already does it. */
  readonly unchanged?: 'already' | 'joined'
  readonly holdId?: string
  /** The image that a capture makes. */
  readonly imageId?: string
  /** Of a repetition: what was answered the first time, word for word, once that is kept. */
  readonly answer?: string
  /** One per item of a batch, in order. */
  readonly items?: readonly Result<Receipt>[]
  /** Of a batch that is kept. */
  readonly batchId?: BatchId
}

export interface Idempotency {
  /** Unique within (project, door, action). */
  readonly token: string
  /** Normalised text of the request; another one with the same token is refused. */
  readonly fingerprint: string
}

export interface IdempotencyRow {
  readonly id: string
  readonly project: ProjectId | null
  readonly fingerprint: string
  readonly receipt: Receipt
  /** The door's words; absent until they were kept. Rows change, and a repetition must not be told otherwise. */
  readonly answer?: string
  readonly expiresAtMs: number
}

export interface Alias {
  readonly id: string
  readonly instanceId: InstanceId
}
