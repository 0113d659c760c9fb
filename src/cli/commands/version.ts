// `version`: of this program.

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Exit } from '../command.ts'
import { outputOption } from '../options.ts'
import { exitCodes } from '../outcome.ts'
import { type Output, print } from '../print.ts'

export function addVersion(program: Command, exit: Exit): void {
  program
    .command('version')
    .description('print the version')
    .addOption(outputOption())
    .action(({ output }: { readonly output: Output }) => {
      const manifest = JSON.parse(
        readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
      ) as { readonly version: string } // our own manifest
      const row = { runstate: manifest.version, node: process.version }
      if (output === 'table') process.stdout.write(`runstate ${row.runstate} (node ${row.node})\n`)
      else
        print(process.stdout, output, {
          rows: [row],
          columns: {},
          nameOf: ({ runstate }) => runstate,
          data: row,
        })
      exit(exitCodes.ok)
    })
}
