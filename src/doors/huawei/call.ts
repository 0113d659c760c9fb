// What every operation of this door goes through before its own code: who asks is proved, must act in the project
// of the path, and must have a role in it. What else a request needs to be is its own operation's to say.

import { type Caller, hasRole } from '#kernel/caller.ts'
import { compact, type ProjectId } from '#kernel/ids.ts'
import type { Result } from '#kernel/errors.ts'
import type { Submission } from '#kernel/ports/plane.ts'
import type { Exchange, Handler, House, Route } from '../shared/http.ts'
import { type Lent, lentHeaders } from '../shared/lent-headers.ts'
import type { ServerWords } from '../shared/server-words.ts'
import { prove } from './auth.ts'
import { type Fault, faultFor, otherTenant, refusal, speeches } from './faults.ts'
import type { HuaweiSettings } from './settings.ts'
import type { Family } from './states.ts'

export interface Desk {
  readonly house: House<HuaweiSettings>
  readonly servers: ServerWords
}

/** One request that has passed the gate. */
export interface Call extends Desk {
  readonly exchange: Exchange
  readonly family: Family
  readonly caller: Caller
  /** Of the path; it is the caller's own. */
  readonly project: ProjectId
  readonly submission: Submission
}

export interface HuaweiRoute extends Pick<Route, 'operation' | 'source'> {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Below `/v1/{project_id}`. */
  readonly path: string
  /** Null: the two services share it. */
  readonly family: Family | null
  readonly answer: (call: Call) => Promise<Result<object, Fault>>
}

export function handlerOf(route: HuaweiRoute, desk: Desk): Handler {
  return async (exchange) => {
    const caller = await prove(exchange, desk.house)
    if (!caller.ok) return caller.error
    const family = route.family ?? 'bms'
    const { projectId } = caller.value
    if (projectId === null || projectId !== exchange.params['project_id'])
      return refusal(exchange, route.family === 'ecs' ? speeches.ecs.otherProject : otherTenant)
    if (!hasRole(caller.value, 'reader'))
      return refusal(exchange, speeches[family].denied(`${family}:servers:list`))
    const lent = lentOf(route, exchange)
    if (!lent.ok) return refusal(exchange, faultFor(family, lent.error, 'show'))
    const reply = await route.answer({
      ...desk,
      exchange,
      family,
      caller: caller.value,
      project: projectId,
      submission: {
        caller: caller.value,
        door: 'huawei',
        requestId: exchange.requestId,
        ...lent.value,
      },
    })
    if (!reply.ok) return refusal(exchange, reply.error)
    return {
      status: 200,
      headers: { 'content-type': 'application/json', 'x-request-id': compact(exchange.requestId) },
      body: reply.value,
    }
  }
}

const noLoan: Lent = {}

const lentOf = ({ method }: HuaweiRoute, exchange: Exchange) =>
  method === 'GET' ? ({ ok: true, value: noLoan } as const) : lentHeaders(exchange)
