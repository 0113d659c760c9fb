// Where should SQLite live? Durable commits on the main thread against a thread of their own, in one run:
//
//   node bench/store.ts [rounds] [seconds per measurement]
//
// (a) bare appends, each with fdatasync: what the disk allows
// (b) commits of 1, 8 and 64 accepted requests, and how late a timer fires meanwhile: what everybody else waits.
//     A request is one instance row updated, one operation and one idempotency row inserted, and two events
// (c) 64 callers who wait for shared commits, as behind a web server
//
// Medians of all rounds; the places take turns, so that all meet the same disk. Figures of one run can be
// compared with each other, and with nothing else. docs/decisions/0004-store.md keeps the last ones.

import { randomUUID } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import { instanceId, operationId } from '#kernel/ids.ts'
import type { Commit, Store } from '#kernel/ports/store.ts'
import { openSqliteStore } from '#stores/sqlite/store.ts'
import { cause, eventDraft, put, rows, startMs } from '#test/contract/rows.ts'

const instanceCount = 10_000
const batchSizes = [1, 8, 64]
const callers = 64
/** About what a web server spends on one request: parsing, signature, decision, answer. */
const requestMs = 0.06

interface Place {
  readonly name: string
  readonly writer: 'main' | 'thread'
  readonly freshId: () => string
}

interface Figures {
  readonly commitsPerSecond: number
  readonly lagMs: { readonly p50: number; readonly p99: number }
}

interface Served {
  readonly operationsPerSecond: number
  readonly tookMs: { readonly p50: number; readonly p99: number }
}

const places: readonly Place[] = [
  { name: 'main', writer: 'main', freshId: randomUUID },
  { name: 'thread', writer: 'thread', freshId: randomUUID },
  { name: 'thread, rising ids', writer: 'thread', freshId: risingId },
]

async function open(folder: string, writer: Place['writer']): Promise<Store> {
  const opened = await openSqliteStore(folder, { writer })
  if (!opened.ok) throw new Error(opened.error.line)
  return opened.value
}

/** As UUID version 7: neighbours in time are neighbours in an index. */
function risingId(): string {
  const ms = Date.now().toString(16).padStart(12, '0')
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7${randomUUID().slice(15)}`
}

const instanceIds = Array.from({ length: instanceCount }, () => instanceId(randomUUID()))
const states = ['running', 'stopping', 'stopped'] as const
const load = { name: 'web-1', description: 'x'.repeat(200) }

function batchOf({ freshId }: Place, size: number, round: number): Commit {
  const writes: Commit['writes'][number][] = []
  const events: Commit['events'][number][] = []
  const nowMs = startMs + round
  for (let at = 0; at < size; at += 1) {
    const id = any(instanceIds)
    const instance = rows.instances({ id, ...load, state: any(states), updatedAtMs: nowMs })
    const operation = rows.operations({
      id: operationId(freshId()),
      instanceId: id,
      startedAtMs: nowMs,
      leaseUntilMs: nowMs + 30_000,
      cause: { ...cause, requestId: freshId() },
    })
    writes.push({ table: 'instances', row: instance })
    writes.push({ table: 'operations', row: operation })
    writes.push({ table: 'idempotency', row: rows.idempotency({ id: randomUUID() }) })
    events.push(eventDraft({ subject: id, instanceId: id, atMs: nowMs }))
    events.push(eventDraft({ type: 'operation.started', subject: id, instanceId: id, atMs: nowMs }))
  }
  return { writes, events }
}

function any<T>(some: readonly T[]): T {
  const one = some[Math.floor(Math.random() * some.length)]
  if (one === undefined) throw new Error('there is nothing to choose from')
  return one
}

async function measure(place: Place, store: Store, size: number, forMs: number): Promise<Figures> {
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
    await store.commit(batchOf(place, size, commits))
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
async function serve(place: Place, store: Store, forMs: number): Promise<Served> {
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
      await store.commit(batchOf(place, batch.length, (round += 1)))
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

function appendsPerSecond(folder: string, forMs: number): number {
  const file = openSync(join(folder, 'appended'), 'w', 0o600)
  const text = Buffer.alloc(4_096, 'x')
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

async function fill(folder: string): Promise<void> {
  const store = await open(folder, 'main')
  for (let at = 0; at < instanceCount; at += 1_000) {
    const some = instanceIds.slice(at, at + 1_000).map((id) => rows.instances({ id, ...load }))
    await store.commit(put('instances', ...some))
  }
  await store.close()
}

interface Found {
  readonly bySize: Map<number, Figures[]>
  readonly served: Served[]
}

async function visit(place: Place, folder: string, forMs: number, found: Found): Promise<void> {
  await fill(folder)
  const store = await open(folder, place.writer)
  for (const size of batchSizes) {
    const figures = await measure(place, store, size, forMs)
    found.bySize.set(size, [...(found.bySize.get(size) ?? []), figures])
  }
  found.served.push(await serve(place, store, forMs))
  await store.close()
  rmSync(folder, { recursive: true })
}

function print(found: ReadonlyMap<Place, Found>): void {
  const row = (...cells: readonly (string | number)[]): void =>
    console.log(`| ${cells.join(' | ')} |`)
  const ms = (value: number): string => `${value.toFixed(1)} ms`
  row('requests per commit', 'where', 'commits/s', 'requests/s', 'timer late p50', 'p99')
  row('---', '---', '---', '---', '---', '---')
  for (const size of batchSizes) {
    for (const [{ name }, { bySize }] of found) {
      const all = bySize.get(size) ?? []
      const commits = median(all.map((one) => one.commitsPerSecond))
      const late = [
        median(all.map((one) => one.lagMs.p50)),
        median(all.map((one) => one.lagMs.p99)),
      ]
      row(size, name, commits.toFixed(0), (commits * size).toFixed(0), ...late.map(ms))
    }
  }
  console.log('')
  row(`${callers} callers`, 'requests/s', 'answered after p50', 'p99')
  row('---', '---', '---', '---')
  for (const [{ name }, { served }] of found) {
    const took = [
      median(served.map((one) => one.tookMs.p50)),
      median(served.map((one) => one.tookMs.p99)),
    ]
    row(name, median(served.map((one) => one.operationsPerSecond)).toFixed(0), ...took.map(ms))
  }
}

const rounds = Number(process.argv[2] ?? 5)
const forMs = Number(process.argv[3] ?? 2) * 1_000
const folder = mkdtempSync(join(tmpdir(), 'runstate-bench-'))
const appends: number[] = []
const found = new Map(
  places.map((place): [Place, Found] => [place, { bySize: new Map(), served: [] }]),
)
for (let round = 0; round < rounds; round += 1) {
  appends.push(appendsPerSecond(folder, forMs / 2))
  for (const [place, own] of found) await visit(place, join(folder, 'data'), forMs, own)
}
rmSync(folder, { recursive: true })
const sqlite = new DatabaseSync(':memory:').prepare('SELECT sqlite_version() AS v').get()?.['v']
console.log(`Node ${process.version}, SQLite ${String(sqlite)}, medians of ${rounds} rounds`)
console.log(`appends of 4 KiB with fdatasync: ${median(appends).toFixed(0)} per second\n`)
print(found)
