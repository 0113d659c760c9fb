// This door's part of runstate.yaml: none yet; the region of the catalogue is the whole server's.

import { type Static, Type } from 'typebox'

export const keystoneSettings = Type.Object({}, { additionalProperties: false })
export type KeystoneSettings = Static<typeof keystoneSettings>
