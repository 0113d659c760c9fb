// What was done to a server, when, by whom, and how it ended: operations, and locks, which are only events.
// Whatever door a change came through, it is listed here, under the request id that its caller was given.
//
// Source: contract, section 7; openstack/nova nova/api/openstack/compute/instance_actions.py.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Event } from '#kernel/event.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Verb } from '#kernel/kinds.ts'
import type { Operation } from '#kernel/operation.ts'
import type { Reads } from '#kernel/ports/plane.ts'
import type { Call, Reply } from './call.ts'
import { badRequest, type NovaFault } from './faults.ts'
import { quoted } from './python-text.ts'
import { firstOf, limitOf, nextLink, noSuchMarker } from './query-parameters.ts'
import { changesIn } from './server-query.ts'
import { visibleTo } from './server-scope.ts'
import { serverIn } from './servers.ts'
import { hostId, hostOf, micros } from './wire.ts'

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
  'instance.reset': { action: 'resetState', event: 'api_reset_state' },
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
  readonly failure: string | null
}

/** From which versions on: of deleted servers too, events for owners, pages, where it ran, more of each event. */
const deletedSince = 21
const eventsSince = 51
const pagesSince = 58
const hostsSince = 62
const beforeSince = 66
const detailsSince = 84

/** Also one that is gone, for those versions that tell of it. */
async function subjectOf(call: Call): Promise<Result<Instance, NovaFault>> {
  if (call.negotiated.version < deletedSince) return await serverIn(call)
  const id = call.exchange.params['server_id'] ?? ''
  const row = await call.house.plane.read.get('instances', id)
  return row && visibleTo(call, row) ? ok(row) : await serverIn(call)
}

export async function listInstanceActions(call: Call): Answered {
  const paging = pagingOf(call)
  if (!paging.ok) return paging
  const instance = await subjectOf(call)
  if (!instance.ok) return instance
  const { read } = call.house.plane
  const operations = await read.list('operations', {
    where: { instanceId: instance.value.id },
    order: { by: 'startedAtMs', dir: 'desc' },
    limit: actionsMax,
  })
  const locks = await locksOf(read, instance.value.id)
  const all = [...operations.map(ofOperation), ...locks.map(ofLock)]
    .toSorted((a, b) => b.startedAtMs - a.startedAtMs)
    .filter((one) => fits(one, paging.value))
  const { marker, limit } = paging.value
  const start = marker === undefined ? 0 : all.findIndex((one) => one.requestId === marker) + 1
  if (marker !== undefined && start === 0) return err(noSuchMarker(marker))
  const page = all.slice(start, start + limit)
  const last = page.at(-1)
  const isFull = call.negotiated.version >= pagesSince && page.length === limit
  const links = isFull && last ? { links: [nextLink(call.exchange, last.requestId)] } : {}
  return ok({
    status: 200,
    body: { instanceActions: page.map((one) => item(one, instance.value, call)), ...links },
  })
}

interface Paging {
  readonly limit: number
  readonly marker?: string
  readonly sinceMs?: number
  readonly beforeMs?: number
}

function pagingOf({ exchange, negotiated }: Call): Result<Paging, NovaFault> {
  const { version } = negotiated
  if (version < pagesSince) return ok({ limit: actionsMax })
  const params = new URLSearchParams(exchange.rawQuery)
  const known = [
    'limit',
    'marker',
    'changes-since',
    ...(version >= beforeSince ? ['changes-before'] : []),
  ]
  const unknown = [...params.keys()].find((name) => !known.includes(name))
  if (unknown !== undefined)
    return err(
      badRequest(`Additional properties are not allowed (${quoted(unknown)} was unexpected)`),
    )
  const limit = limitOf(params, actionsMax)
  if (!limit.ok) return limit
  const changes = changesIn(params, version)
  if (!changes.ok) return changes
  const marker = firstOf(params, 'marker')
  const { minMs, maxMs } = changes.value ?? {}
  return ok({
    limit: limit.value,
    ...(marker === undefined ? {} : { marker }),
    ...(minMs === undefined ? {} : { sinceMs: minMs }),
    ...(maxMs === undefined ? {} : { beforeMs: maxMs }),
  })
}

const updatedAtMs = ({ finishedAtMs, startedAtMs }: Done): number => finishedAtMs ?? startedAtMs

const fits = (one: Done, { sinceMs = 0, beforeMs = Number.POSITIVE_INFINITY }: Paging): boolean =>
  updatedAtMs(one) >= sinceMs && updatedAtMs(one) <= beforeMs

export async function showInstanceAction(call: Call): Answered {
  const instance = await subjectOf(call)
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
  const mayRead = call.caller.role === 'admin' || call.negotiated.version >= eventsSince
  const events = mayRead ? { events: [eventOf(one, instance.value, call)] } : {}
  const body = { instanceAction: { ...item(one, instance.value, call), ...events } }
  return ok({ status: 200, body })
}

/** One per request: an unlock may end an owner's lock and an admin's. */
const locksOf = async (read: Reads, instanceId: string): Promise<readonly Event[]> => {
  const events = await read.events({
    after: 0,
    instanceId,
    types: lockEvents,
    newestFirst: true,
    limit: actionsMax,
  })
  return events
    .filter(({ type, data }) => type === 'instance.reset' || data['kind'] === 'lock')
    .filter(({ cause }, at, all) => cause.requestId !== all[at - 1]?.cause.requestId)
}

const ofOperation = (operation: Operation): Done => ({
  ...words[operation.verb],
  requestId: operation.cause.requestId,
  userId: operation.cause.userId,
  startedAtMs: operation.startedAtMs,
  finishedAtMs: operation.finishedAtMs,
  outcome: outcomeOf(operation),
  failure: operation.failure?.message ?? null,
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
  failure: null,
})

const item = (one: Done, instance: Instance, { negotiated }: Call): object => ({
  action: one.action,
  instance_uuid: instance.id,
  request_id: one.requestId,
  user_id: one.userId,
  project_id: instance.project,
  start_time: micros(one.startedAtMs),
  message: one.outcome === 'Error' ? 'Error' : null,
  ...(negotiated.version >= pagesSince ? { updated_at: micros(updatedAtMs(one)) } : {}),
})

/** What went wrong, where and how is an admin's to read. */
function eventOf(one: Done, instance: Instance, { caller, negotiated }: Call): object {
  const { version } = negotiated
  const isAdmin = caller.role === 'admin'
  return {
    event: one.event,
    start_time: micros(one.startedAtMs),
    finish_time: one.finishedAtMs === null ? null : micros(one.finishedAtMs),
    result: one.outcome,
    ...(isAdmin ? { traceback: null } : {}),
    ...(version >= hostsSince ? { hostId: hostId(instance) } : {}),
    ...(version >= hostsSince && isAdmin ? { host: hostOf(instance) } : {}),
    ...(version >= detailsSince && isAdmin ? { details: one.failure } : {}),
  }
}
