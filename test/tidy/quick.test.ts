import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { resolved } from '../../bin/resolve.mjs'

const imported = /(?:from|import) '([^']+)'/g
const root = join(import.meta.dirname, '../..')

/** Every import of these files, with the URL of its file. */
const importsOf = (glob: string): readonly (readonly [string, string])[] =>
  globSync(glob, { cwd: root }).flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8')
    const parent = pathToFileURL(join(root, path)).href
    return [...text.matchAll(imported)].map(([, specifier = '']) => [specifier, parent] as const)
  })

it('what names a file exactly is that file, as Node itself resolves it', () => {
  const all = [
    ...importsOf('src/**/*.ts'),
    ...importsOf('node_modules/typebox/build/schema/**/*.mjs'),
  ]
  const answers = all.flatMap(([specifier, parent]) => {
    const answer = resolved(specifier, parent)
    return answer ? [{ specifier, ...answer }] : []
  })
  assert.ok(answers.length > 1_500)
  for (const { specifier, url, format } of answers) {
    if (specifier.startsWith('#')) assert.equal(url, import.meta.resolve(specifier))
    else assert.equal(fileURLToPath(url), realpathSync(fileURLToPath(url)))
    assert.equal(format, specifier.endsWith('.ts') ? 'module-typescript' : 'module')
  }
})

it('whatever else is asked for is left to Node', () => {
  const parent = import.meta.url
  for (const specifier of ['node:fs', 'fastify', 'typebox', './x', './x.js', '#kernel/x', 'a/x.ts'])
    assert.equal(resolved(specifier, parent), undefined, specifier)
  assert.equal(resolved('./x.ts', undefined), undefined)
})

it('compiled code is kept where nobody else can put it', () => {
  const { href } = pathToFileURL(join(root, 'bin/quick.mjs'))
  const script = `import '${href}'; import { getCompileCacheDir } from 'node:module'; console.log(getCompileCacheDir())`
  const cacheOf = (env: Readonly<Record<string, string>>): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' })
  const folder = mkdtempSync(join(tmpdir(), 'runstate-cache-'))
  try {
    assert.ok(cacheOf({ HOME: folder }).startsWith(join(folder, '.cache/runstate/')))
    assert.ok(cacheOf({ HOME: folder, XDG_CACHE_HOME: 'here' }).startsWith(join(folder, '.cache/')))
    assert.equal(cacheOf({}), 'undefined\n')
    assert.ok(cacheOf({ HOME: '/', XDG_CACHE_HOME: folder }).startsWith(join(folder, 'runstate/')))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
