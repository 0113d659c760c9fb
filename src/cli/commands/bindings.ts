// `bind` and `unbind`: which registered instance an instance serves as, so that a drain takes it out of service.

import type { Command } from 'commander'
import { actions } from '../change.ts'
import { type Exit, runs } from '../command.ts'
import { type ChangeOptions, changing } from '../options.ts'
import { findInstance } from '../targets.ts'

interface BindOptions extends ChangeOptions {
  readonly service?: string
}

export function addBindings(program: Command, exit: Exit): void {
  const verbs = [
    ['bind', 'say as which registered instance another one serves'],
    ['unbind', 'take that back'],
  ] as const
  for (const [verb, description] of verbs) {
    const command = changing(program.command(verb))
      .description(description)
      .argument('<instance>', 'id or name')
      .argument('<registered>', 'id or name of a registered instance')
      .option('--service <id>', 'of the one that is not registered now')
    runs<BindOptions>(command, exit, async ({ desk, args, options }) => {
      const [target = '', registered = ''] = args
      const { service } = options
      const pair =
        service === undefined
          ? await findInstance(desk.client, registered)
          : ({ ok: true, value: { service, name: registered, kind: 'service-instance' } } as const)
      if (!pair.ok) return desk.finish([pair])
      if (pair.value.kind !== 'service-instance')
        command.error(`error: ${registered} is no registered instance`)
      const named = { service: pair.value.service, instance: pair.value.name }
      return await actions(desk, options, [target], { action: verb, ...named })
    })
  }
}
