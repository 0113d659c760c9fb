// The one route: every action comes to `/` and says in its query what it is. The actions are in actions.ts.

import { type Route } from '#doors/shared/http.ts'
import { answer, type Desk } from './gateway.ts'

/** Any method gets this cloud's own answer; all but GET and POST get that it is not allowed. */
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const

export const routes = (desk: Desk): readonly Route[] => [
  {
    method: methods,
    path: '/',
    operation: 'Action',
    source: 'contracts/volcengine-ecs.md section 2',
    queryApi: true,
    handle: (exchange) => answer(desk, exchange),
  },
]
