import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Instance } from '#kernel/instance.ts'
import { put, rows, startMs } from '#test/contract/rows.ts'
import { Database } from './database.ts'
import { encode } from './encode.ts'
import { openFolder } from './open.ts'

const frameBytes = 24 + 4_096

test('an update writes the page of its row, and of an index only when its columns changed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-pages-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const opened = openFolder(folder, { checkpoints: true })
  assert.ok(opened.ok)
  const { db, lock, path } = opened.value
  const database = new Database(db)
  const some = Array.from({ length: 2_000 }, (_, n) =>
    rows.instances({ name: `web-${n}`, nodeId: 'edge-1', createdAtMs: startMs + n }),
  )
  database.apply(encode(put('instances', ...some)))
  const [row] = some
  assert.ok(row)
  const pagesOf = (change: Partial<Instance>): number => {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.apply(encode(put('instances', { ...row, ...change })))
    return statSync(`${path}-wal`).size / frameBytes
  }
  assert.equal(Math.floor(pagesOf({ description: 'new', updatedAtMs: startMs + 1 })), 1)
  assert.equal(Math.floor(pagesOf({})), 1)
  // Its row, two places in the index of states, the tallies, their index, and the tallies of facets.
  assert.ok(Math.floor(pagesOf({ state: 'stopping' })) <= 6)
  assert.ok(pagesOf({ state: 'stopping', name: 'other', nodeId: 'edge-2' }) >= 8)
  database.close()
  lock.close()
})

test('what a failed commit wrote is not taken for what the file says', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-failed-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const opened = openFolder(folder, { checkpoints: true })
  assert.ok(opened.ok)
  const { db, lock } = opened.value
  const database = new Database(db)
  const row = rows.instances({ state: 'running' })
  const stopped = { ...row, state: 'stopped' } as const
  const impossible = rows.instances({ state: 'nonsense' as Instance['state'] })
  database.apply(encode(put('instances', row)))
  assert.throws(() => database.apply(encode(put('instances', stopped, impossible))))
  database.apply(encode(put('instances', stopped)))
  const found = database.list('instances', { where: { state: 'stopped' }, limit: 10 })
  assert.deepEqual(
    found.map(({ id }) => id),
    [row.id],
  )
  database.close()
  lock.close()
})
