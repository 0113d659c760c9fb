// ModifyInstanceAttribute and DescribeUserData: what is said of an instance, not what it does.
// Source: contracts/volcengine-ecs.md sections 7.8 and 7.10.

import { err, ok } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { UpdateInstance } from '#kernel/request.ts'
import { type Call, type Outcome, submit, targetOf } from './call.ts'
import { factsKey, factsOf } from './facts.ts'
import { faultOf, malformed } from './faults.ts'
import { descriptionLike, hostnameLike, isPassword, isUserData, nameLike } from './names.ts'
import type { Reading } from './reading.ts'
import { acceptedFrom } from './states.ts'

export async function modifyInstance(call: Call): Promise<Outcome> {
  const { reading } = call
  const token = reading.clientToken()
  const id = reading.required('InstanceId')
  const update = readUpdate(reading)
  if (reading.fault) return err(reading.fault)
  const receipt = await submit(
    call,
    { ...update, target: targetOf(call, id) },
    { token, dryRun: false },
  )
  return receipt.ok ? ok({}) : receipt
}

/** An empty text clears a description or user data; everywhere else it is nothing, as in every other action. */
function readUpdate(reading: Reading): Omit<UpdateInstance, 'target'> {
  const name = reading.text('InstanceName', { like: nameLike })
  const description = reading.clearable('Description', { like: descriptionLike })
  const isProtected = reading.flag('DeletionProtection')
  const inside = readInside(reading)
  const facts = { ...inside.facts, ...readShown(reading) }
  const given = Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined),
  ) as JsonObject // just filtered
  return {
    verb: 'update',
    from: inside.isGiven ? acceptedFrom.reach : acceptedFrom.describe,
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(isProtected === undefined ? {} : { conditions: { deletionProtected: isProtected } }),
    attributes: { door: factsKey, value: given, isMerged: true },
  }
}

/** What takes effect in the machine at its next start; a password is only checked, for nothing here logs in. */
function readInside(reading: Reading): { readonly isGiven: boolean; readonly facts: object } {
  const hostname =
    reading.text('Hostname', { like: hostnameLike }) ??
    reading.text('HostName', { like: hostnameLike, fault: malformed('Hostname') })
  const password = reading.secret('Password')
  if (password !== undefined && !isPassword(password)) reading.fail(malformed('Password'))
  return { isGiven: hostname !== undefined || password !== undefined, facts: { hostname } }
}

function readShown(reading: Reading): object {
  const userData = reading.clearable('UserData')
  if (userData !== undefined && !isUserData(userData)) reading.fail(malformed('UserData'))
  const cpu = reading.group('CpuOptions')
  return {
    userData,
    enableJumboFrame: reading.flag('EnableJumboFrame'),
    coreCount: cpu.integer('CoreCount', { min: 1, max: 1024 }),
    threadsPerCore: cpu.integer('ThreadsPerCore', { min: 1, max: 8 }),
    topologyType: cpu.text('TopologyType'),
  }
}

export async function describeUserData(call: Call): Promise<Outcome> {
  const InstanceId = call.reading.required('InstanceId')
  if (call.reading.fault) return err(call.reading.fault)
  const seen = await call.plane.see(targetOf(call, InstanceId), call.principal.caller)
  if (!seen.ok) return err(faultOf(seen.error, call.action))
  return ok({ InstanceId, UserData: factsOf(seen.value).userData ?? '' })
}
