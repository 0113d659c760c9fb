// Flavors as an admin makes, describes and removes them.
// Source: contract, section 8.1; openstack/nova nova/api/openstack/compute/flavors.py, schemas/flavors.py.

import { may } from '#kernel/access.ts'
import { type Flavor, plainFlavor } from '#kernel/catalogue.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { Type } from '#schema/type.ts'
import { planOf } from '../shared/lent-headers.ts'
import { flag, isTrue } from './bodies.ts'
import type { Call, Reply } from './call.ts'
import { catalogueRows } from './catalogue-rows.ts'
import { conflict, faultOf, type NovaFault, policy } from './faults.ts'
import { flavorIn, noSuchFlavor } from './flavors.ts'
import { doorName } from './kept.ts'
import { checks } from './schema.ts'
import { versioned } from './versioned.ts'
import { flavorDetail, flavorTextSince } from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>

const closed = { additionalProperties: false } as const

/** A whole number, or a text of its digits. */
const size = (least: 0 | 1) =>
  Type.Union([
    Type.Integer({ minimum: least, maximum: 2_147_483_647 }),
    Type.String({
      minLength: 1,
      maxLength: 10,
      pattern: least === 0 ? '^[0-9]+$' : '^0*[1-9][0-9]*$',
    }),
  ])

const factorMax = 3.402_823_466e38
const description = Type.Union([Type.String({ maxLength: 65_535 }), Type.Null()])

const createBody = versioned([flavorTextSince], (version) =>
  Type.Object(
    {
      flavor: Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 255, pattern: '^(?!\\s).*(?<!\\s)$' }),
          id: Type.Optional(
            Type.Union([
              Type.String({
                minLength: 1,
                maxLength: 255,
                pattern: '^(?! )[A-Za-z0-9 ._-]*(?<! )$',
              }),
              Type.Integer({ minimum: 0 }),
              Type.Null(),
            ]),
          ),
          ram: size(1),
          vcpus: size(1),
          disk: size(0),
          'OS-FLV-EXT-DATA:ephemeral': Type.Optional(size(0)),
          swap: Type.Optional(size(0)),
          rxtx_factor: Type.Optional(
            Type.Union([
              Type.Number({ exclusiveMinimum: 0, maximum: factorMax }),
              Type.String({ maxLength: 32, pattern: '^[0-9]+([.][0-9]+)?$' }),
            ]),
          ),
          'os-flavor-access:is_public': Type.Optional(flag),
          ...(version >= flavorTextSince ? { description: Type.Optional(description) } : {}),
        },
        closed,
      ),
    },
    closed,
  ),
)

const updateBody = checks(Type.Object({ flavor: Type.Object({ description }, closed) }, closed))

/** What is made here is of the same driver as the first of the catalogue that servers are made of. Admins only. */
export async function createFlavor(call: Call): Answered {
  const body = createBody(call.negotiated.version)(call.body)
  if (!body.ok) return body
  if (!may(call.caller, 'put')) return err(policy(call.rule))
  const { name, id, ram, vcpus, disk, ...said } = body.value.flavor
  const isMade = id === undefined || id === null || id === 'auto'
  const flavorId = isMade ? call.exchange.requestId : String(id)
  const { read } = call.house.plane
  const driver = (await catalogueRows(read, 'flavors'))[0]?.driver ?? 'simulated'
  const row: Flavor = {
    ...plainFlavor,
    id: flavorId,
    name,
    kinds: ['server'],
    driver,
    vcpus: Number(vcpus),
    memoryMiB: Number(ram),
    diskGiB: Number(disk),
    // Nobody has one that is not everybody's, not even the project of who makes it, until it is said so.
    ...(isTrue(said['os-flavor-access:is_public'] ?? true) ? {} : { projects: [] }),
    attributes: {
      [doorName]: {
        swapMiB: Number(said.swap ?? 0),
        ephemeralGiB: Number(said['OS-FLV-EXT-DATA:ephemeral'] ?? 0),
        rxtxFactor: Number(said.rxtx_factor ?? 1),
        description: 'description' in said ? (said.description as string | null) : null, // its schema says so
      },
    },
  }
  const receipt = await call.house.plane.submit(
    { verb: 'put', table: 'flavors', row, isNew: true },
    call.submission,
  )
  if (!receipt.ok && receipt.error.code === 'AlreadyExists') {
    const twin = receipt.error.name === name ? `name ${name}` : `ID ${flavorId}`
    return err(conflict(`Flavor with ${twin} already exists.`))
  }
  if (!receipt.ok) return err(faultOf(receipt.error, { verb: 'create', rule: call.rule }))
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  // A repeated request made nothing, and is shown what the first one made.
  const [made = row] = await read.find('flavors', 'name', name)
  return ok({ status: 200, body: shown(call, made) })
}

/** Its description is all that can be said anew. Admins only. */
export async function updateFlavor(call: Call): Answered {
  const body = updateBody(call.body)
  if (!body.ok) return body
  if (!may(call.caller, 'edit-flavor')) return err(policy(call.rule))
  const flavor = await flavorIn(call)
  if (!flavor.ok) return flavor
  const { id } = flavor.value
  const facts = { under: doorName, change: { description: body.value.flavor.description } }
  const receipt = await call.house.plane.submit({ verb: 'edit-flavor', id, facts }, call.submission)
  if (!receipt.ok) return err(faultOf(receipt.error, { verb: 'update', rule: call.rule }))
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  const after = await flavorIn(call)
  return after.ok ? ok({ status: 200, body: shown(call, after.value) }) : after
}

const shown = ({ links, negotiated }: Call, flavor: Flavor): object => ({
  flavor: flavorDetail(flavor, links, negotiated.version),
})

/** What is made of it keeps it. Admins only. */
export async function deleteFlavor(call: Call): Answered {
  if (!may(call.caller, 'put')) return err(policy(call.rule))
  const id = call.exchange.params['flavor_id'] ?? ''
  // One that is gone is the kernel's to miss: this may be the repeated request that removed it.
  const known = await call.house.plane.read.get('flavors', id)
  if (known && !known.kinds.includes('server')) return err(noSuchFlavor(id))
  const receipt = await call.house.plane.submit(
    { verb: 'remove-from-catalogue', table: 'flavors', id },
    call.submission,
  )
  if (!receipt.ok && receipt.error.code === 'NotFound') return err(noSuchFlavor(id))
  if (!receipt.ok) return err(faultOf(receipt.error, { verb: 'delete', rule: call.rule }))
  return call.submission.dryRun
    ? ok({ status: 200, body: planOf(receipt.value) })
    : ok({ status: 202 })
}
