// This door's part of runstate.yaml.

import type { Static } from 'typebox'
import { Type } from '#schema/type.ts'

const successStatus = Type.Optional(
  Type.Union([Type.Literal(202), Type.Literal(204)], {
    description: 'What os-start, os-stop and reboot answer here. Default: as the dialect says.',
  }),
)

export const novaSettings = Type.Object(
  {
    actionSuccessStatus: Type.Optional(
      Type.Object(
        { nova: successStatus, huawei: successStatus },
        {
          additionalProperties: false,
          description:
            'Forces one success status per mount: `nova` is /compute/v2.1 (202), `huawei` is /v2.1 (204, or 202 when the caller names a microversion).',
        },
      ),
    ),
    availabilityZones: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        minItems: 1,
        uniqueItems: true,
        description:
          'Zones that a server may be created in; the first is the default. Default: az1.',
      }),
    ),
    listLimitMax: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        description: 'Servers on one page, at most. Default: 1000.',
      }),
    ),
  },
  { additionalProperties: false },
)

export type NovaSettings = Static<typeof novaSettings>

export const zonesOf = (settings: NovaSettings): readonly [string, ...string[]] => {
  const [first = 'az1', ...rest] = settings.availabilityZones ?? []
  return [first, ...rest]
}

export const listLimitMaxOf = (settings: NovaSettings): number => settings.listLimitMax ?? 1000
