// The one way by which this door changes anything: a request goes to the plane with who asks and
// why, and what came of it is answered as a receipt. The receipt is what an idempotency record
// keeps, so a repeated request gets the same one; what waiting adds to it (`results`) is read anew.

import { setTimeout } from 'node:timers/promises'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { OperationId } from '#kernel/ids.ts'
import type { Operation } from '#kernel/operation.ts'
import type { CallerRequest, Receipt } from '#kernel/request.ts'
import type { Lent } from '../shared/lent-headers.ts'
import { showOperation, showReceipt } from './encode.ts'
import { type Asked, base, doorName, type Reply } from './endpoint.ts'
import { type Fault, faultOf } from './faults.ts'
import type { ReceiptShown } from './wire.ts'

interface Options {
  readonly why?: string | undefined
  /** Where what was made can be seen; absent: nothing was made. */
  readonly madeAt?: (receipt: Receipt) => string | undefined
}

export async function change(
  asked: Asked<unknown, unknown>,
  request: CallerRequest,
  { why, madeAt }: Options = {},
): Promise<Result<Reply, Fault>> {
  const { lent } = asked
  const receipt = await submit(asked, request, why)
  if (!receipt.ok) return err(faultOf(receipt.error))
  if (lent.dryRun) return ok({ status: 200, body: await planOf(asked, receipt.value) })
  const shown = showReceipt(receipt.value)
  const location = madeAt?.(receipt.value)
  const where =
    location ?? (receipt.value.operationId && `${base}/operations/${receipt.value.operationId}`)
  const headers = where === undefined ? {} : { location: where }
  const waited = asked.waitMs === 0 ? undefined : await results(asked, receipt.value)
  if (waited && waited.length > 0 && waited.every((one) => one.state !== 'running')) {
    const body = { ...shown, results: waited.map(showOperation) }
    return ok({ status: 200, headers: { ...headers, ...applied(asked.waitMs) }, body })
  }
  return ok({ status: statusOf(receipt.value, location !== undefined), headers, body: shown })
}

/** What would be made has no id yet: only what is there already is named. */
async function planOf({ plane }: Asked<unknown, unknown>, receipt: Receipt): Promise<ReceiptShown> {
  const { read } = plane
  const rows = await Promise.all(receipt.instanceIds.map((id) => read.get('instances', id)))
  const { serviceId, operationId, unchanged } = receipt
  const service = serviceId && (await read.get('services', serviceId))
  const isJoined = operationId !== undefined && unchanged !== undefined
  return {
    ...showReceipt(receipt),
    dryRun: true,
    instances: rows.flatMap((row) => (row ? [row.id] : [])),
    service: service ? service.id : null,
    operation: isJoined ? operationId : null,
    hold: unchanged === undefined ? null : (receipt.holdId ?? null),
  }
}

const inProcessRetryMs = 20
const inProcessTries = 100

/**
 * While the first request with a key is in process, a repeated one waits a little for that one's
 * answer.
 */
async function submit(
  asked: Asked<unknown, unknown>,
  request: CallerRequest,
  why: string | undefined,
): Promise<Result<Receipt>> {
  const { plane, caller, exchange } = asked
  const submission = {
    caller,
    door: doorName,
    requestId: exchange.requestId,
    ...(why === undefined ? {} : { why }),
    ...scoped(asked),
  }
  for (let tries = 1; ; tries++) {
    const receipt = await plane.submit(request, submission)
    const isFirstInProcess = !receipt.ok && receipt.error.code === 'TokenInProcess'
    if (!isFirstInProcess || tries === inProcessTries) return receipt
    await setTimeout(inProcessRetryMs)
  }
}

/**
 * What goes on after the answer is accepted, 202; what is there already was made, 201, or changed,
 * 200.
 */
function statusOf(receipt: Receipt, isMade: boolean): number {
  const goesOn =
    receipt.operationId !== undefined ||
    (receipt.serviceId !== undefined && receipt.instanceIds.length > 0)
  if (goesOn && receipt.unchanged !== 'already') return 202
  return isMade ? 201 : 200
}

const applied = (waitMs: number) => ({ 'preference-applied': `wait=${waitMs / 1000}` })

/** A key means nothing outside its project, this door and this route. */
function scoped({ lent, project, operation }: Asked<unknown, unknown>): Lent {
  const { idempotency } = lent
  if (idempotency === undefined) return lent
  const token = `${project}/${doorName}/${operation}/${idempotency.token}`
  return { ...lent, idempotency: { ...idempotency, token } }
}

/**
 * The operations that a receipt began or joined, once they have ended or the caller's patience has.
 */
async function results(
  { plane, waitMs, signal }: Asked<unknown, unknown>,
  receipt: Receipt,
): Promise<readonly Operation[]> {
  const ids = new Set<OperationId>(receipt.operationId === undefined ? [] : [receipt.operationId])
  for (const id of receipt.instanceIds) {
    const instance = await plane.read.get('instances', id)
    if (instance?.underway) ids.add(instance.underway.operationId)
  }
  const ended = await Promise.all([...ids].map((id) => plane.ended(id, waitMs, signal)))
  return ended.filter((one) => one !== undefined)
}
