// The repository as the tidy rules see it: a list of paths and texts. Only this file touches the disk.

import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'

export type SourceFile = { readonly path: string; readonly text: string }

export const root = resolve(import.meta.dirname, '../..')

const binary = new Set(['.png', '.jpg', '.gif', '.ico', '.woff2', '.gz', '.db'])
const notSource = ['node_modules', '.git', '.runstate', 'coverage', 'dist']

let cached: readonly SourceFile[] | undefined

/** Every text file that is, or would be, under version control. */
export function readTree(): readonly SourceFile[] {
  cached ??= listPaths()
    .filter((path) => !binary.has(extname(path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  return cached
}

function listPaths(): readonly string[] {
  try {
    const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
    const out = execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    // A file that was deleted but not yet committed is still listed.
    return out.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))
  } catch {
    // An unpacked archive has no git: then everything but the well-known rest is source.
    return globSync('{*,.ci/*,{src,test,tools,bench,bin,docs}/**/*}', {
      cwd: root,
      exclude: (path) => notSource.some((name) => path.split('/').includes(name)),
    }).filter((path) => statSync(join(root, path)).isFile())
  }
}
