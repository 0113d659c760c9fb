// The server's front door: turns on the compile cache, then loads the rest. Static imports would load before it; and
// were this file TypeScript, the tool that strips its types would be loaded for it alone (16 MiB, a tenth of a second).

import { enableCompileCache } from 'node:module'

enableCompileCache()
const { run } = await import('./run.ts')
await run(process.argv.slice(2), process.env)
