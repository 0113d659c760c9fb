// Our own door says our own words, so nothing is translated here. What this file adds are the
// closed lists that the wire's schemas are made of: from the kernel's tables where there is one,
// else checked against its unions, so that a word that the kernel gains cannot be missing on the
// wire.

import type { Cause } from '#kernel/caller.ts'
import {
  driverFaults,
  type DriverPart,
  driverParts,
  type Flavor,
  type Node,
  nodeStates,
} from '#kernel/catalogue.ts'
import { type EventType, eventTypes } from '#kernel/event.ts'
import { type CircleKind, circleKinds } from '#kernel/guard.ts'
import type { Charge, ServiceStatus } from '#kernel/instance.ts'
import {
  type FailedVerb,
  type Kind,
  kindNames,
  lifecycles,
  type Situation,
  type State,
  type Verb,
} from '#kernel/kinds.ts'
import { isA } from '#kernel/lifecycle.ts'
import type { Observation } from '#kernel/observation.ts'
import type { Act, OperationState, StepLog } from '#kernel/operation.ts'
import {
  type Service,
  type ServiceState,
  serviceStates as tableOfServices,
} from '#kernel/service.ts'

/** Every word of a union: the compiler names one that is left out. */
const wordsOf = <Word extends string>(table: Readonly<Record<Word, true>>): readonly Word[] =>
  Object.keys(table) as Word[] // the keys of a record over the union

const everyState = kindNames.flatMap(
  (kind) => Object.keys(lifecycles[kind].states).map((name) => ({ kind, name: name as State })), // keys of a lifecycle table
)

export const states: readonly State[] = [...new Set(everyState.map(({ name }) => name))]

/** What a list shows when nobody names a state: all that is not gone. */
export const liveStates: readonly State[] = [
  ...new Set(
    everyState
      .filter(({ kind, name }) => !isA(lifecycles[kind], name, 'final'))
      .map(({ name }) => name),
  ),
]

export const verbs = wordsOf<Verb>({
  create: true,
  start: true,
  stop: true,
  restart: true,
  capture: true,
  delete: true,
  pause: true,
  unpause: true,
  suspend: true,
  resume: true,
  rebuild: true,
})

export const failedVerbNames: readonly FailedVerb[] = [...verbs, 'run']

export const situations: readonly Situation[] = [
  ...states.filter((state) => state !== 'failed'),
  ...failedVerbNames.map((verb) => `failed/${verb}` as const),
]

/** What a state means, in its lifecycle's own words. */
export function docOf(kind: Kind, state: State): string {
  const table: Readonly<Record<string, { readonly doc: string }>> = lifecycles[kind].states
  return table[state]?.doc ?? ''
}

export const acts = wordsOf<Act>({
  create: true,
  start: true,
  stop: true,
  pause: true,
  unpause: true,
  suspend: true,
  resume: true,
  capture: true,
  remove: true,
})
export const charges = wordsOf<Charge>({ PostPaid: true, PrePaid: true, free: true })
export const hardwareNames = wordsOf<Flavor['hardware']>({ CPU: true, GPU: true, ASCEND: true })
export const seenWords = wordsOf<Observation['seen']>({
  up: true,
  paused: true,
  suspended: true,
  down: true,
  absent: true,
  unknown: true,
})
export const causes = wordsOf<Cause['by']>({
  user: true,
  timer: true,
  queue: true,
  drift: true,
  recovery: true,
  configuration: true,
})
export const operationStates = wordsOf<OperationState>({
  running: true,
  succeeded: true,
  failed: true,
  cancelled: true,
})
export const stepResults = wordsOf<StepLog['result']>({
  done: true,
  retry: true,
  escalated: true,
  failed: true,
})
export const reportedStatuses = wordsOf<ServiceStatus>({
  up: true,
  down: true,
  starting: true,
  testing: true,
  'out-of-service': true,
})
export const servicePhases = wordsOf<Service['phase']>({
  deploying: true,
  stopping: true,
  deleting: true,
  settled: true,
})

export const serviceStates = Object.keys(tableOfServices) as readonly ServiceState[] // keys of a const table
export const liveServiceStates = serviceStates.filter((state) => state !== 'deleted')
export const circleNames = Object.keys(circleKinds) as readonly CircleKind[] // keys of a const table
export const driverFaultNames = Object.keys(driverFaults) as readonly (keyof typeof driverFaults)[] // keys of a const table
export const nodeStateNames = Object.keys(nodeStates) as readonly (keyof typeof nodeStates)[] // keys of a const table
export const eventTypeNames = Object.keys(eventTypes) as readonly EventType[] // keys of a const table
export const driverPartNames = Object.keys(driverParts) as readonly DriverPart[] // keys of a const table
export const acceleratorNames = wordsOf<NonNullable<Node['accelerators']>[number]>({
  GPU: true,
  ASCEND: true,
})
