// One page of a list of servers. The store walks its index from the marker on; where a filter is more than the
// store can say, pages are walked until enough rows fit. At no time is more than one page of rows held.

import { err, ok, type Result } from '#kernel/errors.ts'
import { type Instance } from '#kernel/instance.ts'
import { type Query } from '#kernel/ports/store.ts'
import { type Call } from './call.ts'
import { badRequest, type NovaFault } from './faults.ts'
import { type ServerQuery } from './server-query.ts'
import { after, startOf } from './server-sort.ts'

/** Enough rows per walk that a rare match does not cost a query per row. */
const walkedMin = 200

export async function pageOf(
  call: Call,
  query: ServerQuery,
): Promise<Result<readonly Instance[], NovaFault>> {
  if (query.limit === 0) return ok([])
  const start = await startOf(query.marker, query.order, call)
  if (!start.ok) return start
  const isSifted = query.tests.length + query.patterns.length > 0
  const walked = isSifted ? Math.min(1000, Math.max(query.limit, walkedMin)) : query.limit
  const found: Instance[] = []
  let from: Query<'instances'>['after'] = start.value
  while (!call.exchange.signal.aborted) {
    const rows = await call.house.plane.read.list('instances', {
      ...query.base,
      order: query.order,
      limit: walked,
      ...(from === undefined ? {} : { after: from }),
    })
    const fitting = sift(rows, query)
    if (!fitting.ok) return fitting
    found.push(...fitting.value.slice(0, query.limit - found.length))
    const last = rows.at(-1)
    if (last === undefined || rows.length < walked || found.length === query.limit) break
    from = after(last, query.order)
  }
  return ok(found)
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
