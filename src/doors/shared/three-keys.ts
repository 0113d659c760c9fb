// Answers of APIs that say a refusal three times: its code, and one text under two keys. Old and new clients
// of such an API read different keys, and some want all three, so a refusal always carries them all.
// Every answer carries the request's id, 32 hex digits, whether it is good or bad.
// Source: edge inference contract and notebook contract, section 1.0 "Error body".

import { compact } from '#kernel/ids.ts'
import type { Answer, Exchange } from './http.ts'

export interface Fault {
  readonly status: number
  readonly code: string
  readonly message: string
  /** When to come again, for refusals that time alone cures. */
  readonly retryAfterMs?: number
}

export function success(exchange: Exchange, body: object, status = 200): Answer {
  const headers = { 'x-request-id': compact(exchange.requestId) }
  if (status === 204) return { status, headers }
  return { status, headers: { ...headers, 'content-type': contentType }, body }
}

export const refusal = (exchange: Exchange, fault: Fault): Answer => ({
  status: fault.status,
  headers: {
    'content-type': contentType,
    'x-request-id': compact(exchange.requestId),
    ...(fault.retryAfterMs === undefined ? {} : { 'retry-after': seconds(fault.retryAfterMs) }),
  },
  body: { error_code: fault.code, error_msg: fault.message, error_message: fault.message },
})

const contentType = 'application/json; charset=UTF-8'
const seconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1000)))
