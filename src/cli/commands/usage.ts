// `usage`: how long instances were charged for.

import type { Command } from 'commander'
import type { UsagePageShown, UsageShown } from '#doors/native/wire.ts'
import { span, usageColumns } from '../columns.ts'
import { type Exit, runs } from '../command.ts'
import type { Desk, DeskOptions } from '../desk.ts'
import { connected } from '../options.ts'
import { done, type ExitCode, type Outcome } from '../outcome.ts'
import { findInstance, pathOf } from '../targets.ts'
import { inParallel } from '../waiting.ts'

interface UsageOptions extends DeskOptions {
  readonly from?: string
  readonly to?: string
  readonly kind?: string
  readonly allProjects?: true
}

export function addUsage(program: Command, exit: Exit): void {
  const usage = connected(program.command('usage'))
    .description('how long instances were charged for: these, or all of the project, gone ones too')
    .argument('[instance...]', 'ids or names; a gone one by its id')
    .option('--from <time>', 'such as 2026-11-01T00:00:00Z; default: since ever')
    .option('--to <time>', 'default, and at most: now')
    .option('--kind <kinds>', 'server, notebook, edge-instance; several with commas')
    .option('--all-projects', 'those of every project; admins only')
  runs<UsageOptions>(usage, exit, async ({ desk, args, options }) => {
    const { from, to } = options
    if (args.length === 0) return await ofProject(desk, options)
    const told = await inParallel(args, 8, async (target) => {
      const found = await findInstance(desk.client, target)
      // A gone instance has no name any more, but its usage is still found by its id.
      const id = found.ok ? found.value.id : target
      return await desk.client.get<UsageShown>(`${pathOf(id)}/usage`, { query: { from, to } })
    })
    const rows = told.flatMap((one) => (one.ok ? [one.value] : []))
    if (rows.length > 0) show(desk, rows, args.length === 1 ? rows[0] : rows)
    return desk.finish(told)
  })
}

async function ofProject(desk: Desk, options: UsageOptions): Promise<ExitCode> {
  const { from, to, kind, allProjects } = options
  const query = { from, to, kind, ...(allProjects ? { allProjects: 'true' } : {}) }
  const listed = await everyPage(desk, query)
  if (!listed.ok) return desk.finish([listed])
  const rows = listed.value
  if (rows.length === 0) desk.say('no usage')
  show(desk, rows, rows)
  const sum = (of: 'chargedMs' | 'unchargedMs'): string =>
    span(rows.reduce((total, row) => total + row[of], 0))
  if (rows.length > 1) desk.say(`${sum('chargedMs')} charged, ${sum('unchargedMs')} not charged`)
  return desk.finish([])
}

/** Every page up to the same moment: the one at which the first was asked for. */
async function everyPage(
  desk: Desk,
  query: Readonly<Record<string, string | undefined>>,
): Promise<Outcome<readonly UsageShown[]>> {
  const items: UsageShown[] = []
  let { to } = query
  let cursor: string | undefined
  do {
    const page = await desk.client.get<UsagePageShown>('/usage', {
      query: { ...query, to, cursor, limit: '500' },
    })
    if (!page.ok) return page
    items.push(...page.value.items)
    to = page.value.to
    cursor = page.value.nextCursor ?? undefined
  } while (cursor !== undefined)
  return done(items)
}

const show = (desk: Desk, rows: readonly UsageShown[], data: unknown): void =>
  desk.print({ rows, columns: usageColumns, nameOf: ({ instance }) => instance, data })
