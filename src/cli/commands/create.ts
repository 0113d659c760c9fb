// `create`: a new server or notebook.

import { type Command, Option } from 'commander'
import type { ReceiptShown } from '#doors/native/wire.ts'
import { carryOut } from '../change.ts'
import { type Exit, runs } from '../command.ts'
import { type ChangeOptions, changing, jsonObject, keyValue, wholeNumber } from '../options.ts'

interface CreateOptions extends ChangeOptions {
  readonly kind: string
  readonly flavor: string
  readonly image: string
  readonly description?: string
  readonly charge?: string
  readonly count?: number
  readonly unique?: true
  readonly queue?: true
  readonly label?: Readonly<Record<string, string>>
  readonly launch?: object
}

export function addCreate(program: Command, exit: Exit): void {
  const create = changing(program.command('create'))
    .description('create a server or a notebook')
    .argument('<name>')
    .addOption(new Option('--kind <kind>').choices(['server', 'notebook']).default('server'))
    .requiredOption('--flavor <id>', 'size, billing, driver')
    .requiredOption('--image <id>', 'what runs')
    .option('--description <text>')
    .addOption(new Option('--charge <type>').choices(['PostPaid', 'PrePaid', 'free']))
    .option('--count <number>', 'so many, named name-1, name-2, …', wholeNumber)
    .option('--unique', 'refuse a name that another one has')
    .option('--queue', 'wait in line when a free flavor is sold out')
    .option('--label <key=value>', 'may be repeated', keyValue)
    .option('--launch <json>', 'what the driver needs beyond flavor and image', jsonObject)
  runs<CreateOptions>(create, exit, async ({ desk, args: [name = ''], options }) => {
    const { kind, flavor, image, description, charge, count, unique, queue, label, launch } =
      options
    const body = {
      name,
      kind,
      flavor,
      image,
      description,
      charge,
      count,
      uniqueName: unique,
      queues: queue,
      labels: label,
      launch,
    }
    const ask = (sending: { readonly dryRun?: boolean }) =>
      desk.client.change<ReceiptShown>('POST', '/instances', { body, ...sending })
    return await carryOut(desk, options, [{ target: name, ask }])
  })
}
