// Law 1 on a real file: what was acknowledged is on disk, whatever happens to the process or the disk.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import type { Store } from '#kernel/ports/store.ts'
import { openSqliteStore } from '#stores/sqlite/store.ts'

const child = new URL('./store-child.ts', import.meta.url).pathname

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

interface Started {
  readonly process: ChildProcess
  readonly lines: AsyncIterator<string>
}

async function start(t: TestContext, command: string, args: readonly string[]): Promise<Started> {
  const started = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => started.kill('SIGKILL'))
  const reader = createInterface({ input: started.stdout })
  const lines = reader[Symbol.asyncIterator]()
  assert.equal((await lines.next()).value, 'open')
  return { process: started, lines }
}

async function kill({ process }: Started): Promise<void> {
  const gone = once(process, 'exit')
  process.kill('SIGKILL')
  await gone
}

async function reopen(t: TestContext, folder: string): Promise<Store> {
  const opened = await openSqliteStore(folder)
  assert.ok(opened.ok, JSON.stringify(opened))
  t.after(() => opened.value.close())
  return opened.value
}

test('a process killed in the middle of commits loses none that it acknowledged', async (t) => {
  const folder = folderFor(t)
  let acknowledged = new Set<number>()
  for (const untilCount of [1, 40, 173]) {
    const committing = await start(t, process.execPath, [child, folder, 'commit'])
    const fresh = new Set<number>()
    while (fresh.size < untilCount) fresh.add(Number((await committing.lines.next()).value))
    await kill(committing)
    // What it managed to say before it died counts as well.
    for (let line = await committing.lines.next(); !line.done; line = await committing.lines.next())
      fresh.add(Number(line.value))
    acknowledged = acknowledged.union(fresh)

    const store = await reopen(t, folder)
    const events = await store.events({ after: 0, limit: 1_000_000 })
    const kept = new Map<number, number>()
    for (const { data } of events) {
      const n = Number(data['n'])
      kept.set(n, (kept.get(n) ?? 0) + 1)
    }
    for (const n of acknowledged) assert.equal(kept.get(n), 2, `commit ${n} was acknowledged`)
    for (const [n, count] of kept) {
      assert.equal(count, 2, `commit ${n} is whole`)
      assert.ok(await store.get('operations', `op-${n}`), `commit ${n} is whole`)
    }
    assert.equal(await store.count('operations', {}), kept.size)
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, at) => at + 1),
    )
    await store.close()
  }
})

test('a folder is held by one process at a time, and freed by its death', async (t) => {
  const folder = folderFor(t)
  const holder = await start(t, process.execPath, [child, folder, 'hold'])
  assert.deepEqual(await openSqliteStore(folder), {
    ok: false,
    error: { code: 'held', line: `the data folder ${folder} is in use by another runstate` },
  })
  await kill(holder)
  const store = await reopen(t, folder)
  const second = await openSqliteStore(folder)
  assert.equal(second.ok ? 'open' : second.error.code, 'held', 'also within one process')
  await store.close()
  await (await reopen(t, folder)).close()
})

test('a commit that the disk refuses is rejected whole, and the store goes on', async (t) => {
  const folder = folderFor(t)
  // 16,384 blocks of 512 or 1,024 bytes, as the shell counts: less than the large commit either way.
  const limited = ['-c', 'ulimit -S -f 16384 && exec "$0" "$@"', process.execPath]
  const filling = await start(t, 'sh', [...limited, child, folder, 'overfill'])
  const said: string[] = []
  for (let line = await filling.lines.next(); !line.done; line = await filling.lines.next())
    said.push(line.value)
  const [refusal = '', ...counts] = said
  assert.match(refusal, /^(io|full)$/)
  assert.deepEqual(counts, ['1', '2'])
  const store = await reopen(t, folder)
  const kept = await store.list('nodes', { limit: 100 })
  assert.deepEqual(
    kept.map(({ id }) => id),
    ['after', 'before'],
  )
})
