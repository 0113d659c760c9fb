// What is wrong with the disk under the server: full, read-only, damaged, or with a torn log. Each has one clear
// line for whoever started it; what can be read stays as it was, and what was acknowledged before is there.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Event } from '#kernel/event.ts'
import { openSqliteStore } from '#stores/sqlite/store.ts'
import { inNameOf } from '#test/harness/proc.ts'
import { runServer, type ServerProcess, startServer } from '#test/harness/server.ts'

const yaml = `
starter: false
catalogue: { flavors: [{ id: light, driver: simulated, attributes: { startMs: 5, removeMs: 1 } }] }
`
const create = (server: ServerProcess, name: string, labels?: object) =>
  server.call('POST', '/api/v1/instances', {
    kind: 'server',
    name,
    flavor: 'light',
    image: 'sim',
    ...(labels ? { labels } : {}),
  })

const folder = mkdtempSync(join(tmpdir(), 'runstate-disk-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Refused with one line on stderr that says this, and no stack. */
async function refused(data: string, line: RegExp): Promise<void> {
  const { code, out, err } = await runServer(data, yaml)
  assert.equal(code, 2, err)
  assert.equal(out, '')
  assert.match(err, /^runstate: [^\n]+\n$/)
  assert.match(err, line)
}

/** Names of all instances, and the whole log, as they are on disk. */
async function kept(data: string): Promise<readonly string[]> {
  const opened = await openSqliteStore(data)
  assert.ok(opened.ok, JSON.stringify(opened))
  try {
    const events: Event[] = []
    for (;;) {
      const more = await opened.value.events({ after: events.length, limit: 1_000 })
      events.push(...more)
      if (more.length === 0) break
    }
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, nth) => nth + 1),
      'the log has no gap',
    )
    const rows = await opened.value.list('instances', { limit: 1_000 })
    const created = events.filter(({ type }) => type === 'instance.created')
    assert.equal(rows.length, created.length, 'rows and log agree')
    return rows.map(({ name }) => name)
  } finally {
    await opened.value.close()
  }
}

describe('a file that something has happened to', () => {
  const good = join(folder, 'good')
  const data = join(folder, 'torn', 'data')
  const db = join(data, 'runstate.db')
  const log = `${db}-wal`
  const names = Array.from({ length: 12 }, (_, nth) => `one-${nth}`)
  before(async () => {
    mkdirSync(join(folder, 'torn'))
    const server = await startServer(good, yaml)
    for (const name of names) assert.equal((await create(server, name)).status, 202)
    await server.end('SIGKILL')
  })
  const anew = (): void => {
    rmSync(data, { recursive: true, force: true })
    cpSync(good, data, { recursive: true })
  }

  for (const [what, spoil] of [
    ['cut in the middle', () => truncateSync(log, Math.floor(statSync(log).size * 0.6))],
    ['cut in its last record', () => truncateSync(log, statSync(log).size - 100)],
    ['overwritten in the middle', () => overwrite(log, statSync(log).size / 2, 5_000)],
    ['nothing but garbage', () => writeFileSync(log, 'garbage')],
  ] as const)
    it(`a log that is ${what} leaves a whole beginning of what was written`, async () => {
      anew()
      spoil()
      const left = await kept(data)
      assert.deepEqual(left.toSorted(), names.slice(0, left.length).toSorted())
      const server = await startServer(data, yaml)
      assert.equal((await create(server, 'after')).status, 202)
      assert.equal(await server.end('SIGTERM'), 0)
      assert.ok((await kept(data)).includes('after'))
    })

  it('a damaged database is refused with one line, and left as it is', async () => {
    anew()
    // Everything into the file, so that there is no log to mend it from.
    const server = await startServer(data, yaml)
    await server.end('SIGTERM')
    assert.equal((await kept(data)).length, names.length)
    const whole = readFileSync(db)
    for (const page of [1, 2, 7, Math.floor(whole.length / 4096) - 1]) {
      writeFileSync(db, whole)
      overwrite(db, page * 4096, 4096)
      const spoilt = readFileSync(db)
      // A page that is free, or holds only text, can be anything and still be in order.
      const { code, err } = await runServerBriefly(data)
      if (code === 2) {
        assert.match(err, /^runstate: the database \S+ (is damaged|cannot be used)[^\n]*\n$/)
        assert.deepEqual(readFileSync(db), spoilt, 'not touched')
      } else assert.equal(code, 0, err)
    }
    writeFileSync(db, whole)
    overwrite(db, 4096, 4096)
    await refused(data, /is damaged/)
    writeFileSync(db, whole.subarray(0, whole.length / 2))
    await refused(data, /damaged|malformed/)
    writeFileSync(db, 'This was a database once. '.repeat(200))
    await refused(data, /not a database/)
    writeFileSync(db, whole)
    assert.equal((await kept(data)).length, names.length)
  })

  /** Until it refuses or is ready, and then to its end in order. */
  async function runServerBriefly(where: string): Promise<{ code: number | string; err: string }> {
    const server = await startServer(where, yaml).catch((cause: unknown) => String(cause))
    if (typeof server !== 'string')
      return { code: await server.end('SIGTERM'), err: server.stderr() }
    const [, code = '', err = ''] = /ended with (\d+): ([^]*)$/.exec(server) ?? []
    return { code: Number(code), err }
  }
})

function overwrite(path: string, at: number, length: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(length, 0xcd), 0, length, Math.floor(at))
  closeSync(file)
}

/** A small disk of its own; null, said loudly, where none can be mounted. In CI one can. */
function mounted(t: TestContext, options: string): string | null {
  const at = mkdtempSync(join(folder, 'mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at], { stdio: 'pipe' })
  } catch (cause) {
    if (process.env['RUNSTATE_REQUIRE_CLIENTS'] === '1') throw cause
    t.diagnostic(`NOTHING IS SHOWN by "${t.name}": no disk can be mounted (${String(cause)})`)
    return null
  }
  t.after(() => execFileSync('umount', ['-l', at]))
  return at
}

describe('a disk', () => {
  it('that is full: changes are refused in order, reads and health go on, and what was acknowledged stays', async (t) => {
    const at = mounted(t, 'size=12m,mode=700')
    if (at === null) return
    const data = join(at, 'data')
    const server = await startServer(data, yaml, { env: { RUNSTATE_LOG: 'fatal' } })
    t.after(() => server.end('SIGKILL'))
    const acknowledged: string[] = []
    let refusal: Awaited<ReturnType<typeof create>> | undefined
    for (let nth = 0; nth < 400 && !refusal; nth++) {
      // Nothing but the disk stands in the way.
      if (nth === 3) writeFileSync(join(at, 'filler'), Buffer.alloc(11 * 1024 * 1024 - used(at)))
      const made = await create(server, `n-${nth}`, { filler: 'x'.repeat(200) })
      if (made.status === 202) acknowledged.push(`n-${nth}`)
      else refusal = made
    }
    assert.equal(refusal?.status, 503, JSON.stringify(refusal?.body))
    assert.equal(refusal.body['code'], 'StoreUnavailable')
    const listed = await server.call('GET', '/api/v1/instances?limit=1000')
    assert.equal(listed.status, 200, 'reads go on')
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200, 'it lives')
    rmSync(join(at, 'filler'))
    assert.equal((await create(server, 'after')).status, 202, 'room again, so work again')
    assert.equal(await server.end('SIGTERM'), 0)
    const names = await kept(data)
    for (const name of [...acknowledged, 'after']) assert.ok(names.includes(name), name)
  })

  it('that can hold no more files: what fills it can be killed and removed all the same', async (t) => {
    const at = mounted(t, 'size=64m,nr_inodes=400,mode=700')
    if (at === null) return
    const real = `
starter: false
catalogue:
  flavors: [{ id: real, driver: process }]
  images: [{ id: sleeper, launch: { command: [sleep, "1000"] } }]
`
    const data = join(at, 'data')
    const server = await startServer(data, real, { env: { RUNSTATE_LOG: 'fatal' } })
    t.after(() => server.end('SIGKILL'))
    const wait = { prefer: 'wait=20' }
    const body = { kind: 'server', name: 'full', flavor: 'real', image: 'sleeper' }
    const made = await server.call('POST', '/api/v1/instances', body, wait)
    const [id = ''] = made.body['instances'] as readonly string[] // of one that was made
    const stateOf = async () => (await server.call('GET', `/api/v1/instances/${id}`)).body['state']
    assert.equal(await stateOf(), 'running')
    const work = join(data, 'process', id, 'work')
    const fill = (): void => {
      for (let nth = 0; ; nth++) writeFileSync(join(work, `file-${nth}`), '')
    }
    assert.throws(fill, /ENOSPC/)
    const act = (how: object) => server.call('POST', `/api/v1/instances/${id}/actions`, how, wait)
    await act({ action: 'stop', mode: 'hard' })
    assert.equal(await stateOf(), 'stopped')
    assert.deepEqual(inNameOf(id), [])
    await act({ action: 'delete' })
    assert.equal((await server.call('GET', `/api/v1/instances/${id}`)).status, 404)
    assert.equal(existsSync(work), false)
  })

  it('that is read-only: the start is refused with one line, and so is each change when it becomes so', async (t) => {
    const at = mounted(t, 'size=32m,mode=700')
    if (at === null) return
    const data = join(at, 'data')
    const server = await startServer(data, yaml, { env: { RUNSTATE_LOG: 'fatal' } })
    t.after(() => server.end('SIGKILL'))
    assert.equal((await create(server, 'before')).status, 202)
    await server.end('SIGKILL')
    // The settings file lies beside the data folder and is written by the harness, so it goes first.
    const bare = join(folder, 'read-only')
    mkdirSync(bare)
    execFileSync('mount', ['-o', 'remount,ro', at])
    execFileSync('mount', ['--bind', data, bare])
    t.after(() => execFileSync('umount', ['-l', bare]))
    await refused(bare, /cannot be used|read-?only|permission/i)
    execFileSync('mount', ['-o', 'remount,rw', at])
    assert.deepEqual(await kept(data), ['before'])
  })
})

const used = (at: string): number =>
  Number(execFileSync('du', ['-sb', at], { encoding: 'utf8' }).split('\t')[0])
