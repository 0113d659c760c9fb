// Our states in this cloud's words, exhaustively, and the situations in which its calls are accepted.
// Source: contracts/volcengine-ecs.md sections 6.2, 7 and 9.

import type { Charge, Instance, StoppedMode } from '#kernel/instance.ts'
import { failedVerbs, type Situation, type StateOfKind } from '#kernel/kinds.ts'

/** All that the vendor documents; some are states that nothing here can be in. */
export const statuses = [
  'CREATING',
  'RUNNING',
  'STOPPING',
  'STOPPED',
  'STARTING',
  'REBOOTING',
  'REBUILDING',
  'RESIZING',
  'MODIFYING_VPC',
  'DELETING',
  'ERROR',
] as const
export type Status = (typeof statuses)[number]

type State = StateOfKind<'server'>

/**
 * `imaging` has no word of its own: the vendor shows what the instance was before. Nor has what is paused or
 * suspended: it is not stopped, so it shows as running. `deleted` is not shown.
 */
const words = {
  provisioning: 'CREATING',
  running: 'RUNNING',
  stopped: 'STOPPED',
  starting: 'STARTING',
  stopping: 'STOPPING',
  restarting: 'REBOOTING',
  paused: 'RUNNING',
  suspended: 'RUNNING',
  pausing: 'RUNNING',
  unpausing: 'RUNNING',
  suspending: 'RUNNING',
  resuming: 'RUNNING',
  imaging: 'as-before',
  rebuilding: 'REBUILDING',
  deleting: 'DELETING',
  failed: 'ERROR',
  deleted: 'hidden',
} as const satisfies Record<State, Status | 'as-before' | 'hidden'>

type Shown = Pick<Instance, 'state' | 'underway' | 'stoppedMode'>

export function statusOf({ state, underway }: Shown): Status {
  const word = words[state as State] // only servers are asked for
  if (word === 'as-before') return underway?.from === 'stopped' ? 'STOPPED' : 'RUNNING'
  return word === 'hidden' ? 'DELETING' : word
}

/** The states in which an instance may show this status. */
export const statesShownAs = (status: Status): readonly State[] =>
  shownStates.filter(
    (state) =>
      words[state] === status ||
      (words[state] === 'as-before' && (status === 'RUNNING' || status === 'STOPPED')),
  )

/** Every state in which an instance is shown at all. */
export const shownStates = (Object.keys(words) as readonly State[]).filter(
  (state) => words[state] !== 'hidden',
) // keys of a const table

const modeWords = {
  keep: 'KeepCharging',
  release: 'StopCharging',
} as const satisfies Record<StoppedMode, string>
export const modes = { KeepCharging: 'keep', StopCharging: 'release' } as const satisfies Record<
  (typeof modeWords)[StoppedMode],
  StoppedMode
>
export const modeNames = Object.keys(modes) as readonly (keyof typeof modes)[] // keys of a const table

/** Empty while it is neither stopped nor stopping. One that stopped by itself kept what it had. */
export function stoppedModeOf(instance: Shown): string {
  const status = statusOf(instance)
  if (status !== 'STOPPED' && status !== 'STOPPING') return ''
  return modeWords[instance.stoppedMode ?? 'keep']
}

/** The vendor knows no free instances: what is not prepaid is paid by use. */
export const chargeTypes = {
  PostPaid: 'PostPaid',
  PrePaid: 'PrePaid',
  free: 'PostPaid',
} as const satisfies Record<Charge, 'PostPaid' | 'PrePaid'>

const failedIn = failedVerbs.map((verb) => `failed/${verb}` as const)
const describable = [
  ...shownStates.filter((state) => state !== 'deleting' && state !== 'failed'),
  ...failedIn,
] as readonly Situation[] // what is left are situations: every state but failed is one

/** From where each call is accepted; anywhere else it is InvalidInstanceStatus. */
export const acceptedFrom = {
  stop: ['running', 'paused', 'suspended'],
  start: ['stopped'],
  restart: ['running', 'paused', 'suspended'],
  // Neither of these moves anything; only what is going away is left alone.
  describe: describable,
  // What takes effect inside the machine.
  reach: ['running', 'stopped', 'paused', 'suspended'],
  // Deleting without stopping first is what Terraform does.
  delete: ['running', 'stopped', 'paused', 'suspended', ...failedIn],
} as const satisfies Record<string, readonly Situation[]>
