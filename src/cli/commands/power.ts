// `start`, `stop`, `restart`, `queue`, `dequeue`, `delete`: what changes the run state.

import { type Command, Option } from 'commander'
import { actions } from '../change.ts'
import { type Exit, runs } from '../command.ts'
import { type ChangeOptions, changing, millisecondsOf, rungs } from '../options.ts'

interface StopOptions extends ChangeOptions {
  readonly mode: (typeof rungs)[number]
  readonly grace?: number
  readonly stoppedMode?: string
}

const onInstances = (program: Command, name: string, description: string): Command =>
  changing(program.command(name)).description(description).argument('<instance...>', 'ids or names')

const withMode = (command: Command): Command =>
  command
    .addOption(new Option('--mode <rung>', 'how hard to stop').choices(rungs).default('soft'))
    .option('--grace <time>', 'how long each softer rung may take', millisecondsOf)

export function addPower(program: Command, exit: Exit): void {
  runs<ChangeOptions>(
    onInstances(program, 'start', 'start instances'),
    exit,
    ({ desk, args, options }) => actions(desk, options, args, { action: 'start' }),
  )
  const stop = withMode(onInstances(program, 'stop', 'stop instances')).addOption(
    new Option('--stopped-mode <mode>', 'keep or release capacity').choices(['keep', 'release']),
  )
  runs<StopOptions>(stop, exit, ({ desk, args, options }) => {
    const { mode, grace, stoppedMode } = options
    return actions(desk, options, args, { action: 'stop', mode, graceMs: grace, stoppedMode })
  })
  const restart = withMode(
    onInstances(program, 'restart', 'stop and start again, as one operation'),
  )
  runs<StopOptions>(restart, exit, ({ desk, args, options }) =>
    actions(desk, options, args, { action: 'restart', mode: options.mode, graceMs: options.grace }),
  )
}

export function addQueue(program: Command, exit: Exit): void {
  const queue = onInstances(program, 'queue', 'wait in line for a place in a sold-out pool')
  runs<ChangeOptions>(queue, exit, ({ desk, args, options }) =>
    actions(desk, options, args, { action: 'queue' }),
  )
  const dequeue = onInstances(program, 'dequeue', 'leave the line, or give the reserved place back')
  runs<ChangeOptions>(dequeue, exit, ({ desk, args, options }) =>
    actions(desk, options, args, { action: 'dequeue' }),
  )
}

export function addDelete(program: Command, exit: Exit): void {
  const remove = onInstances(program, 'delete', 'remove instances for good').alias('rm')
  runs<ChangeOptions>(remove, exit, ({ desk, args, options }) =>
    actions(desk, options, args, { action: 'delete' }),
  )
}
