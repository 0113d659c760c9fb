// B14: tags of a notebook, which are its labels. A key that is there gets the new value; one that is not there is
// not missed when it is removed.
// Source: notebook contract, section 1.17; the vendor's pages "CreateNotebookTags" and "DeleteNotebookTags".

import { err, ok, type Result } from '#kernel/errors.ts'
import { Type } from '#schema/type.ts'
import { readFields } from '../shared/body-fields.ts'
import { parseJson } from '../shared/http.ts'
import { type Asked, change } from '../shared/project-route.ts'
import type { Fault } from '../shared/three-keys.ts'
import { badPayload } from './codes.ts'
import { labFault } from './faults.ts'
import { type Answered, faultsFor, refOf } from './lab-call.ts'

const tagsMax = 20
const key = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^(?!_sys_)(?! )[\\p{L}\\p{N} _.:=+@-]*[\\p{L}\\p{N}_.:=+@-]$',
})
const value = Type.String({ maxLength: 255, pattern: '^[\\p{L}\\p{N} _.:/=+@-]*$' })
const body = Type.Object({
  tags: Type.Array(Type.Object({ key, value: Type.Optional(value) }), {
    minItems: 1,
    maxItems: tagsMax,
  }),
})

type Tags = Readonly<Record<string, string | undefined>>

export function decodeTags(bytes: Buffer): Result<Tags, Fault> {
  const json = parseJson(bytes)
  if (!json.ok) return err(badPayload('body'))
  const read = readFields(body, json.value)
  if (!read.ok) return err(labFault(read.error, { verb: 'update' }))
  return ok(Object.fromEntries(read.value.tags.map((tag) => [tag.key, tag.value])))
}

export const createTags = (asked: Asked): Answered => changeTags(asked, (text = '') => text)
export const removeTags = (asked: Asked): Answered => changeTags(asked, () => null)

async function changeTags(
  asked: Asked,
  becomes: (value: string | undefined) => string | null,
): Answered {
  const tags = decodeTags(asked.exchange.body)
  if (!tags.ok) return tags
  const changedLabels = Object.fromEntries(
    Object.entries(tags.value).map(([name, text]) => [name, becomes(text)]),
  )
  return change(
    asked,
    { verb: 'update', target: refOf(asked), changedLabels, labelsMax: tagsMax },
    { faultOf: faultsFor(asked, { verb: 'update' }), show: () => ({}) },
  )
}
