// Our own door: one uniform API for every kind of instance, on top of the kernel and of nothing
// else.

import { unreachable } from '#kernel/assert.ts'
import type { Answer, DoorKind, Exchange, Unrouted } from '../shared/http.ts'
import { doorName, refusal } from './endpoint.ts'
import { type Fault, faultOf, ownFault } from './faults.ts'
import { routesIn } from './routes.ts'
import { settings, withDefaults } from './settings.ts'

export const native: DoorKind<typeof settings> = {
  name: doorName,
  settings,
  open: (house) => {
    const closing = new AbortController()
    return {
      name: doorName,
      routes: routesIn({ ...house, settings: withDefaults(house.settings) }, closing.signal),
      claims: ({ rawPath }) => rawPath === '/api' || rawPath.startsWith('/api/'),
      refuse: (why, exchange, allow): Answer =>
        refusal(exchange, unroutedFault(why, exchange, allow), allow),
      close: () => closing.abort(),
    }
  },
}

function unroutedFault(why: Unrouted, exchange: Exchange, allow: readonly string[]): Fault {
  switch (why) {
    case 'not-found':
      return ownFault('NoSuchPath', { detail: 'GET /api/v1/openapi.json lists every path.' })
    case 'method-not-allowed':
      return ownFault('MethodNotAllowed', {
        detail: `${exchange.method} is not one of ${allow.join(', ')}.`,
      })
    case 'too-large':
      return ownFault('TooLarge', { detail: 'A body has at most 262144 bytes.' })
    case 'malformed':
      return ownFault('Malformed', { detail: 'The request is not well-formed HTTP.' })
    case 'overloaded':
      return faultOf({ code: 'Overloaded', retryAfterMs: 1000 })
    case 'unavailable':
      return faultOf({ code: 'StoreUnavailable' })
    case 'internal':
      return ownFault('Internal', { detail: 'The request id leads to the log.' })
    default:
      return unreachable(why)
  }
}
