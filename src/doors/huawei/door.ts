// The vendor's own APIs of two services, bare metal and cloud servers: one request for many servers, and jobs.
// The same servers answer natively under /v2.1, behind another door.

import { turnedAway, unroutedFaults } from '../shared/gateway.ts'
import type { DoorKind } from '../shared/http.ts'
import type { ServerWords } from '../shared/server-words.ts'
import { routesOf } from './routes.ts'
import { huaweiSettings } from './settings.ts'

const ours = /^\/v1\/[^/]*\/(baremetalservers|cloudservers|jobs)(\/|$)/

/** @param servers  the words of the door that shows the same servers natively. */
export const huawei = (servers: ServerWords): DoorKind<typeof huaweiSettings> => ({
  name: 'huawei',
  settings: huaweiSettings,
  open: (house) => ({
    name: 'huawei',
    routes: routesOf({ house, servers }),
    claims: ({ rawPath }) => ours.test(rawPath),
    refuse: (why, exchange) => turnedAway(exchange, unroutedFaults[why]),
  }),
})
