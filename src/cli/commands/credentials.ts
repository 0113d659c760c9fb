// `credentials`: what the server on this machine wrote for its owner, for a shell or a tool. It
// needs no server.

import type { Command } from 'commander'
import { join } from 'node:path'
import { dataFolder, readCredentials } from '../connection.ts'
import type { Exit } from '../command.ts'
import { outputOption } from '../options.ts'
import { exitCodes, exitOf, sentenceOf } from '../outcome.ts'
import { type Output, print } from '../print.ts'

interface Options {
  readonly output: Output
  readonly export?: true
}

export function addCredentials(program: Command, exit: Exit): void {
  program
    .command('credentials')
    .description(
      'print the credentials of the server on this machine, for eval "$(runstate credentials --export)"',
    )
    .addOption(outputOption())
    .option('--export', 'as shell commands')
    .action(({ output, export: asCommands }: Options) => {
      const folder = dataFolder(process.env)
      const read = readCredentials(folder)
      if (!read.ok) {
        process.stderr.write(`runstate: ${sentenceOf(read.failure)}\n`)
        exit(exitOf([read]))
        return
      }
      const rows = Object.entries(read.value)
      if (rows.length === 0) {
        process.stderr.write(
          `runstate: there is no ${join(folder, 'credentials.env')}; a first runstate serve writes it (RUNSTATE_DATA says where)\n`,
        )
        exit(exitCodes.failed)
      } else if (output === 'table')
        for (const [key, value] of rows)
          process.stdout.write(
            asCommands ? `export ${key}=${quoted(value)}\n` : `${key}=${value}\n`,
          )
      else
        print(process.stdout, output, {
          rows,
          columns: {},
          nameOf: ([key]) => key,
          data: read.value,
        })
    })
}

const quoted = (value: string): string => `'${value.replaceAll("'", String.raw`'\''`)}'`
