// Bodies and queries of the first family (`/demanager/instances`), from the wire to what the kernel is asked.
// Run times are seconds here; the second family counts milliseconds.
// Source: notebook contract, sections 1.2 to 1.6.

import { randomUUID } from 'node:crypto'
import type { Static } from 'typebox'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { AutoStop } from '#kernel/instance.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { CreateInstance } from '#kernel/request.ts'
import { Type } from '#schema/type.ts'
import { readFields } from '../shared/body-fields.ts'
import { parseJson } from '../shared/http.ts'
import type { Fault } from '../shared/three-keys.ts'
import { devenvField, pastStop } from './codes.ts'
import { devenvFault } from './faults.ts'
import { type DevenvStatus, devenvStatuses } from './states.ts'
import { doorName, inWorkspace, isStorage, type Kept, withToken } from './wire.ts'

export const devenvActions = ['start', 'stop', 'restart', 'queue', 'dequeue'] as const
export type DevenvAction = (typeof devenvActions)[number]

const filled = Type.String({ minLength: 1 })
const autoStopSchema = Type.Object({
  enable: Type.Optional(Type.Boolean()),
  duration: Type.Optional(Type.Integer()),
  prompt: Type.Optional(Type.Boolean()),
  // Clients send back what they were shown.
  stop_timestamp: Type.Optional(Type.Integer()),
})
const notes = Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()])
const storageSchema = Type.Object({
  type: Type.String(),
  location: Type.Optional(
    Type.Object({
      path: Type.Optional(Type.String()),
      volume_size: Type.Optional(Type.Integer()),
      mount_path: Type.Optional(Type.String()),
      access_modes: Type.Optional(Type.Enum(['ReadOnlyMany', 'ReadWriteMany'])),
    }),
  ),
})
const createSchema = Type.Object({
  name: filled,
  profile_id: filled,
  flavor: filled,
  spec: Type.Object({
    storage: Type.Optional(storageSchema),
    extend_storage: Type.Optional(Type.Union([Type.Array(storageSchema), Type.Null()])),
    auto_stop: Type.Optional(autoStopSchema),
    annotations: Type.Optional(notes),
  }),
  description: Type.Optional(Type.String({ maxLength: 512 })),
  workspace: Type.Optional(Type.Object({ id: Type.String() })),
  pool: Type.Optional(Type.Object({ id: filled })),
  ai_project: Type.Optional(Type.Object({ id: Type.String() })),
  // One client puts them here.
  annotations: Type.Optional(notes),
})
const updateSchema = Type.Object({
  description: Type.Optional(Type.String({ maxLength: 512 })),
  spec: Type.Optional(Type.Object({ auto_stop: Type.Optional(autoStopSchema) })),
  // One client sends it here.
  auto_stop: Type.Optional(autoStopSchema),
})
const actionSchema = Type.Object({ action: Type.String() })

type Create = Static<typeof createSchema>
type Storage = Static<typeof storageSchema>
type AutoStopBody = Static<typeof autoStopSchema>

const secondsMin = 3600
const secondsMax = 86_400
const gibMin = 5
const gibMax = 4096

function parsed(body: Buffer): Result<unknown, Fault> {
  const json = parseJson(body)
  return json.ok ? ok(json.value) : err(devenvField.badBody)
}

/** A1. */
export function decodeAction(body: Buffer): Result<DevenvAction, Fault> {
  const json = parsed(body)
  if (!json.ok) return json
  const read = readFields(actionSchema, json.value)
  if (!read.ok) return err(devenvFault(read.error, { verb: 'read' }))
  const action = devenvActions.find((one) => one === read.value.action)
  return action === undefined ? err(devenvField.value('action')) : ok(action)
}

/** A2. */
export function decodeCreate(body: Buffer): Result<CreateInstance, Fault> {
  const json = parsed(body)
  if (!json.ok) return json
  const read = readFields(createSchema, json.value)
  if (!read.ok) return err(devenvFault(read.error, { verb: 'create' }))
  const asked = read.value
  const { storage, auto_stop: autoStop } = asked.spec
  const wrong =
    nameFault(asked.name) ??
    descriptionFault(asked.description) ??
    storageFault(storage, asked.pool !== undefined) ??
    autoStopFault(autoStop)
  if (wrong) return err(wrong)
  const { kept, launch } = withToken(randomUUID())
  return ok({
    verb: 'create',
    kind: 'notebook',
    name: asked.name,
    description: asked.description ?? '',
    flavorId: asked.flavor,
    imageId: asked.profile_id,
    uniqueName: true,
    queues: true,
    schemes: ['devenv'],
    ...inWorkspace(asked.workspace?.id),
    ...(isStorage(storage?.type) ? { storage: storage.type } : {}),
    launch,
    attributes: { [doorName]: { ...keptOf(asked), ...kept } },
    ...(autoStop === undefined ? {} : { autoStop: autoStopOf(autoStop, null) }),
  })
}

function keptOf(asked: Create): Kept {
  const { storage, extend_storage: extended, annotations, auto_stop: autoStop } = asked.spec
  return {
    ...(storage ? { storage: storage as JsonObject } : {}), // parsed from JSON, so it is JSON
    ...(extended ? { extendStorage: extended as readonly JsonObject[] } : {}), // as above
    annotations: annotations ?? asked.annotations ?? null,
    ...(asked.pool ? { pool: asked.pool as JsonObject } : {}), // as above
    aiProject: asked.ai_project?.id ?? 'default-ai-project',
    prompt: autoStop?.prompt ?? true,
  }
}

/** Milliseconds, and what was set before when this leaves it open. */
export function autoStopOf(body: AutoStopBody, before: AutoStop | null): AutoStop {
  const afterMs = body.duration === undefined ? before?.afterMs : body.duration * 1000
  return {
    enabled: body.enable ?? before?.enabled ?? false,
    afterMs: afterMs ?? secondsMin * 1000,
  }
}

function nameFault(name: string): Fault | undefined {
  const wrong = /[^A-Za-z0-9_-]/u.exec(name)?.[0]
  if (wrong !== undefined) return devenvField.character(wrong)
  return name.length > 64 ? devenvField.value('name') : undefined
}

function descriptionFault(text: string | undefined): Fault | undefined {
  const wrong = /[&<>"'/]/.exec(text ?? '')?.[0]
  return wrong === undefined ? undefined : devenvField.character(wrong)
}

function storageFault(storage: Storage | undefined, inPool: boolean): Fault | undefined {
  if (storage === undefined) return devenvField.noStorage
  const { type, location } = storage
  if (type === 'evs') {
    const gib = location?.volume_size ?? gibMin
    return gib < gibMin || gib > gibMax ? devenvField.volume(gibMin, gibMax) : undefined
  }
  if (type === 'obs') return bucketFault(location?.path)
  // A parallel file system is there in dedicated pools only.
  return type === 'obsfs' && inPool ? undefined : devenvField.location
}

function bucketFault(path: string | undefined): Fault | undefined {
  if (path === undefined || path === '') return devenvField.noPath
  if (!path.endsWith('/')) return devenvField.pathEnd
  // `bucket/` and `/bucket/` are a bucket's root.
  const parts = path
    .replace(/^obs:\/\//, '')
    .split('/')
    .filter((part) => part !== '')
  return parts.length < 2 ? devenvField.pathRoot : undefined
}

function autoStopFault(autoStop: AutoStopBody | undefined): Fault | undefined {
  const { enable, duration } = autoStop ?? {}
  if (enable === true && duration === undefined) return devenvField.noDuration
  if (duration === undefined || (duration >= secondsMin && duration <= secondsMax)) return undefined
  return devenvField.duration(secondsMin, secondsMax)
}

export interface DevenvUpdate {
  readonly description?: string
  readonly autoStop?: AutoStopBody
}

/** A5. A moment that is sent back is not obeyed, but one that has passed shows that the sender's picture is old. */
export function decodeUpdate(body: Buffer, nowMs: number): Result<DevenvUpdate, Fault> {
  const json = parsed(body)
  if (!json.ok) return json
  const read = readFields(updateSchema, json.value)
  if (!read.ok) return err(devenvFault(read.error, { verb: 'update' }))
  const { description, spec, auto_stop: aside } = read.value
  const autoStop = spec?.auto_stop ?? aside
  const wrong = descriptionFault(description) ?? autoStopFault(autoStop)
  if (wrong) return err(wrong)
  if ((autoStop?.stop_timestamp ?? nowMs + 1) <= nowMs) return err(pastStop)
  return ok({
    ...(description === undefined ? {} : { description }),
    ...(autoStop === undefined ? {} : { autoStop }),
  })
}

export interface DevenvQuery {
  readonly status: DevenvStatus | undefined
  readonly by: 'name' | 'createdAtMs'
  readonly dir: 'asc' | 'desc'
  readonly offset: number
  /** Infinity: all. */
  readonly limit: number
  readonly ownOnly: boolean
  readonly workspace: string
  readonly pool: string | undefined
  readonly aiProject: string | undefined
}

type Values = ReadonlyMap<string, string>

/** A3. */
export function decodeList(values: Values): Result<DevenvQuery, Fault> {
  const type = values.get('de_type')
  if (type === undefined) return err(devenvField.missing('de_type'))
  const wrong = [
    ['de_type', ['Notebook']],
    ['provision_type', ['Docker']],
    ['status', devenvStatuses],
    ['order', ['asc', 'desc']],
    ['show_self', ['true', 'false', 'True', 'False']],
  ] as const
  for (const [name, allowed] of wrong) {
    const value = values.get(name)
    if (value !== undefined && !allowed.some((one) => one === value))
      return err(devenvField.value(name))
  }
  const sort = values.get('sortby') ?? 'name'
  if (sort !== 'name' && sort !== 'creation_timestamp') return err(devenvField.sort)
  const offset = wholeNumber(values, 'offset')
  if (!offset.ok) return offset
  const limit = wholeNumber(values, 'limit')
  if (!limit.ok) return limit
  return ok({
    status: devenvStatuses.find((one) => one === values.get('status')),
    by: sort === 'name' ? 'name' : 'createdAtMs',
    dir: values.get('order') === 'desc' ? 'desc' : 'asc',
    offset: offset.value,
    limit: limit.value === 0 ? Number.POSITIVE_INFINITY : limit.value,
    ownOnly: values.get('show_self')?.toLowerCase() !== 'false',
    workspace: values.get('workspace_id') ?? '0',
    pool: values.get('pool_id'),
    aiProject: values.get('ai_project'),
  })
}

function wholeNumber(values: Values, name: string): Result<number, Fault> {
  const text = values.get(name) ?? '0'
  const number = Number(text)
  return /^\d+$/.test(text) && Number.isSafeInteger(number)
    ? ok(number)
    : err(devenvField.type(name, 'integer'))
}
