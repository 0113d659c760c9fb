// One random walk of a plane, and what must hold along it. See test/model/plane-walk.test.ts.

import assert from 'node:assert/strict'
import { type Flavor } from '#kernel/catalogue.ts'
import { type Result } from '#kernel/errors.ts'
import { type InstanceId, instanceId } from '#kernel/ids.ts'
import { type Instance } from '#kernel/instance.ts'
import { rungs } from '#kernel/ladder.ts'
import { type CallerRequest, type Receipt } from '#kernel/request.ts'
import { type Rows, type TableName } from '#kernel/tables.ts'
import { admin, flavor } from './board.ts'
import { chance, type Chance } from './chance.ts'
import { EventLaws } from './event-laws.ts'
import { laws, type Tables } from './laws.ts'
import { MortalPlane } from './mortal-plane.ts'

export interface Walk {
  accepted: number
  refused: number
  deaths: number
  operations: number
}

const attributes = {
  plain: {},
  stubborn: { ignoreSoftStop: true },
  flaky: { failRate: 0.2 },
  clumsy: {
    failAt: [
      { act: 'start', times: 2 },
      { act: 'stop', times: 2, code: 'timeout' },
    ],
  },
  tough: { stopMs: 30_000, hardStopMs: 20_000 },
  hanging: { hangAt: ['start'] },
  hidden: { reportUnknown: { fromMs: 0, toMs: 20_000 } },
  dying: { driftDownAfterMs: 30_000 },
  reviving: { driftUpAfterMs: 25_000 },
  forgotten: { forgetAfterMs: 40_000 },
  polite: { failAt: [{ act: 'capture', code: 'unsupported' }], createMs: 3_000, removeMs: 3_000 },
} as const
type Name = keyof typeof attributes
const names = Object.keys(attributes) as [Name, ...Name[]] // keys of a const table

const flavors: readonly Flavor[] = [
  ...names.map((id) =>
    flavor({ id, poolId: 'counted', graceMs: 4_000, startMs: 15_000, attributes: attributes[id] }),
  ),
  flavor({
    id: 'free',
    charge: 'free',
    poolId: 'free',
    releasesOnStop: true,
    autoStopMs: 45_000,
    storeMs: 200_000,
    reserveMs: 20_000,
  }),
]
const registered = { ttlMs: 20_000, service: 'reg' } as const
/** However much goes wrong, no operation is at work for longer, once the plane is left in peace. */
const restWithinMs = 900_000

export async function walk(seed: number, steps = 60): Promise<Walk> {
  const dice = chance(seed)
  const walker = new Walker(dice)
  await walker.furnish()
  for (let step = 0; step < steps; step++) {
    await walker.step()
    await walker.check()
  }
  await walker.rest()
  return walker.walked
}

interface Snapshot extends Tables {
  readonly instances: readonly Instance[]
}

class Walker {
  readonly #dice: Chance
  readonly #plane: MortalPlane
  readonly #ended = new Map<string, string>()
  readonly #events = new EventLaws()
  readonly #promised: Receipt[] = []
  /** When each lease was last said to live. */
  readonly #beats = new Map<string, number>()
  readonly walked: Walk = { accepted: 0, refused: 0, deaths: 0, operations: 0 }
  #ids: readonly InstanceId[] = []
  #registered: readonly InstanceId[] = []

  constructor(dice: Chance) {
    this.#dice = dice
    this.#plane = new MortalPlane(dice)
  }

  async furnish(): Promise<void> {
    const image = { id: 'sim', name: 'sim', launch: {}, hardware: 'CPU', attributes: {} } as const
    await this.#plane.clock.settle()
    const kinds = ['server', 'notebook', 'edge-instance'] as const
    this.#ask({
      verb: 'put',
      table: 'drivers',
      row: { id: 'simulated', available: true, reason: null },
    })
    this.#ask({ verb: 'put', table: 'images', row: { ...image, kinds } })
    for (const row of flavors) this.#ask({ verb: 'put', table: 'flavors', row })
    for (const id of ['n1', 'n2'])
      this.#ask({
        verb: 'put',
        table: 'nodes',
        row: { id, name: id, state: 'ready', attributes: {} },
      })
    this.#resize('counted', 6)
    this.#resize('free', 2)
    const freshId = 'reg'
    this.#ask({
      verb: 'register-service',
      id: 'reg',
      freshId,
      key: 'reg',
      name: 'reg',
      attributes: {},
    })
    await this.#plane.clock.settle()
  }

  #ask(request: CallerRequest): void {
    const submitted = this.#plane.plane?.submit(request, {
      caller: admin,
      door: 'test',
      requestId: 'r',
    })
    void submitted?.then((result) => this.#answered(result))
  }

  #answered(result: Result<Receipt>): void {
    if (!result.ok) return void this.walked.refused++
    this.walked.accepted++
    this.#promised.push(result.value)
  }

  #resize(id: string, capacity: number): void {
    this.#ask({ verb: 'put', table: 'pools', row: { id, capacity } })
  }

  async step(): Promise<void> {
    const { roll, upTo } = this.#dice
    const plane = this.#plane
    if (!plane.isAlive) {
      this.walked.deaths++
      plane.begin()
      await plane.clock.advance(upTo(500))
      return
    }
    const at = roll()
    if (at < 0.5) for (let asked = upTo(3); asked >= 0; asked--) this.#request()
    else if (at < 0.55) plane.fail(1 + upTo(12))
    else if (at < 0.6) plane.die(this.#dice.pick(['now', 'before-commit', 'after-commit']))
    else if (at < 0.62) assert.ok((await plane.close()) < 10_000, 'an end in order is short')
    else if (at < 0.7) await this.#beat()
    // Some requests meet, some come one after another, some after all that was begun has ended.
    const paces = [0, 0, 5, 60, 400, 3_000, 12_000, 45_000] as const
    await plane.clock.advance(upTo(this.#dice.pick(paces)))
    if (roll() < 0.7) await plane.clock.settle()
  }

  #request(): void {
    const { roll, upTo, pick } = this.#dice
    const id = this.#ids[upTo(Math.max(0, this.#ids.length - 1))] ?? instanceId('none')
    const target = { kind: 'any', id } as const
    const verb = pick(requests)
    if (verb === 'create') this.#ask(this.#creation())
    else if (verb === 'stop' || verb === 'restart') this.#ask({ verb, target, rung: pick(rungs) })
    else if (verb === 'hard-stop') this.#ask({ verb: 'stop', target, rung: 'hard' })
    else if (verb === 'rebuild') this.#ask({ verb, target, imageId: 'sim' })
    else if (verb === 'capture') this.#ask({ verb, target, imageName: 'i' })
    else if (verb === 'hold')
      this.#ask({ verb, target, kind: 'hold', untilMs: this.#plane.clock.nowMs() + upTo(60_000) })
    else if (verb === 'update') this.#ask({ verb, target, description: String(roll()) })
    else if (verb === 'reset') this.#ask({ verb, target, to: pick(['running', 'failed']) })
    else if (verb === 'resize') this.#resize(pick(['counted', 'free']), upTo(6))
    else if (verb === 'register') this.#ask(registration(`r${upTo(2)}`))
    else this.#ask({ verb, target })
  }

  #creation(): CallerRequest {
    const { roll, pick } = this.#dice
    const free = roll() < 0.3
    return {
      verb: 'create',
      kind: free || roll() < 0.2 ? 'notebook' : 'server',
      name: 'n',
      flavorId: free ? 'free' : pick(names),
      imageId: 'sim',
      queues: free,
    }
  }

  async #beat(): Promise<void> {
    const ids = this.#registered.filter(() => this.#dice.roll() < 0.8)
    const nowMs = this.#plane.clock.nowMs()
    const alive = (await this.#plane.plane?.beat(ids)) ?? []
    ids.forEach((id, nth) => alive[nth] && this.#beats.set(id, nowMs))
  }

  async #snapshot(): Promise<Snapshot> {
    const rows = {
      instances: await this.#plane.all('instances'),
      operations: await this.#plane.all('operations'),
      pools: await this.#plane.all('pools'),
    }
    const all = <T extends TableName>(table: T): readonly Rows[T][] => {
      assert.ok(table in rows, `${table} is in no snapshot`)
      return rows[table as keyof typeof rows] as readonly Rows[TableName][] as readonly Rows[T][] // that table's rows
    }
    return { instances: rows.instances, all }
  }

  async check(): Promise<Snapshot> {
    const tables = await this.#snapshot()
    this.#ids = tables.instances.filter((row) => row.driver !== null).map((row) => row.id)
    this.#registered = tables.instances.filter((row) => row.registration).map((row) => row.id)
    laws(tables, this.#ended)
    await this.#events.check(this.#plane.store, tables)
    assert.deepEqual(this.#plane.machine.faults, [], 'one thing for one instance')
    assert.deepEqual(this.#plane.bugs, [], 'nothing broke')
    for (const [id, atMs] of this.#events.expired) {
      const beatMs = this.#beats.get(id) ?? 0
      assert.ok(beatMs + registered.ttlMs <= atMs, `${id} expired though its beat was heard`)
    }
    await this.#kept()
    this.walked.operations = tables.all('operations').length
    return tables
  }

  /** What was answered is on disk (law 1). */
  async #kept(): Promise<void> {
    for (const { operationId, instanceIds } of this.#promised.splice(0)) {
      if (operationId !== undefined)
        assert.ok(await this.#plane.store.get('operations', operationId), 'an answer was lost')
      for (const id of instanceIds) {
        const told = await this.#plane.store.events({ after: 0, instanceId: id, limit: 1 })
        assert.equal(told.length, 1, 'an answer was lost')
      }
    }
  }

  /** Left in peace, every operation comes to its end, and the rows say what is. */
  async rest(): Promise<void> {
    const plane = this.#plane
    plane.isUnruly = false
    plane.pardon()
    if (!plane.isAlive) plane.begin()
    const waiting = (await this.#snapshot()).all('operations').filter(isRunning)
    const untilMs = plane.clock.nowMs() + restWithinMs
    for (;;) {
      await plane.clock.advance(5_000)
      const rows = await Promise.all(waiting.map(({ id }) => plane.store.get('operations', id)))
      const late = rows.filter((row) => row && isRunning(row))
      if (late.length === 0) break
      assert.ok(plane.clock.nowMs() < untilMs, `never ends: ${JSON.stringify(late[0])}`)
    }
    await plane.clock.advance(15_000)
    const tables = await this.check()
    for (const row of tables.instances) await this.#asItIs(row, tables)
    await plane.close()
  }

  async #asItIs(row: Instance, tables: Tables): Promise<void> {
    if (row.driver === null || row.underway) return
    const { seen } = await this.#plane.look(row)
    // It is still hidden from the drivers, or an image is being taken: what the row says is the last that was known.
    if (row.observation.seen === 'unknown') return
    const last = tables
      .all('operations')
      .filter((one) => one.instanceId === row.id)
      .at(-1)
    const what = `${row.id} (${row.flavorId}) is ${row.state} and seen ${seen}; ${last?.verb} ${last?.state}`
    if (row.state === 'running') assert.equal(seen, 'up', what)
    if (row.state === 'stopped') assert.notEqual(seen, 'up', what)
    if (row.state === 'paused' || row.state === 'suspended') assert.equal(seen, row.state, what)
    if (row.state === 'deleted') assert.equal(seen, 'absent', what)
  }
}

const isRunning = (row: Rows['operations']): boolean => row.state === 'running'

const registration = (instance: string): CallerRequest => ({
  verb: 'register',
  service: registered.service,
  instance,
  hostName: 'h',
  endpoints: [],
  healthCheck: {},
  dataCenter: null,
  version: '1',
  ttlMs: registered.ttlMs,
  properties: {},
})

const requests = [
  'create',
  'create',
  'create',
  'start',
  'start',
  'stop',
  'stop',
  'hard-stop',
  'restart',
  'capture',
  'pause',
  'unpause',
  'suspend',
  'resume',
  'rebuild',
  'queue',
  'dequeue',
  'delete',
  'hold',
  'update',
  'reset',
  'resize',
  'register',
] as const
