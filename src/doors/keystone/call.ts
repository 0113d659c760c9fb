// What every operation of this door goes through before and after its own code: who asks, where links start,
// and the headers that every answer carries.

import type { Result } from '#kernel/errors.ts'
import { compact } from '#kernel/ids.ts'
import type { Authenticated } from '../shared/authenticate.ts'
import {
  type Answer,
  type Exchange,
  firstValues,
  type Handler,
  type House,
  type Route,
} from '../shared/http.ts'
import { prove } from './auth.ts'
import { type KeystoneFault, refusal } from './faults.ts'
import type { KeystoneSettings } from './settings.ts'

/** The catalogue says `/identity`; libraries that know only an origin use the bare paths. */
export type Prefix = '/identity' | ''

export interface Visit {
  readonly exchange: Exchange
  readonly house: House<KeystoneSettings>
  readonly prefix: Prefix
  /** Where links to this door start: `http://host:port/identity/v3`. */
  readonly self: string
  /** Of this very request. */
  readonly url: string
  readonly query: ReadonlyMap<string, string>
}

/** A visit by somebody known. */
export interface Call extends Visit {
  readonly who: Authenticated
}

export type Reply = Result<Answer, KeystoneFault>

interface Common extends Pick<Route, 'operation' | 'source'> {
  /** GET includes HEAD. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the prefix. */
  readonly path: string
}

/** `none`: anybody. `token`: a token only. `any`: a token or a signature. */
export type Operation = Common &
  (
    | { readonly auth: 'none'; readonly answer: (visit: Visit) => Promise<Reply> | Reply }
    | { readonly auth: 'token' | 'any'; readonly answer: (call: Call) => Promise<Reply> | Reply }
  )

export function handlerOf(
  operation: Operation,
  house: House<KeystoneSettings>,
  prefix: Prefix,
): Handler {
  return async (exchange) => {
    const visit = visitOf(exchange, house, prefix)
    const reply = await replyTo(operation, visit)
    return dressed(exchange, reply.ok ? reply.value : refusal(reply.error, exchange, prefix))
  }
}

async function replyTo(operation: Operation, visit: Visit): Promise<Reply> {
  if (operation.auth === 'none') return await operation.answer(visit)
  const who = await prove(visit.exchange, visit.house, operation.auth)
  return who.ok ? await operation.answer({ ...visit, who: who.value }) : who
}

function visitOf(exchange: Exchange, house: House<KeystoneSettings>, prefix: Prefix): Visit {
  const { baseUrl, rawPath, rawQuery } = exchange
  return {
    exchange,
    house,
    prefix,
    self: `${baseUrl}${prefix}/v3`,
    url: `${baseUrl}${rawPath}${rawQuery === '' ? '' : `?${rawQuery}`}`,
    query: firstValues(rawQuery),
  }
}

/** The headers of every answer of this door. Source: contracts/identity.md section 2. */
export const dressed = (exchange: Exchange, answer: Answer): Answer => ({
  ...answer,
  headers: {
    ...answer.headers,
    'x-openstack-request-id': `req-${exchange.requestId}`,
    'x-request-id': compact(exchange.requestId),
    vary: 'X-Auth-Token',
  },
})
