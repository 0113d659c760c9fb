// Our states in this API's words: what an operation has come to as the status of a job, and which kind of job it
// is. A job is nothing of its own here: it is a kept batch, and its parts are that batch's operations.
//
// Source: contract, sections 11.3 and 11.4.

import { lifecycles } from '#kernel/kinds.ts'
import type { OperationState } from '#kernel/operation.ts'
import type { PowerAction } from '../shared/server-words.ts'

export type JobStatus = 'RUNNING' | 'SUCCESS' | 'FAIL'

/** `INIT` is never seen: what is accepted is under way in the same commit. */
export const jobStatuses = {
  running: 'RUNNING',
  succeeded: 'SUCCESS',
  failed: 'FAIL',
  // Something else took its place, so it never came to what was asked.
  cancelled: 'FAIL',
} as const satisfies Record<OperationState, JobStatus>

/** Two services, the same servers, the same paths but for one word; each has codes and defaults of its own. */
export type Family = 'bms' | 'ecs'

export const actions = ['os-start', 'os-stop', 'reboot'] as const
export type Action = (typeof actions)[number]
export type PowerType = 'SOFT' | 'HARD'

interface JobTypes {
  readonly whole: string
  readonly part: string
}

const bmsTypes: JobTypes = { whole: 'baremetalBatchOperate', part: 'baremetalSingleOperate' }

export const jobTypes = {
  bms: { 'os-start': bmsTypes, 'os-stop': bmsTypes, reboot: bmsTypes },
  ecs: {
    'os-start': { whole: 'batchStartServer', part: 'startServer' },
    'os-stop': { whole: 'batchStopServer', part: 'stopServer' },
    reboot: { whole: 'batchRebootServer', part: 'rebootServer' },
  },
} as const satisfies Record<Family, Record<Action, JobTypes>>

/** What `type` means when nobody says it; a reboot must say it. Source: contract, section 11.1. */
export const stopTypes = { bms: 'HARD', ecs: 'SOFT' } as const satisfies Record<Family, PowerType>

export const powerActionOf = (action: Action, type: PowerType): PowerAction => {
  if (action === 'os-start') return 'start'
  if (action === 'os-stop') return 'stop'
  return type === 'HARD' ? 'reboot hard' : 'reboot soft'
}

/** Servers that are not history. */
export const liveStates: readonly string[] = Object.entries(lifecycles.server.states).flatMap(
  ([state, { is }]) => (is === 'final' ? [] : [state]),
)
