// This door's part of runstate.yaml: none yet.

import type { Static } from 'typebox'
import { Type } from '#schema/type.ts'

export const huaweiSettings = Type.Object({}, { additionalProperties: false })
export type HuaweiSettings = Static<typeof huaweiSettings>
