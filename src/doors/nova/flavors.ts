// The flavors that servers are made of, as everybody reads them.
// Source: contract, section 8.1; openstack/nova nova/api/openstack/compute/flavors.py.

import { seesFlavor } from '#kernel/access.ts'
import { type Flavor, isFlavorOf } from '#kernel/catalogue.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Call, Links, Reply } from './call.ts'
import { catalogueRows } from './catalogue-rows.ts'
import { badRequest, type NovaFault } from './faults.ts'
import { keptOfFlavor } from './kept.ts'
import {
  firstOf,
  limitOf,
  nextLink,
  noSuchMarker,
  type Sorting,
  sortingsOf,
} from './query-parameters.ts'
import type { Microversion } from './microversion.ts'
import { flavorBrief, flavorDetail } from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>

const limitMax = 1000

/** Values of keys that no flavor of ours has differ nowhere. */
const sortValues: Readonly<Record<string, (flavor: Flavor) => string | number>> = {
  flavorid: ({ id }) => id,
  id: ({ id }) => id,
  name: ({ name }) => name,
  memory_mb: ({ memoryMiB }) => memoryMiB,
  vcpus: ({ vcpus }) => vcpus,
  root_gb: ({ diskGiB }) => diskGiB,
  ephemeral_gb: (flavor) => keptOfFlavor(flavor).ephemeralGiB,
  swap: (flavor) => keptOfFlavor(flavor).swapMiB,
  rxtx_factor: (flavor) => keptOfFlavor(flavor).rxtxFactor,
  vcpu_weight: () => 0,
  disabled: () => 0,
  is_public: ({ projects }) => Number(projects === undefined),
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
  const shown = shownTo(call, params)
  if (!shown.ok) return shown
  const rows = await catalogueRows(call.house.plane.read, 'flavors')
  const { memoryMiB, diskGiB } = least.value
  const fitting = rows.filter(
    (row) => shown.value(row) && row.memoryMiB >= memoryMiB && row.diskGiB >= diskGiB,
  )
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

/** Everybody's and the project's own, for everybody; only an admin may ask for others. */
function shownTo(
  { caller, project }: Call,
  params: URLSearchParams,
): Result<(flavor: Flavor) => boolean, NovaFault> {
  const own = (flavor: Flavor) => isFlavorOf(flavor, project)
  const asked = firstOf(params, 'is_public')
  if (caller.role !== 'admin' || asked === undefined) return ok(own)
  if (asked.toLowerCase() === 'none') return ok(() => true)
  if (/^(1|t|true|on|y|yes)$/i.test(asked)) return ok(own)
  return /^(0|f|false|off|n|no)$/i.test(asked)
    ? ok(({ projects }) => projects !== undefined)
    : err(badRequest(`Invalid is_public filter [${asked}]`))
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

/** The flavor of the path, unless it is none of servers or not for the caller to know of. */
export async function flavorIn(call: Call): Promise<Result<Flavor, NovaFault>> {
  const id = call.exchange.params['flavor_id'] ?? ''
  const flavor = await call.house.plane.read.get('flavors', id)
  return flavor?.kinds.includes('server') && seesFlavor(call.caller, flavor)
    ? ok(flavor)
    : err(noSuchFlavor(id))
}

export const noSuchFlavor = (id: string): NovaFault => ({
  status: 404,
  message: `Flavor ${id} could not be found.`,
})
