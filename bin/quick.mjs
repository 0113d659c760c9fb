// What makes a start quick; whoever imports it first loads the rest by `await import`, for static imports are loaded
// before. Plain JavaScript: the tool that strips types would be loaded for it alone (16 MiB, a tenth of a second).

import { enableCompileCache, registerHooks } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { resolved } from './resolve.mjs'

// Node's own default is a folder in /tmp, where somebody else could have put what is run from it.
const caches = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
enableCompileCache(process.env['NODE_COMPILE_CACHE'] || join(caches, 'runstate'))
registerHooks({
  resolve: (specifier, context, next) =>
    resolved(specifier, context.parentURL) ?? next(specifier, context),
})
