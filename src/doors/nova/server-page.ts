// One page of a list of servers. The store walks its index from the marker on; where a filter is more than the
// store can say, pages are walked until enough rows fit. Held at one time are one page of rows, and those that the
// store's order does not tell apart when more than that is asked.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Query } from '#kernel/ports/store.ts'
import { type Column, columnsOf } from '#kernel/tables.ts'
import type { Call } from './call.ts'
import { badRequest, type NovaFault } from './faults.ts'
import { noSuchMarker } from './query-parameters.ts'
import type { ServerQuery } from './server-query.ts'
import { visibleTo } from './server-scope.ts'
import type { Order } from './server-sort.ts'

/** Enough rows per walk that a rare match does not cost a query per row. */
const walkedMin = 200
/** Servers that may be equal in the store's order when they are to be ordered further. */
const equalMax = 20_000

type After = NonNullable<Query<'instances'>['after']>

export async function pageOf(
  call: Call,
  query: ServerQuery,
): Promise<Result<readonly Instance[], NovaFault>> {
  if (query.limit === 0) return ok([])
  const marker = await markerOf(call, query)
  if (!marker.ok) return marker
  const page = pageFor(query, marker.value)
  const isSifted = query.tests.length + query.patterns.length > 0 || query.order.ties !== null
  const walked = isSifted ? Math.min(1000, Math.max(query.limit, walkedMin)) : query.limit
  let from = marker.value && startAt(marker.value, query.order)
  while (!call.exchange.signal.aborted) {
    const { by, dir } = query.order
    const rows = await call.house.plane.read.list('instances', {
      ...query.base,
      order: { by, dir },
      limit: walked,
      ...(from === undefined ? {} : { after: from }),
    })
    const fitting = sift(rows, query)
    if (!fitting.ok) return fitting
    if (!page.take(fitting.value)) {
      return err(
        badRequest(`Sorting so is limited to ${equalMax} servers that are otherwise equal`),
      )
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < walked || page.isFull()) break
    from = after(last, query.order)
  }
  return ok(page.end())
}

/** The row to continue after. One that is gone by now still says where it stood. */
async function markerOf(
  call: Call,
  { marker }: ServerQuery,
): Promise<Result<Instance | undefined, NovaFault>> {
  if (marker === undefined) return ok(undefined)
  const row = await call.house.plane.read.get('instances', marker)
  return row && visibleTo(call, row) ? ok(row) : err(noSuchMarker(marker))
}

const valueOf = (row: Instance, { by }: Pick<Order, 'by'>): Column =>
  columnsOf('instances')[by]?.(row) ?? null

const after = (row: Instance, order: Order): After => ({ id: row.id, value: valueOf(row, order) })

/** Where rows are ordered further, all that are equal to the marker are read again, and those before it passed over. */
const startAt = (marker: Instance, order: Order): After =>
  order.ties === null
    ? after(marker, order)
    : { id: order.dir === 'asc' ? '' : '\u{10ffff}', value: valueOf(marker, order) }

interface Page {
  /** In the store's order. False: too many are equal. */
  take(rows: readonly Instance[]): boolean
  isFull(): boolean
  end(): readonly Instance[]
}

function pageFor({ limit, order }: ServerQuery, marker: Instance | undefined): Page {
  const page: Instance[] = []
  let equals: Instance[] = []
  const { ties } = order
  const isLate = (row: Instance): boolean =>
    ties === null ||
    marker === undefined ||
    valueOf(row, order) !== valueOf(marker, order) ||
    ties(row, marker) > 0
  const flush = (): void => {
    const sorted = ties === null ? equals : equals.toSorted(ties)
    page.push(...sorted.filter(isLate).slice(0, limit - page.length))
    equals = []
  }
  return {
    take(rows) {
      if (ties === null) {
        page.push(...rows.slice(0, limit - page.length))
        return true
      }
      for (const row of rows) {
        const [first] = equals
        if (first && valueOf(first, order) !== valueOf(row, order)) flush()
        equals.push(row)
      }
      return equals.length <= equalMax
    },
    isFull: () => page.length === limit,
    end() {
      flush()
      return page
    },
  }
}

function sift(
  rows: readonly Instance[],
  { tests, patterns }: ServerQuery,
): Result<readonly Instance[], NovaFault> {
  let fitting = rows.filter((row) => tests.every((test) => test(row)))
  for (const { pattern, textsOf } of patterns) {
    const texts = fitting.flatMap((row) => textsOf(row).map((text) => ({ row, text })))
    const matches = pattern.test(texts.map(({ text }) => text))
    if (!matches.ok) return err(badRequest('Invalid filter: the regular expression takes too long'))
    const matching = new Set(texts.flatMap(({ row }, at) => (matches.value[at] ? [row] : [])))
    fitting = fitting.filter((row) => matching.has(row))
  }
  return ok(fitting)
}
