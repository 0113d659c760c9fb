// Where should SQLite live? Measures durable commits on the main thread against a worker thread, in one run:
//
//   node bench/store.ts [rounds] [seconds per measurement]
//
// (a) bare appends, each with fdatasync: what the disk allows
// (b) commits of 1, 8 and 64 accepted requests (each: one instance row updated, one operation and one
//     idempotency row inserted, two events), and how late a timer fires meanwhile: what others wait
//
// Medians of all rounds; the two places take turns, so that both meet the same disk. Figures of one run can be
// compared with each other, and with nothing else. docs/decisions/0004-store.md keeps the last ones.

import { randomUUID } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import { instanceId, operationId } from '#kernel/ids.ts'
import { type Commit } from '#kernel/ports/store.ts'
import { connect } from '#stores/sqlite/connect.ts'
import { Database } from '#stores/sqlite/database.ts'
import { encode } from '#stores/sqlite/encode.ts'
import { openFolder } from '#stores/sqlite/open.ts'
import { openSqliteStore } from '#stores/sqlite/store.ts'
import { eventDraft, idOf, rows, startMs } from '#test/contract/rows.ts'

const instanceCount = 10_000
const batchSizes = [1, 8, 64]

interface Place {
  commit(commit: Commit): Promise<number>
  close(): Promise<void>
}

interface Figures {
  readonly commitsPerSecond: number
  readonly lagMs: { readonly p50: number; readonly p99: number }
}

interface Served {
  readonly operationsPerSecond: number
  readonly tookMs: { readonly p50: number; readonly p99: number }
}

const callers = 64
/** About what a web server of this kind spends on one request. */
const requestMs = 0.06

function openHere(folder: string): Place {
  const opened = openFolder(folder)
  if (!opened.ok) throw new Error(opened.error.line)
  const { path, db, lock } = opened.value
  const database = new Database(connect(path, 'writer'))
  return {
    commit: async (commit) => database.apply(encode(commit)),
    close: async () => {
      for (const one of [database, db, lock]) one.close()
    },
  }
}

async function openThere(folder: string): Promise<Place> {
  const opened = await openSqliteStore(folder)
  if (!opened.ok) throw new Error(opened.error.line)
  return opened.value
}

const states = ['running', 'stopping', 'stopped'] as const
const load = { name: 'small', description: 'x'.repeat(200) }

function batchOf(size: number, round: number): Commit {
  const writes: Commit['writes'][number][] = []
  const events: Commit['events'][number][] = []
  for (let at = 0; at < size; at += 1) {
    const n = Math.floor(Math.random() * instanceCount)
    const id = instanceId(idOf(n))
    const nowMs = startMs + round
    const state = states[Math.floor(Math.random() * states.length)] ?? 'running'
    const instance = rows.instances({ id, ...load, state, updatedAtMs: nowMs })
    const operation = rows.operations({
      id: operationId(randomUUID()),
      instanceId: id,
      startedAtMs: nowMs,
      leaseUntilMs: nowMs + 30_000,
    })
    writes.push({ table: 'instances', row: instance })
    writes.push({ table: 'operations', row: operation })
    writes.push({ table: 'idempotency', row: rows.idempotency({ id: randomUUID() }) })
    events.push(eventDraft({ subject: id, instanceId: id, atMs: nowMs }))
    events.push(eventDraft({ type: 'operation.started', subject: id, instanceId: id, atMs: nowMs }))
  }
  return { writes, events }
}

async function measure(place: Place, size: number, forMs: number): Promise<Figures> {
  const late: number[] = []
  let isOver = false
  const tick = (dueMs: number): void => {
    late.push(performance.now() - dueMs)
    if (!isOver) setTimeout(tick, 1, performance.now() + 1)
  }
  setTimeout(tick, 1, performance.now() + 1)
  const beganMs = performance.now()
  let commits = 0
  while (performance.now() - beganMs < forMs) {
    await place.commit(batchOf(size, commits))
    commits += 1
    // Requests arrive by turns of the event loop, so a server takes one between two commits as well.
    await turn()
  }
  const tookMs = performance.now() - beganMs
  isOver = true
  late.sort((a, b) => a - b)
  return {
    commitsPerSecond: (commits * 1_000) / tookMs,
    lagMs: { p50: quantile(late, 0.5), p99: quantile(late, 0.99) },
  }
}

/**
 * Callers as a server sees them: each request costs main-thread work of its own (parsing, signature, decision,
 * answer), then waits for the commit that it shares with all who came while the last one ran.
 */
async function serve(place: Place, forMs: number): Promise<Served> {
  const waiting: (() => void)[] = []
  const tookMs: number[] = []
  const beganMs = performance.now()
  const isOver = (): boolean => performance.now() - beganMs > forMs
  let working: Promise<void> | null = null
  let round = 0
  const work = async (): Promise<void> => {
    await turn()
    while (waiting.length > 0) {
      const batch = waiting.splice(0, 256)
      await place.commit(batchOf(batch.length, (round += 1)))
      for (const answer of batch) answer()
    }
    working = null
  }
  const call = async (): Promise<void> => {
    while (!isOver()) {
      await turn()
      const askedMs = performance.now()
      while (performance.now() - askedMs < requestMs);
      await new Promise<void>((answer) => {
        waiting.push(answer)
        working ??= work()
      })
      tookMs.push(performance.now() - askedMs)
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  const elapsedMs = performance.now() - beganMs
  tookMs.sort((a, b) => a - b)
  return {
    operationsPerSecond: (tookMs.length * 1_000) / elapsedMs,
    tookMs: { p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) },
  }
}

function appendsPerSecond(folder: string, bytes: number, forMs: number): number {
  const file = openSync(join(folder, 'appended'), 'w', 0o600)
  const text = Buffer.alloc(bytes, 'x')
  const beganMs = performance.now()
  let count = 0
  for (; performance.now() - beganMs < forMs; count += 1) {
    writeSync(file, text)
    fdatasyncSync(file)
  }
  const tookMs = performance.now() - beganMs
  closeSync(file)
  return (count * 1_000) / tookMs
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN

const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  )

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 5)
  const forMs = Number(process.argv[3] ?? 2) * 1_000
  const folder = mkdtempSync(join(tmpdir(), 'runstate-bench-'))
  const appends: number[] = []
  const found = new Map<string, Figures[]>()
  const served = new Map<string, Served[]>()
  for (let round = 0; round < rounds; round += 1) {
    appends.push(appendsPerSecond(folder, 4_096, forMs / 2))
    for (const where of ['main', 'worker'] as const) {
      const data = join(folder, `${where}-${round}`)
      await fill(data)
      const place = where === 'main' ? openHere(data) : await openThere(data)
      for (const size of batchSizes) {
        const key = `${where} ${size}`
        found.set(key, [...(found.get(key) ?? []), await measure(place, size, forMs)])
      }
      served.set(where, [...(served.get(where) ?? []), await serve(place, forMs)])
      await place.close()
      rmSync(data, { recursive: true })
    }
  }
  rmSync(folder, { recursive: true })
  print(appends, found)
  for (const [where, all] of served)
    console.log(
      where,
      median(all.map((o) => o.operationsPerSecond)).toFixed(0),
      median(all.map((o) => o.tookMs.p50)).toFixed(1),
      median(all.map((o) => o.tookMs.p99)).toFixed(1),
    )
}

async function fill(folder: string): Promise<void> {
  const place = openHere(folder)
  for (let n = 0; n < instanceCount; n += 1_000) {
    const ids = Array.from({ length: 1_000 }, (_, at) => instanceId(idOf(n + at)))
    const writes = ids.map(
      (id) => ({ table: 'instances', row: rows.instances({ id, ...load }) }) as const,
    )
    await place.commit({ writes, events: [] })
  }
  await place.close()
}

function print(appends: readonly number[], found: ReadonlyMap<string, readonly Figures[]>): void {
  const { version } = process
  const sqlite = new DatabaseSync(':memory:').prepare('SELECT sqlite_version() AS v').get()?.['v']
  console.log(`Node ${version}, SQLite ${String(sqlite)}, medians of ${appends.length} rounds`)
  console.log(`appends of 4 KiB with fdatasync: ${median(appends).toFixed(0)} per second\n`)
  console.log('| batch | where | commits/s | operations/s | timer late p50 | p99 |')
  console.log('|---|---|---|---|---|---|')
  for (const size of batchSizes) {
    for (const where of ['main', 'worker']) {
      const all = found.get(`${where} ${size}`) ?? []
      const commits = median(all.map((one) => one.commitsPerSecond))
      const cells = [
        size,
        where,
        commits.toFixed(0),
        (commits * size).toFixed(0),
        `${median(all.map((one) => one.lagMs.p50)).toFixed(1)} ms`,
        `${median(all.map((one) => one.lagMs.p99)).toFixed(1)} ms`,
      ]
      console.log(`| ${cells.join(' | ')} |`)
    }
  }
}

await main()
