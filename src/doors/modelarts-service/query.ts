// Query strings of the lists: what may be asked for, and what a value that may not answers.
// Source: edge inference contract, sections 1.4 and 1.8.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Fault } from '../shared/three-keys.ts'
import { badParameter } from './faults.ts'
import { type ServiceStatus, serviceStatuses } from './states.ts'
import { defaultWorkspaceId } from './wire.ts'

type Values = ReadonlyMap<string, string>

export interface Window {
  readonly offset: number
  readonly limit: number
  readonly dir: 'asc' | 'desc'
}

export interface ServiceQuery extends Window {
  readonly id: string | undefined
  readonly name: string | undefined
  readonly model: string | undefined
  readonly cluster: string | undefined
  readonly workspace: string
  readonly inferType: string | undefined
  readonly status: ServiceStatus | undefined
  readonly tags: readonly string[]
  readonly by: 'deployedAtMs' | 'name' | 'statusSinceMs'
}

const sortColumns = {
  publish_at: 'deployedAtMs',
  service_name: 'name',
  transition_at: 'statusSinceMs',
} as const
const inferTypes = ['real-time', 'batch', 'edge'] as const
const limitMax = 1000

export function decodeServiceQuery(values: Values): Result<ServiceQuery, Fault> {
  const window = decodeWindow(values)
  if (!window.ok) return window
  const by = oneOf(values, 'sort_by', Object.keys(sortColumns))
  if (!by.ok) return by
  const inferType = oneOf(values, 'infer_type', inferTypes)
  if (!inferType.ok) return inferType
  const status = oneOf(values, 'status', serviceStatuses)
  if (!status.ok) return status
  return ok({
    ...window.value,
    id: values.get('service_id') || undefined,
    name: values.get('service_name') || undefined,
    model: values.get('model_id') || undefined,
    cluster: values.get('cluster_id') || undefined,
    workspace: values.get('workspace_id') || defaultWorkspaceId,
    inferType: inferType.value,
    status: status.value,
    tags: (values.get('tags') ?? '').split(',').filter((tag) => tag !== ''),
    by: sortColumns[(by.value ?? 'publish_at') as keyof typeof sortColumns], // one of its keys, checked above
  })
}

export interface EventQuery extends Window {
  readonly type: 'normal' | 'abnormal' | undefined
  readonly fromMs: number
  readonly toMs: number
}

export function decodeEventQuery(values: Values): Result<EventQuery, Fault> {
  const window = decodeWindow(values)
  if (!window.ok) return window
  const type = oneOf(values, 'event_type', ['normal', 'abnormal'] as const)
  if (!type.ok) return type
  const by = oneOf(values, 'sort_by', ['occur_time'])
  if (!by.ok) return by
  const from = wholeNumber(values, 'start_time', 0)
  if (!from.ok) return from
  const to = wholeNumber(values, 'end_time', Number.MAX_SAFE_INTEGER)
  if (!to.ok) return to
  return ok({ ...window.value, type: type.value, fromMs: from.value, toMs: to.value })
}

/** Each is `key` or `key=value`; all must be there. */
export const hasTags = (
  labels: Readonly<Record<string, string>>,
  tags: readonly string[],
): boolean =>
  tags.every((tag) => {
    const [key = '', ...value] = tag.split('=')
    const isThere = Object.hasOwn(labels, key)
    return isThere && (value.length === 0 || labels[key] === value.join('='))
  })

/** E8: only the update of this very moment. */
export function decodeUpdateTime(values: Values): Result<number | undefined, Fault> {
  if (!values.get('update_time')) return ok(undefined)
  return wholeNumber(values, 'update_time', 0)
}

/** E10: the type of service that they are for. */
export function decodeSpecificationQuery(
  values: Values,
): Result<(typeof inferTypes)[number], Fault> {
  const personal = oneOf(values, 'is_personal_cluster', ['true', 'false'])
  if (!personal.ok) return personal
  const inferType = oneOf(values, 'infer_type', inferTypes)
  return inferType.ok ? ok(inferType.value ?? 'real-time') : inferType
}

/** E11. */
export function decodeClusterQuery(values: Values): Result<Window, Fault> {
  const by = oneOf(values, 'sort_by', ['created_at', 'cluster_name'])
  if (!by.ok) return by
  const status = oneOf(values, 'status', ['deploying', 'running', 'concerning', 'abnormal'])
  return status.ok ? decodeWindow(values) : status
}

function decodeWindow(values: Values): Result<Window, Fault> {
  const offset = wholeNumber(values, 'offset', 0)
  if (!offset.ok) return offset
  const limit = wholeNumber(values, 'limit', limitMax)
  if (!limit.ok) return limit
  if (limit.value < 1) return err(badParameter('limit', String(limit.value)))
  const dir = oneOf(values, 'order', ['asc', 'desc'] as const)
  if (!dir.ok) return dir
  return ok({
    offset: offset.value,
    limit: Math.min(limitMax, limit.value),
    dir: dir.value ?? 'desc',
  })
}

function wholeNumber(values: Values, name: string, absent: number): Result<number, Fault> {
  const text = values.get(name)
  if (text === undefined || text === '') return ok(absent)
  const number = Number(text)
  const isWhole = /^\d+$/.test(text) && Number.isSafeInteger(number)
  return isWhole ? ok(number) : err(badParameter(name, text.slice(0, 64)))
}

function oneOf<const Value extends string>(
  values: Values,
  name: string,
  allowed: readonly Value[],
): Result<Value | undefined, Fault> {
  const text = values.get(name)
  if (text === undefined || text === '') return ok(undefined)
  const value = allowed.find((one) => one === text)
  return value === undefined ? err(badParameter(name, text.slice(0, 64))) : ok(value)
}
