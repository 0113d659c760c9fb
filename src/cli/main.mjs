// The command line's front door. A reader that closes the pipe early (`| head`) is no failure.
//
// Everything in this room that the native door's wire types describe is imported with `import type`: an
// inline `type` would leave an import of nothing, for which Node would load all the door's schemas,
// a third of a short command.

import '../../bin/quick.mjs'

process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
const { runProgram } = await import('./program.ts')
process.exitCode = await runProgram(process.argv.slice(2))
