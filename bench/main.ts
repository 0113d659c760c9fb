// Speed as ratios in one run: our server against a bare `node:http` server that answers the same bytes from
// memory, in turn, with the same load from the same machine. Prints a table; `--json FILE` keeps the figures.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Figures, load } from './load.ts'
import { startReference } from './reference.ts'
import { registryRows } from './registry.ts'
import { type Row } from './rows.ts'
import { startServer, type ServerProcess } from '#test/harness/server.ts'

const connections = 64
/** `--only TEXT`: the rows whose name contains it. */
const only = optionOf('--only') ?? ''
const rounds = 3
const instances = 3_000
const yaml = `
starter: false
catalogue:
  flavors:
    - { id: bench, driver: simulated, attributes: { createMs: 0, startMs: 0, stopMs: 600000 }, graceMs: 3000000 }
`

function optionOf(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  return at === -1 ? undefined : process.argv[at + 1]
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-bench-'))
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  const began = performance.now()
  const server = await startServer(dataDir, yaml)
  const startMs = performance.now() - began
  try {
    const results = []
    for (const row of await rows(server, dataDir))
      if (row.what.includes(only)) results.push(await measure(server, row))
    print(results, startMs, residentMiB(server.pid))
    const json = optionOf('--json')
    if (json !== undefined) writeFileSync(json, JSON.stringify({ startMs, results }, null, 2))
  } finally {
    await server.end('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function rows(server: ServerProcess, dataDir: string): Promise<readonly Row[]> {
  const credentials = readFileSync(join(dataDir, 'credentials.env'), 'utf8')
  const value = (key: string): string =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(credentials)?.[1] ?? ''
  const project = value('OS_PROJECT_ID')
  const headers = { 'x-auth-token': value('RUNSTATE_TOKEN') }
  const json = { ...headers, 'content-type': 'application/json' }
  const ids = await fleet(server)
  const at = (n: number): string => ids[n % ids.length] ?? ''
  return [
    {
      what: 'GET one server',
      owe: 0.45,
      count: 20_000,
      rounds,
      request: (n) => ({ method: 'GET', path: `/v2.1/${project}/servers/${at(n)}`, headers }),
    },
    ...(await registryRows(server.url)),
    {
      what: 'os-stop accepted, durable',
      owe: 0.35,
      count: instances,
      rounds: 1,
      request: (n) => ({
        method: 'POST',
        path: `/v2.1/${project}/servers/${at(n)}/action`,
        body: '{"os-stop":{}}',
        headers: json,
      }),
    },
  ]
}

/** Simulated servers that run, and that take long to stop: only the acceptance is measured. */
async function fleet(server: ServerProcess): Promise<readonly string[]> {
  const ids: string[] = []
  while (ids.length < instances) {
    const made = await server.call('POST', '/api/v1/instances', {
      kind: 'server',
      name: `bench-${ids.length}`,
      flavor: 'bench',
      image: 'sim',
      count: 100,
    })
    ids.push(...(made.body['instances'] as string[]))
  }
  for (const id of ids.toReversed()) {
    while ((await server.call('GET', `/api/v1/instances/${id}`)).body['state'] !== 'running')
      await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return ids
}

interface Measured {
  readonly what: string
  readonly owe: number | null
  readonly ours: Figures
  readonly bare: Figures
  readonly ratio: number
}

async function measure(server: ServerProcess, row: Row): Promise<Measured> {
  const first = row.request(0)
  const sample =
    row.rounds > 1
      ? await fetch(`${server.url}${first.path}`, {
          method: first.method,
          headers: first.headers,
          ...(first.body === undefined ? {} : { body: first.body }),
        })
      : undefined
  const reference = await startReference(
    sample?.status ?? 204,
    sample ? Buffer.from(await sample.arrayBuffer()) : Buffer.alloc(0),
  )
  const ours: Figures[] = []
  const bare: Figures[] = []
  try {
    await load(reference.url, row.request, { count: 2_000, connections })
    if (row.rounds > 1) await load(server.url, row.request, { count: 2_000, connections })
    for (let round = 0; round < row.rounds; round++) {
      bare.push(await load(reference.url, row.request, { count: row.count, connections }))
      ours.push(await load(server.url, row.request, { count: row.count, connections }))
    }
  } finally {
    await reference.close()
  }
  const [mine, its] = [median(ours), median(bare)]
  return {
    what: row.what,
    owe: row.owe,
    ours: mine,
    bare: its,
    ratio: mine.perSecond / its.perSecond,
  }
}

const median = (all: readonly Figures[]): Figures =>
  all.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(all.length / 2)] as Figures // one per round, and there is a round

const residentMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

function print(results: readonly Measured[], startMs: number, memoryMiB: number): void {
  const fixed = (value: number, digits = 1): string => value.toFixed(digits)
  console.log(`${connections} connections, ${instances} instances, medians of ${rounds} rounds\n`)
  console.log(
    '| what | ours, req/s | bare node:http, req/s | ratio | owe | p50 ms | p99 ms | refused |',
  )
  console.log('|---|---|---|---|---|---|---|---|')
  for (const row of results) {
    console.log(
      `| ${row.what} | ${fixed(row.ours.perSecond, 0)} | ${fixed(row.bare.perSecond, 0)} | ${fixed(row.ratio, 2)} | ${row.owe ?? '–'} | ${fixed(row.ours.p50Ms)} | ${fixed(row.ours.p99Ms)} | ${row.ours.refused} |`,
    )
  }
  console.log(
    `\nstart to ready line, first start: ${fixed(startMs / 1000, 2)} s; resident after the run: ${fixed(memoryMiB, 0)} MiB`,
  )
}

await main()
