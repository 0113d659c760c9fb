// Bodies and queries of the second family (`/notebooks`), from the wire to what the kernel is asked. Run times
// are milliseconds here. Enumerations arrive in either case and are kept in upper case.
// Source: notebook contract, sections 1.11, 1.13, 1.14 and 1.16; ambiguities 15, 16 and 18.

import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { err, ok, type Result } from '#kernel/errors.ts'
import { type AutoStop } from '#kernel/instance.ts'
import { type JsonObject } from '#kernel/json.ts'
import { type CreateInstance } from '#kernel/request.ts'
import { readFields } from '../shared/body-fields.ts'
import { isObject, parseJson } from '../shared/http.ts'
import { type Fault } from '../shared/three-keys.ts'
import { badPayload, noWorkspace } from './codes.ts'
import { labFault } from './faults.ts'
import { type LabStatus, labStatuses } from './states.ts'
import { doorName, type Kept } from './wire.ts'

const filled = Type.String({ minLength: 1 })
const createSchema = Type.Object({
  name: Type.String({ pattern: '^[A-Za-z0-9_-]{1,128}$' }),
  flavor: filled,
  image_id: filled,
  volume: Type.Object({
    category: filled,
    ownership: filled,
    capacity: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096 })),
    uri: Type.Optional(Type.String()),
    id: Type.Optional(Type.String()),
  }),
  description: Type.Optional(Type.String({ pattern: '^[^&<>"\'/]{0,512}$' })),
  feature: Type.Optional(Type.Enum(['NOTEBOOK', 'DEFAULT'])),
  duration: Type.Optional(Type.Integer()),
  lease: Type.Optional(
    Type.Object({
      duration: Type.Optional(Type.Integer()),
      type: Type.Optional(Type.String()),
    }),
  ),
  endpoints: Type.Optional(
    Type.Array(
      Type.Object({
        service: Type.Optional(Type.String()),
        key_pair_names: Type.Optional(Type.Array(Type.String())),
        allowed_access_ips: Type.Optional(Type.Array(Type.String(), { maxItems: 5 })),
      }),
    ),
  ),
  pool_id: Type.Optional(Type.String()),
  workspace_id: Type.Optional(Type.String()),
})
const create = Compile(createSchema)
type Create = Static<typeof createSchema>

const runMsMin = 3_600_000
const runMsMax = 259_200_000
/** Switches auto stop off. One client always creates and starts so. */
const runForever = -1

export type LeaseType = 'TIMING' | 'IDLE'
export interface LeaseAsked {
  readonly autoStop: AutoStop
  readonly type: LeaseType
}

function leaseOf(
  durationMs: number | undefined,
  type: string | undefined,
): Result<LeaseAsked, Fault> {
  const kind = (type ?? 'TIMING').toUpperCase()
  if (kind !== 'TIMING' && kind !== 'IDLE') return err(badPayload('type'))
  if (durationMs === runForever)
    return ok({ autoStop: { enabled: false, afterMs: runMsMin }, type: kind })
  const afterMs = durationMs ?? runMsMin
  if (afterMs < runMsMin || afterMs > runMsMax) return err(badPayload('duration'))
  return ok({ autoStop: { enabled: true, afterMs }, type: kind })
}

/** B1: how long it is to run from now on. Its body is empty, or an object that says nothing. */
export function decodeStart(values: Values, body: Buffer): Result<LeaseAsked, Fault> {
  const bodyFault = decodeNoBody(body)
  if (bodyFault) return err(bodyFault)
  const text = values.get('duration')
  if (text !== undefined && !/^(-1|\d{1,15})$/.test(text)) return err(badPayload('duration'))
  return leaseOf(text === undefined ? undefined : Number(text), values.get('type'))
}

/** B2: nothing, or an empty object. */
export function decodeNoBody(body: Buffer): Fault | undefined {
  if (body.length === 0) return undefined
  const json = parseJson(body)
  return json.ok && isObject(json.value) ? undefined : badPayload('body')
}

/** B5. A `duration` beside the lease wins over it and means timing. */
export function decodeCreate(
  body: Buffer,
  nowMs: number,
): Result<CreateInstance & { readonly feature: string }, Fault> {
  const json = parseJson(body)
  if (!json.ok) return err(badPayload('body'))
  const read = readFields(create, json.value)
  if (!read.ok) return err(labFault(read.error, { verb: 'create' }))
  const asked = read.value
  const workspace = asked.workspace_id ?? '0'
  if (workspace !== '0') return err(noWorkspace(workspace))
  const volume = volumeOf(asked.volume)
  if (!volume.ok) return volume
  const lease =
    asked.duration === undefined
      ? leaseOf(asked.lease?.duration, asked.lease?.type)
      : leaseOf(asked.duration, 'TIMING')
  if (!lease.ok) return lease
  const kept: Kept = {
    volume: volume.value,
    lease: { type: lease.value.type, sinceMs: nowMs },
    endpoints: (asked.endpoints ?? []) as readonly JsonObject[], // parsed from JSON, so it is JSON
    ...(asked.pool_id === undefined ? {} : { pool: { id: asked.pool_id } }),
  }
  return ok({
    verb: 'create',
    kind: 'notebook',
    name: asked.name,
    description: asked.description ?? '',
    flavorId: asked.flavor,
    imageId: asked.image_id,
    schemes: ['lab'],
    autoStop: lease.value.autoStop,
    attributes: { [doorName]: kept },
    feature: asked.feature ?? 'NOTEBOOK',
  })
}

const categories = ['EVS', 'EFS', 'SFS', 'OBS', 'OBSFS']
const ownerships = ['MANAGED', 'DEDICATED']
const defaultGib: Readonly<Record<string, number>> = { EVS: 5, EFS: 50 }

function volumeOf({
  category,
  ownership,
  capacity,
  uri,
  id,
}: Create['volume']): Result<JsonObject, Fault> {
  const kind = category.toUpperCase()
  if (!categories.includes(kind)) return err(badPayload('volume.category'))
  const owner = ownership.toUpperCase()
  if (!ownerships.includes(owner)) return err(badPayload('volume.ownership'))
  const gib = capacity ?? defaultGib[kind]
  if (kind === 'EVS' && gib !== undefined && gib < 5) return err(badPayload('volume.capacity'))
  return ok({
    category: kind,
    ownership: owner,
    ...(gib === undefined ? {} : { capacity: gib }),
    ...(uri === undefined ? {} : { uri }),
    ...(id === undefined ? {} : { id }),
  })
}

type Values = ReadonlyMap<string, string>

export interface PageQuery {
  readonly offset: number
  readonly limit: number
}

/** @param absent  the limit when none is asked for. */
export function decodePage(values: Values, absent: number): Result<PageQuery, Fault> {
  const offset = wholeNumber(values, 'offset', 0)
  if (!offset.ok) return offset
  const limit = wholeNumber(values, 'limit', absent)
  if (!limit.ok) return limit
  return limit.value < 1
    ? err(badPayload('limit'))
    : ok({ offset: offset.value, limit: limit.value })
}

export interface LabQuery extends PageQuery {
  readonly name: string | undefined
  readonly owner: string | undefined
  readonly status: LabStatus | undefined
  readonly flavor: string | undefined
  readonly image: string | undefined
  readonly id: string | undefined
  readonly pool: string | undefined
  readonly feature: string | undefined
  readonly by: 'name' | 'createdAtMs' | 'updatedAtMs'
  readonly dir: 'asc' | 'desc'
  readonly mayMatch: boolean
}

const sortColumns = {
  name: 'name',
  create_at: 'createdAtMs',
  update_at: 'updatedAtMs',
} as const
const isSortKey = (text: string): text is keyof typeof sortColumns =>
  Object.hasOwn(sortColumns, text)

/** B6. */
export function decodeList(values: Values): Result<LabQuery, Fault> {
  const page = decodePage(values, 10)
  if (!page.ok) return page
  const wanted = values.get('status')
  const status = labStatuses.find((one) => one === wanted?.toUpperCase())
  if (wanted !== undefined && status === undefined) return err(badPayload('status'))
  const dir = (values.get('sort_dir') ?? 'DESC').toUpperCase()
  if (dir !== 'DESC' && dir !== 'ASC') return err(badPayload('sort_dir'))
  // A list of keys: the first decides, ties go by id.
  const key = (values.get('sort_key') ?? 'create_at').split(',')[0] ?? ''
  if (!isSortKey(key)) return err(badPayload('sort_key'))
  return ok({
    ...page.value,
    name: values.get('name'),
    owner: values.get('owner'),
    status,
    flavor: values.get('flavor'),
    image: values.get('image_id'),
    id: values.get('id'),
    pool: values.get('pool_id'),
    feature: values.get('feature'),
    by: sortColumns[key],
    dir: dir === 'ASC' ? 'asc' : 'desc',
    mayMatch: (values.get('workspace_id') ?? values.get('workspaceId') ?? '0') === '0',
  })
}

function wholeNumber(values: Values, name: string, absent: number): Result<number, Fault> {
  const text = values.get(name)
  if (text === undefined) return ok(absent)
  const number = Number(text)
  return /^\d+$/.test(text) && Number.isSafeInteger(number) ? ok(number) : err(badPayload(name))
}
