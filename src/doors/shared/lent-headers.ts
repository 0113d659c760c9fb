// What every door lends to every change, beyond its cloud's own protocol: `Idempotency-Key`, under which a
// repeated request gets the first one's answer, and `X-Dry-Run: true`, which says what would happen.

import { createHash } from 'node:crypto'
import { err, type ErrorOf, ok, type Result } from '#kernel/errors.ts'
import type { Submission } from '#kernel/ports/plane.ts'
import type { Receipt } from '#kernel/request.ts'
import { type Exchange, header } from './http.ts'

export type Lent = Pick<Submission, 'idempotency' | 'dryRun'>

const keyText = /^[\x21-\x7e]{1,255}$/

/** The header names as callers know them; refusals name them so. */
export const idempotencyKeyHeader = 'Idempotency-Key'
export const dryRunHeader = 'X-Dry-Run'

/** @returns `BadField` for a key that is not 1 to 255 visible ASCII characters, or a dry run neither true nor false. */
export function lentHeaders(exchange: Exchange): Result<Lent, ErrorOf<'BadField'>> {
  const key = header(exchange, 'idempotency-key')
  if (key !== undefined && !keyText.test(key))
    return bad(idempotencyKeyHeader, '1 to 255 visible ASCII characters')
  const dryRun = header(exchange, 'x-dry-run')?.toLowerCase() ?? 'false'
  if (dryRun !== 'true' && dryRun !== 'false') return bad(dryRunHeader, 'true or false')
  return ok({
    ...(key === undefined
      ? {}
      : { idempotency: { token: key, fingerprint: fingerprintOf(exchange) } }),
    ...(dryRun === 'true' ? { dryRun: true } : {}),
  })
}

const bad = (field: string, expected: string) =>
  err({ code: 'BadField' as const, field, fault: 'value' as const, expected })

/** The same method, target and bytes are the same request: clients repeat what they sent, they do not reword it. */
const fingerprintOf = (exchange: Exchange): string =>
  createHash('sha256')
    .update(`${exchange.method} ${exchange.rawPath}?${exchange.rawQuery}\n`)
    .update(exchange.body)
    .digest('hex')

/** What a dry run answers: what would have come of the request. */
export const planOf = (receipt: Receipt): object => ({
  dry_run: true,
  plan: {
    instance_ids: receipt.instanceIds,
    ...(receipt.serviceId === undefined ? {} : { service_id: receipt.serviceId }),
    ...(receipt.before === undefined ? {} : { from: receipt.before }),
    ...(receipt.after === undefined ? {} : { to: receipt.after }),
    ...(receipt.generation === undefined ? {} : { generation: receipt.generation }),
    ...(receipt.unchanged === undefined ? {} : { unchanged: receipt.unchanged }),
  },
})
