// Reads the query of a list of servers: which servers, in which order, from where on. What the store can find by
// itself goes into its query; the rest is a test of each row that the query finds.
//
// Source: contract, section 6.3; openstack/nova nova/api/openstack/compute/schemas/servers.py.

import { err, ok, type Result } from '#kernel/errors.ts'
import { type Instance } from '#kernel/instance.ts'
import { type Query } from '#kernel/ports/store.ts'
import { isTrue } from './bodies.ts'
import { type Call } from './call.ts'
import { badRequest, forbidden, type NovaFault } from './faults.ts'
import { imageNamed } from './image-ids.ts'
import { keptOf } from './kept.ts'
import { namePattern, type NamePattern } from './name-pattern.ts'
import { pythonText } from './python-text.ts'
import { badParameter, firstOf, limitOf } from './query-parameters.ts'
import { scopeOf } from './server-scope.ts'
import { type Order, orderOf } from './server-sort.ts'
import { tagTests } from './server-tags.ts'
import { listLimitMaxOf, zonesOf } from './settings.ts'
import { liveSituations, situationsShowing, stateOf, vmStatesShowing } from './states.ts'
import { addressesOf, hostOf, micros, seconds } from './wire.ts'

export type Test = (instance: Instance) => boolean
export interface PatternTest {
  readonly pattern: NamePattern
  readonly textsOf: (instance: Instance) => readonly string[]
}

export interface ServerQuery {
  readonly base: Pick<Query<'instances'>, 'where' | 'contains' | 'range'>
  readonly order: Order
  /** All must hold of a row; none: the store's query says it all. */
  readonly tests: readonly Test[]
  readonly patterns: readonly PatternTest[]
  readonly limit: number
  readonly marker: string | undefined
}

/** `nothing`: no server can fit, which is no error. */
export async function readServerQuery(
  call: Call,
): Promise<Result<ServerQuery | 'nothing', NovaFault>> {
  const params = new URLSearchParams(call.exchange.rawQuery)
  const limit = limitOf(params, listLimitMaxOf(call.house.settings))
  if (!limit.ok) return limit
  const order = orderOf(params, call)
  if (!order.ok) return order
  const scope = scopeOf(params, call)
  if (!scope.ok) return scope
  const sinceMs = changesSince(params)
  if (!sinceMs.ok) return sinceMs
  const states = statesOf(params, call, { isWithDeleted: sinceMs.value !== undefined })
  if (!states.ok) return states
  const name = patternOf(params, 'name')
  if (!name.ok) return name
  const address = patternOf(params, 'ip')
  if (!address.ok) return address
  const made = await madeOf(params, call)
  if (made === 'nothing') return ok('nothing')
  return ok({
    base: {
      where: { kind: 'server', ...scope.value, ...made, situation: states.value.situations },
      ...containsOf(name.value),
      ...(sinceMs.value === undefined
        ? {}
        : { range: { column: 'updatedAtMs', min: sinceMs.value - 1 } }),
    },
    order: order.value,
    tests: [...states.value.tests, ...exactTests(params, call), ...(await tagTests(params, call))],
    patterns: [...nameTests(name.value), ...addressTests(address.value)],
    limit: limit.value,
    marker: firstOf(params, 'marker'),
  })
}

/** @returns when to start, milliseconds. Text without a zone is UTC. */
function changesSince(params: URLSearchParams): Result<number | undefined, NovaFault> {
  const text = firstOf(params, 'changes-since')
  if (text === undefined) return ok(undefined)
  const isIso = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(
    text,
  )
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text.slice(10))
  const atMs = isIso ? Date.parse(hasZone || text.length === 10 ? text : `${text}Z`) : Number.NaN
  if (!Number.isNaN(atMs)) return ok(atMs)
  const reason = `${pythonText(text)} is not a 'date-time'`
  return err(badParameter('changes-since', text, reason))
}

interface States {
  readonly situations: readonly string[]
  readonly tests: readonly Test[]
}

/** What a status stands for depends on what is under way too, so the store narrows and a test decides. */
function statesOf(
  params: URLSearchParams,
  call: Call,
  { isWithDeleted }: { readonly isWithDeleted: boolean },
): Result<States, NovaFault> {
  const isAdmin = call.caller.role === 'admin'
  const words = params.getAll('status').filter((word) => word !== '')
  const wanted = new Set(words.map((word) => word.toUpperCase()))
  if (wanted.has('DELETED') && !isAdmin) {
    return err(forbidden('Only administrators may list deleted instances'))
  }
  if (isAdmin && isTrue(firstOf(params, 'deleted'))) {
    return ok({ situations: ['deleted'], tests: [] })
  }
  if (wanted.size > 0) {
    const vmStates = vmStatesShowing(wanted)
    return ok({
      situations: situationsShowing((vmState) => vmStates.has(vmState)),
      tests: [(instance) => wanted.has(stateOf(instance).status)],
    })
  }
  return ok({
    situations: isWithDeleted ? [...liveSituations, 'deleted'] : liveSituations,
    tests: [],
  })
}

function patternOf(
  params: URLSearchParams,
  name: string,
): Result<NamePattern | undefined, NovaFault> {
  const text = firstOf(params, name)
  if (text === undefined) return ok(undefined)
  const pattern = namePattern(text)
  return pattern.ok
    ? pattern
    : err(badRequest(`Invalid filter ${name}: ${pythonText(text)} is not a regular expression`))
}

const containsOf = (name: NamePattern | undefined): Pick<Query<'instances'>, 'contains'> =>
  name?.contains === undefined ? {} : { contains: { column: 'name', text: name.contains } }

const nameTests = (pattern: NamePattern | undefined): readonly PatternTest[] =>
  pattern === undefined || pattern.isPlain
    ? []
    : [{ pattern, textsOf: (instance) => [instance.name] }]

const addressTests = (pattern: NamePattern | undefined): readonly PatternTest[] =>
  pattern === undefined ? [] : [{ pattern, textsOf: addressesOf }]

type Where = NonNullable<Query<'instances'>['where']>

/** An unknown flavor or image is no error: nothing is made of it. */
async function madeOf(params: URLSearchParams, call: Call): Promise<Where | 'nothing'> {
  const flavorId = firstOf(params, 'flavor')
  const imageName = firstOf(params, 'image')
  const { read } = call.house.plane
  const image = imageName === undefined ? undefined : await imageNamed(read, imageName)
  if (imageName !== undefined && image === undefined) return 'nothing'
  return {
    ...(flavorId === undefined ? {} : { flavorId }),
    ...(image === undefined ? {} : { imageId: image.id }),
  }
}

type Printed = (instance: Instance, call: Call) => string | undefined

const forEverybody: Readonly<Record<string, Printed>> = {
  reservation_id: (instance) => keptOf(instance).reservationId,
}

/** Silently dropped when somebody else than an admin asks. */
const forAdmins: Readonly<Record<string, Printed>> = {
  uuid: (instance) => instance.id,
  user_id: (instance) => instance.createdBy,
  host: hostOf,
  node: hostOf,
  vm_state: (instance) => stateOf(instance).vmState,
  task_state: (instance) => stateOf(instance).taskState ?? undefined,
  power_state: (instance) => String(stateOf(instance).powerState),
  availability_zone: (instance, { house }) =>
    keptOf(instance).availabilityZone ?? zonesOf(house.settings)[0],
  key_name: (instance) => keptOf(instance).keyName ?? undefined,
  config_drive: (instance) => (keptOf(instance).hasConfigDrive ? 'True' : ''),
  progress: () => '0',
  created_at: (instance) => seconds(instance.createdAtMs),
  launched_at: ({ launchedAtMs }) => (launchedAtMs === null ? undefined : micros(launchedAtMs)),
  terminated_at: ({ state, stateSinceMs }) =>
    state === 'deleted' ? micros(stateSinceMs) : undefined,
}

function exactTests(params: URLSearchParams, call: Call): readonly Test[] {
  const rows = { ...forEverybody, ...(call.caller.role === 'admin' ? forAdmins : {}) }
  return Object.entries(rows).flatMap(([name, printed]) => {
    const wanted = params.getAll(name).filter((text) => text !== '')
    return wanted.length === 0
      ? []
      : [(instance: Instance) => wanted.includes(printed(instance, call) ?? '')]
  })
}
