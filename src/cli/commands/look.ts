// `ls` and `get`: what there is.

import { type Command, Option } from 'commander'
import type { InstanceShown } from '#doors/native/wire.ts'
import { instanceColumns, instanceFields } from '../columns.ts'
import { type Exit, runs } from '../command.ts'
import type { DeskOptions } from '../desk.ts'
import { connected, repeated, wholeNumber } from '../options.ts'
import { printFields } from '../print.ts'
import { findInstance } from '../targets.ts'
import { inParallel } from '../waiting.ts'

interface LsOptions extends DeskOptions {
  readonly kind?: string
  readonly state?: string
  readonly name?: string
  readonly label?: readonly string[]
  readonly service?: string
  readonly node?: string
  readonly flavor?: string
  readonly sort: string
  readonly limit?: number
  readonly allProjects?: true
}

export function addLook(program: Command, exit: Exit): void {
  const ls = connected(program.command('ls'))
    .description('list instances')
    .option(
      '--kind <kinds>',
      'server, notebook, edge-instance, service-instance; several with commas',
    )
    .option('--state <states>', 'several with commas; gone ones only when asked for')
    .option('--name <text>', 'whose name contains this')
    .option('--label <key=value>', 'or just key; may be repeated', repeated)
    .option('--service <id>')
    .option('--node <id>')
    .option('--flavor <id>')
    .addOption(
      new Option('--sort <field>', 'name, createdAt, updatedAt; -name for descending').default(
        'name',
      ),
    )
    .option('--limit <count>', 'at most so many', wholeNumber)
    .option('--all-projects', 'those of every project; admins only')
  runs<LsOptions>(ls, exit, async ({ desk, options }) => {
    const { kind, state, name, label, service, node, flavor, sort, limit, allProjects } = options
    const query = {
      kind,
      state,
      nameContains: name,
      label,
      service,
      node,
      flavor,
      sort,
      ...(allProjects ? { allProjects: 'true' } : {}),
    }
    const found = await desk.client.list<InstanceShown>('/instances', query, limit)
    if (!found.ok) return desk.finish([found])
    if (found.value.length === 0) desk.say('no instances')
    desk.print({ rows: found.value, columns: instanceColumns, nameOf: ({ id }) => id })
    return desk.finish([])
  })
  const get = connected(program.command('get'))
    .description('show instances whole')
    .argument('<instance...>', 'ids or names')
  runs<DeskOptions>(get, exit, async ({ desk, args }) => {
    const found = await inParallel(args, 8, (target) => findInstance(desk.client, target))
    const rows = found.flatMap((one) => (one.ok ? [one.value] : []))
    if (desk.output === 'table') {
      for (const [index, row] of rows.entries()) {
        if (index > 0) desk.out.write('\n')
        printFields(desk.out, instanceFields(row))
      }
    } else if (rows.length > 0) {
      const data: unknown = args.length === 1 ? rows[0] : rows
      desk.print({ rows, columns: instanceColumns, nameOf: ({ id }) => id, data })
    }
    return desk.finish(found)
  })
}
