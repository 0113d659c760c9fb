// Our states in Nova's words: vm_state (stable), task_state (what is under way) and the status that follows from
// the two. Also which vm_states each action accepts: the kernel refuses the others, this file only names them.
//
// - While something is under way, vm_state stays what it was before it: clients compare the two.
// - Never `building` again once launched, never a task_state at rest.
// Source: contract, section 4; openstack/nova nova/compute/{vm_states,task_states,power_state}.py,
// nova/api/openstack/common.py (_STATE_MAP).

import { type Instance, situationOf, type Underway } from '#kernel/instance.ts'
import { lifecycles, type Situation, type SituationOf, type Verb } from '#kernel/kinds.ts'
import type { Observation } from '#kernel/observation.ts'

export type VmState =
  | 'building'
  | 'active'
  | 'stopped'
  | 'paused'
  | 'suspended'
  | 'error'
  | 'deleted'
export type TaskState =
  | 'scheduling'
  | 'spawning'
  | 'powering-on'
  | 'powering-off'
  | 'rebooting'
  | 'rebooting_hard'
  | 'pausing'
  | 'unpausing'
  | 'suspending'
  | 'resuming'
  | 'rebuilding'
  | 'image_snapshot'
  | 'deleting'
export type Status =
  | 'ACTIVE'
  | 'BUILD'
  | 'DELETED'
  | 'ERROR'
  | 'HARD_REBOOT'
  | 'PAUSED'
  | 'REBOOT'
  | 'REBUILD'
  | 'SHUTOFF'
  | 'SUSPENDED'

/** 0 no state, 1 running, 3 paused, 4 shut down; the other numbers of Nova's are states that no driver reports. */
export type PowerState = 0 | 1 | 3 | 4

export interface ServerState {
  readonly vmState: VmState
  readonly taskState: TaskState | null
  readonly powerState: PowerState
  readonly status: Status
}

type ServerSituation = SituationOf<'server'>

/** A busy state's own entry counts only when nothing says what it came from. */
const vmStates = {
  provisioning: 'building',
  running: 'active',
  stopped: 'stopped',
  paused: 'paused',
  suspended: 'suspended',
  pausing: 'active',
  unpausing: 'paused',
  suspending: 'active',
  resuming: 'suspended',
  rebuilding: 'active',
  starting: 'stopped',
  stopping: 'active',
  restarting: 'active',
  imaging: 'active',
  deleting: 'active',
  'failed/create': 'error',
  'failed/start': 'error',
  'failed/stop': 'error',
  'failed/restart': 'error',
  'failed/capture': 'error',
  'failed/delete': 'error',
  'failed/pause': 'error',
  'failed/unpause': 'error',
  'failed/suspend': 'error',
  'failed/resume': 'error',
  'failed/rebuild': 'error',
  'failed/run': 'error',
  deleted: 'deleted',
} as const satisfies Record<ServerSituation, VmState>

const taskStates = {
  // Until its driver has made it there is nothing to spawn.
  create: (_task, instance) => (instance.handle === null ? 'scheduling' : 'spawning'),
  start: () => 'powering-on',
  stop: () => 'powering-off',
  // What was asked, not how hard it has become: a soft reboot that ends by force is still a REBOOT.
  restart: (underway) => (underway.asked === 'hard' ? 'rebooting_hard' : 'rebooting'),
  pause: () => 'pausing',
  unpause: () => 'unpausing',
  suspend: () => 'suspending',
  resume: () => 'resuming',
  rebuild: () => 'rebuilding',
  capture: () => 'image_snapshot',
  delete: () => 'deleting',
} as const satisfies Record<
  Verb,
  (underway: Pick<Underway, 'asked'>, instance: Pick<Instance, 'handle'>) => TaskState
>

/** What is under way shows in the status only where this says so. */
const statuses = {
  building: { otherwise: 'BUILD' },
  active: {
    rebooting: 'REBOOT',
    rebooting_hard: 'HARD_REBOOT',
    rebuilding: 'REBUILD',
    otherwise: 'ACTIVE',
  },
  stopped: { rebuilding: 'REBUILD', otherwise: 'SHUTOFF' },
  paused: { otherwise: 'PAUSED' },
  suspended: { otherwise: 'SUSPENDED' },
  error: { rebuilding: 'REBUILD', otherwise: 'ERROR' },
  deleted: { otherwise: 'DELETED' },
} as const satisfies Record<
  VmState,
  Readonly<Partial<Record<TaskState, Status>> & { otherwise: Status }>
>

const powerStates = {
  up: 1,
  paused: 3,
  // Source: contract, section 4.3: it has no power, though its driver could call it 7.
  suspended: 4,
  down: 4,
  absent: 0,
  unknown: 0,
} as const satisfies Record<Observation['seen'], PowerState>

/** Total over every situation: a kind that this door does not show has no entry, and is never asked for. */
export const vmStateOf = (situation: Situation): VmState => vmStates[situation as ServerSituation] // this door reads servers only

export const taskStateOf = (verb: Verb, asked: Underway['asked']): TaskState =>
  taskStates[verb]({ asked }, { handle: null })

export const statusOf = (vmState: VmState, taskState: TaskState | null): Status => {
  const words: Readonly<Partial<Record<TaskState, Status>> & { otherwise: Status }> =
    statuses[vmState]
  return (taskState === null ? undefined : words[taskState]) ?? words.otherwise
}

export function stateOf(instance: Instance): ServerState {
  const { underway } = instance
  const vmState = vmStateOf(underway?.from ?? situationOf(instance))
  const taskState = underway === null ? null : taskStates[underway.verb](underway, instance)
  // What is not yet, or no longer, has no power, whatever its driver saw last.
  const isThing = vmState !== 'building' && vmState !== 'deleted'
  const powerState = isThing ? powerStates[instance.observation.seen] : 0
  return { vmState, taskState, powerState, status: statusOf(vmState, taskState) }
}

/** Words of the list of statuses, also those that no server here ever shows. */
export const isStatus = (word: string): boolean => statusWords.has(word)
const statusWords: ReadonlySet<string> = new Set(
  (
    'ACTIVE BUILD DELETED ERROR HARD_REBOOT MIGRATING PASSWORD PAUSED REBOOT REBUILD RESCUE RESIZE ' +
    'REVERT_RESIZE SHELVED SHELVED_OFFLOADED SHUTOFF SOFT_DELETED SUSPENDED UNKNOWN VERIFY_RESIZE'
  ).split(' '),
)

/** The vm_states that can show one of these statuses. */
export const vmStatesShowing = (wanted: ReadonlySet<string>): ReadonlySet<VmState> =>
  new Set(
    (Object.keys(statuses) as VmState[]).filter(
      (
        vmState, // keys of a const table
      ) => Object.values(statuses[vmState]).some((status) => wanted.has(status)),
    ),
  )

const situations = Object.keys(vmStates) as readonly ServerSituation[] // keys of a const table
const isBusy = (situation: ServerSituation): boolean =>
  !situation.startsWith('failed/') &&
  lifecycles.server.states[situation as keyof typeof lifecycles.server.states].is === 'busy' // failed/… are the only situations that are not states

/** Where to look for servers of these vm_states. A busy one shows what it came from, so it may be any of them. */
export const situationsShowing = (
  wanted: (vmState: VmState) => boolean,
): readonly ServerSituation[] => situations.filter((one) => isBusy(one) || wanted(vmStates[one]))

export const liveSituations: readonly ServerSituation[] = situations.filter(
  (one) => one !== 'deleted',
)

export interface Precondition {
  readonly vmStates: readonly VmState[]
  /** Busy situations in which the action is accepted all the same. */
  readonly during: readonly ServerSituation[]
  /** A server that was never launched is refused, whatever its vm_state. */
  readonly mustHaveLaunched: boolean
}

/** Source: contract, section 4.3, columns "Allowed vm_state" and "task required". */
export const preconditions = {
  stop: { vmStates: ['active', 'error'], during: [], mustHaveLaunched: true },
  start: { vmStates: ['stopped'], during: [], mustHaveLaunched: true },
  'reboot soft': { vmStates: ['active'], during: [], mustHaveLaunched: true },
  'reboot hard': {
    vmStates: ['active', 'stopped', 'paused', 'suspended', 'error'],
    during: ['restarting', 'pausing', 'unpausing', 'suspending', 'resuming'],
    mustHaveLaunched: true,
  },
  pause: { vmStates: ['active'], during: [], mustHaveLaunched: true },
  unpause: { vmStates: ['paused'], during: [], mustHaveLaunched: true },
  suspend: { vmStates: ['active'], during: [], mustHaveLaunched: true },
  resume: { vmStates: ['suspended'], during: [], mustHaveLaunched: true },
  rebuild: { vmStates: ['active', 'stopped', 'error'], during: [], mustHaveLaunched: true },
  createImage: {
    vmStates: ['active', 'stopped', 'paused', 'suspended'],
    during: [],
    mustHaveLaunched: true,
  },
  /** Metadata and tags. */
  description: {
    vmStates: ['active', 'stopped', 'paused', 'suspended'],
    during: [
      'starting',
      'stopping',
      'restarting',
      'pausing',
      'unpausing',
      'suspending',
      'resuming',
      'imaging',
      'rebuilding',
      'deleting',
    ],
    mustHaveLaunched: false,
  },
} as const satisfies Record<string, Precondition>

/** The same in the kernel's words: what a request's `from` says. */
export const situationsFor = (name: keyof typeof preconditions): readonly ServerSituation[] => {
  const { vmStates: accepted, during, mustHaveLaunched }: Precondition = preconditions[name]
  const atRest = situations.filter(
    (one) =>
      !isBusy(one) &&
      accepted.includes(vmStates[one]) &&
      // Only a server whose creation failed was never launched.
      !(mustHaveLaunched && one === 'failed/create'),
  )
  return [...atRest, ...during]
}
