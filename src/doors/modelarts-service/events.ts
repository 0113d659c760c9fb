// E7: what happened to a service and to its instance on each node, from the event log, one line per lifecycle
// step. The lines are free text; only `normal` and `abnormal` are the vendor's words.
// Source: edge inference contract, section 1.8.

import { err, ok, type Result } from '#kernel/errors.ts'
import { type Event, type EventType } from '#kernel/event.ts'
import { textIn } from '../shared/json-facts.ts'
import { type Asked, seeService } from '../shared/project-route.ts'
import { type Fault } from '../shared/three-keys.ts'
import { faultOf } from './faults.ts'
import { decodeEventQuery } from './query.ts'

/** Newest events read of the service and of each instance; older ones are in the native door's log. */
const eventsMax = 5000
const pageEvents = 1000

interface Line {
  readonly occur_time: number
  readonly event_type: 'normal' | 'abnormal'
  readonly event_info: string
}

export async function listEvents(asked: Asked): Promise<Result<object, Fault>> {
  const query = decodeEventQuery(asked.query)
  if (!query.ok) return query
  const seen = await seeService(asked, asked.exchange.params['service_id'] ?? '')
  if (!seen.ok) return err(faultOf(seen.error, 'read'))
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
  const instances = await asked.plane.read.find('instances', 'serviceId', serviceId)
  const found: { readonly event: Event; readonly node: string }[] = []
  for (const event of await newest(asked, serviceId, serviceEvents)) found.push({ event, node: '' })
  for (const { id, nodeId } of instances) {
    const node = nodeId === null ? undefined : await asked.plane.read.get('nodes', nodeId)
    for (const event of await newest(asked, id, instanceEvents))
      found.push({ event, node: node?.name ?? nodeId ?? '' })
  }
  return found
    .toSorted((a, b) => a.event.seq - b.event.seq)
    .flatMap(({ event, node }) => lineOf(event, node) ?? [])
}

const serviceEvents = ['service.created', 'service.state', 'service.updated'] as const
const instanceEvents = ['instance.created', 'instance.state'] as const

async function newest(
  asked: Asked,
  subject: string,
  types: readonly EventType[],
): Promise<readonly Event[]> {
  const events: Event[] = []
  let before: number | undefined
  while (events.length < eventsMax) {
    const page = await asked.plane.read.events({
      after: 0,
      subject,
      types,
      limit: pageEvents,
      newestFirst: true,
      ...(before === undefined ? {} : { before }),
    })
    events.push(...page)
    before = page.at(-1)?.seq
    if (page.length < pageEvents) break
  }
  return events
}

/** What each new state of a node's instance is called here; states without a line say nothing new. */
const stateLines: Readonly<Record<string, string>> = {
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
