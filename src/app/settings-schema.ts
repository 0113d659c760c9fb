// The published JSON Schema of runstate.yaml: the file's own, with the part of every door and driver filled in.

import type { TObject, TSchema } from 'typebox'
import { Type } from '#schema/type.ts'
import { doorKinds, driverSettings } from './plugins.ts'
import { fileSchema } from './settings.ts'

const port = Type.Integer({ minimum: 0, maximum: 65_535 })

function withSwitch(schema: TSchema): TSchema {
  const { properties } = schema as TObject // every door's settings are an object
  const own = {
    enabled: Type.Optional(Type.Boolean({ description: 'Default true.' })),
    port: Type.Optional(port),
  }
  return Type.Partial(Type.Object({ ...own, ...properties }, { additionalProperties: false }))
}

export function settingsSchema(): object {
  const doors = Object.fromEntries(doorKinds.map((kind) => [kind.name, withSwitch(kind.settings)]))
  const closed = { additionalProperties: false }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'runstate.yaml',
    ...Type.Object(
      {
        ...fileSchema.properties,
        doors: Type.Optional(Type.Partial(Type.Object(doors, closed))),
        drivers: Type.Optional(Type.Partial(Type.Object(driverSettings, closed))),
      },
      closed,
    ),
  }
}
