// Our states in the words of this cloud, exhaustively, and the states in which its calls are accepted.
// Source: edge inference contract, sections 2.1 to 2.4.

import type { nodeStates } from '#kernel/catalogue.ts'
import type { Instance } from '#kernel/instance.ts'
import type { SituationOf } from '#kernel/kinds.ts'
import { present } from '#kernel/present.ts'
import type { StartInstance, StopInstance } from '#kernel/request.ts'
import type { ServiceState } from '#kernel/service.ts'

/** Every value that a list may be filtered by; the last three belong to services that do not run on nodes. */
export const serviceStatuses = [
  'deploying',
  'running',
  'concerning',
  'failed',
  'stopping',
  'stopped',
  'deleting',
  'finished',
  'pending',
  'waiting',
] as const
export type ServiceStatus = (typeof serviceStatuses)[number]

export const serviceStatus = {
  deploying: 'deploying',
  running: 'running',
  concerning: 'concerning',
  failed: 'failed',
  stopping: 'stopping',
  stopped: 'stopped',
  deleting: 'deleting',
  // Never shown: what is gone is not found.
  deleted: 'deleting',
} as const satisfies Record<ServiceState, ServiceStatus>

export type InstanceStatus = 'running' | 'stopped' | 'notReady' | 'failed'

/** There is no word for an operation under way: `notReady` stands for all that is in between. */
export const instanceStatus = {
  running: 'running',
  stopped: 'stopped',
  deploying: 'notReady',
  starting: 'notReady',
  stopping: 'notReady',
  'not-ready': 'notReady',
  deleting: 'notReady',
  // Never shown: it left its service's list of nodes.
  deleted: 'stopped',
  'failed/create': 'failed',
  'failed/start': 'failed',
  'failed/stop': 'failed',
  'failed/run': 'failed',
  'failed/delete': 'failed',
  // Nothing restarts or captures an edge instance.
  'failed/restart': 'failed',
  'failed/capture': 'failed',
} as const satisfies Record<SituationOf<'edge-instance'>, InstanceStatus>

type EdgeSituation = keyof typeof instanceStatus
const isEdgeSituation = (text: string): text is EdgeSituation => Object.hasOwn(instanceStatus, text)

const underWay: Readonly<Record<string, string>> = {
  deploying: 'being deployed',
  starting: 'being started',
  stopping: 'being stopped',
  deleting: 'being deleted',
}

/** The word for one node's instance and, unless all is well, why. */
export function shownInstance(instance: Instance): {
  readonly status: InstanceStatus
  readonly message: string | null
} {
  const { situation, unsure, reason } = present(instance)
  const word = isEdgeSituation(situation) ? instanceStatus[situation] : 'notReady'
  // It should run, and the last look could not tell whether it does.
  const status = word === 'running' && unsure ? 'notReady' : word
  if (status === 'running' || status === 'stopped') return { status, message: null }
  return { status, message: reason ?? underWay[situation] ?? null }
}

export const hostState = {
  ready: 'RUNNING',
  failed: 'FAIL',
  unconnected: 'UNCONNECTED',
} as const satisfies Record<keyof typeof nodeStates, string>

/**
 * What each value of E1 asks for, and where from: `running` starts what is stopped, `stopped` stops what runs.
 * Nothing else is accepted, not even to repeat what was asked.
 * Source: section 1.2 and ambiguity A1.
 */
export const powerOf = {
  running: { verb: 'start', from: ['stopped'] },
  // What the last look could not see is shown notReady, whatever its record says.
  stopped: { verb: 'stop', from: ['running'], ifSure: true, rung: 'soft' },
} as const satisfies Record<string, Power>

type Power = Pick<StartInstance | StopInstance, 'verb' | 'ifSure'> & {
  readonly from: readonly EdgeSituation[]
  readonly rung?: StopInstance['rung']
}
