// Notebook instances, in the wire protocol of Huawei Cloud ModelArts: the older family of calls, whose free
// flavors queue, and the current one, whose notebooks have a lease. Both show one kind of instance, each its own.

import { Type } from 'typebox'
import { type DoorKind } from '../shared/http.ts'
import { mounted } from '../shared/project-route.ts'
import { refusal } from '../shared/three-keys.ts'
import { gate } from './auth.ts'
import { unrouted } from './faults.ts'
import { routes } from './routes.ts'
import { doorName } from './wire.ts'

const settings = Type.Object({}, { additionalProperties: false })
const paths = /^\/v1\/[^/]+\/(demanager|notebooks|images)(\/|$)/

export const modelartsNotebook: DoorKind<typeof settings> = {
  name: doorName,
  settings,
  open: (house) => ({
    name: doorName,
    routes: routes.map((route) => mounted(route, { house, gate, door: doorName })),
    claims: ({ rawPath }) => paths.test(rawPath),
    refuse: (why, exchange) => refusal(exchange, unrouted[why]),
  }),
}
