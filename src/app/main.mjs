// The server's front door.

import '../../bin/quick.mjs'

const { run } = await import('./run.ts')
await run(process.argv.slice(2), process.env)
