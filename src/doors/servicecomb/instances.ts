// An instance's life: register, status, heartbeat, properties, unregister. Any status may follow any; only a
// heartbeat or a registration renews a lease; everything else is the kernel's to decide.
// Source: contracts/cse-registry.md sections 2, 3.4 and 4.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { err, ok, type KernelError, type Result } from '#kernel/errors.ts'
import { compact, type InstanceId, type ServiceId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { InstanceRef, Receipt } from '#kernel/request.ts'
import type { Service } from '#kernel/service.ts'
import { freshRequestId } from '../shared/http.ts'
import { planOf } from '../shared/lent-headers.ts'
import { type Answered, type Asked, change, submit } from './call.ts'
import {
  decodeInstance,
  decodeMatches,
  decodePairs,
  decodeProperties,
  type NewInstance,
  type Pair,
} from './decode.ts'
import { type Fault, fault, faultOf, messages } from './faults.ts'
import { isVisible } from './permissions.ts'
import { readService } from './reading.ts'
import { type Check, firstFault, rules, violation } from './rules.ts'
import { statusOf } from './states.ts'
import { empty, identityOf, json, rowPart, struct, text } from './wire.ts'

export const pairIn = ({ exchange: { params } }: Asked): Pair => ({
  serviceId: params['serviceId'] ?? '',
  instanceId: params['instanceId'] ?? '',
})

const refOf = ({ serviceId, instanceId }: Pair): InstanceRef => ({
  kind: 'service-instance',
  service: rowPart(serviceId),
  instance: instanceId,
})

const idChecks = ({ serviceId, instanceId }: Pair): readonly Check[] => [
  ['ServiceId', serviceId, rules.serviceId],
  ['InstanceId', instanceId, rules.instanceId],
]

export async function seenInstance(asked: Asked, pair: Pair): Promise<Instance | undefined> {
  const seen = await asked.plane.see(refOf(pair), asked.caller)
  return seen.ok ? seen.value : undefined
}

const updateStatus = 'UpdateInstanceStatusRequest'

/** I2: an operator's word, which stands until an operator's next one. */
export async function setStatus(asked: Asked): Answered {
  const pair = pairIn(asked)
  const bad = firstFault(updateStatus, idChecks(pair))
  if (bad) return err(bad)
  const word = asked.query.get('value') ?? ''
  const status = statusOf(word)
  if (status === undefined) return err(violation(`${updateStatus}.Status`, word, rules.status))
  return change(
    asked,
    { verb: 'set-status', as: 'operator', target: refOf(pair), status },
    { show: () => (asked.settings.statusBody === 'success' ? text(200, 'Success') : empty) },
  )
}

/** I1. */
export async function registerInstance(asked: Asked): Answered {
  const { serviceId } = pairIn(asked)
  const bad = firstFault('RegisterInstanceRequest', [['ServiceId', serviceId, rules.serviceId]])
  if (bad) return err(bad)
  const wanted = decodeInstance(asked.exchange.body)
  if (!wanted.ok) return wanted
  const receipt = await register(asked, serviceId, wanted.value)
  if (!receipt.ok)
    return err(faultOf(receipt.error, { service: "Invalid 'serviceID' in request body." }))
  if (asked.lent.dryRun) return ok(json(planOf(receipt.value)))
  const [id] = receipt.value.instanceIds
  const row = id === undefined ? undefined : await asked.plane.read.get('instances', id)
  // A repeated request with an idempotency key may name an instance that has left since.
  return row ? ok(json({ instanceId: row.name })) : err(fault('400017'))
}

/** @param part  which of several registrations of one call it is. */
export async function register(
  asked: Asked,
  serviceId: string,
  wanted: NewInstance,
  part = '',
): Promise<Result<Receipt, KernelError>> {
  const again =
    wanted.instanceId !== '' &&
    (await seenInstance(asked, { serviceId, instanceId: wanted.instanceId })) !== undefined
  const submitted = async (): Promise<Result<Receipt, KernelError>> => {
    const service = await readService(asked, serviceId)
    if (!service) return err({ code: 'NotFound', what: 'service', id: serviceId })
    return submit(asked, registration(service, serviceId, wanted), part)
  }
  return again ? submitted() : asked.desk.quotas.instances.within(submitted)
}

const registration = (service: Service, serviceId: string, wanted: NewInstance) => {
  const { instanceId, status, ...told } = wanted
  return {
    verb: 'register',
    service: rowPart(serviceId),
    instance: instanceId || compact(freshRequestId()),
    ...(status === undefined ? {} : { status }),
    version: identityOf(service).version,
    ...told,
  } as const
}

const deadLease = 'leaseId not exist, instance not exist'

/** I3. */
export async function heartbeat(asked: Asked): Answered {
  const pair = pairIn(asked)
  const bad = firstFault('HeartbeatRequest', idChecks(pair))
  if (bad) return err(bad)
  const { desk, caller, lent } = asked
  if (lent.dryRun) {
    const id = await desk.leaseIds.find(caller, pair)
    return id === undefined
      ? err(fault('400017', deadLease))
      : ok(json(planOf({ instanceIds: [id] })))
  }
  return (await desk.leaseIds.beat(caller, pair)) ? ok(empty) : err(fault('400017', deadLease))
}

/** Pairs of one call that are looked up before others get their turn. */
const pairsPerTurn = 200

/** I4: a lease that is dead spoils nobody else's. */
export async function heartbeats(asked: Asked): Answered {
  const pairs = decodePairs(asked.exchange.body)
  if (!pairs.ok) return pairs
  const { desk, caller, lent } = asked
  const renew = async (pair: Pair): Promise<boolean> =>
    lent.dryRun
      ? (await desk.leaseIds.find(caller, pair)) !== undefined
      : desk.leaseIds.beat(caller, pair)
  const instances = []
  for (const [index, pair] of pairs.value.entries()) {
    if (index % pairsPerTurn === pairsPerTurn - 1) await nextTurn()
    const lives = await renew(pair)
    const errMessage = lives ? '' : `${messages['400017']}(${deadLease})`
    instances.push(struct({ ...pair, errMessage }))
  }
  return ok(json({ instances }))
}

/** Instances changed in one commit. */
const matchesPerCommit = 100

/** I12: every instance that has all these properties. One that is held stays as it is, and the call says so. */
export async function setManyStatus(asked: Asked): Answered {
  const wanted = decodeMatches(asked.exchange.body)
  if (!wanted.ok) return wanted
  const { properties, status } = wanted.value
  const ids = await matching(asked, properties)
  let first: Fault | undefined
  for (let at = 0; at < ids.length; at += matchesPerCommit) {
    const items = ids.slice(at, at + matchesPerCommit).map(
      (id) =>
        ({
          verb: 'set-status',
          as: 'operator',
          target: { kind: 'service-instance', id },
          status,
        }) as const,
    )
    const done = await submit(asked, { verb: 'batch', items }, at === 0 ? '' : `matches-${at}`)
    if (!done.ok) return err(faultOf(done.error))
    for (const item of done.value.items ?? [])
      if (!item.ok && item.error.code !== 'NotFound') first ??= faultOf(item.error)
  }
  return first ? err(first) : ok(empty)
}

async function matching(
  asked: Asked,
  properties: Readonly<Record<string, string>>,
): Promise<readonly InstanceId[]> {
  const { plane, project } = asked
  const book = await asked.desk.mirror.book(project)
  const mayTouch = (id: ServiceId | null): boolean => {
    const version = id === null ? undefined : book.version(id)
    return version !== undefined && isVisible(asked, version)
  }
  const pairs = Object.entries(properties)
  const ids: InstanceId[] = []
  let after: { readonly id: string; readonly value: number } | undefined
  for (;;) {
    const page = await plane.read.list('instances', {
      where: { project, kind: 'service-instance' },
      order: { by: 'createdAtMs', dir: 'asc' },
      limit: matchesPage,
      ...(after ? { after } : {}),
    })
    for (const { id, labels, serviceId } of page)
      if (pairs.every(([key, value]) => labels[key] === value) && mayTouch(serviceId)) ids.push(id)
    const last = page.at(-1)
    if (!last || page.length < matchesPage) return ids
    after = { id: last.id, value: last.createdAtMs }
  }
}

const matchesPage = 1_000

/** I9: an absent map clears them. */
export async function updateInstanceProperties(asked: Asked): Answered {
  const pair = pairIn(asked)
  const bad = firstFault('UpdateInstancePropsRequest', idChecks(pair))
  if (bad) return err(bad)
  const wanted = decodeProperties(asked.exchange.body)
  if (!wanted.ok) return wanted
  return change(
    asked,
    { verb: 'update', target: refOf(pair), labels: wanted.value.properties },
    { show: () => empty },
  )
}

/** I10: a second one fails. */
export async function unregisterInstance(asked: Asked): Answered {
  const pair = pairIn(asked)
  const bad: Fault | undefined = firstFault('UnregisterInstanceRequest', idChecks(pair))
  if (bad) return err(bad)
  return change(
    asked,
    { verb: 'unregister', target: refOf(pair) },
    { asks: { instance: "Instance's leaseId not exist." }, show: () => empty },
  )
}
