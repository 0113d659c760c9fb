// `ops`: operations, and one with the log of its steps.

import type { Command } from 'commander'
import type { OperationShown } from '#doors/native/wire.ts'
import { operationColumns } from '../columns.ts'
import { type Exit, runs } from '../command.ts'
import type { Desk, DeskOptions } from '../desk.ts'
import { connected, wholeNumber } from '../options.ts'
import { type Columns, print, printFields } from '../print.ts'
import { findInstance } from '../targets.ts'

interface OpsOptions extends DeskOptions {
  readonly instance?: string
  readonly state?: string
  readonly requestId?: string
  readonly limit: number
  readonly allProjects?: true
}

export function addOps(program: Command, exit: Exit): void {
  const ops = connected(program.command('ops'))
    .description('list operations, newest first, or show some with the log of their steps')
    .argument('[operation...]', 'ids')
    .option('--instance <id or name>')
    .option('--state <states>', 'running, succeeded, failed, cancelled; several with commas')
    .option('--request-id <id>')
    .option('--limit <count>', 'at most so many', wholeNumber, 50)
    .option('--all-projects', 'those of every project; admins only')
  runs<OpsOptions>(ops, exit, async ({ desk, args, options }) => {
    if (args.length > 0) return await show(desk, args)
    const { instance, state, requestId, limit, allProjects } = options
    // A gone instance has no name any more, but its operations are still found by its id.
    const found = instance === undefined ? undefined : await findInstance(desk.client, instance)
    if (found && !found.ok && found.failure.is !== 'problem') return desk.finish([found])
    const query = {
      instance: found?.ok ? found.value.id : instance,
      state,
      requestId,
      ...(allProjects ? { allProjects: 'true' } : {}),
    }
    const listed = await desk.client.list<OperationShown>('/operations', query, limit)
    if (!listed.ok) return desk.finish([listed])
    if (listed.value.length === 0) desk.say('no operations')
    desk.print({ rows: listed.value, columns: operationColumns, nameOf: ({ id }) => id })
    return desk.finish([])
  })
}

const logColumns: Columns<OperationShown['log'][number]> = {
  STEP: ({ step }) => step,
  RUNG: ({ rung }) => rung ?? '-',
  ATTEMPT: ({ attempt }) => String(attempt),
  RESULT: ({ result }) => result,
  STARTED: ({ startedAt }) => startedAt,
  TOOK: ({ startedAt, finishedAt }) => `${Date.parse(finishedAt) - Date.parse(startedAt)} ms`,
  MESSAGE: ({ message }) => message ?? '',
}

async function show(desk: Desk, ids: readonly string[]) {
  const found = await Promise.all(
    ids.map((id) => desk.client.get<OperationShown>(`/operations/${encodeURIComponent(id)}`)),
  )
  const rows = found.flatMap((one) => (one.ok ? [one.value] : []))
  if (desk.output === 'table') for (const row of rows) showOne(desk, row)
  else if (rows.length > 0)
    desk.print({
      rows,
      columns: operationColumns,
      nameOf: ({ id }) => id,
      data: ids.length === 1 ? rows[0] : rows,
    })
  return desk.finish(found)
}

function showOne(desk: Desk, row: OperationShown): void {
  const fields: Record<string, string> = {}
  for (const [name, cell] of Object.entries(operationColumns))
    fields[name.toLowerCase()] = cell(row)
  printFields(desk.out, { ...fields, request: row.cause.requestId, why: row.cause.why ?? '-' })
  if (row.step)
    desk.out.write(`until  ${row.step.notBefore ?? row.step.deadline}: ${row.step.doc}\n`)
  print(desk.out, 'table', { rows: row.log, columns: logColumns, nameOf: ({ step }) => step })
}
