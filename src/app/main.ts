// The server's front door: turns on the compile cache, then loads the rest. Static imports would load before it.

import { enableCompileCache } from 'node:module'

enableCompileCache()
const { run } = await import('./run.ts')
await run(process.argv.slice(2), process.env)
