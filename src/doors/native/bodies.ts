// What this door hears, as schemas: bodies and query parameters. A field that a schema does not
// know is refused, so that a misspelt one is not silently ignored.
//
// - A moment that something shall end is ISO 8601; a span is in milliseconds.

import type { Static, TSchema } from 'typebox'
import { kindNames } from '#kernel/kinds.ts'
import { rungs } from '#kernel/ladder.ts'
import { meteredKinds } from '#kernel/meter.ts'
import { Type } from '#schema/type.ts'
import {
  charges,
  driverFaultNames,
  hardwareNames,
  operationStates,
  reportedStatuses,
  situations,
  states,
} from './states.ts'
import {
  driver,
  event,
  instancesMax,
  json,
  listOf,
  node,
  orNull,
  quotas,
  service,
  words,
  workspace,
} from './wire.ts'

const closed = { additionalProperties: false } as const
const body = <const P extends Record<string, TSchema>>(title: string, properties: P) =>
  Type.Object(properties, { title, ...closed })
const maybe = Type.Optional

/** No control characters: names are printed by terminals and logs. */
const name = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
})
const description = Type.String({ maxLength: 1024 })
const id = Type.String({ minLength: 1, maxLength: 255 })
const why = Type.String({ minLength: 1, maxLength: 1024, description: 'Kept in the history.' })
const until = Type.String({ format: 'date-time' })
const graceMs = Type.Integer({ minimum: 0, maximum: 3_600_000 })
const spanMs = Type.Integer({ minimum: 0, maximum: 31_622_400_000 })
const labels = Type.Unsafe<Readonly<Record<string, string>>>({
  type: 'object',
  maxProperties: 64,
  propertyNames: { minLength: 1, maxLength: 128 },
  additionalProperties: { type: 'string', maxLength: 256 },
})
const charge = words(charges)
const autoStop = Type.Object({ enabled: Type.Boolean(), afterMs: spanMs }, closed)

export const createInstance = body('CreateInstance', {
  kind: words(['server', 'notebook'] as const),
  name,
  flavor: id,
  image: id,
  description: maybe(description),
  count: maybe(Type.Integer({ minimum: 1, maximum: 100 })),
  countMin: maybe(Type.Integer({ minimum: 1, maximum: 100 })),
  uniqueName: maybe(Type.Boolean()),
  queues: maybe(Type.Boolean()),
  charge: maybe(charge),
  autoStop: maybe(autoStop),
  labels: maybe(labels),
  launch: maybe(json),
  conditions: maybe(Type.Object({ deletionProtected: maybe(Type.Boolean()) }, closed)),
})
export type CreateInstanceBody = Static<typeof createInstance>

export const patchInstance = Type.Object(
  {
    name: maybe(name),
    description: maybe(description),
    labels: maybe(labels),
    charge: maybe(charge),
    autoStop: maybe(autoStop),
    launch: maybe(json),
    conditions: maybe(
      Type.Object(
        {
          createdByService: maybe(Type.Union([name, Type.Null()])),
          scheduled: maybe(Type.Boolean()),
          hostUnsupported: maybe(Type.Boolean()),
          deletionProtected: maybe(Type.Boolean()),
        },
        closed,
      ),
    ),
  },
  { title: 'PatchInstance', minProperties: 1, ...closed },
)
export type PatchInstanceBody = Static<typeof patchInstance>

/** Every action that an instance may be asked for, by name; each has its own fields. */
const action = <const Word extends string, const P extends Record<string, TSchema>>(
  word: Word,
  properties: P,
) =>
  Type.Object(
    {
      action: Type.Literal(word),
      why: maybe(why),
      from: maybe(
        Type.Unsafe<readonly (typeof situations)[number][]>(
          Type.Array(words(situations), {
            minItems: 1,
            description: 'Refuse unless it is in one of these. Absent: converge.',
          }),
        ),
      ),
      ...properties,
    },
    {
      title: `${word.replace(/(^|-)./g, (part) => part.replace('-', '').toUpperCase())}Action`,
      ...closed,
    },
  )

const mode = maybe(words(rungs))

export const actions = {
  start: action('start', { autoStop: maybe(autoStop) }),
  stop: action('stop', {
    mode,
    graceMs: maybe(graceMs),
    stoppedMode: maybe(words(['keep', 'release'] as const)),
  }),
  restart: action('restart', { mode, graceMs: maybe(graceMs) }),
  capture: action('capture', { imageName: name }),
  pause: action('pause', {}),
  unpause: action('unpause', {}),
  suspend: action('suspend', {}),
  resume: action('resume', {}),
  rebuild: action('rebuild', { image: id }),
  queue: action('queue', {}),
  dequeue: action('dequeue', {}),
  delete: action('delete', {}),
  reset: action('reset', { to: words(['running', 'failed'] as const) }),
  status: action('status', { status: words(reportedStatuses), until: maybe(until) }),
  'clear-status': action('clear-status', {}),
  bind: action('bind', { service: id, instance: id }),
  unbind: action('unbind', { service: id, instance: id }),
} as const
export type ActionName = keyof typeof actions
export type ActionBody = { [Name in ActionName]: Static<(typeof actions)[Name]> }[ActionName]

export const holdInstance = body('HoldInstance', {
  kind: maybe(words(['lock', 'hold'] as const)),
  why: maybe(why),
  until: maybe(until),
})
export type HoldInstanceBody = Static<typeof holdInstance>

export const deployService = body('DeployService', {
  name,
  description: maybe(description),
  nodes: listOf(id),
  flavor: id,
  image: id,
  workspace: maybe(id),
  launch: maybe(json),
  labels: maybe(labels),
})
export type DeployServiceBody = Static<typeof deployService>

export const patchService = Type.Object(
  {
    description: maybe(description),
    labels: maybe(labels),
    shared: maybe(Type.Boolean({ description: 'A shared service takes no other change.' })),
    usedBy: maybe(orNull(name)),
  },
  { title: 'PatchService', minProperties: 1, ...closed },
)
export type PatchServiceBody = Static<typeof patchService>

export const serviceAction = body('ServiceAction', {
  action: words(['start', 'stop'] as const),
  why: maybe(why),
})
export type ServiceActionBody = Static<typeof serviceAction>

const kinds = Type.Unsafe<(typeof kindNames)[number][]>(
  Type.Array(words(kindNames), { minItems: 1 }),
)
const amount = Type.Integer({ minimum: 0, maximum: 2_147_483_647 })

const needed = { description: 'Needed for a new one.' }
const kindsAtFirst = maybe({ ...kinds, ...needed })

/** A field left out keeps its value; for a new one it gets the default. */
export const putFlavor = body('PutFlavor', {
  name: maybe(name),
  projects: maybe(orNull(listOf(id))),
  kinds: kindsAtFirst,
  driver: maybe({ ...id, ...needed }),
  vcpus: maybe(Type.Number({ minimum: 0 })),
  memoryMiB: maybe(amount),
  diskGiB: maybe(amount),
  gpus: maybe(amount),
  charge: maybe(charge),
  pool: maybe(orNull(id)),
  units: maybe(amount),
  bareMetal: maybe(Type.Boolean()),
  mayRelease: maybe(Type.Boolean()),
  releasesOnStop: maybe(Type.Boolean()),
  autoStopMs: maybe(orNull(spanMs)),
  storeMs: maybe(orNull(spanMs)),
  reserveMs: maybe(spanMs),
  graceMs: maybe(graceMs),
  startMs: maybe(graceMs),
  family: maybe(Type.String({ maxLength: 128 })),
  hardware: maybe(words(hardwareNames)),
  attributes: maybe(json),
})
export type PutFlavorBody = Static<typeof putFlavor>

export const putImage = body('PutImage', {
  name: maybe(name),
  kinds: kindsAtFirst,
  launch: maybe(json),
  hardware: maybe(words(hardwareNames)),
  publishing: maybe(Type.Boolean()),
  hostPort: maybe(orNull(Type.Integer({ minimum: 1, maximum: 65_535 }))),
  attributes: maybe(json),
})
export type PutImageBody = Static<typeof putImage>

export const putPool = body('PutPool', { capacity: amount })
export type PutPoolBody = Static<typeof putPool>

export const putNode = body('PutNode', {
  name: maybe(name),
  state: maybe(node.properties.state),
  accelerators: maybe(node.properties.accelerators),
  attributes: maybe(json),
})
export type PutNodeBody = Static<typeof putNode>

export const putDriver = body('PutDriver', {
  available: Type.Boolean(),
  reason: maybe(orNull(Type.String({ maxLength: 1024 }))),
  part: maybe(driver.properties.part),
  fault: maybe(words(driverFaultNames)),
})
export type PutDriverBody = Static<typeof putDriver>

export const putProject = body('PutProject', {
  name: maybe({ ...name, ...needed }),
  enabled: maybe(Type.Boolean()),
  description: maybe(description),
  frozen: maybe(Type.Boolean()),
  lacksBalance: maybe(Type.Boolean()),
  releasesByDefault: maybe(Type.Boolean()),
  deniedFlavors: maybe(listOf(id)),
  instancesMax: maybe(instancesMax),
  workspaces: maybe(listOf(workspace)),
  quotas: maybe(quotas),
})
export type PutProjectBody = Static<typeof putProject>

export const guardAction = body('GuardAction', {
  action: words(['release'] as const),
  why: maybe(why),
})
export type GuardActionBody = Static<typeof guardAction>

const limit = maybe(Type.Integer({ minimum: 1, maximum: 1000, description: 'Default 100.' }))
const allProjects = maybe(Type.Boolean({ description: 'Admins only: things of every project.' }))
const paging = { limit, cursor: maybe(Type.String({ maxLength: 1024 })) }
/** A comma-separated list in one parameter; any of its words fits. */
const anyOf = <Word extends string>(values: readonly Word[]) => maybe(Type.Array(words(values)))

export const listInstances = Type.Object(
  {
    kind: anyOf(kindNames),
    state: anyOf(states),
    name: maybe(name),
    nameContains: maybe(name),
    label: maybe(
      Type.Array(Type.String({ pattern: '^[^=]+(=.*)?$' }), {
        maxItems: 16,
        description: '`key` or `key=value`; all must fit.',
      }),
    ),
    service: maybe(id),
    node: maybe(id),
    flavor: maybe(id),
    sort: maybe(
      words(['id', 'name', '-name', 'createdAt', '-createdAt', 'updatedAt', '-updatedAt'] as const),
    ),
    allProjects,
    ...paging,
  },
  closed,
)
export type ListInstancesQuery = Static<typeof listInstances>

export const listOperations = Type.Object(
  {
    state: anyOf(operationStates),
    instance: maybe(id),
    requestId: maybe(id),
    allProjects,
    ...paging,
  },
  closed,
)
export type ListOperationsQuery = Static<typeof listOperations>

export const instanceOperations = Type.Object(
  { state: anyOf(operationStates), requestId: maybe(id), ...paging },
  closed,
)

export const instanceLogs = Type.Object(
  { lines: maybe(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Default 100.' })) },
  closed,
)
export type InstanceLogsQuery = Static<typeof instanceLogs>

export const listServices = Type.Object(
  {
    kind: maybe(service.properties.kind),
    status: maybe(service.properties.status),
    nameContains: maybe(name),
    allProjects,
    ...paging,
  },
  closed,
)
export type ListServicesQuery = Static<typeof listServices>

export const listCatalogue = Type.Object({ ...paging }, closed)
export type ListCatalogueQuery = Static<typeof listCatalogue>

export const listGuards = Type.Object({ ...paging }, closed)
export type ListGuardsQuery = Static<typeof listGuards>

const seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const types = maybe(Type.Array(event.properties.type))
const filters = { instance: maybe(id), type: types, allProjects }

export const listEvents = Type.Object(
  {
    after: maybe(seq),
    newest: maybe(Type.Boolean({ description: 'Newest first; then `before` continues.' })),
    before: maybe(seq),
    limit,
    ...filters,
  },
  closed,
)
export type ListEventsQuery = Static<typeof listEvents>

export const instanceEvents = Type.Object(
  { after: maybe(seq), newest: maybe(Type.Boolean()), before: maybe(seq), limit, type: types },
  closed,
)

const period = {
  from: maybe(Type.String({ format: 'date-time', description: 'Default: since ever.' })),
  to: maybe(Type.String({ format: 'date-time', description: 'Default, and at most: now.' })),
}
export const instanceUsage = Type.Object(period, closed)
export type InstanceUsageQuery = Static<typeof instanceUsage>

export const listUsage = Type.Object(
  { ...period, kind: anyOf(meteredKinds), allProjects, ...paging },
  closed,
)
export type ListUsageQuery = Static<typeof listUsage>

export const streamEvents = Type.Object({ after: maybe(seq), ...filters }, closed)
export type StreamEventsQuery = Static<typeof streamEvents>
