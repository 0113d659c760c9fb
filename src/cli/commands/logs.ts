// `logs`: the last lines that instances wrote.

import type { Command } from 'commander'
import type { OutputShown } from '#doors/native/wire.ts'
import { type Exit, runs } from '../command.ts'
import type { DeskOptions } from '../desk.ts'
import { connected, wholeNumber } from '../options.ts'
import { plain } from '../print.ts'
import { findInstance, pathOf } from '../targets.ts'
import { inParallel } from '../waiting.ts'

interface LogsOptions extends DeskOptions {
  readonly lines: number
}

export function addLogs(program: Command, exit: Exit): void {
  const logs = connected(program.command('logs'))
    .description('show the last lines that instances wrote, oldest first')
    .argument('<instance...>', 'ids or names')
    .option('-n, --lines <count>', 'at most so many, 1 to 10000', wholeNumber, 100)
  runs<LogsOptions>(logs, exit, async ({ desk, args, options }) => {
    const query = { lines: String(options.lines) }
    const told = await inParallel(args, 8, async (target) => {
      const found = await findInstance(desk.client, target)
      return found.ok
        ? await desk.client.get<OutputShown>(`${pathOf(found.value.id)}/logs`, { query })
        : found
    })
    const rows = told.flatMap((one) => (one.ok ? [one.value] : []))
    if (desk.output === 'table') for (const row of rows) desk.out.write(textOf(row, rows.length))
    else if (rows.length > 0)
      desk.print({
        rows,
        columns: {},
        nameOf: ({ id }) => id,
        data: args.length === 1 ? rows[0] : rows,
      })
    return desk.finish(told)
  })
}

/** Several instances are told apart by a line above each. */
const textOf = ({ name, lines }: OutputShown, count: number): string =>
  [...(count > 1 ? [`==> ${plain(name)} <==`] : []), ...lines.map(plain)]
    .map((line) => `${line}\n`)
    .join('')
