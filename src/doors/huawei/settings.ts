// This door's part of runstate.yaml: none yet.

import { type Static, Type } from 'typebox'

export const huaweiSettings = Type.Object({}, { additionalProperties: false })
export type HuaweiSettings = Static<typeof huaweiSettings>
