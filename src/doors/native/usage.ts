// Usage: how long instances were charged for, summed up from the events of a period. Nothing else is
// kept of it, so what it says is what the history says.

import { sees } from '#kernel/access.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import { meteredKinds, meteredTypes, type Period, Usage, type UsageSpan } from '#kernel/meter.ts'
import type { Reads } from '#kernel/ports/plane.ts'
import { columnsOf } from '#kernel/tables.ts'
import type { InstanceUsageQuery, ListUsageQuery } from './bodies.ts'
import { iso } from './encode.ts'
import type { Asked, Reply } from './endpoint.ts'
import { type Fault, faultOf } from './faults.ts'
import { historyId, projectsOf } from './lookups.ts'
import { pageOfRows } from './pages.ts'
import { readMoment } from './reading.ts'
import type { UsageShown } from './wire.ts'

type Replied = Promise<Result<Reply, Fault>>

/** Gone ones included: what was used is owed also afterwards. */
export async function getUsage(asked: Asked<InstanceUsageQuery>): Replied {
  const period = periodOf(asked, asked.query)
  if (!period.ok) return period
  const id = await historyId(asked, asked.params['id'] ?? '')
  const row = await asked.plane.read.get('instances', id)
  if (!row || !sees(asked.caller, row.project))
    return err(faultOf({ code: 'NotFound', what: 'instance', id }))
  return ok({ status: 200, body: await show(asked.plane.read, row, period.value) })
}

export async function listUsage(asked: Asked<ListUsageQuery>): Replied {
  const { query, plane } = asked
  const period = periodOf(asked, query)
  if (!period.ok) return period
  const project = projectsOf(asked, query.allProjects)
  if (!project.ok) return project
  const { fromMs, untilMs } = period.value
  const page = await pageOfRows(plane.read, 'instances', {
    where: {
      ...(project.value === undefined ? {} : { project: project.value }),
      kind: query.kind ?? meteredKinds,
    },
    range: [
      { column: 'createdAtMs', max: untilMs },
      { column: 'livedUntilMs', min: fromMs },
    ],
    order: { by: 'createdAtMs', dir: 'asc' },
    limit: query.limit,
    cursor: query.cursor,
  })
  if (!page.ok) return page
  const items: UsageShown[] = []
  for (const row of page.value.rows) items.push(await show(plane.read, row, period.value))
  const sum = (of: 'chargedMs' | 'unchargedMs'): number =>
    items.reduce((total, item) => total + item[of], 0)
  const totals = { chargedMs: sum('chargedMs'), unchargedMs: sum('unchargedMs') }
  const { nextCursor } = page.value
  return ok({
    status: 200,
    body: { from: iso(fromMs), to: iso(untilMs), items, ...totals, nextCursor },
  })
}

/** What has not happened yet is not used. */
function periodOf({ plane }: Asked, { from, to }: InstanceUsageQuery): Result<Period, Fault> {
  const fromMs = from === undefined ? ok(0) : readMoment('from', from)
  if (!fromMs.ok) return fromMs
  const nowMs = plane.nowMs()
  const untilMs = to === undefined ? ok(nowMs) : readMoment('to', to)
  if (!untilMs.ok) return untilMs
  if (fromMs.value > untilMs.value)
    return err(
      faultOf({ code: 'BadField', field: 'to', fault: 'range', expected: 'not before `from`' }),
    )
  return ok({
    fromMs: Math.min(fromMs.value, nowMs),
    untilMs: Math.min(untilMs.value, nowMs),
  })
}

async function show(read: Reads, row: Instance, period: Period): Promise<UsageShown> {
  // What registers itself is not metered: its events hold no readings.
  const isMetered = meteredKinds.some((kind) => kind === row.kind)
  const spans = isMetered ? await spansOf(read, row, period) : []
  const sum = (charged: boolean): number =>
    spans.filter((span) => span.charged === charged).reduce((total, { ms }) => total + ms, 0)
  const livedUntilMs = Number(columnsOf('instances')['livedUntilMs']?.(row))
  const fromMs = Math.max(period.fromMs, row.createdAtMs)
  return {
    instance: row.id,
    aliases: row.aliases,
    name: row.name,
    kind: row.kind,
    project: row.project,
    flavor: row.flavorId,
    charge: row.charge,
    from: iso(fromMs),
    to: iso(Math.max(fromMs, Math.min(period.untilMs, livedUntilMs))),
    chargedMs: sum(true),
    unchargedMs: sum(false),
    spans: spans as UsageShown['spans'], // situations were written by the kernel, from its own list
  }
}

const eventsMax = 1_000

/** The last reading before the period, then what happened within it. */
async function spansOf(
  read: Reads,
  { id }: Instance,
  period: Period,
): Promise<readonly UsageSpan[]> {
  const { fromMs, untilMs } = period
  const meter = { instanceId: id, types: meteredTypes }
  const usage = new Usage(period)
  const during = { untilMs: fromMs }
  const last = await read.events({ ...meter, during, after: 0, newestFirst: true, limit: 1 })
  for (const event of last) usage.take(event)
  let after = last[0]?.seq ?? 0
  let sinceMs = fromMs
  for (;;) {
    const page = await read.events({
      ...meter,
      during: { sinceMs, untilMs },
      after,
      limit: eventsMax,
    })
    for (const event of page) usage.take(event)
    const end = page.at(-1)
    if (end === undefined || page.length < eventsMax) return usage.spans()
    after = end.seq
    sinceMs = end.atMs
  }
}
