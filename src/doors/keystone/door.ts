// OpenStack's identity service, version 3, below `/identity` and below the bare origin.

import type { DoorKind } from '../shared/http.ts'
import { dressed } from './call.ts'
import { refusal, unroutedFault } from './faults.ts'
import { routesOf } from './routes.ts'
import { keystoneSettings } from './settings.ts'

const ours = /^\/(identity|v3(\.0)?)(\/|$)/

export const keystone: DoorKind<typeof keystoneSettings> = {
  name: 'keystone',
  settings: keystoneSettings,
  open: (house) => ({
    name: 'keystone',
    routes: routesOf(house),
    claims: ({ rawPath }) => ours.test(rawPath),
    refuse(why, exchange, allow) {
      const prefix = exchange.rawPath.startsWith('/identity') ? '/identity' : ''
      return dressed(exchange, refusal(unroutedFault(why, allow), exchange, prefix))
    },
  }),
}
