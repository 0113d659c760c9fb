/**
 * Proves that the linter's rules can fail: one planted file per rule, in a copy of our configuration.
 *
 * A typo in a rule's name or in an override's glob would otherwise pass every file in silence.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'

import { root } from './tree.ts'

type Plant = { readonly path: string; readonly rule: string; readonly text: string }

const kernel = (name: string, rule: string, text: string): Plant => ({
  path: `src/kernel/${name}.ts`,
  rule,
  text,
})
const inRoom = (room: string, name: string, from: string): Plant => ({
  path: `src/${room}/${name}.ts`,
  rule: 'no-restricted-imports',
  text: `export { b } from '${from}'`,
})

const any = 'declare const a: any\n'
const plants: readonly Plant[] = [
  kernel('node', 'no-restricted-imports', "export { b } from 'node:fs'"),
  kernel('package', 'no-restricted-imports', "export { b } from 'pino'"),
  kernel('room', 'no-restricted-imports', "export { b } from '#engine/b.ts'"),
  kernel('path', 'no-restricted-imports', "export { b } from '../engine/b.ts'"),
  ...[
    'process',
    'Date',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'crypto',
    'performance',
    'fetch',
  ].map((name) => kernel(name.toLowerCase(), 'no-restricted-globals', `export const a = ${name}`)),
  kernel('random', 'no-restricted-properties', 'export const a = Math.random()'),
  inRoom('engine', 'store', '#stores/b.ts'),
  inRoom('stores', 'driver', '#drivers/b.ts'),
  inRoom('drivers', 'door', '#doors/b.ts'),
  inRoom('doors', 'engine', '../engine/b.ts'),
  inRoom('identity', 'app', '#app/b.ts'),
  inRoom('doors', 'fixture', '#test/b.ts'),
  inRoom('app', 'cli', '#cli/b.ts'),
  inRoom('cli', 'kernel', '#kernel/b.ts'),
  inRoom('cli', 'door', '#doors/other/wire.ts'),
  {
    path: 'src/app/floating.ts',
    rule: 'no-floating-promises',
    text: 'export function a(): void { Promise.resolve() }',
  },
  {
    path: 'src/app/misused.ts',
    rule: 'no-misused-promises',
    text: 'export const a = () => { if (Promise.resolve(true)) return 1; return 2 }',
  },
  {
    path: 'src/app/switch.ts',
    rule: 'switch-exhaustiveness-check',
    text: "export function a(b: 'c' | 'd'): void { switch (b) { case 'c': break } }",
  },
  { path: 'src/app/any.ts', rule: 'no-explicit-any', text: 'export type A = any' },
  { path: 'src/app/u1.ts', rule: 'no-unsafe-assignment', text: `${any}export const b: string = a` },
  { path: 'src/app/u2.ts', rule: 'no-unsafe-call', text: `${any}a()` },
  { path: 'src/app/u3.ts', rule: 'no-unsafe-member-access', text: `${any}void a.b` },
  { path: 'src/app/u4.ts', rule: 'no-unsafe-return', text: `${any}export const b = () => a` },
  { path: 'src/app/u5.ts', rule: 'no-unsafe-argument', text: `${any}isNaN(a)` },
  { path: 'src/app/equal.ts', rule: 'eqeqeq', text: 'export const a = (b: string) => b == "c"' },
  { path: 'src/engine/console.ts', rule: 'no-console', text: "console.log('a')" },
  { path: 'src/app/default.ts', rule: 'no-default-export', text: 'export default 1' },
  {
    path: 'src/app/typed.ts',
    rule: 'no-import-type-side-effects',
    text: "import { type Server } from 'node:http'\nexport type A = Server",
  },
  {
    path: 'src/app/ring1.ts',
    rule: 'no-cycle',
    text: "import type { B } from './ring2.ts'\nexport type A = B",
  },
  {
    path: 'src/app/ring2.ts',
    rule: 'no-cycle',
    text: "import type { A } from './ring1.ts'\nexport type B = A | 1",
  },
]

const innocent = {
  'src/kernel/ok.ts': "import type { A } from './ok-too.ts'\nexport const a: A = 1",
  'src/kernel/ok-too.ts': 'export type A = number',
  'src/engine/ok.ts': "import { a } from '#kernel/ok.ts'\nimport fs from 'node:fs'\nvoid [a, fs]",
  'src/engine/ok.test.ts': "import { test } from 'node:test'\ntest('a', async () => {})",
  'src/cli/ok.ts': "import type { A } from '#doors/native/wire.ts'\nconsole.log('a' satisfies A)",
  'src/doors/native/wire.ts': 'export type A = string',
}

type Found = { readonly path: string; readonly rule: string }

let folder = ''
let found: readonly Found[] = []

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'runstate-lint-'))
  for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) {
    cpSync(join(root, name), join(folder, name))
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const files = [...plants.map(({ path, text }) => [path, text]), ...Object.entries(innocent)]
  for (const [path = '', text = ''] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), `${text}\n`)
  }
  found = await lint()
})

after(() => rmSync(folder, { recursive: true, force: true }))

function lint(): Promise<readonly Found[]> {
  const { promise, resolve } = Promise.withResolvers<readonly Found[]>()
  execFile(join(root, 'node_modules/.bin/oxlint'), ['-f', 'unix'], { cwd: folder }, (_, stdout) => {
    // `path:line:column: message [Error/plugin(rule)]`; the exit code is 1, as it should be here.
    const lines = stdout.matchAll(/^([^:\n]+):\d+:\d+: .*\(([\w-]+)\)\]$/gm)
    resolve([...lines].map(([, path = '', rule = '']) => ({ path, rule })))
  })
  return promise
}

test('the linter finds each planted fault', () => {
  const missed = plants.filter(
    (plant) => !found.some(({ path, rule }) => path.endsWith(plant.path) && rule === plant.rule),
  )
  assert.deepEqual(
    missed.map(({ path, rule }) => `${path} ${rule}`),
    [],
  )
})

test('the linter lets the innocent pass', () => {
  assert.deepEqual(
    found.filter(({ path }) => path in innocent),
    [],
  )
})
