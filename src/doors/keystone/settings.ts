// This door's part of runstate.yaml: none yet; the region of the catalogue is the whole server's.

import type { Static } from 'typebox'
import { Type } from '#schema/type.ts'

export const keystoneSettings = Type.Object({}, { additionalProperties: false })
export type KeystoneSettings = Static<typeof keystoneSettings>
