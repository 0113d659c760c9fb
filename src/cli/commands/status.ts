// `status set` and `status clear`: the operator's word about a registered microservice instance.

import { type Command, Option } from 'commander'
import { actions } from '../change.ts'
import { type Exit, runs } from '../command.ts'
import { type ChangeOptions, changing, momentIn } from '../options.ts'

interface SetOptions extends ChangeOptions {
  readonly for?: string
}

const statuses = ['up', 'down', 'starting', 'testing', 'out-of-service'] as const
const isStatus = (text: string): boolean => (statuses as readonly string[]).includes(text) // widened: includes() wants the tuple's own union

export function addStatus(program: Command, exit: Exit): void {
  const status = program
    .command('status')
    .description('take registered instances in and out of service')
  const set = changing(status.command('set'))
    .description(`say what an instance is, whatever it says of itself: ${statuses.join(', ')}`)
    .argument('<status>')
    .argument('<instance...>', 'ids or names')
    .addOption(
      new Option('--for <time>', 'how long it stands; else until it is cleared').argParser(
        momentIn,
      ),
    )
  runs<SetOptions>(set, exit, async ({ desk, args: [word = '', ...targets], options }) => {
    if (!isStatus(word)) set.error(`error: ${word} is none of ${statuses.join(', ')}`)
    const body = { action: 'status', status: word, until: options.for }
    return await actions(desk, options, targets, body)
  })
  const clear = changing(status.command('clear'))
    .description('let what an instance says of itself count again')
    .argument('<instance...>', 'ids or names')
  runs<ChangeOptions>(clear, exit, ({ desk, args, options }) =>
    actions(desk, options, args, { action: 'clear-status' }),
  )
}
