// B9's body: what of a notebook is to change.
// Source: notebook contract, section 1.15.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import { Type } from '#schema/type.ts'
import { readFields } from '../shared/body-fields.ts'
import { parseJson } from '../shared/http.ts'
import type { Fault } from '../shared/three-keys.ts'
import { badPayload } from './codes.ts'
import { labFault } from './faults.ts'
import { descriptionText, endpointList, extrasOf, extrasSchema, nameText } from './lab-create.ts'

export const gibMax = 4096

const update = Type.Object({
  name: Type.Optional(nameText),
  description: Type.Optional(descriptionText),
  flavor: Type.Optional(Type.String({ minLength: 1 })),
  image_id: Type.Optional(Type.String({ minLength: 1 })),
  storage_new_size: Type.Optional(Type.Integer({ minimum: 1 })),
  endpoints: Type.Optional(endpointList),
  ...extrasSchema,
})

export interface LabUpdate {
  readonly name?: string
  readonly description?: string
  readonly flavorId?: string
  readonly imageId?: string
  readonly grownTo?: number
  readonly kept: JsonObject
  /** Names something that may change only while it is stopped. */
  readonly isDeep: boolean
}

export function decodeUpdate(body: Buffer): Result<LabUpdate, Fault> {
  const json = parseJson(body)
  if (!json.ok) return err(badPayload('body'))
  const read = readFields(update, json.value)
  if (!read.ok) return err(labFault(read.error, { verb: 'update' }))
  const { name, description, flavor, image_id: imageId, storage_new_size: grownTo } = read.value
  const { endpoints } = read.value
  const extras = extrasOf(read.value)
  const hasExtras = Object.keys(extras).length > 0
  return ok({
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(flavor === undefined ? {} : { flavorId: flavor }),
    ...(imageId === undefined ? {} : { imageId }),
    ...(grownTo === undefined ? {} : { grownTo }),
    kept: {
      ...(endpoints === undefined ? {} : { endpoints: endpoints as readonly JsonObject[] }), // parsed from JSON, so it is JSON
      ...(hasExtras ? { extras } : {}),
    },
    isDeep: flavor !== undefined || imageId !== undefined || endpoints !== undefined || hasExtras,
  })
}
