// B5's body: what a notebook is to be made of. Enumerations arrive in either case and are kept in upper case.
// Source: notebook contract, section 1.13; ambiguity 16.

import { randomUUID } from 'node:crypto'
import type { Static } from 'typebox'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { CreateInstance } from '#kernel/request.ts'
import { Type } from '#schema/type.ts'
import { readFields } from '../shared/body-fields.ts'
import { parseJson } from '../shared/http.ts'
import type { Fault } from '../shared/three-keys.ts'
import { badPayload } from './codes.ts'
import { labFault } from './faults.ts'
import { leaseFrom } from './lab-decode.ts'
import { doorName, inWorkspace, isStorage, type Kept, withToken } from './wire.ts'

export const nameText = Type.String({ pattern: '^[A-Za-z0-9_-]{1,128}$' })
export const descriptionText = Type.String({ pattern: '^[^&<>"\'/]{0,512}$' })
export const endpointList = Type.Array(
  Type.Object({
    service: Type.Optional(Type.String()),
    key_pair_names: Type.Optional(Type.Array(Type.String())),
    allowed_access_ips: Type.Optional(Type.Array(Type.String(), { maxItems: 5 })),
  }),
)

/** Kept and shown again; nothing here acts on them. */
const extraNames = [
  'hooks',
  'custom_spec',
  'affinity',
  'run_user',
  'data_volumes',
  'user_vpc',
] as const
const anything = Type.Optional(Type.Unknown())
export const extrasSchema = {
  hooks: anything,
  custom_spec: anything,
  affinity: anything,
  run_user: anything,
  data_volumes: anything,
  user_vpc: anything,
} as const satisfies Record<(typeof extraNames)[number], unknown>

export const extrasOf = (body: { readonly [K in (typeof extraNames)[number]]?: unknown }) =>
  Object.fromEntries(
    extraNames.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]])),
  ) as JsonObject // parsed from JSON, so it is JSON

const filled = Type.String({ minLength: 1 })
const createSchema = Type.Object({
  name: nameText,
  flavor: filled,
  image_id: filled,
  volume: Type.Object({
    category: filled,
    ownership: filled,
    capacity: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096 })),
    uri: Type.Optional(Type.String()),
    id: Type.Optional(Type.String()),
  }),
  description: Type.Optional(descriptionText),
  feature: Type.Optional(Type.Enum(['NOTEBOOK', 'DEFAULT'])),
  duration: Type.Optional(Type.Integer()),
  lease: Type.Optional(
    Type.Object({
      duration: Type.Optional(Type.Integer()),
      type: Type.Optional(Type.String()),
    }),
  ),
  endpoints: Type.Optional(endpointList),
  pool_id: Type.Optional(Type.String()),
  workspace_id: Type.Optional(Type.String()),
  ...extrasSchema,
})
type Create = Static<typeof createSchema>

/** A `duration` beside the lease wins over it and means timing. */
export function decodeCreate(
  body: Buffer,
): Result<CreateInstance & { readonly feature: string }, Fault> {
  const json = parseJson(body)
  if (!json.ok) return err(badPayload('body'))
  const read = readFields(createSchema, json.value)
  if (!read.ok) return err(labFault(read.error, { verb: 'create' }))
  const asked = read.value
  const volume = volumeIn(asked.volume)
  if (!volume.ok) return volume
  const lease =
    asked.duration === undefined
      ? leaseFrom(asked.lease?.duration, asked.lease?.type)
      : leaseFrom(asked.duration, 'TIMING')
  if (!lease.ok) return lease
  const storage = asked.volume.category.toLowerCase()
  const { kept, launch } = withToken(randomUUID())
  return ok({
    verb: 'create',
    kind: 'notebook',
    name: asked.name,
    description: asked.description ?? '',
    flavorId: asked.flavor,
    imageId: asked.image_id,
    schemes: ['lab'],
    ...inWorkspace(asked.workspace_id),
    ...(isStorage(storage) ? { storage } : {}),
    launch,
    autoStop: lease.value.autoStop,
    attributes: { [doorName]: { ...keptOf(asked, volume.value, lease.value.type), ...kept } },
    feature: asked.feature ?? 'NOTEBOOK',
  })
}

function keptOf(asked: Create, volume: JsonObject, type: string): Kept {
  return {
    volume,
    lease: { type },
    endpoints: (asked.endpoints ?? []) as readonly JsonObject[], // parsed from JSON, so it is JSON
    extras: extrasOf(asked),
    ...(asked.pool_id === undefined ? {} : { pool: { id: asked.pool_id } }),
  }
}

const categories = ['EVS', 'EFS', 'SFS', 'OBS', 'OBSFS']
const ownerships = ['MANAGED', 'DEDICATED']
const defaultGib: Readonly<Record<string, number>> = { EVS: 5, EFS: 50 }

function volumeIn({
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
