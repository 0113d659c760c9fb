// What this door says, as schemas: types, the OpenAPI document and the tests of every answer derive from
// them. What it hears is in `bodies.ts`.
//
// - Times are ISO 8601 in UTC; a span or moment in milliseconds ends in `Ms`.
// - What is unknown or does not apply is `null`, never left out: a reader needs no second check.
// - No secret has a place here: what drivers were told (`launch`, `handle`) is never shown.

import type { Static, TSchema } from 'typebox'
import type { JsonObject } from '#kernel/json.ts'
import { type Kind, kindNames } from '#kernel/kinds.ts'
import { rungs } from '#kernel/ladder.ts'
import { Type } from '#schema/type.ts'
import { problemCodes } from './faults.ts'
import {
  acceleratorNames,
  acts,
  causes,
  charges,
  circleNames,
  driverPartNames,
  driverFaultNames,
  eventTypeNames,
  failedVerbNames,
  hardwareNames,
  nodeStateNames,
  operationStates,
  reportedStatuses,
  seenWords,
  servicePhases,
  serviceStates,
  situations,
  states,
  stepResults,
  verbs,
} from './states.ts'

const closed = { additionalProperties: false } as const

/** One of a closed list of words. */
export const words = <Word extends string>(values: readonly Word[]) =>
  Type.Unsafe<Word>({ type: 'string', enum: [...values] })
export const listOf = <S extends TSchema>(items: S) =>
  Type.Unsafe<readonly Static<S>[]>(Type.Array(items))
export const json = Type.Unsafe<JsonObject>({ type: 'object' })
export const texts = Type.Unsafe<Readonly<Record<string, string>>>({
  type: 'object',
  additionalProperties: { type: 'string' },
})
export const orNull = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const text = Type.String()
const maybeText = orNull(text)
const count = Type.Integer({ minimum: 0 })
const time = Type.String({ format: 'date-time' })
const maybeTime = orNull(time)
/** A schema with a title is a named component of the OpenAPI document. */
const named = <const P extends Record<string, TSchema>>(title: string, properties: P) =>
  Type.Object(properties, { title, ...closed })

const situation = words(situations)
const kind = words(kindNames)
const rung = words(rungs)
const verb = words(verbs)

export const hold = named('Hold', {
  id: text,
  kind: words(['lock', 'hold'] as const),
  owner: text,
  byAdmin: Type.Boolean(),
  reason: maybeText,
  since: time,
  until: maybeTime,
})
export type HoldShown = Static<typeof hold>

const cause = named('Cause', {
  by: words(causes),
  userId: maybeText,
  user: maybeText,
  door: text,
  requestId: text,
  why: maybeText,
})
export type CauseShown = Static<typeof cause>

const registration = named('Registration', {
  reported: words(reportedStatuses),
  override: orNull(
    Type.Object(
      {
        status: words(reportedStatuses),
        by: text,
        why: maybeText,
        since: time,
        until: maybeTime,
      },
      closed,
    ),
  ),
  withdrawal: orNull(Type.Object({ operation: text, since: time }, closed)),
  lease: Type.Object(
    { ttlMs: count, renewedAt: time, expiresAt: time, held: Type.Boolean() },
    closed,
  ),
  effective: words(states),
  hostName: text,
  endpoints: listOf(text),
  version: text,
})

export const guard = named('Guard', {
  id: text,
  circle: words(circleNames),
  project: maybeText,
  since: time,
  living: count,
  silent: count,
  release: orNull(Type.Object({ by: text, why: maybeText, at: time }, closed)),
})
export type GuardShown = Static<typeof guard>

const observation = named('Observation', {
  seen: words(seenWords),
  ready: Type.Boolean(),
  at: time,
  reason: maybeText,
  evidence: json,
})

const conditions = named('Conditions', {
  createdByService: maybeText,
  scheduled: Type.Boolean(),
  hostUnsupported: Type.Boolean(),
  deletionProtected: Type.Boolean(),
})

const busy = named('Busy', { verb, rung: orNull(rung), operation: text, sinceMs: count })

const failure = named('Failure', {
  verb: words(failedVerbNames),
  message: text,
  at: time,
  evidence: json,
})

const queuePlace = named('QueuePlace', {
  pool: text,
  awaits: words(['create', 'start'] as const),
  since: time,
  rank: Type.Integer({ minimum: 1, description: '1 is served next.' }),
})

export const instance = named('Instance', {
  id: text,
  aliases: texts,
  project: text,
  kind,
  name: text,
  description: text,
  state: words(states),
  situation,
  stateSince: time,
  busy: orNull(busy),
  reason: maybeText,
  failure: orNull(failure),
  power: words(['up', 'down', 'unknown'] as const),
  unsure: Type.Boolean(),
  intent: words(['up', 'down', 'gone'] as const),
  generation: count,
  observation,
  flavor: maybeText,
  image: maybeText,
  service: maybeText,
  node: maybeText,
  driver: maybeText,
  charge: words(charges),
  charged: Type.Boolean({ description: 'Whether its meter runs now.' }),
  stoppedMode: orNull(words(['keep', 'release'] as const)),
  place: orNull(Type.Object({ pool: text, units: count }, closed)),
  queue: orNull(queuePlace),
  holds: listOf(hold),
  conditions,
  autoStop: orNull(Type.Object({ enabled: Type.Boolean(), afterMs: count }, closed)),
  timers: Type.Object(
    { autoStopAt: maybeTime, reservedUntil: maybeTime, removeAt: maybeTime },
    closed,
  ),
  registration: orNull(registration),
  serves: listOf(Type.Object({ service: text, instance: text }, closed)),
  labels: texts,
  createdBy: text,
  createdAt: time,
  updatedAt: time,
  launchedAt: maybeTime,
  offers: listOf(text),
})
export type InstanceShown = Static<typeof instance>

const stepShown = named('Step', {
  name: text,
  doc: text,
  number: Type.Integer({ minimum: 1 }),
  of: Type.Integer({ minimum: 1 }),
  tries: count,
  since: time,
  deadline: time,
  notBefore: maybeTime,
})

const stepLog = named('StepLog', {
  step: text,
  rung: orNull(rung),
  attempt: count,
  startedAt: time,
  finishedAt: time,
  result: words(stepResults),
  message: maybeText,
})

export const operation = named('Operation', {
  id: text,
  instance: text,
  project: text,
  kind,
  verb,
  rung: orNull(rung),
  graceMs: count,
  state: words(operationStates),
  undoing: Type.Boolean(),
  step: orNull(stepShown),
  attempt: count,
  from: orNull(situation),
  generation: count,
  cause,
  startedAt: time,
  finishedAt: maybeTime,
  failure: orNull(Type.Object({ message: text, evidence: json }, closed)),
  supersededBy: maybeText,
  log: listOf(stepLog),
})
export type OperationShown = Static<typeof operation>

export const event = named('Event', {
  seq: count,
  type: words(eventTypeNames),
  project: maybeText,
  subject: text,
  instance: maybeText,
  at: time,
  cause,
  data: json,
})
export type EventShown = Static<typeof event>

export const service = named('Service', {
  id: text,
  kind: words(['inference', 'microservice'] as const),
  project: text,
  name: text,
  description: text,
  onNodes: Type.Boolean(),
  nodes: listOf(text),
  workspace: text,
  shared: Type.Boolean(),
  usedBy: maybeText,
  status: words(serviceStates),
  phase: words(servicePhases),
  statusSince: time,
  failure: maybeText,
  revision: count,
  labels: texts,
  createdBy: text,
  createdAt: time,
  updatedAt: time,
  deployedAt: time,
  configuredAt: time,
})
export type ServiceShown = Static<typeof service>

/** What a change came to; of a dry run: what would have come of it. */
export const receipt = named('Receipt', {
  dryRun: Type.Boolean(),
  instances: listOf(text),
  service: maybeText,
  operation: maybeText,
  before: orNull(situation),
  after: orNull(situation),
  generation: orNull(count),
  unchanged: orNull(words(['already', 'joined'] as const)),
  hold: maybeText,
  results: Type.Optional(
    Type.Unsafe<readonly OperationShown[]>(
      Type.Array(operation, {
        description: 'Only with `Prefer: wait`: the operations as they ended.',
      }),
    ),
  ),
})
export type ReceiptShown = Static<typeof receipt>

const step = named('WaitingFor', {
  operation: text,
  verb,
  rung: orNull(rung),
  step: text,
  doc: text,
  until: time,
  afterwards: text,
})

export const account = named('Account', {
  id: text,
  name: text,
  state: words(states),
  situation,
  since: time,
  reason: maybeText,
  cause: orNull(Type.Object({ type: text, at: time, cause }, closed)),
  waitingFor: orNull(step),
  holds: listOf(hold),
  queue: orNull(queuePlace),
  observation,
  registration: orNull(registration),
  lines: listOf(text),
})
export type AccountShown = Static<typeof account>

/** What an instance wrote, oldest line first. */
export const output = named('Output', { id: text, name: text, lines: listOf(text) })
export type OutputShown = Static<typeof output>

export const flavor = named('Flavor', {
  id: text,
  name: text,
  projects: Type.Optional({
    ...listOf(text),
    description: 'Theirs alone to know of and to use, shown to admins; absent: everybody’s.',
  }),
  kinds: listOf(kind),
  driver: text,
  vcpus: Type.Number({ minimum: 0 }),
  memoryMiB: count,
  diskGiB: count,
  gpus: count,
  charge: words(charges),
  pool: maybeText,
  units: count,
  bareMetal: Type.Boolean(),
  mayRelease: Type.Boolean(),
  releasesOnStop: Type.Boolean(),
  autoStopMs: orNull(count),
  storeMs: orNull(count),
  reserveMs: count,
  graceMs: count,
  startMs: count,
  family: text,
  hardware: words(hardwareNames),
  attributes: json,
})
export type FlavorShown = Static<typeof flavor>

export const image = named('Image', {
  id: text,
  name: text,
  project: Type.Optional(
    Type.String({ description: 'Captured there, and only there to be had; absent: everybody’s.' }),
  ),
  isSaving: Type.Optional(
    Type.Boolean({ description: 'Being captured, and not usable yet; absent: it is whole.' }),
  ),
  kinds: listOf(kind),
  hardware: words(hardwareNames),
  publishing: Type.Boolean(),
  hostPort: orNull(count),
  attributes: json,
  launch: Type.Optional(json),
})
export type ImageShown = Static<typeof image>

export const pool = named('Pool', { id: text, capacity: count, taken: count, waiting: count })
export type PoolShown = Static<typeof pool>

export const node = named('Node', {
  id: text,
  name: text,
  state: words(nodeStateNames),
  accelerators: listOf(words(acceleratorNames)),
  attributes: json,
  createdAt: orNull(time),
  updatedAt: orNull(time),
})
export type NodeShown = Static<typeof node>

/** `acts`: what it can do; null when it did not say. */
export const driver = named('Driver', {
  id: text,
  available: Type.Boolean(),
  reason: maybeText,
  part: orNull(words(driverPartNames)),
  /** What is wrong with it while it is not available; null when nobody said. */
  fault: orNull(words(driverFaultNames)),
  acts: orNull(listOf(words(acts))),
})
export type DriverShown = Static<typeof driver>

const most = Type.Optional(Type.Integer({ minimum: 0 }))
/** How much of services on nodes one user may have. */
export const quotas = Type.Object(
  { services: most, runningServices: most, serviceInstances: most, nodes: most },
  closed,
)
export const instancesMax = Type.Unsafe<Readonly<Partial<Record<Kind, number>>>>({
  type: 'object',
  propertyNames: { enum: [...kindNames] },
  additionalProperties: { type: 'integer', minimum: 0 },
})
export const workspace = named('Workspace', {
  id: text,
  name: text,
  isAbnormal: Type.Boolean(),
  denies: listOf(text),
  instancesMax: orNull(count),
})

export const project = named('Project', {
  id: text,
  name: text,
  domainId: text,
  enabled: Type.Boolean(),
  description: text,
  frozen: Type.Boolean(),
  lacksBalance: Type.Boolean(),
  releasesByDefault: Type.Boolean(),
  deniedFlavors: listOf(text),
  instancesMax,
  workspaces: listOf(workspace),
  quotas,
})
export type ProjectShown = Static<typeof project>

/** A page of a list; `nextCursor` is null on the last one. */
export const pageOf = <S extends TSchema>(items: S) =>
  Type.Object({ items: listOf(items), nextCursor: maybeText }, closed)
export interface PageShown<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}

/** Events in order; `next` continues where this page ends. */
export const eventPage = named('EventPage', {
  items: listOf(event),
  next: orNull(count),
})
export type EventPageShown = Static<typeof eventPage>

const meterSpan = named('UsageSpan', {
  situation,
  stoppedMode: orNull(words(['keep', 'release'] as const)),
  charged: Type.Boolean(),
  ms: count,
})

/** How long an instance was in each situation within a period, and whether it was charged for that. */
export const usage = named('Usage', {
  instance: text,
  aliases: texts,
  name: text,
  kind,
  project: text,
  flavor: maybeText,
  charge: words(charges),
  /** The part of the period in which it lived. */
  from: time,
  to: time,
  chargedMs: count,
  unchargedMs: count,
  spans: listOf(meterSpan),
})
export type UsageShown = Static<typeof usage>

/** `chargedMs` and `unchargedMs` are sums over the items of this page. */
export const usagePage = named('UsagePage', {
  from: time,
  to: time,
  items: listOf(usage),
  chargedMs: count,
  unchargedMs: count,
  nextCursor: maybeText,
})
export type UsagePageShown = Static<typeof usagePage>

/** RFC 9457. What else a refusal knows stands beside these fields, by code. */
export const problem = Type.Object(
  {
    type: text,
    title: text,
    status: Type.Integer(),
    detail: text,
    code: words(problemCodes),
    field: Type.Optional(Type.String({ description: 'The field, parameter or header at fault.' })),
    requestId: text,
  },
  { title: 'Problem' },
)
export type ProblemShown = Static<typeof problem>
export type ProblemCode = ProblemShown['code']
