import assert from 'node:assert/strict'
import {
  readFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import type { Store } from '#kernel/ports/store.ts'
import { eventDraft, put, rows, startMs } from '#test/contract/rows.ts'
import { storeContract } from '#test/contract/store.contract.ts'
import { connect } from './connect.ts'
import type { OpenFault } from './open.ts'
import { openSqliteStore, type SqliteOptions } from './store.ts'

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

async function openIn(folder: string, t: TestContext, options?: SqliteOptions): Promise<Store> {
  const opened = await openSqliteStore(folder, options)
  assert.ok(opened.ok, JSON.stringify(opened))
  t.after(() => opened.value.close())
  return opened.value
}

async function faultIn(folder: string): Promise<OpenFault> {
  const opened = await openSqliteStore(folder)
  assert.ok(!opened.ok)
  return opened.error
}

for (const writer of ['thread', 'main'] as const)
  storeContract(`sqlite, ${writer}`, (t) => openIn(join(folderFor(t), 'data'), t, { writer }))

test('every connection syncs each commit, whoever opens it', (t) => {
  const db = connect(join(folderFor(t), 'file.db'), { checkpoints: true })
  const setting = (name: string): unknown =>
    Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  assert.equal(setting('journal_mode'), 'wal')
  assert.equal(setting('synchronous'), 2, 'FULL: a killed process does not show the difference')
  assert.equal(setting('foreign_keys'), 1)
  assert.ok(Number(setting('busy_timeout')) > 0)
  assert.equal(setting('wal_autocheckpoint'), 1_000)
  db.close()
})

test('a row that is read once is not kept in memory, one that is read again is', async (t) => {
  const folder = folderFor(t)
  const [often, once] = [rows.instances({ name: 'often' }), rows.instances({ name: 'once' })]
  const before = await openIn(folder, t)
  await before.commit(put('instances', often, once))
  await before.close()
  const store = await openIn(folder, t)
  for (const { id } of [often, once, often]) await store.get('instances', id)
  assert.deepEqual(store.kept('instances', often.id), often)
  assert.equal(store.kept('instances', once.id), undefined)
})

test('what was committed is there after the store was closed and opened again', async (t) => {
  const folder = folderFor(t)
  const row = rows.instances()
  const first = await openIn(folder, t)
  // Not awaited: closing waits for what was handed over.
  const committed = first.commit({ ...put('instances', row), events: [eventDraft()] })
  await first.close()
  assert.equal(await committed, 1)
  const second = await openIn(folder, t)
  assert.deepEqual(await second.get('instances', row.id), row)
  assert.equal(await second.count('instances', {}), 1)
  assert.equal(await second.commit({ writes: [], events: [eventDraft()] }), 2)
})

test('the data folder and its files are for their owner alone', async (t) => {
  const folder = join(folderFor(t), 'deep', 'data')
  const store = await openIn(folder, t)
  await store.commit(put('nodes', rows.nodes()))
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)
  assert.equal(mode(folder), '700')
  const files = readdirSync(folder)
  assert.deepEqual(files.toSorted(), ['lock', 'runstate.db', 'runstate.db-shm', 'runstate.db-wal'])
  for (const file of files) assert.equal(mode(join(folder, file)), '600', file)
})

test('a claim that finds nothing writes nothing', async (t) => {
  const folder = folderFor(t)
  const store = await openIn(folder, t)
  await store.commit(put('operations', rows.operations({ leaseUntilMs: startMs + 1 })))
  const log = (): readonly number[] => {
    const { size, mtimeMs } = statSync(join(folder, 'runstate.db-wal'))
    return [size, mtimeMs]
  }
  const before = log()
  assert.deepEqual(await store.claim('w', startMs, 1_000, 10), [])
  assert.deepEqual(log(), before)
  assert.equal((await store.claim('w', startMs + 1, 1_000, 10)).length, 1)
  assert.notDeepEqual(log(), before)
})

test('a file whose schema only says that it is this one is refused with one line, and one with more is not', async (t) => {
  const folder = folderFor(t)
  await (await openIn(folder, t)).close()
  const path = join(folder, 'runstate.db')
  const change = (sql: string): void => {
    const db = new DatabaseSync(path)
    db.exec(sql)
    db.close()
  }
  change('CREATE INDEX somebodys ON instances (imageId)')
  await (await openIn(folder, t)).close()
  change('DROP INDEX instances_name')
  const fault = await faultIn(folder)
  assert.equal(fault.code, 'other-build')
  assert.match(fault.line, /its instances_name is not that of this one/)
})

test('a file of a newer version is refused and left alone', async (t) => {
  const folder = folderFor(t)
  await (await openIn(folder, t)).close()
  const path = join(folder, 'runstate.db')
  const db = new DatabaseSync(path)
  db.exec('PRAGMA user_version = 7')
  db.close()
  const line = `the database ${path} was written by a newer runstate (schema 7, this one knows 1)`
  assert.deepEqual(await faultIn(folder), { code: 'newer', line })
  // A refusal lets go of the folder: the second try meets the same file, not a lock.
  assert.equal((await faultIn(folder)).code, 'newer')
})

test('a file that is not ours is refused and left alone', async (t) => {
  for (const text of ['hello', 'x'.repeat(10_000)]) {
    const folder = folderFor(t)
    const path = join(folder, 'runstate.db')
    writeFileSync(path, text)
    const line = `the file ${path} is not a database`
    assert.deepEqual(await faultIn(folder), { code: 'not-a-database', line })
    assert.deepEqual(readdirSync(folder).toSorted(), ['lock', 'runstate.db'])
  }
  const folder = folderFor(t)
  const path = join(folder, 'runstate.db')
  const db = new DatabaseSync(path)
  db.exec('CREATE TABLE bookmarks (url TEXT)')
  db.close()
  const line = `the database ${path} belongs to another program`
  assert.deepEqual(await faultIn(folder), { code: 'foreign', line })
})

test('a folder that cannot be used is refused with one line', async (t) => {
  const file = join(folderFor(t), 'file')
  writeFileSync(file, '')
  const fault = await faultIn(join(file, 'data'))
  assert.equal(fault.code, 'unusable')
  assert.match(fault.line, /^the data folder .*data cannot be used: EEXIST/)
  assert.ok(!fault.line.includes('\n'))
})

test('a corrupted page is found at the start, told in one line, and nothing is written', async (t) => {
  const folder = folderFor(t)
  const store = await openIn(folder, t)
  const filler = 'x'.repeat(3_000)
  const many = Array.from({ length: 200 }, () => rows.nodes({ attributes: { filler } }))
  await store.commit(put('nodes', ...many))
  await store.close()
  const file = join(folder, 'runstate.db')
  overwrite(file, 'nodes')
  const before = readFileSync(file)
  const fault = await faultIn(folder)
  assert.equal(fault.code, 'damaged')
  assert.ok(!fault.line.includes('\n'))
  assert.deepEqual(readFileSync(file), before)
})

/** Scribbles over the first page of a table. */
function overwrite(path: string, table: string): void {
  const db = new DatabaseSync(path)
  const root = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)
  const size = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])
  db.close()
  const handle = openSync(path, 'r+')
  try {
    writeSync(handle, Buffer.alloc(size, 0xee), 0, size, (Number(root?.['rootpage']) - 1) * size)
  } finally {
    closeSync(handle)
  }
}
