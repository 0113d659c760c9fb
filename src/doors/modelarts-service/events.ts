// E7: what happened to a service and to its instance on each node, from the event log, one line per lifecycle
// step. The lines are free text; only `normal` and `abnormal` are the vendor's words.
// Source: edge inference contract, section 1.8.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Event } from '#kernel/event.ts'
import { textIn } from '../shared/json-facts.ts'
import { type Asked, seeService } from '../shared/project-route.ts'
import type { Fault } from '../shared/three-keys.ts'
import { deploymentsOf, newestEvents, placedIn } from './history.ts'
import { decodeEventQuery } from './query.ts'
import { faultsFor, serviceIdOf } from './services.ts'

interface Line {
  readonly occur_time: number
  readonly event_type: 'normal' | 'abnormal'
  readonly event_info: string
}

export async function listEvents(asked: Asked): Promise<Result<object, Fault>> {
  const query = decodeEventQuery(asked.query)
  if (!query.ok) return query
  const seen = await seeService(asked, serviceIdOf(asked))
  if (!seen.ok) return err(faultsFor(asked, 'read')(seen.error))
  const { fromMs, toMs, type, offset, limit, dir } = query.value
  const lines = (await linesOf(asked, seen.value.id)).filter(
    (line) =>
      line.occur_time >= fromMs &&
      line.occur_time <= toMs &&
      (type === undefined || line.event_type === type),
  )
  const events = (dir === 'asc' ? lines : lines.toReversed()).slice(offset, offset + limit)
  return ok({
    service_id: seen.value.id,
    service_name: seen.value.name,
    total_count: lines.length,
    count: events.length,
    events,
  })
}

/** Oldest first. */
async function linesOf(asked: Asked, serviceId: string): Promise<readonly Line[]> {
  const found: { readonly event: Event; readonly node: string }[] = []
  for (const event of await newestEvents(asked, serviceId, serviceEvents))
    found.push({ event, node: '' })
  for (const [instance, nodeId] of await everPlaced(asked, serviceId)) {
    const node = (await asked.plane.read.get('nodes', nodeId))?.name ?? nodeId
    for (const event of await newestEvents(asked, instance, instanceEvents))
      found.push({ event, node })
  }
  return found
    .toSorted((a, b) => a.event.seq - b.event.seq)
    .flatMap(({ event, node }) => lineOf(event, node) ?? [])
}

/** Every instance that ever was the service's, with its node. */
async function everPlaced(asked: Asked, serviceId: string): Promise<ReadonlyMap<string, string>> {
  const placed = (await deploymentsOf(asked, serviceId)).map(placedIn)
  return new Map(
    placed.flatMap((one) => Object.entries(one).map(([node, instance]) => [instance, node])),
  )
}

const serviceEvents = [
  'service.created',
  'service.deployed',
  'service.state',
  'service.updated',
] as const
const instanceEvents = ['instance.created', 'instance.state'] as const

/** What each new state of a node's instance is called here; states without a line say nothing new. */
const stateLines: Readonly<Record<string, string>> = {
  deploying: 'redeploy instance on node',
  starting: 'start instance on node',
  running: 'instance is running on node',
  stopping: 'stop instance on node',
  stopped: 'instance is stopped on node',
  deleting: 'delete instance on node',
  deleted: 'instance is deleted from node',
  'not-ready': 'instance is not ready on node',
}

function lineOf(event: Event, node: string): Line | undefined {
  const line = (info: string, isNormal = true): Line => ({
    occur_time: event.atMs,
    event_type: isNormal ? 'normal' : 'abnormal',
    event_info: info,
  })
  const to = textIn(event.data, 'to') ?? ''
  if (event.type === 'service.created') return line('start to deploy service')
  if (event.type === 'service.deployed')
    return event.data['again'] === true ? line('start to redeploy service') : undefined
  if (event.type === 'service.updated') return line('update service')
  if (event.type === 'service.state')
    return line(`service is ${to}`, to !== 'failed' && to !== 'concerning')
  if (event.type === 'instance.created') return line(`deploy instance on node [${node}]`)
  const why = textIn(event.data, 'failure') ?? textIn(event.data, 'reason')
  const because = why === undefined ? '' : `: ${why}`
  if (to.startsWith('failed/')) return line(`instance failed on node [${node}]${because}`, false)
  const words = stateLines[to]
  return words === undefined ? undefined : line(`${words} [${node}]${because}`, to !== 'not-ready')
}
