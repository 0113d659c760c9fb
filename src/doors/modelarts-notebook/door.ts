// Notebook instances, in the wire protocol of Huawei Cloud ModelArts: the older family of calls, whose free
// flavors queue, and the current one, whose notebooks have a lease. Both show one kind of instance, each its own.

import type { Static } from 'typebox'
import { err, type Result } from '#kernel/errors.ts'
import { Type } from '#schema/type.ts'
import type { DoorKind } from '../shared/http.ts'
import { mounted, type ProjectRoute } from '../shared/project-route.ts'
import { type Fault, refusal } from '../shared/three-keys.ts'
import { devenvGate, labGate } from './auth.ts'
import { timedOut } from './codes.ts'
import { unrouted } from './faults.ts'
import { devenvRoutes, labRoutes } from './routes.ts'
import { doorName } from './wire.ts'

const settings = Type.Object(
  {
    answerWithinMs: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 600_000,
        default: 60_000,
        description:
          'When a caller is told that the request timed out; what it asked for may happen all the same.',
      }),
    ),
  },
  { additionalProperties: false },
)
type Settings = Static<typeof settings>
const paths = /^\/v1\/[^/]*\/(demanager|notebooks|images)(\/|$)/

/** Nobody waits for ever, whatever the store is busy with. */
function bounded(route: ProjectRoute, { answerWithinMs = 60_000 }: Settings): ProjectRoute {
  const answer: ProjectRoute['answer'] = async (asked) => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Result<object, Fault>>((resolve) => {
      timer = setTimeout(() => resolve(err(timedOut)), answerWithinMs)
      timer.unref() // the connection keeps the server alive, not the patience with it
    })
    try {
      return await Promise.race([route.answer(asked), late])
    } finally {
      clearTimeout(timer)
    }
  }
  return { ...route, answer }
}

export const modelartsNotebook: DoorKind<typeof settings> = {
  name: doorName,
  settings,
  open: (house) => {
    const mount = (gate: typeof labGate) => (route: ProjectRoute) =>
      mounted(bounded(route, house.settings), { house, gate, door: doorName })
    return {
      name: doorName,
      routes: [...devenvRoutes.map(mount(devenvGate)), ...labRoutes.map(mount(labGate))],
      claims: ({ rawPath }) => paths.test(rawPath),
      refuse: (why, exchange) => refusal(exchange, unrouted[why]),
    }
  },
}
