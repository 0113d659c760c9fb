// The one place where anything is decided. Given a request, who asks and when, and the rows it needs, it returns
// either a draft of new rows, operations and events, or a closed error. The engine's own moves come through here
// too. It does no I/O and knows no clock; a reader may throw `Missing`, and then the same question is asked again.

import { may } from './access.ts'
import { unreachable } from './assert.ts'
import { batchLifeMs, type BatchOutcome } from './batch.ts'
import { sharedService } from './decisions/allowances.ts'
import { bind, registerBound, unbind } from './decisions/binding.ts'
import { editFlavor, put, removeFromCatalogue } from './decisions/catalogue.ts'
import { create } from './decisions/create.ts'
import { hold, releaseHold, update } from './decisions/edit.ts'
import { findInstance, ownedService } from './decisions/find.ts'
import { count, expire, releaseGuard } from './decisions/guard.ts'
import { addKeyPair, removeKeyPair } from './decisions/key-pairs.ts'
import {
  capture,
  dequeue,
  queue,
  rebuild,
  remove,
  reset,
  restart,
  start,
  still,
  stop,
} from './decisions/power.ts'
import {
  clearStatus,
  depend,
  registerService,
  setStatus,
  unregister,
  unregisterService,
} from './decisions/registry.ts'
import {
  deploy,
  powerService,
  redeploy,
  removeServices,
  updateService,
} from './decisions/services.ts'
import { extend, observed, settle } from './decisions/settle.ts'
import { forget, pass, wake } from './decisions/timers.ts'
import { err, type KernelError, ok, type Result } from './errors.ts'
import { type BatchId, batchId, type ProjectId } from './ids.ts'
import type { Instance } from './instance.ts'
import type { JsonObject } from './json.ts'
import type {
  Batch,
  CallerRequest,
  Context,
  EngineRequest,
  InstanceRef,
  InstanceRequest,
  Receipt,
  Request,
} from './request.ts'
import { Draft, Missing, type Reader, type Wanted } from './rows.ts'

/** How long the answer to a token (idempotency key) is kept. */
export const tokenLifeMs = 86_400_000

export interface Decision {
  readonly receipt: Receipt
  readonly draft: Draft
}

export function decide(request: Request, context: Context, rows: Reader): Result<Decision> {
  const draft = new Draft(rows)
  const replay = replayed(context, rows)
  if (replay) return replay.ok ? ok({ receipt: replay.value, draft }) : replay
  const receipt = isEngine(request)
    ? engineRequest(request, context, draft)
    : callerRequest(request, context, draft)
  if (!receipt.ok) return receipt
  const { idempotency } = context
  if (idempotency)
    draft.put('idempotency', {
      id: idempotency.token,
      project: context.caller.projectId,
      fingerprint: idempotency.fingerprint,
      receipt: receipt.value,
      expiresAtMs: context.nowMs + tokenLifeMs,
    })
  return ok({ receipt: receipt.value, draft })
}

/** The same token gets the same answer, another request with it is refused; a refused request keeps nothing. */
function replayed({ idempotency, nowMs }: Context, rows: Reader): Result<Receipt> | undefined {
  const known = idempotency && rows.get('idempotency', idempotency.token)
  if (!idempotency || !known || known.expiresAtMs <= nowMs) return undefined
  const { receipt, answer } = known
  return known.fingerprint === idempotency.fingerprint
    ? ok(answer === undefined ? receipt : { ...receipt, answer })
    : err({ code: 'TokenReused', token: idempotency.token })
}

const engineVerbs = {
  settle: true,
  extend: true,
  observed: true,
  wake: true,
  pass: true,
  keep: true,
  forget: true,
  count: true,
  expire: true,
} as const satisfies Record<EngineRequest['verb'], true>
const isEngine = (request: Request): request is EngineRequest => request.verb in engineVerbs

function engineRequest(request: EngineRequest, context: Context, draft: Draft): Result<Receipt> {
  switch (request.verb) {
    case 'settle':
      return settle(draft, context, request)
    case 'extend':
      return extend(draft, context, request)
    case 'observed': {
      const instance = draft.get('instances', request.instance)
      return instance
        ? observed(draft, context, instance, request)
        : err({ code: 'NotFound', what: 'instance', id: request.instance })
    }
    case 'wake':
      return wake(draft, context, request.instance)
    case 'pass':
      return pass(draft, context, request.pool)
    case 'keep':
      return keep(draft, request.token, request.answer)
    case 'forget':
      return forget(draft, context, request)
    case 'count':
      return count(draft, context, request)
    case 'expire':
      return expire(draft, context, request)
    default:
      return unreachable(request)
  }
}

/** These find the service first, then ask who may; see services.ts. */
const ofServices: ReadonlySet<CallerRequest['verb']> = new Set([
  'redeploy',
  'start-service',
  'stop-service',
  'update-service',
  'remove-services',
] as const)

/** Of two who answer one request at once, the first decides for both. */
function keep(draft: Draft, token: string, answer: string): Result<Receipt> {
  const known = draft.get('idempotency', token)
  if (known && known.answer === undefined) draft.put('idempotency', { ...known, answer })
  return ok({ instanceIds: [], answer: known?.answer ?? answer })
}

function callerRequest(request: CallerRequest, context: Context, draft: Draft): Result<Receipt> {
  if ('target' in request) return instanceRequest(request, context, draft)
  if (!ofServices.has(request.verb) && !may(context.caller, request.verb))
    return err({ code: 'Forbidden', needs: request.verb })
  switch (request.verb) {
    case 'create':
      return create(draft, context, request)
    case 'batch':
      return batch(draft, context, request)
    case 'deploy':
      return deploy(draft, context, request)
    case 'redeploy':
      return redeploy(draft, context, request)
    case 'start-service':
    case 'stop-service':
      return powerService(draft, context, request)
    case 'update-service':
      return updateService(draft, context, request)
    case 'remove-services':
      return removeServices(draft, context, request)
    case 'register-service':
      return registerService(draft, context, request)
    case 'unregister-service':
      return unregisterService(draft, context, request)
    case 'depend':
      return depend(draft, context, request)
    case 'register':
      return registerBound(draft, context, request)
    case 'release-guard':
      return releaseGuard(draft, context, request)
    case 'put':
      return put(draft, context, request)
    case 'edit-flavor':
      return editFlavor(draft, context, request)
    case 'remove-from-catalogue':
      return removeFromCatalogue(draft, context, request)
    case 'add-key-pair':
      return addKeyPair(draft, context, request)
    case 'remove-key-pair':
      return removeKeyPair(draft, context, request)
    default:
      return unreachable(request)
  }
}

/** Exists, then may, then the rest: who may not see a thing learns nothing of what they may do to it. */
function instanceRequest(
  request: InstanceRequest,
  context: Context,
  draft: Draft,
): Result<Receipt> {
  const stranger = strangerTo(request, draft, context)
  if (stranger) return err(stranger)
  const found = findInstance(draft, request.target, context.caller)
  if (!found.ok) return found
  if (!may(context.caller, request.verb)) return err({ code: 'Forbidden', needs: request.verb })
  const instance = found.value
  const service =
    instance.kind === 'edge-instance'
      ? onService(draft, context, instance, request.verb)
      : ok(undefined)
  if (!service.ok) return service
  // For holds, statuses and resets too: an old picture is refused whatever is asked.
  const { ifGeneration: expected } = request
  const { generation: actual } = instance.intent
  if (expected !== undefined && expected !== actual)
    return err({ code: 'GenerationChanged', id: instance.id, expected, actual })
  return act(request, context, draft, instance)
}

/** Whose service it is, and who may, come before whether it has such a node. */
function strangerTo(
  { target, verb }: InstanceRequest,
  draft: Draft,
  context: Context,
): KernelError | undefined {
  if (target.kind !== 'edge-instance' || !('node' in target)) return undefined
  const service = ownedService(draft, context, { id: target.service, verb })
  return service.ok ? undefined : service.error
}

/** An instance on a node belongs to its service: its owner decides, and not while it is being removed. */
function onService(
  draft: Draft,
  context: Context,
  instance: Instance,
  verb: InstanceRequest['verb'],
): Result<undefined> {
  const service =
    instance.serviceId === null ? undefined : draft.get('services', instance.serviceId)
  if (!service) return ok(undefined)
  const owned = ownedService(draft, context, { id: service.id, verb })
  if (!owned.ok) return owned
  const shared = sharedService(service)
  if (shared) return err(shared)
  return service.phase === 'deleting'
    ? err({ code: 'ServiceBusy', id: service.id, status: service.status })
    : ok(undefined)
}

function act(
  request: InstanceRequest,
  context: Context,
  draft: Draft,
  instance: Instance,
): Result<Receipt> {
  switch (request.verb) {
    case 'start':
      return start({ draft, context, instance }, request)
    case 'stop':
      return stop({ draft, context, instance }, request)
    case 'restart':
      return restart({ draft, context, instance }, request)
    case 'capture':
      return capture({ draft, context, instance }, request)
    case 'pause':
    case 'unpause':
    case 'suspend':
    case 'resume':
      return still({ draft, context, instance }, request)
    case 'rebuild':
      return rebuild({ draft, context, instance }, request)
    case 'delete':
      return remove({ draft, context, instance }, request)
    case 'queue':
      return queue({ draft, context, instance }, request)
    case 'dequeue':
      return dequeue({ draft, context, instance }, request)
    case 'reset':
      return reset({ draft, context, instance }, request)
    case 'update':
      return update(draft, context, instance, request)
    case 'hold':
      return hold(draft, context, instance, request)
    case 'release':
      return releaseHold(draft, context, instance, request)
    case 'bind':
      return bind(draft, context, instance, request)
    case 'unbind':
      return unbind(draft, context, instance, request)
    case 'set-status':
      return setStatus(draft, context, instance, request)
    case 'clear-status':
      return clearStatus(draft, context, instance, request)
    case 'unregister':
      return unregister(draft, context, instance, request)
    default:
      return unreachable(request)
  }
}

/** Each item stands alone: a refused one leaves no trace and sinks nobody. */
function batch(draft: Draft, context: Context, request: Batch): Result<Receipt> {
  const items: Result<Receipt>[] = []
  const missing: Wanted[] = []
  for (const item of request.items) {
    const own = new Draft(draft)
    try {
      const receipt = instanceRequest(item, context, own)
      if (receipt.ok) draft.absorb(own)
      items.push(receipt)
    } catch (thrown) {
      // The whole question is asked again; told of one row at a time, a batch of n would be decided n times.
      if (!(thrown instanceof Missing)) throw thrown
      missing.push(...thrown.wanted)
    }
  }
  if (missing.length > 0) throw new Missing(...missing)
  const receipt = {
    instanceIds: items.flatMap((item) => (item.ok ? item.value.instanceIds : [])),
    items,
  }
  if (request.kept === undefined) return ok(receipt)
  const { projectId } = context.caller
  // What is kept is asked for again by its project.
  if (projectId === null) return err({ code: 'Forbidden', needs: 'project' })
  const note = request.kept
  return ok({ ...receipt, batchId: keepBatch(draft, context, { request, items, note, projectId }) })
}

interface Kept {
  readonly request: Batch
  readonly items: readonly Result<Receipt>[]
  readonly note: JsonObject
  readonly projectId: ProjectId
}

function keepBatch(
  draft: Draft,
  { cause, ids, nowMs }: Context,
  { request, items: receipts, note, projectId: project }: Kept,
): BatchId {
  const id = batchId(ids.next())
  const items = request.items.map(({ target }, at) => ({
    name: nameOf(target),
    outcome: outcomeOf(receipts[at]),
  }))
  const expiresAtMs = nowMs + batchLifeMs
  draft.put('batches', { id, project, cause, atMs: nowMs, expiresAtMs, note, items })
  const refused = receipts.filter((one) => !one.ok).length
  const data = { items: items.length, refused }
  draft.emit({ type: 'batch.accepted', project, subject: id, atMs: nowMs, cause, data })
  return id
}

const nameOf = (target: InstanceRef): string =>
  'id' in target ? target.id : 'node' in target ? target.node : target.instance

function outcomeOf(receipt: Result<Receipt> | undefined): BatchOutcome {
  if (receipt?.ok !== false) return { operation: receipt?.value.operationId ?? null }
  return { error: receipt.error }
}
