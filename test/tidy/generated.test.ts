import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { generators, stalePaths } from '../../tools/generate.ts'
import { readTree, root } from './tree.ts'

test('a stale or missing generated file is found', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-tidy-'))
  try {
    writeFileSync(join(folder, 'fresh.md'), 'new')
    writeFileSync(join(folder, 'stale.md'), 'old')
    const table = ['fresh.md', 'stale.md', 'missing.md'].map((path) => ({
      path,
      make: () => 'new',
    }))
    assert.deepEqual(await stalePaths(folder, table), ['stale.md', 'missing.md'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('generated files are fresh: npm run generate', async () => {
  assert.deepEqual(await stalePaths(root), [])
})

test('there is something to generate, since there are tables', () => {
  const hasTables = readTree().some(({ path }) => path.startsWith('src/kernel/lifecycles/'))
  assert.ok(generators.length > 0 || !hasTables, 'tools/generate.ts makes nothing')
})

test('whatever lies in docs/generated has a generator', () => {
  const made = new Set(generators.map(({ path }) => path))
  const found = readTree().filter(({ path }) => path.startsWith('docs/generated/'))
  assert.deepEqual(
    found.map(({ path }) => path).filter((path) => !made.has(path)),
    [],
  )
})
