// E8: each configuration that a service was given, and what came of it on each node. What was given is this
// door's own note; when, on which instances and how it went is the event log's and the operations'.
// Source: edge inference contract, section 1.9.

import { err, ok } from '#kernel/errors.ts'
import type { Event } from '#kernel/event.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { Verb } from '#kernel/kinds.ts'
import type { Operation } from '#kernel/operation.ts'
import type { Service } from '#kernel/service.ts'
import { textIn, textsIn } from '../shared/json-facts.ts'
import { type Asked, seeService } from '../shared/project-route.ts'
import { deploymentsOf, placedIn } from './history.ts'
import { decodeUpdateTime } from './query.ts'
import { type Answered, faultsFor, serviceIdOf } from './services.ts'
import { keptOf, modelFacts } from './wire.ts'

/** Of what a failed instance wrote last, so that its log says more than a number. */
const outputLines = 5

export async function listUpdates(asked: Asked): Answered {
  const at = decodeUpdateTime(asked.query)
  if (!at.ok) return at
  const seen = await seeService(asked, serviceIdOf(asked))
  if (!seen.ok) return err(faultsFor(asked, 'read')(seen.error))
  const service = seen.value
  const told = await deploymentsOf(asked, service.id)
  const wanted = told.filter(({ atMs }) => at.value === undefined || atMs === at.value)
  const logs: object[] = []
  for (const event of wanted) logs.push(await logOf(asked, service, event))
  return ok({ service_id: service.id, service_name: service.name, logs })
}

async function logOf(asked: Asked, service: Service, event: Event): Promise<object> {
  const config = await configOf(asked, service, event)
  const common = { update_time: event.atMs, config, extend_config: [], cluster_id: '' }
  if (!service.onNodes) return { ...common, result: 'SUCCESS' }
  const placed = placedIn(event)
  const operations = await asked.plane.read.find('operations', 'requestId', event.cause.requestId)
  const outcomes = await Promise.all(
    Object.entries(placed).map(([node, instance]) =>
      outcomeOf(
        asked,
        node,
        operations.find((one) => one.instanceId === instance && one.verb in deeds),
      ),
    ),
  )
  const ended = outcomes.filter((one) => one !== undefined)
  const failed = ended.filter(({ result }) => !result).length
  const isOver = ended.length === outcomes.length
  return {
    ...common,
    result: failed > 0 && isOver ? 'FAIL' : isOver ? 'SUCCESS' : 'RUNNING',
    success_num: ended.length - failed,
    failed_num: failed,
    result_detail: ended,
  }
}

/** What each verb is called here; others are no part of a configuration. */
const deeds = {
  create: 'deploy',
  restart: 'deploy',
  delete: 'delete',
} as const satisfies Partial<Record<Verb, string>>

interface Outcome {
  readonly node_id: string
  readonly node_name: string
  readonly operation: (typeof deeds)[keyof typeof deeds]
  readonly result: boolean
  readonly message?: string
}

/** Undefined while it is under way. */
async function outcomeOf(
  asked: Asked,
  node: string,
  operation: Operation | undefined,
): Promise<Outcome | undefined> {
  if (!operation || operation.state === 'running') return undefined
  const row = await asked.plane.read.get('nodes', node)
  const isGood = operation.state === 'succeeded'
  return {
    node_id: node,
    node_name: row?.name ?? node,
    operation: deeds[operation.verb as keyof typeof deeds], // only those are looked for
    result: isGood,
    ...(isGood ? {} : { message: await whyOf(asked, operation) }),
  }
}

async function whyOf(asked: Asked, { failure, instanceId }: Operation): Promise<string> {
  if (failure === null) return 'another request took its place'
  const instance = await asked.plane.read.get('instances', instanceId)
  const lines = instance ? await asked.plane.output(instance, outputLines) : []
  return [failure.message, ...lines].join('\n')
}

/** As it was given; of a service that another door deployed, as the event says it. */
async function configOf(
  asked: Asked,
  service: Service,
  { cause, data }: Event,
): Promise<readonly JsonObject[]> {
  const given = keptOf(service).updates?.find((one) => one.requestId === cause.requestId)?.config
  const entries = given ?? [
    {
      model_id: textIn(data, 'image') ?? '',
      specification: textIn(data, 'flavor') ?? '',
      nodes: textsIn(data, 'nodes'),
    },
  ]
  return Promise.all(entries.map((entry) => withModel(asked, entry)))
}

async function withModel(asked: Asked, entry: JsonObject): Promise<JsonObject> {
  const image = await asked.plane.read.get('images', textIn(entry, 'model_id') ?? '')
  return { ...entry, ...modelFacts(image) }
}
