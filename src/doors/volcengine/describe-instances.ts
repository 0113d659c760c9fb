// DescribeInstances: newest first, in pages that neither repeat nor miss a row while others come and go.
//
// What the store can tell by columns and facets, it filters, counts and pages. Only an address, or a text that is
// too long, makes every row that the other filters leave be looked at as the caller would see it.
// An id that is unknown is skipped, never an error: that is how Terraform learns of a deletion.
// Source: contracts/volcengine-ecs.md section 7.5.

import type { Flavor, Image } from '#kernel/catalogue.ts'
import { err, ok } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import { type Call, isHere, type Outcome } from './call.ts'
import { type Filters, readFilters } from './filters.ts'
import { namedRows, newestFirst, type RowQuery, rowsWhere } from './instance-rows.ts'
import { type Cursor, cursorOf, isAfter, pageOf, type Page } from './paging.ts'
import { type InstanceEntry, instanceEntry } from './wire.ts'

export async function describeInstances(call: Call): Promise<Outcome> {
  const filters = await readFilters(call)
  const page = pageOf(call.reading, { size: 10, max: 100 })
  if (call.reading.fault) return err(call.reading.fault)
  if (!isHere(call)) return ok({ Instances: [], NextToken: '', TotalCount: 0 })
  const rows = rowsWhere(call, filters)
  const look = encoder(call)
  if (filters.ids.length > 0) {
    return ok(await lookedAt(await namedRows(call, filters.ids), { filters, page, look }))
  }
  if (filters.isExact) return ok(await counted(call, rows, { page, look }))
  return ok(await lookedAt(newestFirst(call, rows), { filters, page, look }))
}

interface Answered {
  readonly Instances: readonly InstanceEntry[]
  readonly NextToken: string
  readonly TotalCount: number
}
interface Asked {
  readonly page: Page
  readonly look: (row: Instance) => Promise<InstanceEntry>
}

/** The store does all of it. */
async function counted(
  { plane: { read } }: Call,
  rows: RowQuery,
  { page, look }: Asked,
): Promise<Answered> {
  const { order: _, ...filter } = rows
  let { after, skip } = page
  while (skip > 0) {
    const limit = Math.min(skip, skipStep)
    const over = await read.list('instances', { ...rows, ...afterOf(after), limit })
    const last = over.at(-1)
    if (over.length < limit || last === undefined) {
      return { Instances: [], NextToken: '', TotalCount: await read.count('instances', filter) }
    }
    after = cursorOf(last)
    skip -= limit
  }
  const found = await read.list('instances', { ...rows, ...afterOf(after), limit: page.size + 1 })
  // A first page that is not full says by itself how many there are.
  const isAll = after === undefined && found.length <= page.size
  const total = isAll ? found.length : await read.count('instances', filter)
  const shown = await Promise.all(found.slice(0, page.size).map(look))
  return { Instances: shown, NextToken: page.next(found), TotalCount: total }
}

const skipStep = 1000

const afterOf = (after: Cursor | undefined) =>
  after === undefined ? {} : { after: { id: after.id, value: after.createdAtMs } }

/** Every row is looked at, for the total if not for the page. */
async function lookedAt(
  rows: AsyncIterable<Instance> | Iterable<Instance>,
  { filters, page, look }: Asked & { readonly filters: Filters },
): Promise<Answered> {
  const found: Instance[] = []
  const shown: InstanceEntry[] = []
  let total = 0
  let skipped = 0
  for await (const row of rows) {
    const entry = await look(row)
    if (!filters.fits(entry)) continue
    total += 1
    if (page.after !== undefined && !isAfter(row, page.after)) continue
    if (skipped < page.skip) skipped += 1
    else if (found.length <= page.size && found.push(row) <= page.size) shown.push(entry)
  }
  return { Instances: shown, NextToken: page.next(found), TotalCount: total }
}

/** Flavors and images are read once per call, however many instances are made of them. */
function encoder({ plane: { read }, place }: Call): Asked['look'] {
  const flavors = new Map<string, Promise<Flavor | undefined>>()
  const images = new Map<string, Promise<Image | undefined>>()
  const [zoneDefault = ''] = place.zones
  return async (row) => {
    const flavor = once(flavors, row.flavorId, (id) => read.get('flavors', id))
    const image = once(images, row.imageId, (id) => read.get('images', id))
    return instanceEntry(row, { flavor: await flavor, image: await image, zoneDefault })
  }
}

async function once<Row>(
  known: Map<string, Promise<Row | undefined>>,
  id: string | null,
  get: (id: string) => Promise<Row | undefined>,
): Promise<Row | undefined> {
  if (id === null) return undefined
  const found = known.get(id) ?? get(id)
  known.set(id, found)
  return await found
}
