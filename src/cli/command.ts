// The last step of every command: opens the desk that its options ask for, runs it, and hands over
// the exit code.

import type { Command } from 'commander'
import { type Desk, type DeskOptions, openDesk } from './desk.ts'
import { exitOf, type ExitCode, sentenceOf } from './outcome.ts'

/** A command hands its exit code to this. */
export type Exit = (code: number) => void

export interface Called<Options> {
  readonly desk: Desk
  readonly args: readonly string[]
  readonly options: Options
}

/**
 * @param work  is given the arguments as they were typed: those of a list are behind the single
 * ones.
 */
export function runs<Options extends DeskOptions>(
  command: Command,
  exit: Exit,
  work: (called: Called<Options>) => Promise<ExitCode>,
): void {
  command.action(async () => {
    const options = command.opts<Options>()
    const desk = openDesk(options)
    if (desk.ok) {
      exit(await work({ desk: desk.value, args: command.args, options }))
      return
    }
    process.stderr.write(`runstate: ${sentenceOf(desk.failure)}\n`)
    exit(exitOf([desk]))
  })
}
