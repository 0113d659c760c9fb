// Imports that name a file exactly are resolved by joining paths. Node asks the disk several times for each, and a start
// has a thousand of them: it is a tenth of a second (docs/decisions/0015). All others go Node's own way.

import { readFileSync } from 'node:fs'

const root = new URL('../package.json', import.meta.url)
const { imports } = /** @type {{ imports: Record<string, string> }} */ (
  JSON.parse(readFileSync(root, 'utf8'))
)
/** `#room/`, and the folder that it stands for. */
const rooms = new Map(
  Object.entries(imports).map(([from, to]) => [from.slice(0, -1), new URL(to.slice(0, -1), root)]),
)
const formats = new Map([
  ['.ts', 'module-typescript'],
  ['.mjs', 'module'],
])

/**
 * What a hook of `registerHooks` answers; undefined: ask Node.
 *
 * @param {string} specifier
 * @param {string | undefined} parent its URL
 */
export function resolved(specifier, parent) {
  const format = formats.get(specifier.slice(specifier.lastIndexOf('.')))
  if (format === undefined) return undefined
  const slash = specifier.indexOf('/') + 1
  const room = rooms.get(specifier.slice(0, slash))
  if (room) return { url: new URL(specifier.slice(slash), room).href, format, shortCircuit: true }
  if (!specifier.startsWith('.') || parent === undefined) return undefined
  return { url: new URL(specifier, parent).href, format, shortCircuit: true }
}
