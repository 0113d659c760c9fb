// What makes a start quick; whoever imports it first loads the rest by `await import`, for static imports are loaded
// before. Plain JavaScript: the tool that strips types would be loaded for it alone (16 MiB, a tenth of a second).

import { enableCompileCache, registerHooks } from 'node:module'
import { isAbsolute, join } from 'node:path'
import { resolved } from './resolve.mjs'

const { NODE_COMPILE_CACHE: chosen, XDG_CACHE_HOME: caches, HOME: home } = process.env
// Node's own default is a folder in /tmp, where somebody else could have put what is run from it; so could they in
// whatever folder one happens to stand in.
const folders = [chosen, caches && join(caches, 'runstate'), home && join(home, '.cache/runstate')]
const folder = folders.find((one) => one && isAbsolute(one))
if (folder) enableCompileCache(folder)
registerHooks({
  resolve: (specifier, context, next) =>
    resolved(specifier, context.parentURL) ?? next(specifier, context),
})
