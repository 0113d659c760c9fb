// This door's part of runstate.yaml.

import { type Static, Type } from 'typebox'

export const settings = Type.Object(
  {
    heartbeatMs: Type.Integer({
      minimum: 50,
      maximum: 300_000,
      default: 15_000,
      description:
        'How often a silent event stream says that it lives, and looks at its token again.',
    }),
    streamsMax: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 1_000,
      description: 'Event streams open at once.',
    }),
    streamBytesMax: Type.Integer({
      minimum: 4_096,
      maximum: 67_108_864,
      default: 1_048_576,
      description: 'What may wait for one slow reader before its stream is closed.',
    }),
  },
  { additionalProperties: false },
)
export type Settings = Static<typeof settings>
