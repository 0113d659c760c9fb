// `why`: why an instance is as it is.

import type { Command } from 'commander'
import type { AccountShown } from '#doors/native/wire.ts'
import { type Exit, runs } from '../command.ts'
import type { DeskOptions } from '../desk.ts'
import { connected } from '../options.ts'
import { plain } from '../print.ts'
import { findInstance, pathOf } from '../targets.ts'
import { inParallel } from '../waiting.ts'

export function addWhy(program: Command, exit: Exit): void {
  const why = connected(program.command('why'))
    .description('say why instances are as they are: who asked, what is waited for and until when')
    .argument('<instance...>', 'ids or names')
  runs<DeskOptions>(why, exit, async ({ desk, args }) => {
    const told = await inParallel(args, 8, async (target) => {
      const found = await findInstance(desk.client, target)
      return found.ok ? await desk.client.get<AccountShown>(`${pathOf(found.value.id)}/why`) : found
    })
    const rows = told.flatMap((one) => (one.ok ? [one.value] : []))
    if (desk.output === 'table')
      desk.out.write(rows.map(({ lines }) => `${lines.map(plain).join('\n')}\n`).join('\n'))
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
