// The command line as a whole: every command, and how a mistake in it becomes exit code 2.

import { Command, CommanderError } from 'commander'
import { addApply } from './commands/apply.ts'
import { addBindings } from './commands/bindings.ts'
import { addCreate } from './commands/create.ts'
import { addCredentials } from './commands/credentials.ts'
import { addDelete, addPower, addQueue } from './commands/power.ts'
import { addEvents } from './commands/events.ts'
import { addGuards } from './commands/guards.ts'
import { addHolds } from './commands/holds.ts'
import { addLook } from './commands/look.ts'
import { addOps } from './commands/ops.ts'
import { addServe } from './commands/serve.ts'
import { addStatus } from './commands/status.ts'
import { addUsage } from './commands/usage.ts'
import { addVersion } from './commands/version.ts'
import { addWhy } from './commands/why.ts'
import { exitCodes } from './outcome.ts'

const adders = [
  addServe,
  addLook,
  addCreate,
  addPower,
  addQueue,
  addDelete,
  addStatus,
  addBindings,
  addHolds,
  addGuards,
  addOps,
  addEvents,
  addWhy,
  addUsage,
  addApply,
  addCredentials,
  addVersion,
]

export async function runProgram(argv: readonly string[]): Promise<number> {
  let code: number = exitCodes.ok
  const program = new Command('runstate')
    .description('Starts, stops and shows the run state of every instance you own.')
    .exitOverride()
    .showHelpAfterError('(runstate help shows how)')
    .enablePositionalOptions()
    .addHelpText('after', exitHelp)
  for (const add of adders) add(program, (ended) => (code = ended))
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (thrown) {
    if (thrown instanceof CommanderError)
      return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    throw thrown
  }
}

const meanings = {
  ok: 'ok',
  failed: 'all failed',
  usage: 'usage',
  partly: 'partly failed',
  refused: 'refused',
  timedOut: 'wait timed out',
  conflict: 'conflict',
  interrupted: 'interrupted',
} as const satisfies Record<keyof typeof exitCodes, string>

const exitHelp = `
Exit codes: ${Object.entries(meanings)
  .map(([name, meaning]) => `${exitCodes[name as keyof typeof meanings]} ${meaning}`) // its own keys
  .join(', ')}.
An instance is named by its id, by the id that any door gave it, or by its name when only one has it.`
