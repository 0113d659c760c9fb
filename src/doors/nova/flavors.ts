// The flavors that servers are made of: the catalogue's, read only.
// Source: contract, section 8.1; openstack/nova nova/api/openstack/compute/flavors.py.

import { may } from '#kernel/access.ts'
import { type Flavor, plainFlavor } from '#kernel/catalogue.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { Type } from '#schema/type.ts'
import { planOf } from '../shared/lent-headers.ts'
import type { Call, Links, Reply } from './call.ts'
import { catalogueRows } from './catalogue-rows.ts'
import { badRequest, conflict, faultOf, type NovaFault, policy } from './faults.ts'
import {
  firstOf,
  limitOf,
  nextLink,
  noSuchMarker,
  type Sorting,
  sortingsOf,
} from './query-parameters.ts'
import type { Microversion } from './microversion.ts'
import { versioned } from './versioned.ts'
import { extraSpecs, flavorBrief, flavorDetail } from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>

const descriptionSince = 55

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

const limitMax = 1000

/** Values of keys that no flavor of ours has differ nowhere. */
const sortValues: Readonly<Record<string, (flavor: Flavor) => string | number>> = {
  flavorid: ({ id }) => id,
  id: ({ id }) => id,
  name: ({ name }) => name,
  memory_mb: ({ memoryMiB }) => memoryMiB,
  vcpus: ({ vcpus }) => vcpus,
  root_gb: ({ diskGiB }) => diskGiB,
  ephemeral_gb: () => 0,
  swap: () => 0,
  rxtx_factor: () => 1,
  vcpu_weight: () => 0,
  disabled: () => 0,
  is_public: () => 1,
  created_at: () => 0,
  updated_at: () => 0,
}

export const listFlavors = (call: Call): Answered => list(call, flavorBrief)
export const listFlavorsDetail = (call: Call): Answered => list(call, flavorDetail)

async function list(
  call: Call,
  show: (flavor: Flavor, links: Links, version: Microversion) => object,
): Answered {
  const params = new URLSearchParams(call.exchange.rawQuery)
  const limit = limitOf(params, limitMax)
  if (!limit.ok) return limit
  const known = (key: string) => Object.hasOwn(sortValues, key)
  const sortings = sortingsOf(params, known, { key: 'flavorid', dir: 'asc' })
  if (!sortings.ok) return sortings
  const least = leastOf(params)
  if (!least.ok) return least
  const rows = await catalogueRows(call.house.plane.read, 'flavors')
  const { memoryMiB, diskGiB } = least.value
  const fitting = hidden(params, call)
    ? []
    : rows.filter((row) => row.memoryMiB >= memoryMiB && row.diskGiB >= diskGiB)
  const sorted = fitting.toSorted(bySortings(sortings.value))
  const marker = firstOf(params, 'marker')
  const start = marker === undefined ? 0 : sorted.findIndex(({ id }) => id === marker) + 1
  if (marker !== undefined && start === 0) return err(noSuchMarker(marker))
  const page = sorted.slice(start, start + limit.value)
  const last = page.at(-1)
  const links =
    last !== undefined && page.length === limit.value
      ? { flavors_links: [nextLink(call.exchange, last.id)] }
      : {}
  const flavors = page.map((flavor) => show(flavor, call.links, call.negotiated.version))
  return ok({ status: 200, body: { flavors, ...links } })
}

/** All flavors are public; only an admin may ask for those that are not. */
function hidden(params: URLSearchParams, { caller }: Call): boolean {
  const isPublic = firstOf(params, 'is_public')?.toLowerCase()
  return (
    caller.role === 'admin' && isPublic !== undefined && /^(false|0|no|off|f|n)$/.test(isPublic)
  )
}

function leastOf(
  params: URLSearchParams,
): Result<{ readonly memoryMiB: number; readonly diskGiB: number }, NovaFault> {
  for (const name of ['minRam', 'minDisk']) {
    const text = firstOf(params, name)
    if (text !== undefined && !/^-?\d{1,15}$/.test(text)) {
      return err(badRequest(`Invalid ${name} filter [${text}]`))
    }
  }
  const memoryMiB = Number(firstOf(params, 'minRam') ?? 0)
  return ok({ memoryMiB, diskGiB: Number(firstOf(params, 'minDisk') ?? 0) })
}

function bySortings(sortings: readonly Sorting[]): (a: Flavor, b: Flavor) => number {
  return (a, b) => {
    for (const { key, dir } of [...sortings, { key: 'flavorid', dir: 'asc' }]) {
      const valueOf = sortValues[key]
      const [x = 0, y = 0] = [valueOf?.(a), valueOf?.(b)]
      if (x !== y) return x < y === (dir === 'asc') ? -1 : 1
    }
    return 0
  }
}

export async function showFlavor(call: Call): Answered {
  const flavor = await flavorIn(call)
  if (!flavor.ok) return flavor
  const { links, negotiated } = call
  const body = { flavor: flavorDetail(flavor.value, links, negotiated.version) }
  return ok({ status: 200, body })
}

export async function listExtraSpecs(call: Call): Answered {
  const flavor = await flavorIn(call)
  if (!flavor.ok) return flavor
  return ok({ status: 200, body: { extra_specs: extraSpecs(flavor.value) } })
}

const flavorBody = versioned([descriptionSince], (version) =>
  Type.Object(
    {
      flavor: Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 255, pattern: '^(?!\\s).*(?<!\\s)$' }),
          id: Type.Optional(
            Type.Union([
              Type.String({ minLength: 1, maxLength: 255, pattern: '^[A-Za-z0-9 ._-]*$' }),
              Type.Integer({ minimum: 0 }),
              Type.Null(),
            ]),
          ),
          ram: size(1),
          vcpus: size(1),
          disk: size(0),
          'OS-FLV-EXT-DATA:ephemeral': Type.Optional(size(0)),
          swap: Type.Optional(size(0)),
          rxtx_factor: Type.Optional(Type.Union([Type.Number(), Type.String({ maxLength: 32 })])),
          'os-flavor-access:is_public': Type.Optional(
            Type.Union([Type.Boolean(), Type.String({ maxLength: 8 })]),
          ),
          ...(version >= descriptionSince
            ? {
                description: Type.Optional(
                  Type.Union([Type.String({ maxLength: 65_535 }), Type.Null()]),
                ),
              }
            : {}),
        },
        { additionalProperties: false },
      ),
    },
    { additionalProperties: false },
  ),
)

/** What is made here is of the same driver as the first of the catalogue that servers are made of. Admins only. */
export async function createFlavor(call: Call): Answered {
  const body = flavorBody(call.negotiated.version)(call.body)
  if (!body.ok) return body
  if (!may(call.caller, 'put')) return err(policy(call.rule))
  const { name, id, ram, vcpus, disk } = body.value.flavor
  const rows = await catalogueRows(call.house.plane.read, 'flavors')
  if (rows.some((row) => row.name === name))
    return err(conflict(`Flavor with name ${name} already exists.`))
  const isMade = id === undefined || id === null || id === 'auto'
  const flavorId = isMade ? call.exchange.requestId : String(id)
  if ((await call.house.plane.read.get('flavors', flavorId)) !== undefined)
    return err(conflict(`Flavor with ID ${flavorId} already exists.`))
  const driver = rows[0]?.driver ?? 'simulated'
  const sizes = { vcpus: Number(vcpus), memoryMiB: Number(ram), diskGiB: Number(disk) }
  const row: Flavor = { ...plainFlavor, ...sizes, id: flavorId, name, kinds: ['server'], driver }
  const receipt = await call.house.plane.submit(
    { verb: 'put', table: 'flavors', row },
    call.submission,
  )
  if (!receipt.ok) return err(faultOf(receipt.error, { verb: 'create', rule: call.rule }))
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  const shown = flavorDetail(row, call.links, call.negotiated.version)
  return ok({ status: 200, body: { flavor: shown } })
}

export async function deleteFlavor(call: Call): Answered {
  if (!may(call.caller, 'put')) return err(policy(call.rule))
  const flavor = await flavorIn(call)
  if (!flavor.ok) return flavor
  const receipt = await call.house.plane.submit(
    { verb: 'remove-from-catalogue', table: 'flavors', id: flavor.value.id },
    call.submission,
  )
  if (!receipt.ok) return err(faultOf(receipt.error, { verb: 'delete', rule: call.rule }))
  return call.submission.dryRun
    ? ok({ status: 200, body: planOf(receipt.value) })
    : ok({ status: 202 })
}

async function flavorIn(call: Call): Promise<Result<Flavor, NovaFault>> {
  const id = call.exchange.params['flavor_id'] ?? ''
  const flavor = await call.house.plane.read.get('flavors', id)
  return flavor?.kinds.includes('server')
    ? ok(flavor)
    : err({ status: 404, message: `Flavor ${id} could not be found.` })
}
