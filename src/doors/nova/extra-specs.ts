// What a flavor says of itself beyond its size: everybody reads it, an admin writes it.
// Source: contract, section 8.1; openstack/nova nova/api/openstack/compute/flavors_extraspecs.py.

import { may } from '#kernel/access.ts'
import type { Flavor } from '#kernel/catalogue.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import { Type } from '#schema/type.ts'
import { objectIn } from '../shared/json-facts.ts'
import { planOf } from '../shared/lent-headers.ts'
import { metadataKey } from './bodies.ts'
import type { Call, Reply } from './call.ts'
import { badRequest, faultOf, type NovaFault, policy } from './faults.ts'
import { flavorIn } from './flavors.ts'
import { checks } from './schema.ts'
import { extraSpecs, extraSpecsName } from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>

const closed = { additionalProperties: false } as const
const valueMax = 255
const value = Type.Union([Type.String({ maxLength: valueMax }), Type.Number()])
const key = Type.String({ pattern: metadataKey })

const addBody = checks(Type.Object({ extra_specs: Type.Record(key, value, closed) }, closed))
const setBody = checks(Type.Record(key, value, { minProperties: 1, maxProperties: 1, ...closed }))

export async function listExtraSpecs(call: Call): Answered {
  const flavor = await flavorIn(call)
  if (!flavor.ok) return flavor
  return ok({ status: 200, body: { extra_specs: extraSpecs(flavor.value) } })
}

export async function showExtraSpec(call: Call): Answered {
  const flavor = await flavorIn(call)
  if (!flavor.ok) return flavor
  const name = nameIn(call)
  const specs = extraSpecs(flavor.value)
  return Object.hasOwn(specs, name)
    ? ok({ status: 200, body: { [name]: specs[name] } })
    : err(lacks(flavor.value, name))
}

export async function addExtraSpecs(call: Call): Answered {
  const body = addBody(call.body)
  if (!body.ok) return body
  return await changed(call, body.value.extra_specs, body.value)
}

export async function setExtraSpec(call: Call): Answered {
  const body = setBody(call.body)
  if (!body.ok) return body
  if (may(call.caller, 'edit-flavor') && !Object.hasOwn(body.value, nameIn(call)))
    return err(badRequest('Request body and URI mismatch'))
  return await changed(call, body.value, body.value)
}

/** Only what was said of it can be unsaid. */
export async function removeExtraSpec(call: Call): Answered {
  if (!may(call.caller, 'edit-flavor')) return err(policy(call.rule))
  const flavor = await flavorIn(call)
  if (!flavor.ok) return flavor
  const name = nameIn(call)
  if (!Object.hasOwn(objectIn(flavor.value.attributes, extraSpecsName) ?? {}, name))
    return err(lacks(flavor.value, name))
  return await changed(call, { [name]: null })
}

/** @param answer  what is said of it when it is done: what was asked, numbers and all. */
async function changed(
  call: Call,
  specs: Readonly<Record<string, string | number | null>>,
  answer?: object,
): Answered {
  if (!may(call.caller, 'edit-flavor')) return err(policy(call.rule))
  const flavor = await flavorIn(call)
  if (!flavor.ok) return flavor
  // Texts are kept, whatever was sent.
  const change: JsonObject = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, spec === null ? null : String(spec)]),
  )
  const receipt = await call.house.plane.submit(
    { verb: 'edit-flavor', id: flavor.value.id, facts: { under: extraSpecsName, change } },
    call.submission,
  )
  if (!receipt.ok) return err(faultOf(receipt.error, { verb: 'update', rule: call.rule }))
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  return ok({ status: 200, ...(answer && { body: answer }) })
}

const nameIn = (call: Call): string => call.exchange.params['key'] ?? ''

const lacks = ({ id }: Flavor, name: string): NovaFault => ({
  status: 404,
  message: `Flavor ${id} has no extra specs with key ${name}.`,
})
