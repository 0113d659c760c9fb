// Edge inference services, in the wire protocol of Huawei Cloud ModelArts: services deployed to edge nodes,
// their status, and the instance on each node.

import { Type } from '#schema/type.ts'
import type { DoorKind } from '../shared/http.ts'
import { mounted } from '../shared/project-route.ts'
import { refusal } from '../shared/three-keys.ts'
import { gate } from './auth.ts'
import { unrouted } from './faults.ts'
import { routes } from './routes.ts'
import { doorName } from './wire.ts'

const settings = Type.Object({}, { additionalProperties: false })
/** The services' own, and whatever else may be asked of this cloud. */
const paths = /^\/v1\/[^/]*\/./

export const modelartsService: DoorKind<typeof settings> = {
  name: doorName,
  settings,
  open: (house) => ({
    name: doorName,
    routes: routes.map((route) => mounted(route, { house, gate, door: doorName })),
    claims: ({ rawPath }) => paths.test(rawPath),
    refuse: (why, exchange) => refusal(exchange, unrouted[why]),
  }),
}
