// Two routes: every action comes to `/` and says in its query what it is, and any method but GET and POST gets
// this cloud's own refusal there. The actions are in actions.ts.

import type { Route } from '#doors/shared/http.ts'
import { actions } from './actions.ts'
import { answer, type Desk } from './gateway.ts'

const refusedMethods = ['PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const

export const routes = (desk: Desk): readonly Route[] => [
  {
    method: ['GET', 'POST'],
    path: '/',
    operation: 'Action',
    operations: [...actions].map(([operation, { source }]) => ({ operation, source })),
    source: 'contracts/volcengine-ecs.md section 2',
    queryApi: true,
    handle: (exchange) => answer(desk, exchange),
  },
  {
    method: refusedMethods,
    path: '/',
    operation: 'MethodNotAllowed',
    source: 'contracts/volcengine-ecs.md section 5',
    queryApi: true,
    handle: (exchange) => answer(desk, exchange),
  },
]
