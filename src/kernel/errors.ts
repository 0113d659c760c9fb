// Every refusal a caller can act on, as a closed union. The kernel carries data, not prose and not HTTP; each
// door turns every code into its cloud's words in one table that the compiler completes.

import type { DriverFault } from './catalogue.ts'
import type { OperationId } from './ids.ts'
import type { Situation, Verb } from './kinds.ts'
import type { Hold } from './instance.ts'
import type { Rung } from './ladder.ts'
import type { DriverPart } from './catalogue.ts'
import type { Quotas } from './project.ts'

export type Noun =
  | 'instance'
  | 'operation'
  | 'service'
  | 'node'
  | 'flavor'
  | 'image'
  | 'pool'
  | 'driver'
  | 'project'
  | 'workspace'
  | 'hold'
  | 'guard'
  | 'label'
  | 'dependency'
  | 'key-pair'

export type KernelError =
  | { readonly code: 'NotFound'; readonly what: Noun; readonly id: string }
  | {
      readonly code: 'AlreadyExists'
      readonly what: Noun
      readonly name: string
      readonly id: string
    }
  | {
      readonly code: 'BadField'
      readonly field: string
      readonly fault: 'missing' | 'type' | 'value' | 'range'
      readonly expected: string
      readonly value?: string
    }
  | { readonly code: 'Forbidden'; readonly needs: string }
  /** At rest, but not in a state from which this may be asked. */
  | {
      readonly code: 'WrongState'
      readonly id: string
      readonly verb: RequestVerb
      readonly situation: Situation
      readonly allowed: readonly Situation[]
    }
  /** An operation is under way that this request neither joins nor pre-empts. */
  | {
      readonly code: 'Busy'
      readonly id: string
      readonly verb: RequestVerb
      readonly operation: OperationId
      readonly running: Verb
      readonly situation: Situation
      /** In which situation what runs was accepted, null for a creation, and how hard it was asked to be. */
      readonly from: Situation | null
      readonly asked: Rung | null
    }
  | { readonly code: 'Held'; readonly id: string; readonly hold: Hold }
  | { readonly code: 'NoCapacity'; readonly pool: string; readonly units: number }
  | { readonly code: 'NotQueueable'; readonly flavor: string }
  | { readonly code: 'StoppedModeSame'; readonly id: string; readonly mode: 'keep' | 'release' }
  | {
      readonly code: 'CannotRelease'
      readonly id: string
      readonly because: 'charge' | 'flavor' | 'scheduled'
    }
  | { readonly code: 'OwnedByService'; readonly id: string; readonly service: string }
  | { readonly code: 'HostUnsupported'; readonly id: string }
  | { readonly code: 'DeletionProtected'; readonly id: string }
  | { readonly code: 'TermUnfinished'; readonly id: string }
  | { readonly code: 'NodeNotReady'; readonly node: string; readonly state: string }
  /** Same project, but somebody else's. */
  | { readonly code: 'NotOwner'; readonly what: Noun; readonly id: string; readonly name: string }
  /** The service has no instances on nodes, so none of them can be named. */
  | { readonly code: 'NotOnNodes'; readonly id: string }
  | { readonly code: 'ServiceBusy'; readonly id: string; readonly status: string }
  | { readonly code: 'ServiceInUse'; readonly id: string; readonly by: 'instances' | 'consumers' }
  | { readonly code: 'ProjectFrozen'; readonly project: string }
  | { readonly code: 'BalanceLacking'; readonly project: string }
  | { readonly code: 'FlavorDenied'; readonly flavor: string }
  | { readonly code: 'FlavorMismatch'; readonly flavor: string; readonly image: string }
  | {
      readonly code: 'QuotaExceeded'
      readonly what: Noun
      readonly limit: number
      /** Which of the project's quotas, where it is one of those. */
      readonly quota?: keyof Quotas
    }
  /** What is named is there, but it cannot be used for this. `name` is its own, or of what stands against it. */
  | {
      readonly code: 'Unusable'
      readonly what: Noun
      readonly id: string
      readonly name: string
      readonly because: Unusable
    }
  | { readonly code: 'Unsupported'; readonly verb: string; readonly driver: string }
  | {
      readonly code: 'GenerationChanged'
      readonly id: string
      readonly expected: number
      readonly actual: number
    }
  | { readonly code: 'TokenReused'; readonly token: string }
  | { readonly code: 'TokenInProcess'; readonly token: string }
  | {
      readonly code: 'DriverUnavailable'
      readonly driver: string
      readonly reason: string | null
      readonly part?: DriverPart | null
      /** Absent: down. */
      readonly fault?: DriverFault
    }
  | { readonly code: 'Overloaded'; readonly retryAfterMs: number }
  /** The store could not be read or written. Nothing was changed. */
  | { readonly code: 'StoreUnavailable' }
  /** A worker that lost its lease reported; the engine drops its report. Doors never see it. */
  | { readonly code: 'Fenced'; readonly operation: OperationId }

/** Why something that is there cannot be used. */
export const unusables = {
  publishing: 'The image is still being published.',
  'no-gpu': 'The node has no GPU.',
  'no-npu': 'The node has no NPU.',
  'port-taken': 'Another instance on the node has the port that the image needs.',
  shared: 'The service is shared, so it is not changed.',
  associated: 'Something else needs the service.',
  abnormal: 'The workspace is out of order.',
  denied: "The workspace's policy forbids it.",
} as const
export type Unusable = keyof typeof unusables

export type ErrorCode = KernelError['code']

/** What each code tells, for people; documentation is generated from it. */
export const errorMeanings = {
  NotFound: 'There is no such thing, or none that this caller may see.',
  AlreadyExists: 'The name or id is taken.',
  BadField: 'A field is missing, of the wrong type, or out of range.',
  Forbidden: "The caller's role does not allow it.",
  WrongState: 'At rest, but not in a state from which this may be asked.',
  Busy: 'An operation is under way that this request neither joins nor pre-empts.',
  Held: 'Somebody holds or locked it.',
  NoCapacity: 'Its pool has no free place.',
  NotQueueable: 'Only free flavors queue.',
  StoppedModeSame: 'It is stopped with that mode already.',
  CannotRelease: 'Its capacity cannot be released while it is stopped.',
  OwnedByService: 'Another service owns it.',
  HostUnsupported: 'Its dedicated host cannot serve requests.',
  DeletionProtected: 'It is protected against deletion.',
  TermUnfinished: 'It is paid for a term that has not ended.',
  NodeNotReady: 'Its node is not in contact.',
  NotOwner: 'Same project, but somebody else owns it.',
  NotOnNodes: 'The service does not run on nodes.',
  ServiceBusy: 'The service is being changed as a whole.',
  ServiceInUse: 'The service still has instances or consumers.',
  ProjectFrozen: "The project's account is frozen.",
  BalanceLacking: "The project's account lacks balance.",
  FlavorDenied: 'The project may not use this flavor.',
  FlavorMismatch: 'Flavor and image need different hardware.',
  QuotaExceeded: 'A limit of the project is reached.',
  Unusable: 'What is named is there, but it cannot be used for this.',
  Unsupported: 'This kind of instance, or its driver, cannot do that.',
  GenerationChanged: 'Somebody changed it since the caller looked.',
  TokenReused: 'The idempotency token was used for another request.',
  TokenInProcess: 'The first request with this idempotency token is still being answered.',
  DriverUnavailable: 'Its driver is out of service.',
  Overloaded: 'Too much waits; try again later.',
  StoreUnavailable: 'The store could not be read or written; nothing was changed.',
  Fenced: 'A worker that lost its lease reported; doors never see it.',
} as const satisfies Record<ErrorCode, string>
export type ErrorOf<Code extends ErrorCode> = Extract<KernelError, { readonly code: Code }>

/** What a caller can ask for by name; refusals name it. */
export type RequestVerb =
  | Verb
  | 'queue'
  | 'dequeue'
  | 'hold'
  | 'release'
  | 'update'
  | 'set-status'
  | 'unregister'
  | 'reset'

export type Result<T, E = KernelError> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })
export const err = <E>(error: E): { readonly ok: false; readonly error: E } => ({
  ok: false,
  error,
})
