// The durable record of one accepted request being carried out. Steps are a table: `steps` names what each
// verb does, and what undoes it. Every act may run twice; `attempt` fences off a worker that lost its lease.

import type { InstanceId, OperationId, ProjectId, ServiceId } from './ids.ts'
import type { JsonObject } from './json.ts'
import type { Kind, Situation, Verb } from './kinds.ts'
import type { Rung } from './ladder.ts'
import type { Cause } from './caller.ts'

export type Act =
  | 'create'
  | 'start'
  | 'stop'
  | 'pause'
  | 'unpause'
  | 'suspend'
  | 'resume'
  | 'capture'
  | 'remove'

interface Named {
  readonly name: string
  readonly doc: string
  /** The plan ends before it when the instance was stopped: it is left as it was. */
  readonly unlessStopped?: true
}
export type Step = Named &
  (
    | { readonly act: Act; readonly rung?: Rung }
    | { readonly await: 'up' | 'down' | 'paused' | 'suspended' | 'settled' }
    /** No driver's: it changes rows alone, in the commit that ends it, and so is done once and whole. */
    | { readonly rows: 'withdraw' | 'put-back' }
    | { readonly hear: 'unseen' }
  )

const create: Step = {
  name: 'create',
  act: 'create',
  doc: 'The driver makes the thing, not running. Skipped when it was made before.',
}
const start: Step = { name: 'start', act: 'start', doc: 'The driver starts it.' }
const up: Step = { name: 'await-up', await: 'up', doc: 'Until it is seen up and ready.' }
const stop: Step = {
  name: 'stop',
  act: 'stop',
  doc: 'The driver stops it, as hard as the operation has come to.',
}
const kill: Step = { name: 'kill', act: 'stop', rung: 'hard', doc: 'The driver stops it at once.' }
const down: Step = {
  name: 'await-down',
  await: 'down',
  doc: "Until it is seen down; escalates when a rung's deadline passes.",
}
const capture: Step = { name: 'capture', act: 'capture', doc: 'The driver takes an image of it.' }
const settled: Step = {
  name: 'await-settled',
  await: 'settled',
  doc: 'Until it can be seen again.',
}
const pause: Step = { name: 'pause', act: 'pause', doc: 'The driver holds it still.' }
const paused: Step = { name: 'await-paused', await: 'paused', doc: 'Until it is seen paused.' }
const unpause: Step = { name: 'unpause', act: 'unpause', doc: 'The driver lets it go on.' }
const suspend: Step = { name: 'suspend', act: 'suspend', doc: 'The driver puts it away.' }
const suspended: Step = {
  name: 'await-suspended',
  await: 'suspended',
  doc: 'Until it is seen suspended.',
}
const resume: Step = { name: 'resume', act: 'resume', doc: 'The driver takes it up again.' }
const remove: Step = {
  name: 'remove',
  act: 'remove',
  doc: 'The driver removes the thing and all that belongs to it.',
}

const withdraw: Step = {
  name: 'withdraw',
  rows: 'withdraw',
  doc: 'What it serves as is taken out of service. Skipped unless it is drained.',
}
const unseen: Step = {
  name: 'await-unseen',
  hear: 'unseen',
  doc: 'Until its consumers have been shown that, but not for ever. Skipped unless it is drained.',
}
const putBack: Step = {
  name: 'put-back',
  rows: 'put-back',
  doc: 'What was taken out of service is put back. Skipped when it serves as nothing.',
}

export const steps = {
  create: { do: [create, start, up], undo: [kill, down] },
  start: { do: [create, start, up, putBack], undo: [kill, down] },
  stop: { do: [withdraw, unseen, stop, down], undo: [putBack] },
  restart: {
    do: [withdraw, unseen, stop, down, create, start, up, putBack],
    undo: [kill, down],
  },
  capture: { do: [capture, settled], undo: [] },
  delete: { do: [kill, down, remove], undo: [] },
  pause: { do: [pause, paused], undo: [] },
  unpause: { do: [unpause, up], undo: [] },
  suspend: { do: [suspend, suspended], undo: [] },
  resume: { do: [resume, up], undo: [] },
  rebuild: {
    do: [
      kill,
      down,
      remove,
      create,
      { ...start, unlessStopped: true },
      { ...up, unlessStopped: true },
    ],
    undo: [kill, down],
  },
} as const satisfies Record<Verb, Plan>

export interface Plan {
  readonly do: readonly Step[]
  readonly undo: readonly Step[]
}

/** What is to be of something else is first removed by the driver that made it, then made anew. */
export const refitting: Plan = {
  do: [withdraw, unseen, stop, down, remove, create, start, up, putBack],
  undo: [kill, down],
}

/** The steps that an operation has come to: those that do it, or those that undo what was half done. */
export function planOf({
  verb,
  refits,
  undoing,
}: Pick<Operation, 'verb' | 'refits' | 'undoing'>): readonly Step[] {
  const plan: Plan = refits ? refitting : steps[verb]
  return undoing ? plan.undo : plan.do
}

/** The verbs that bring a thing up again, with what it was given since. */
export const bringsUp = (verb: Verb): boolean => verb === 'start' || verb === 'restart'

export type OperationState = 'running' | 'succeeded' | 'failed' | 'cancelled'

export interface Operation {
  readonly id: OperationId
  readonly instanceId: InstanceId
  readonly project: ProjectId
  readonly kind: Kind
  readonly verb: Verb
  /** How hard its stop has become; starts at what was asked and only rises. Null when it stops nothing. */
  readonly rung: Rung | null
  /** How long each softer rung may take before the next one. */
  readonly graceMs: number
  /** How long a start may take until the thing is ready. */
  readonly startMs: number
  /** Capture only: what the image shall be called, and which it is. */
  readonly imageName: string | null
  readonly imageId: string | null
  /** It makes the thing anew of its instance's `refit`. */
  readonly refits: boolean
  /** Null: it stops nothing, or not by the softest rung. */
  readonly drain: Drain | null
  readonly state: OperationState
  /** Undoing after a failure: the steps of `undo` instead of `do`. */
  readonly undoing: boolean
  readonly step: number
  /** Tries of the current step so far. */
  readonly tries: number
  readonly stepSinceMs: number
  /** When the current step's (or rung's) patience ends and a verdict is due. */
  readonly stepDeadlineMs: number
  /** Not to be worked on before; null: now. */
  readonly notBeforeMs: number | null
  /** Fencing token: rises with each claim and each retry; a report with an older one is refused. */
  readonly attempt: number
  readonly worker: string | null
  readonly leaseUntilMs: number
  readonly from: Situation | null
  readonly generation: number
  readonly cause: Cause
  readonly startedAtMs: number
  readonly finishedAtMs: number | null
  readonly failure: { readonly message: string; readonly evidence: JsonObject } | null
  /** The operation that pre-empted this one; set with state `cancelled`. */
  readonly supersededBy: OperationId | null
  readonly log: readonly StepLog[]
}

/** What most operations say, and each new one until it is said otherwise; see `usual` in tables.ts. */
export const usualOperation = {
  imageName: null,
  imageId: null,
  refits: false,
  drain: null,
  undoing: false,
  tries: 0,
  notBeforeMs: null,
  finishedAtMs: null,
  failure: null,
  supersededBy: null,
  log: [],
} as const satisfies Partial<Operation>

export interface Drain {
  /** How long consumers have to see that it is out of service. */
  readonly patienceMs: number
  readonly withdrawn: readonly Withdrawn[]
}

/** A registered instance that was taken out of service, and the revision of its service that says so. */
export interface Withdrawn {
  readonly instanceId: InstanceId
  readonly serviceId: ServiceId
  readonly revision: number
}

export interface StepLog {
  readonly step: string
  readonly rung: Rung | null
  readonly attempt: number
  readonly startedAtMs: number
  readonly finishedAtMs: number
  readonly result: 'done' | 'retry' | 'escalated' | 'failed'
  readonly message: string | null
}

export function currentStep(
  operation: Pick<Operation, 'verb' | 'refits' | 'undoing' | 'step' | 'from'>,
): Step | undefined {
  const step = planOf(operation)[operation.step]
  return step?.unlessStopped && operation.from === 'stopped' ? undefined : step
}
