/**
 * Speed and size as ratios in one run: our server against a bare `node:http` server that answers the same bytes from
 * memory, in turn, with the same load from the same machine.
 *
 * `npm run bench -- [--only TEXT] [--rounds N] [--json FILE] [--markdown FILE]`
 *
 * - Each row: a warm-up of both, then rounds of both in turn; medians, and the least and greatest ratio.
 * - Then ours alone at half of what it carried, at a fixed pace: what one caller waits (load.ts).
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer, type ServerProcess } from '#test/harness/server.ts'
import { type Asked, closed, type Figures, paced } from './load.ts'
import { powerFlavor, powerRows } from './power.ts'
import { type Pushed, pushed } from './push.ts'
import { startReference } from './reference.ts'
import { registryRows } from './registry.ts'
import { type Measured, markdown, table } from './report.ts'
import type { Row } from './rows.ts'

const connections = 64
const warmUp = 3_000
/** `--only TEXT`: the rows whose name contains it. */
const only = optionOf('--only') ?? ''
const rounds = Number(optionOf('--rounds') ?? 5)
const watchers = Number(optionOf('--watchers') ?? 1_000)
const yaml = `
starter: false
catalogue:
  flavors:
    - ${powerFlavor}
`

function optionOf(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  return at === -1 ? undefined : process.argv[at + 1]
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-bench-'))
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  try {
    const size = await sizes(dataDir)
    const server = await startServer(dataDir, yaml)
    const rows: Measured[] = []
    let push: Pushed | undefined
    try {
      for (const row of await allRows(server, dataDir))
        if (row.what.includes(only)) {
          rows.push(await measure(server, row))
          console.error(table(rows.slice(-1)).at(-1))
        }
      if ('push'.includes(only)) push = await pushed(server, watchers)
    } finally {
      await server.end('SIGKILL')
    }
    const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`
    const results = { machine, connections, rounds, size, rows, push }
    const text = markdown(results)
    console.log(text)
    const [json, file] = [optionOf('--json'), optionOf('--markdown')]
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`)
    if (file !== undefined) writeFileSync(file, `${text}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** By then the engine has given back what the start has left over. */
const idleAfterMs = 20_000
const starts = 7
const bareFleet = { env: { RUNSTATE_STARTER: '0' } }

/** The first start makes the folder; of the others the medians, without a settings file and with one, in turn. */
async function sizes(dataDir: string) {
  const startMs = async (settings: string): Promise<number> => {
    const began = performance.now()
    const server = await startServer(dataDir, settings, bareFleet)
    const tookMs = performance.now() - began
    await server.end('SIGTERM')
    return tookMs
  }
  const firstStartMs = await startMs('')
  const [without, withFile]: [number[], number[]] = [[], []]
  while (without.length < starts) {
    without.push(await startMs(''))
    withFile.push(await startMs(yaml))
  }
  const idle = await startServer(dataDir, '', bareFleet)
  await new Promise((resolve) => setTimeout(resolve, idleAfterMs))
  const idleMiB = residentMiB(idle.pid)
  await idle.end('SIGTERM')
  return { firstStartMs, startMs: median(without), withFileMs: median(withFile), idleMiB }
}

async function allRows(server: ServerProcess, dataDir: string): Promise<readonly Row[]> {
  const credentials = readFileSync(join(dataDir, 'credentials.env'), 'utf8')
  const value = (key: string): string =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(credentials)?.[1] ?? ''
  const headers = { 'x-auth-token': value('RUNSTATE_TOKEN') }
  const power = await powerRows(server, { project: value('OS_PROJECT_ID'), headers })
  return [...power, ...(await registryRows(server.url))]
}

async function measure(server: ServerProcess, row: Row): Promise<Measured> {
  const sample = await answerOf(server.url, row.request(0, 0))
  const reference = await startReference(sample.status, sample.body)
  const [ours, bare]: [Figures[], Figures[]] = [[], []]
  let round = 0
  const next = () => {
    const nth = round
    return (n: number): Asked => row.request(n, nth)
  }
  const rest = async () => {
    round++
    await row.rest?.()
  }
  try {
    await rest()
    await closed(reference.url, next(), { count: warmUp, connections })
    await closed(server.url, next(), { count: Math.min(warmUp, row.count), connections })
    await rest()
    for (let done = 0; done < rounds; done++) {
      bare.push(await closed(reference.url, next(), { count: row.count, connections }))
      ours.push(await closed(server.url, next(), { count: row.count, connections }))
      await rest()
    }
    const perSecond = median(ours.map((one) => one.perSecond)) / 2
    const half = await paced(server.url, next(), { count: row.count, perSecond })
    await rest()
    return measured(row, { ours, bare, half })
  } finally {
    await reference.close()
  }
}

async function answerOf(url: string, { method, path, headers, body }: Asked) {
  const answer = await fetch(url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  })
  return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) }
}

function measured(
  { what, owe }: Row,
  { ours, bare, half }: { ours: readonly Figures[]; bare: readonly Figures[]; half: Figures },
): Measured {
  const ratios = ours.map((one, at) => one.perSecond / (bare[at]?.perSecond ?? Number.NaN))
  return {
    what,
    owe,
    perSecond: median(ours.map((one) => one.perSecond)),
    barePerSecond: median(bare.map((one) => one.perSecond)),
    ratio: median(ratios),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    half,
    refused: ours.reduce((sum, one) => sum + one.refused, half.refused),
  }
}

const median = (all: readonly number[]): number =>
  all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN

const residentMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

await main()
