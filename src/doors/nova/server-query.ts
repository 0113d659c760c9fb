// Reads the query of a list of servers: which servers, in which order, from where on. What the store can find by
// itself goes into its query; the rest is a test of each row that the query finds.
//
// Source: contract, section 6.3; openstack/nova nova/api/openstack/compute/schemas/servers.py.

import { isIP } from 'node:net'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Query } from '#kernel/ports/store.ts'
import { isTrue, isWordForFlag } from './bodies.ts'
import type { Call } from './call.ts'
import { badRequest, forbidden, type NovaFault } from './faults.ts'
import { imageNamed } from './image-ids.ts'
import { keptOf } from './kept.ts'
import { namePattern, type NamePattern } from './name-pattern.ts'
import type { Microversion } from './microversion.ts'
import { pythonText, quoted } from './python-text.ts'
import { badParameter, firstOf, limitOf } from './query-parameters.ts'
import { scopeOf } from './server-scope.ts'
import { type Order, orderOf } from './server-sort.ts'
import { tagTests } from './server-tags.ts'
import { listLimitMaxOf, zonesOf } from './settings.ts'
import { isStatus, liveSituations, situationsShowing, stateOf, vmStatesShowing } from './states.ts'
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
  const { version } = call.negotiated
  const unknown = version >= strictSince ? unknownIn(params) : undefined
  if (unknown) return err(unknown)
  const changes = changesIn(params, version)
  if (!changes.ok) return changes
  const states = statesOf(params, call, { isWithDeleted: changes.value !== undefined })
  if (!states.ok) return states
  const name = patternOf(params, 'name')
  if (!name.ok) return name
  const isSixToo = version >= sixSince || call.caller.role === 'admin'
  const four = patternOf(params, 'ip')
  if (!four.ok) return four
  const six = isSixToo ? patternOf(params, 'ip6') : ok(undefined)
  if (!six.ok) return six
  const locked = version >= lockedSince ? lockedTests(params) : ok([])
  if (!locked.ok) return locked
  const made = await madeOf(params, call)
  if (made === 'nothing') return ok('nothing')
  return ok({
    base: {
      where: { kind: 'server', ...scope.value, ...made, situation: states.value.situations },
      ...containsOf(name.value),
      ...rangeOf(changes.value),
    },
    order: order.value,
    tests: [
      ...states.value.tests,
      ...locked.value,
      ...exactTests(params, call),
      ...(await tagTests(params, call)),
    ],
    patterns: [
      ...nameTests(name.value),
      ...addressTests(four.value, 4),
      ...addressTests(six.value, 6),
    ],
    limit: limit.value,
    marker: firstOf(params, 'marker'),
  })
}

/** @returns a moment, milliseconds. Text without a zone is UTC. */
function momentIn(params: URLSearchParams, name: string): Result<number | undefined, NovaFault> {
  const text = firstOf(params, name)
  if (text === undefined) return ok(undefined)
  const isIso = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(
    text,
  )
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text.slice(10))
  const atMs = isIso ? Date.parse(hasZone || text.length === 10 ? text : `${text}Z`) : Number.NaN
  if (!Number.isNaN(atMs)) return ok(atMs)
  const reason = `${pythonText(text)} is not a 'date-time'`
  return err(badParameter(name, text, reason))
}

type Changes = { readonly minMs?: number; readonly maxMs?: number }

/** In which time they last changed; both ends count. What ended in that time is listed too. */
export function changesIn(
  params: URLSearchParams,
  version: Microversion,
): Result<Changes | undefined, NovaFault> {
  const since = momentIn(params, 'changes-since')
  if (!since.ok) return since
  const before = version >= changesBeforeSince ? momentIn(params, 'changes-before') : ok(undefined)
  if (!before.ok) return before
  if (since.value === undefined && before.value === undefined) return ok(undefined)
  if ((since.value ?? 0) > (before.value ?? Number.POSITIVE_INFINITY)) {
    return err(
      badRequest('The value of changes-since must be less than or equal to changes-before.'),
    )
  }
  return ok({
    ...(since.value === undefined ? {} : { minMs: since.value }),
    ...(before.value === undefined ? {} : { maxMs: before.value }),
  })
}

const changesBeforeSince = 66

const rangeOf = (changes: Changes | undefined): Pick<Query<'instances'>, 'range'> =>
  changes === undefined
    ? {}
    : {
        range: {
          column: 'updatedAtMs',
          ...(changes.minMs === undefined ? {} : { min: changes.minMs - 1 }),
          ...(changes.maxMs === undefined ? {} : { max: changes.maxMs + 1 }),
        },
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
  const unknown = words.find((word) => !isStatus(word.toUpperCase()))
  if (unknown !== undefined && call.negotiated.version >= statusCheckedSince) {
    return err(badRequest('Invalid status value'))
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

const addressTests = (pattern: NamePattern | undefined, version: 4 | 6): readonly PatternTest[] =>
  pattern === undefined
    ? []
    : [{ pattern, textsOf: (row) => addressesOf(row).filter((one) => isIP(one) === version) }]

/** From which versions on: addresses of version 6 for all, locks, more filters for all, no unknown ones. */
const sixSince = 5
const lockedSince = 73
const forAllSince = 83
const strictSince = 75
const statusCheckedSince = 38

function lockedTests(params: URLSearchParams): Result<readonly Test[], NovaFault> {
  const text = firstOf(params, 'locked')
  if (text === undefined) return ok([])
  if (!isWordForFlag(text)) {
    return err(badParameter('locked', text, `${pythonText(text)} is not a boolean`))
  }
  const wanted = isTrue(text)
  return ok([({ holds }) => holds.some(({ kind }) => kind === 'lock') === wanted])
}

function unknownIn(params: URLSearchParams): NovaFault | undefined {
  const name = [...params.keys()].find((one) => !knownParameters.has(one))
  return name === undefined
    ? undefined
    : badRequest(`Additional properties are not allowed (${quoted(name)} was unexpected)`)
}

type Where = NonNullable<Query<'instances'>['where']>

/** An unknown flavor or image is no error: nothing is made of it. */
async function madeOf(params: URLSearchParams, call: Call): Promise<Where | 'nothing'> {
  const flavorId = firstOf(params, 'flavor')
  const imageName = firstOf(params, 'image')
  const { read } = call.house.plane
  const image =
    imageName === undefined ? undefined : await imageNamed(read, imageName, call.project)
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
  host: hostOf,
  node: hostOf,
}

/** The same, until they became everybody's. */
const forAdminsFirst: Readonly<Record<string, Printed>> = {
  user_id: (instance) => instance.createdBy,
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

/** All that the list takes: filters, and what says which page and in which order. */
const knownParameters: ReadonlySet<string> = new Set([
  ...Object.keys({ ...forEverybody, ...forAdmins, ...forAdminsFirst }),
  ...'limit marker sort_key sort_dir all_tenants tenant_id project_id deleted status name'.split(
    ' ',
  ),
  ...'image image_ref flavor flavor_id ip ip6 changes-since changes-before locked'.split(' '),
  ...'tags tags-any not-tags not-tags-any hostname display_description description'.split(' '),
  ...'kernel_id ramdisk_id launch_index root_device_name auto_disk_config access_ip_v4'.split(' '),
  ...'access_ip_v6 soft_deleted instance_type_id deleted_at updated_at locked_by'.split(' '),
])

function exactTests(params: URLSearchParams, call: Call): readonly Test[] {
  const isAdmin = call.caller.role === 'admin'
  const rows = {
    ...forEverybody,
    ...(isAdmin ? forAdmins : {}),
    ...(isAdmin || call.negotiated.version >= forAllSince ? forAdminsFirst : {}),
  }
  return Object.entries(rows).flatMap(([name, printed]) => {
    const wanted = params.getAll(name).filter((text) => text !== '')
    return wanted.length === 0
      ? []
      : [(instance: Instance) => wanted.includes(printed(instance, call) ?? '')]
  })
}
