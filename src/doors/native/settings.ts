// This door's part of runstate.yaml.

import type { Static } from 'typebox'
import { Type } from '#schema/type.ts'

const defaults = { heartbeatMs: 15_000, streamsMax: 1_000, streamBytesMax: 1_048_576 } as const

export const settings = Type.Object(
  {
    heartbeatMs: Type.Optional(
      Type.Integer({
        minimum: 50,
        maximum: 300_000,
        default: defaults.heartbeatMs,
        description:
          'How often a silent event stream says that it lives, and looks at its token again.',
      }),
    ),
    streamsMax: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        default: defaults.streamsMax,
        description: 'Event streams open at once.',
      }),
    ),
    streamBytesMax: Type.Optional(
      Type.Integer({
        minimum: 4_096,
        maximum: 67_108_864,
        default: defaults.streamBytesMax,
        description: 'What may wait for one slow reader before its stream is closed.',
      }),
    ),
  },
  { additionalProperties: false },
)

type Given = Static<typeof settings>
export type Settings = Required<Given>

export const withDefaults = (given: Given): Settings => ({ ...defaults, ...given })
