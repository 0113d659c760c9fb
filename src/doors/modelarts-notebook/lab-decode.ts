// Run times and queries of the second family (`/notebooks`), from the wire to what the kernel is asked. Run times
// are milliseconds here. Enumerations arrive in either case.
// Source: notebook contract, sections 1.11, 1.12, 1.14 and 1.16; ambiguities 15, 16 and 18.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { AutoStopAsked } from '#kernel/request.ts'
import { Type } from '#schema/type.ts'
import { readFields } from '../shared/body-fields.ts'
import { isObject, parseJson } from '../shared/http.ts'
import type { Fault } from '../shared/three-keys.ts'
import { badPayload } from './codes.ts'
import { labFault } from './faults.ts'
import { type LabStatus, labStatuses } from './states.ts'

const runMsMin = 3_600_000
const runMsMax = 259_200_000
/** Switches auto stop off. One client always creates and starts so. */
const runForever = -1

export type LeaseType = 'TIMING' | 'IDLE'
export interface LeaseAsked {
  readonly autoStop: AutoStopAsked
  readonly type: LeaseType
}

/** Counted from the request, as its end is told in the answer. */
export function leaseFrom(
  durationMs: number | undefined,
  type: string | undefined,
): Result<LeaseAsked, Fault> {
  const kind = (type ?? 'TIMING').toUpperCase()
  if (kind !== 'TIMING' && kind !== 'IDLE') return err(badPayload('type'))
  if (durationMs === runForever)
    return ok({ autoStop: { enabled: false, afterMs: runMsMin, isLease: true }, type: kind })
  const afterMs = durationMs ?? runMsMin
  if (afterMs < runMsMin || afterMs > runMsMax) return err(badPayload('duration'))
  return ok({ autoStop: { enabled: true, afterMs, isLease: true }, type: kind })
}

/** B1: how long it is to run from now on. Its body is empty, or an object that says nothing. */
export function decodeStart(values: Values, body: Buffer): Result<LeaseAsked, Fault> {
  const bodyFault = decodeNoBody(body)
  if (bodyFault) return err(bodyFault)
  const text = values.get('duration')
  if (text !== undefined && !/^(-1|\d{1,15})$/.test(text)) return err(badPayload('duration'))
  return leaseFrom(text === undefined ? undefined : Number(text), values.get('type'))
}

const renewal = Type.Object({
  duration: Type.Optional(Type.Integer({ minimum: runMsMin, maximum: runMsMax })),
  type: Type.Optional(Type.String()),
})

/** B4. What the query says wins over the body and means timing; neither may switch the end off. */
export function decodeRenewal(values: Values, body: Buffer): Result<LeaseAsked, Fault> {
  const json = body.length === 0 ? { ok: true as const, value: {} } : parseJson(body)
  if (!json.ok) return err(badPayload('body'))
  const read = readFields(renewal, json.value)
  if (!read.ok) return err(labFault(read.error, { verb: 'update' }))
  const text = values.get('duration')
  if (text === undefined) return leaseFrom(read.value.duration, read.value.type)
  if (!/^\d{1,15}$/.test(text)) return err(badPayload('duration'))
  return leaseFrom(Number(text), 'TIMING')
}

/** B2: nothing, or an empty object. */
export function decodeNoBody(body: Buffer): Fault | undefined {
  if (body.length === 0) return undefined
  const json = parseJson(body)
  return json.ok && isObject(json.value) ? undefined : badPayload('body')
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

export interface FlavorQuery extends PageQuery {
  readonly category: string | undefined
  readonly feature: string | undefined
  readonly dir: 'asc' | 'desc'
}

/** B11 and B12: without a limit unless one is asked for. */
export function decodeFlavors(values: Values): Result<FlavorQuery, Fault> {
  const page = decodePage(values, Number.MAX_SAFE_INTEGER)
  if (!page.ok) return page
  const dir = dirOf(values, 'ASC')
  if (!dir.ok) return dir
  return ok({
    ...page.value,
    category: values.get('category')?.toUpperCase(),
    feature: values.get('feature'),
    dir: dir.value,
  })
}

function dirOf(values: Values, absent: 'ASC' | 'DESC'): Result<'asc' | 'desc', Fault> {
  const text = (values.get('sort_dir') ?? absent).toUpperCase()
  if (text !== 'DESC' && text !== 'ASC') return err(badPayload('sort_dir'))
  return ok(text === 'ASC' ? 'asc' : 'desc')
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
  readonly billing: string | undefined
  readonly tags: readonly Tag[]
  readonly by: 'name' | 'createdAtMs' | 'updatedAtMs'
  readonly dir: 'asc' | 'desc'
  readonly workspace: string | undefined
}

const sortColumns = {
  name: 'name',
  create_at: 'createdAtMs',
  update_at: 'updatedAtMs',
} as const
const isSortKey = (text: string): text is keyof typeof sortColumns =>
  Object.hasOwn(sortColumns, text)

interface Tag {
  readonly key: string
  /** Undefined: any. */
  readonly value: string | undefined
}

/** `key=value` or `key`, several with commas between them; all must fit. */
const tagsIn = (text: string | undefined): readonly Tag[] =>
  (text ?? '')
    .split(',')
    .filter((one) => one !== '')
    .map((one) => {
      const [key = '', ...rest] = one.split('=')
      return { key, value: rest.length === 0 ? undefined : rest.join('=') }
    })

/** B6 and B7. */
export function decodeList(values: Values): Result<LabQuery, Fault> {
  const page = decodePage(values, 10)
  if (!page.ok) return page
  const wanted = values.get('status')
  const status = labStatuses.find((one) => one === wanted?.toUpperCase())
  if (wanted !== undefined && status === undefined) return err(badPayload('status'))
  const dir = dirOf(values, 'DESC')
  if (!dir.ok) return dir
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
    dir: dir.value,
    billing: values.get('billing')?.toUpperCase(),
    tags: tagsIn(values.get('tags')),
    workspace: values.get('workspace_id') ?? values.get('workspaceId'),
  })
}

function wholeNumber(values: Values, name: string, absent: number): Result<number, Fault> {
  const text = values.get(name)
  if (text === undefined) return ok(absent)
  const number = Number(text)
  return /^\d+$/.test(text) && Number.isSafeInteger(number) ? ok(number) : err(badPayload(name))
}
