// `guard ls` and `guard release`: what keeps the leases of a mass loss from expiring.

import type { Command } from 'commander'
import type { GuardShown, ReceiptShown } from '#doors/native/wire.ts'
import { carryOut } from '../change.ts'
import { ago } from '../columns.ts'
import { type Exit, runs } from '../command.ts'
import type { DeskOptions } from '../desk.ts'
import { type ChangeOptions, changing, connected } from '../options.ts'
import type { Columns } from '../print.ts'

const columns: Columns<GuardShown> = {
  GUARD: ({ id }) => id,
  CIRCLE: ({ circle }) => circle,
  STATE: ({ release }) => (release === null ? 'holding' : 'released'),
  SINCE: ({ since }) => ago(since),
  SILENT: ({ silent, living }) => `${silent} of ${living}`,
}

export function addGuards(program: Command, exit: Exit): void {
  const guard = program
    .command('guard')
    .description('what keeps leases from expiring after a mass loss')
  const ls = connected(guard.command('ls')).description('list guards')
  runs<DeskOptions>(ls, exit, async ({ desk }) => {
    const found = await desk.client.list<GuardShown>('/guards', {})
    if (!found.ok) return desk.finish([found])
    if (found.value.length === 0) desk.say('no guards')
    desk.print({ rows: found.value, columns, nameOf: ({ id }) => id })
    return desk.finish([])
  })
  const release = changing(guard.command('release'))
    .description('let what guards hold expire at once; say --why; admins only')
    .argument('<guard...>', 'ids')
  runs<ChangeOptions>(release, exit, ({ desk, args, options }) => {
    const { why } = options
    const body = { action: 'release', ...(why === undefined ? {} : { why }) }
    const askings = args.map((target) => ({
      target,
      ask: (sending: { readonly dryRun?: boolean }) =>
        desk.client.change<ReceiptShown>('POST', `/guards/${encodeURIComponent(target)}/actions`, {
          body,
          ...sending,
        }),
    }))
    return carryOut(desk, options, askings)
  })
}
