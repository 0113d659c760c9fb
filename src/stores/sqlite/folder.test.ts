import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolder } from './folder.ts'

test('every folder that is made is synced into its parent', (t) => {
  const top = fs.mkdtempSync(join(tmpdir(), 'runstate-folder-'))
  t.after(() => fs.rmSync(top, { recursive: true }))
  const open = t.mock.method(fs, 'openSync')
  const sync = t.mock.method(fs, 'fsyncSync')
  syncBuiltinESMExports()
  try {
    makeFolder(join(top, 'a/b/c'))
    makeFolder(join(top, 'a/b/c'))
  } finally {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
  const synced = sync.mock.calls.map(({ arguments: [handle] }) => handle)
  const opened = open.mock.calls.filter(({ result }) => synced.includes(result ?? -1))
  assert.deepEqual(
    opened.map(({ arguments: [path] }) => path),
    [top, join(top, 'a'), join(top, 'a/b')],
  )
  assert.equal(fs.statSync(join(top, 'a/b/c')).mode & 0o777, 0o700)
})
