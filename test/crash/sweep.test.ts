// Many clients at once, and the server killed under them: at every write point in turn (kill-points.ts), and at any
// time. After each death the file on disk obeys every law that holds between rows, and what was answered is in it;
// after each start all comes to rest, with one process for what runs and none for what does not.
//
// RUNSTATE_TEST_SWEEP=<n> kills so often.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, it } from 'node:test'
import type { Instance } from '#kernel/instance.ts'
import type { Store } from '#kernel/ports/store.ts'
import type { Rows, TableName } from '#kernel/tables.ts'
import { openSqliteStore } from '#stores/sqlite/store.ts'
import { chance, type Chance } from '#test/harness/chance.ts'
import { EventLaws } from '#test/harness/event-laws.ts'
import type { KillPoint } from '#test/harness/kill-points.ts'
import { laws, type Tables } from '#test/harness/laws.ts'
import { Load } from '#test/harness/load.ts'
import { mentioning, processes } from '#test/harness/proc.ts'
import { scaled } from '#test/harness/scale.ts'
import { type ServerProcess, startServer } from '#test/harness/server.ts'
import { until } from '#test/harness/world.ts'

const kills = scaled('RUNSTATE_TEST_SWEEP', 24, 500)
const hook = resolve(import.meta.dirname, '../harness/kill-points.ts')
/** Beyond its last point a load has none left: then it is killed from outside, like every third. */
const pointMax = { main: 80, writer: 240 } as const
const loadMs = 2_500
const restWithinMs = 30_000

const yaml = `
starter: false
catalogue:
  flavors:
    - { id: quick, driver: process, graceMs: 500 }
    - { id: light, driver: simulated, attributes: { startMs: 20, stopMs: 20, removeMs: 5 } }
  images:
    - { id: sleeper, launch: { command: [sh, -c, "sleep 1000 & wait"] } }
    - { id: stubborn, launch: { command: [sh, -c, "trap '' TERM; while :; do sleep 0.2; done"] } }
drivers:
  process: { pollMs: 50 }
`

class Sweep {
  readonly folder = mkdtempSync(join(tmpdir(), 'runstate-sweep-'))
  readonly data = join(this.folder, 'data')
  readonly order = join(this.folder, 'point')
  readonly load: Load
  readonly hits = new Map<string, number>()
  readonly #dice: Chance
  readonly #events = new EventLaws()
  readonly #ended = new Map<string, string>()
  #server: ServerProcess | undefined

  constructor(dice: Chance) {
    this.#dice = dice
    this.load = new Load(dice)
    mkdirSync(this.data)
  }

  get server(): ServerProcess {
    assert.ok(this.#server)
    return this.#server
  }

  async start(): Promise<void> {
    for (const file of [this.order, `${this.order}.hit`]) rmSync(file, { force: true })
    this.#server = await startServer(this.data, yaml, {
      nodeArgs: ['--require', hook],
      env: { KILL_POINT: this.order },
    })
  }

  /** Load until it is dead: by its own hand at the point, or by ours when the time is over. */
  async killAt(point: KillPoint | null): Promise<void> {
    const { server } = this
    if (point) writeFileSync(this.order, JSON.stringify(point))
    const stop = this.load.begin(server)
    const afterMs = point ? loadMs : this.#dice.upTo(loadMs)
    const timer = setTimeout(() => void server.end('SIGKILL'), afterMs)
    await server.gone
    clearTimeout(timer)
    await stop()
    const hit = `${this.order}.hit`
    const name = existsSync(hit) ? readFileSync(hit, 'utf8') : 'any time'
    this.hits.set(name, (this.hits.get(name) ?? 0) + 1)
  }

  /** What is on disk between two lives. */
  async onDisk(): Promise<void> {
    const opened = await openSqliteStore(this.data)
    assert.ok(opened.ok, JSON.stringify(opened))
    const store = opened.value
    try {
      const tables = await tablesOf(store)
      laws(tables, this.#ended)
      await this.#events.check(store, tables)
      await this.load.kept(store)
    } finally {
      await store.close()
    }
  }

  async atRest(): Promise<void> {
    const rows = await until(
      () => this.rows(),
      (all) => all.every(({ busy }) => busy === null),
      restWithinMs,
    )
    await until(
      async () => misfitsOf(rows),
      (misfits) => misfits.length === 0,
      5_000,
    )
    for (const row of rows) assert.notEqual(row.state, 'failed', JSON.stringify(row))
  }

  async rows(): Promise<readonly Row[]> {
    const { body } = await this.server.call('GET', '/api/v1/instances?limit=1000')
    return body['items'] as readonly Row[] // what the native door lists
  }
}

interface Row extends Pick<Instance, 'id' | 'state' | 'flavorId'> {
  readonly busy: unknown
  readonly flavor: string | null
}

async function allOf<T extends 'instances' | 'operations' | 'pools' | 'services'>(
  store: Store,
  table: T,
): Promise<readonly Rows[T][]> {
  const rows: Rows[T][] = []
  for (;;) {
    const last = rows.at(-1)
    const page = await store.list(table, {
      limit: 1_000,
      ...(last === undefined ? {} : { after: { id: last.id } }),
    })
    rows.push(...page)
    if (page.length < 1_000) return rows
  }
}

async function tablesOf(store: Store): Promise<Tables> {
  const read = {
    instances: await allOf(store, 'instances'),
    operations: await allOf(store, 'operations'),
    pools: await allOf(store, 'pools'),
    services: await allOf(store, 'services'),
  }
  return {
    all: <T extends TableName>(table: T) =>
      read[table as keyof typeof read] as readonly Rows[TableName][] as readonly Rows[T][], // that table's rows
  }
}

/** One session for what runs, none for what does not, in words where it is otherwise. */
function misfitsOf(rows: readonly Row[]): readonly string[] {
  const groups = new Map<string, Set<number>>()
  for (const { isZombie, environment, group, command } of processes()) {
    const named = environment.find((entry) => entry.startsWith('RUNSTATE_INSTANCE_ID='))
    if (named === undefined || isZombie || command.includes('/control/shim')) continue
    const id = named.slice(named.indexOf('=') + 1)
    groups.set(id, (groups.get(id) ?? new Set()).add(group))
  }
  return rows
    .filter(({ flavor }) => flavor === 'quick')
    .flatMap(({ id, state }) => {
      const found = groups.get(id)?.size ?? 0
      const wanted = state === 'running' ? 1 : 0
      return found === wanted ? [] : [`${id} is ${state} with ${found} process groups`]
    })
}

/** Every third at any time; the others walk through the points of both threads, wide strides first. */
function pointOf(nth: number): KillPoint | null {
  if (nth % 3 === 2) return null
  const thread = nth % 3 === 0 ? 'writer' : 'main'
  const step = Math.floor(nth / 3)
  const total = Math.ceil(kills / 3)
  return { thread, nth: 1 + Math.floor((step * pointMax[thread]) / total) }
}

describe('kill -9 under load', () => {
  const sweep = new Sweep(chance(Number(process.env['RUNSTATE_TEST_SEED'] ?? 1)))
  after(async () => {
    await sweep.server.end('SIGKILL')
    for (const { pid } of mentioning(sweep.folder)) process.kill(pid, 'SIGKILL')
    rmSync(sweep.folder, { recursive: true, force: true })
  })

  it(`${kills} times: nothing acknowledged is lost, nothing doubled, nothing stuck`, async () => {
    await sweep.start()
    for (let nth = 0; nth < kills; nth++) {
      const point = pointOf(nth)
      try {
        await sweep.killAt(point)
        await sweep.onDisk()
        await sweep.start()
        await sweep.atRest()
      } catch (cause) {
        throw new Error(`kill ${nth}, at ${JSON.stringify(point)}`, { cause })
      }
    }
    assert.ok(sweep.load.acknowledged >= kills, `only ${sweep.load.acknowledged} were answered`)
    // Both threads were hit on the way in and on the way out, or the points are not where they should be.
    const names = [...sweep.hits.keys()].join(', ')
    assert.match(names, /statement/)
    assert.match(names, /(before|after) (?!statement)/)
    assert.match(names, /any time/)
  })

  it('and when all is removed, no process is left', async () => {
    for (const { id } of await sweep.rows())
      await sweep.server.call('DELETE', `/api/v1/instances/${id}`)
    await until(
      () => sweep.rows(),
      (rows) => rows.length === 0,
      restWithinMs,
    )
    assert.equal(await sweep.server.end('SIGTERM'), 0)
    await until(
      async () => mentioning(sweep.folder).map(({ command }) => command),
      (left) => left.length === 0,
    )
  })
})
