import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeContract } from '#test/contract/store.contract.ts'
import { openSqliteStore } from './store.ts'

storeContract('sqlite', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-store-'))
  const opened = await openSqliteStore(folder)
  assert.ok(opened.ok)
  t.after(async () => {
    await opened.value.close()
    rmSync(folder, { recursive: true })
  })
  return opened.value
})
