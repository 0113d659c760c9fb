/**
 * What the same things cost as the fleet grows: `node bench/growth.ts [1000 100000 1000000]`.
 *
 * The fleet is written straight into the file, stopped and without a driver: it is there to be in the way. What is
 * asked for is asked through the door, with bench/power.ts's own servers beside it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instanceId, projectId } from '#kernel/ids.ts'
import { openSqliteStore } from '#stores/sqlite/store.ts'
import { rows } from '#test/contract/rows.ts'
import { startServer } from '#test/harness/server.ts'
import { type Asked, closed } from './load.ts'
import { powerFlavor, powerRows } from './power.ts'

const sizes = process.argv.slice(2).map(Number)
const fleets = sizes.length > 0 ? sizes : [1_000, 100_000, 1_000_000]
const perCommit = 2_000
const connections = 64
const powerRounds = 4
const yaml = `
starter: false
catalogue:
  flavors:
    - ${powerFlavor}
`

interface Grown {
  readonly fleet: number
  readonly startMs: number
  readonly residentMiB: number
  readonly getPerSecond: number
  readonly powerPerSecond: number
  readonly pageMs: number
}

async function grown(fleet: number): Promise<Grown> {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-growth-'))
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  try {
    await (await startServer(dataDir, yaml)).end('SIGTERM')
    const credentials = readFileSync(join(dataDir, 'credentials.env'), 'utf8')
    const value = (key: string): string =>
      new RegExp(`^${key}=(.*)$`, 'm').exec(credentials)?.[1] ?? ''
    const project = value('OS_PROJECT_ID')
    await fill(dataDir, project, fleet)
    const began = performance.now()
    const server = await startServer(dataDir, yaml)
    const startMs = performance.now() - began
    try {
      await new Promise((resolve) => setTimeout(resolve, 5_000))
      const status = readFileSync(`/proc/${server.pid}/status`, 'utf8')
      const residentMiB = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
      const headers = { 'x-auth-token': value('RUNSTATE_TOKEN') }
      const get = (path: string): Asked => ({ method: 'GET', path, headers })
      const servers = `/v2.1/${project}/servers`
      const one = (n: number): Asked => get(`${servers}/${idOf((n * 7_919) % fleet)}`)
      await closed(server.url, one, { count: 5_000, connections })
      const got = await closed(server.url, one, { count: 10_000, connections })
      const page = (n: number): Asked =>
        get(`${servers}/detail?status=SHUTOFF&limit=100&marker=${idOf((n * 104_729) % fleet)}`)
      await closed(server.url, page, { count: 50, connections: 1 })
      const paged = await closed(server.url, page, { count: 200, connections: 1 })
      const power = (await powerRows(server, { project, headers })).find((row) => row.rest)
      let powerPerSecond = 0
      for (let round = 0; power?.rest && round < powerRounds; round++) {
        const ask = (n: number): Asked => power.request(n, round)
        const done = await closed(server.url, ask, { count: power.count, connections })
        powerPerSecond = Math.max(powerPerSecond, done.perSecond)
        await power.rest()
      }
      const getPerSecond = got.perSecond
      return { fleet, startMs, residentMiB, getPerSecond, powerPerSecond, pageMs: paged.p50Ms }
    } finally {
      await server.end('SIGKILL')
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const idOf = (n: number) =>
  instanceId(`${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`)

async function fill(dataDir: string, project: string, fleet: number): Promise<void> {
  const opened = await openSqliteStore(dataDir)
  if (!opened.ok) throw new Error(opened.error.line)
  for (let n = 0; n < fleet; n += perCommit) {
    const writes = Array.from({ length: Math.min(perCommit, fleet - n) }, (_, at) => ({
      table: 'instances' as const,
      row: rows.instances({
        id: idOf(n + at),
        project: projectId(project),
        name: `idle-${n + at}`,
        state: 'stopped',
        driver: null,
        createdAtMs: 1_700_000_000_000 + n + at,
      }),
    }))
    await opened.value.commit({ writes, events: [] })
  }
  await opened.value.close()
}

console.log(
  '| instances | start to ready, ms | resident, MiB | GET one server, per second | os-stop/os-start, per second | page of 100 with a filter, ms |',
)
console.log('|--:|--:|--:|--:|--:|--:|')
for (const fleet of fleets) {
  const one = await grown(fleet)
  const cells = [one.startMs, one.residentMiB, one.getPerSecond, one.powerPerSecond]
  console.log(
    `| ${one.fleet} | ${cells.map((cell) => cell.toFixed(0)).join(' | ')} | ${one.pageMs.toFixed(1)} |`,
  )
}
