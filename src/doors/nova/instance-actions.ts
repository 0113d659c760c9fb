// What was done to a server, when, by whom, and how it ended: operations, and locks, which are only events.
// Whatever door a change came through, it is listed here, under the request id that its caller was given.
//
// Source: contract, section 7; openstack/nova nova/api/openstack/compute/instance_actions.py.

import { err, ok, type Result } from '#kernel/errors.ts'
import { type Event } from '#kernel/event.ts'
import { type Instance } from '#kernel/instance.ts'
import { type Verb } from '#kernel/kinds.ts'
import { type Operation } from '#kernel/operation.ts'
import { type Reads } from '#kernel/ports/plane.ts'
import { type Call, type Reply } from './call.ts'
import { type NovaFault } from './faults.ts'
import { serverIn } from './servers.ts'
import { micros } from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>

/** Newest; older ones are in the event log of the native door. */
const actionsMax = 1000

interface Words {
  readonly action: string
  readonly event: string
}

const words = {
  create: { action: 'create', event: 'compute__do_build_and_run_instance' },
  start: { action: 'start', event: 'compute_start_instance' },
  stop: { action: 'stop', event: 'compute_stop_instance' },
  restart: { action: 'reboot', event: 'compute_reboot_instance' },
  pause: { action: 'pause', event: 'compute_pause_instance' },
  unpause: { action: 'unpause', event: 'compute_unpause_instance' },
  suspend: { action: 'suspend', event: 'compute_suspend_instance' },
  resume: { action: 'resume', event: 'compute_resume_instance' },
  rebuild: { action: 'rebuild', event: 'compute_rebuild_instance' },
  capture: { action: 'createImage', event: 'compute_snapshot_instance' },
  delete: { action: 'delete', event: 'compute_terminate_instance' },
} as const satisfies Record<Verb, Words>

const lockWords = {
  'instance.held': { action: 'lock', event: 'api_lock' },
  'instance.released': { action: 'unlock', event: 'api_unlock' },
} as const satisfies Partial<Record<Event['type'], Words>>
type LockEvent = keyof typeof lockWords
const lockEvents = Object.keys(lockWords) as readonly LockEvent[] // keys of a const table

/** One line of the list, whatever it was made from. */
interface Done extends Words {
  readonly requestId: string
  readonly userId: string | null
  readonly startedAtMs: number
  readonly finishedAtMs: number | null
  readonly outcome: 'Success' | 'Error' | null
}

export async function listInstanceActions(call: Call): Answered {
  const instance = await serverIn(call)
  if (!instance.ok) return instance
  const { read } = call.house.plane
  const operations = await read.list('operations', {
    where: { instanceId: instance.value.id },
    order: { by: 'startedAtMs', dir: 'desc' },
    limit: actionsMax,
  })
  const locks = await locksOf(read, instance.value.id)
  const all = [...operations.map(ofOperation), ...locks.map(ofLock)]
  const newest = all.toSorted((a, b) => b.startedAtMs - a.startedAtMs).slice(0, actionsMax)
  return ok({
    status: 200,
    body: { instanceActions: newest.map((one) => item(one, instance.value)) },
  })
}

export async function showInstanceAction(call: Call): Answered {
  const instance = await serverIn(call)
  if (!instance.ok) return instance
  const requestId = call.exchange.params['request_id'] ?? ''
  const { read } = call.house.plane
  const operations = await read.find('operations', 'requestId', requestId)
  const operation = operations.find(({ instanceId }) => instanceId === instance.value.id)
  const lock = operation
    ? undefined
    : (await locksOf(read, instance.value.id)).find(({ cause }) => cause.requestId === requestId)
  const one = operation ? ofOperation(operation) : lock && ofLock(lock)
  if (!one) return err({ status: 404, message: `Action ${requestId} not found` })
  // Owners see the events from 2.51 on.
  const events = call.caller.role === 'admin' ? { events: [eventOf(one)] } : {}
  return ok({ status: 200, body: { instanceAction: { ...item(one, instance.value), ...events } } })
}

const locksOf = async (read: Reads, instanceId: string): Promise<readonly Event[]> => {
  const events = await read.events({
    after: 0,
    instanceId,
    types: lockEvents,
    newestFirst: true,
    limit: actionsMax,
  })
  return events.filter(({ data }) => data['kind'] === 'lock')
}

const ofOperation = (operation: Operation): Done => ({
  ...words[operation.verb],
  requestId: operation.cause.requestId,
  userId: operation.cause.userId,
  startedAtMs: operation.startedAtMs,
  finishedAtMs: operation.finishedAtMs,
  outcome: outcomeOf(operation),
})

/** One that another request took the place of did not do what it was asked for. */
const outcomeOf = ({ state }: Operation): Done['outcome'] =>
  state === 'running' ? null : state === 'succeeded' ? 'Success' : 'Error'

const ofLock = ({ type, atMs, cause }: Event): Done => ({
  ...lockWords[type as LockEvent], // asked for by these types
  requestId: cause.requestId,
  userId: cause.userId,
  startedAtMs: atMs,
  finishedAtMs: atMs,
  outcome: 'Success',
})

const item = (one: Done, instance: Instance): object => ({
  action: one.action,
  instance_uuid: instance.id,
  request_id: one.requestId,
  user_id: one.userId,
  project_id: instance.project,
  start_time: micros(one.startedAtMs),
  message: one.outcome === 'Error' ? 'Error' : null,
})

const eventOf = (one: Done): object => ({
  event: one.event,
  start_time: micros(one.startedAtMs),
  finish_time: one.finishedAtMs === null ? null : micros(one.finishedAtMs),
  result: one.outcome,
  traceback: null,
})
