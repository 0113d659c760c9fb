// A removed thing leaves nothing, whatever its command has left in its folder.

import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { folderOf, makeFolder, removeFolder } from './folder.ts'

const nobody = 65_534

/** Permissions are nothing to root, so it is somebody else meanwhile. */
async function asAnybody(folder: string, act: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return act()
  chownSync(folder, nobody, nobody)
  process.seteuid?.(nobody)
  try {
    await act()
  } finally {
    process.seteuid?.(0)
  }
}

test('process: folders that nothing may be removed from are removed, and nothing beside them is touched', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'runstate-folder-'))
  t.after(() => rmSync(dataDir, { recursive: true }))
  await asAnybody(dataDir, async () => {
    const folder = folderOf(dataDir, 'thing')
    await makeFolder(folder)
    const beside = join(dataDir, 'beside')
    mkdirSync(join(beside, 'inner'), { recursive: true })
    mkdirSync(join(folder.work, 'pkg/mod'), { recursive: true })
    symlinkSync(beside, join(folder.work, 'pkg/mod/link'))
    for (const path of [beside, join(folder.work, 'pkg/mod'), join(folder.work, 'pkg')])
      chmodSync(path, 0o500)
    await removeFolder(folder)
    assert.deepEqual(readdirSync(folder.all), [])
    assert.deepEqual(readdirSync(beside), ['inner'])
    chmodSync(beside, 0o700)
  })
})
