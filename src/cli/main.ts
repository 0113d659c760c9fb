// The command line's front door. A reader that closes the pipe early (`| head`) is no failure.
//
// Everything here that the native door's wire types describe is imported with `import type`: an
// inline `type` would leave an import of nothing, for which Node would load all the door's schemas,
// a third of a short command.

import { runProgram } from './program.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
process.exitCode = await runProgram(process.argv.slice(2))
