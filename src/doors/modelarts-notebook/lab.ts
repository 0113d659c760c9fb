// The life of a notebook of the second family: made, shown, started, stopped, leased, changed and deleted. What is
// allowed when is the kernel's; which states this family accepts a call in is states.ts's.
// Source: notebook contract, sections 1.11 to 1.13 and 1.15.

import { seesFlavor } from '#kernel/access.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { UpdateInstance } from '#kernel/request.ts'
import { objectIn } from '../shared/json-facts.ts'
import { type Asked, change } from '../shared/project-route.ts'
import type { Fault } from '../shared/three-keys.ts'
import { badPayload, wrongFeature } from './codes.ts'
import { factReader } from './facts.ts'
import { type Answered, encodeOne, faultsFor, refOf, see, shownAfter } from './lab-call.ts'
import { decodeCreate } from './lab-create.ts'
import { decodeNoBody, decodeRenewal, decodeStart } from './lab-decode.ts'
import { decodeUpdate, gibMax, type LabUpdate } from './lab-update.ts'
import { encodeLease, featureOf, volumeOf } from './lab-wire.ts'
import { labFrom } from './states.ts'
import { doorName } from './wire.ts'

/** B1. The run time asked for begins with this start. */
export async function start(asked: Asked): Answered {
  const lease = decodeStart(asked.query, asked.exchange.body)
  if (!lease.ok) return lease
  const seen = await see(asked, { verb: 'start' })
  if (!seen.ok) return seen
  const { autoStop, type } = lease.value
  const value = { lease: { type } }
  return change(
    asked,
    {
      verb: 'start',
      target: refOf(asked),
      from: labFrom('start'),
      autoStop,
      attributes: { door: doorName, value, isMerged: true },
    },
    {
      faultOf: faultsFor(asked, { verb: 'start', flavor: seen.value.flavorId ?? '' }),
      show: shownAfter(asked),
    },
  )
}

/** B2. */
export async function stop(asked: Asked): Answered {
  const wrong = decodeNoBody(asked.exchange.body)
  if (wrong) return err(wrong)
  return change(
    asked,
    { verb: 'stop', target: refOf(asked), from: labFrom('stop'), rung: 'soft' },
    { faultOf: faultsFor(asked, { verb: 'stop' }), show: shownAfter(asked) },
  )
}

/** B3. Never refused for its state: one client reads that as "already deleted". */
export async function showLease(asked: Asked): Answered {
  const seen = await see(asked, { verb: 'read' })
  return seen.ok ? ok(await leaseOf(asked, seen.value)) : seen
}

/** B4. The run time asked for begins now. */
export async function renewLease(asked: Asked): Answered {
  const lease = decodeRenewal(asked.query, asked.exchange.body)
  if (!lease.ok) return lease
  const { autoStop, type } = lease.value
  return change(
    asked,
    {
      verb: 'update',
      target: refOf(asked),
      from: labFrom('renew'),
      autoStop,
      attributes: { door: doorName, value: { lease: { type } }, isMerged: true },
      heedsHolds: true,
    },
    {
      faultOf: faultsFor(asked, { verb: 'update' }),
      show: async ({ instanceIds }) => {
        const instance = await asked.plane.read.get('instances', instanceIds[0] ?? '')
        return instance ? leaseOf(asked, instance) : {}
      },
    },
  )
}

async function leaseOf(asked: Asked, instance: Instance): Promise<object> {
  const { flavor } = await factReader(asked).of(instance)
  return encodeLease(instance, flavor)
}

/** B5. */
export async function create(asked: Asked): Answered {
  const decoded = decodeCreate(asked.exchange.body)
  if (!decoded.ok) return decoded
  const { feature, ...request } = decoded.value
  const wrong = await featureFault(asked, request.flavorId, feature)
  if (wrong) return err(wrong)
  return change(asked, request, {
    faultOf: faultsFor(asked, { verb: 'create', flavor: request.flavorId }),
    show: shownAfter(asked),
  })
}

/** One that is none of notebooks, or not for the caller to know of, is the kernel's to refuse. */
async function featureFault(
  { caller, plane }: Asked,
  flavorId: string,
  feature: Parameters<typeof wrongFeature>[1],
): Promise<Fault | undefined> {
  const flavor = await plane.read.get('flavors', flavorId)
  if (!flavor?.kinds.includes('notebook') || !seesFlavor(caller, flavor)) return undefined
  return featureOf(flavor) === feature ? undefined : wrongFeature(flavor.id, feature)
}

/** B8. */
export async function show(asked: Asked): Answered {
  const seen = await see(asked, { verb: 'read' })
  return seen.ok ? ok(await encodeOne(asked, seen.value)) : seen
}

/** B9. Some of it may change while it runs, the rest only while it is stopped. */
export async function update(asked: Asked): Answered {
  const decoded = decodeUpdate(asked.exchange.body)
  if (!decoded.ok) return decoded
  const seen = await see(asked, { verb: 'update' })
  if (!seen.ok) return seen
  const request = await updateOf(asked, seen.value, decoded.value)
  if (!request.ok) return request
  const { flavorId } = decoded.value
  return change(asked, request.value, {
    faultOf: faultsFor(asked, {
      verb: 'update',
      id: refOf(asked).id,
      ...(flavorId === undefined ? {} : { flavor: flavorId }),
    }),
    show: shownAfter(asked),
  })
}

async function updateOf(
  asked: Asked,
  before: Instance,
  { name, description, flavorId, imageId, grownTo, kept, isDeep }: LabUpdate,
): Promise<Result<UpdateInstance, Fault>> {
  const feature = featureOf((await factReader(asked).of(before)).flavor)
  const wrong = flavorId === undefined ? undefined : await featureFault(asked, flavorId, feature)
  if (wrong) return err(wrong)
  const grown = grownTo === undefined ? ok({}) : grow(before, grownTo)
  if (!grown.ok) return grown
  const extras = objectIn(kept, 'extras')
  const value = {
    ...kept,
    ...grown.value,
    ...(extras
      ? { extras: { ...objectIn(before.attributes[doorName] ?? {}, 'extras'), ...extras } }
      : {}),
  }
  return ok({
    verb: 'update',
    target: refOf(asked),
    from: labFrom(isDeep ? 'update' : 'rename'),
    heedsHolds: true,
    attributes: { door: doorName, value, isMerged: true },
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(flavorId === undefined ? {} : { flavorId }),
    ...(imageId === undefined ? {} : { imageId }),
  })
}

/** A volume only grows, and only one of the elastic kind. */
function grow(before: Instance, gib: number): Result<{ volume?: object }, Fault> {
  const volume = volumeOf(before)
  const mayGrow = volume.category === 'EVS' && gib >= volume.capacity && gib <= gibMax
  return mayGrow
    ? ok({ volume: { ...volume.kept, capacity: gib } })
    : err(badPayload('storage_new_size'))
}

/** B10. */
export async function remove(asked: Asked): Answered {
  return change(
    asked,
    { verb: 'delete', target: refOf(asked), from: labFrom('delete') },
    { faultOf: faultsFor(asked, { verb: 'delete' }), show: shownAfter(asked) },
  )
}
