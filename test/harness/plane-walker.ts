// One random walk of a plane, and what must hold along it. See test/model/plane-walk.test.ts.

import assert from 'node:assert/strict'
import type { Result } from '#kernel/errors.ts'
import type { Caller } from '#kernel/caller.ts'
import { instanceId, projectId, userId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import { rungs } from '#kernel/ladder.ts'
import type { CallerRequest, Receipt } from '#kernel/request.ts'
import type { Rows, TableName } from '#kernel/tables.ts'
import { admin } from './board.ts'
import { chance, type Chance } from './chance.ts'
import { EventLaws } from './event-laws.ts'
import { laws, type Tables } from './laws.ts'
import { handClock } from './hand-clock.ts'
import { MortalPlane, type Plant } from './mortal-plane.ts'
import { type Story, story } from './story.ts'
import { judgeAnswer, readEverywhere } from './walk-answers.ts'
import { randomAsk, type WalkRows } from './walk-asks.ts'
import { type Behind, WalkDoors } from './walk-doors.ts'
import { people, type People } from './walk-people.ts'
import { flavorNames, furniture } from './walk-world.ts'

export interface Walk {
  accepted: number
  refused: number
  deaths: number
  operations: number
  /** Requests that went through a door. */
  asked: number
}

const registered = { ttlMs: 20_000, service: 'svc1' } as const
/** As what a thing may be seen whose instance is said to be so. */
const mayBeSeen: Readonly<Record<string, readonly string[]>> = {
  running: ['up'],
  stopped: ['down', 'absent', 'paused', 'suspended', 'unknown'],
  paused: ['paused'],
  suspended: ['suspended'],
  deleted: ['absent'],
}
/** However much goes wrong, no operation is at work for longer, once the plane is left in peace. */
const restWithinMs = 900_000

export interface WalkOptions {
  readonly steps?: number
  readonly plant?: Plant
}

/** Walks, or throws what was broken first, with the story of how it came to that. */
export async function walk(
  seed: number,
  { steps = 60, plant = {} }: WalkOptions = {},
): Promise<Walk> {
  const walker = await Walker.of(chance(seed), plant)
  try {
    for (let step = 0; step < steps; step++) {
      await walker.step()
      await walker.check()
    }
    await walker.rest()
  } catch (broken) {
    const what = broken instanceof Error ? broken.message : String(broken)
    throw new Error(`seed ${seed}: ${what}\n${walker.story.tell(what)}`, { cause: broken })
  } finally {
    await walker.close()
  }
  return walker.walked
}

interface Snapshot extends Tables {
  readonly instances: readonly Instance[]
}

class Walker {
  readonly #dice: Chance
  readonly #people: People
  readonly #plane: MortalPlane
  readonly #ended = new Map<string, string>()
  readonly #events = new EventLaws()
  readonly #promised: Receipt[] = []
  /** When each lease was last said to live, and for how long. */
  readonly #beats = new Map<string, { readonly atMs: number; readonly ttlMs: number }>()
  readonly story: Story
  readonly walked: Walk = { accepted: 0, refused: 0, deaths: 0, operations: 0, asked: 0 }
  readonly #doors: WalkDoors
  #rows: WalkRows = { instances: [], operations: [], services: [] }
  #isClosing = false

  private constructor(dice: Chance, people: People, plant: Plant) {
    this.#dice = dice
    this.#people = people
    this.#plane = new MortalPlane(dice, {
      plant,
      homes: people.homes,
      say: (line) => this.story.say(line),
    })
    this.story = story(() => this.#plane.clock.nowMs())
    const { clock, bugs } = this.#plane
    people.follow(() => clock.nowMs())
    this.#doors = new WalkDoors({
      people,
      nowMs: () => clock.nowMs(),
      stir: () => clock.stir(),
      accepted: (receipt) => this.#answered({ ok: true, value: receipt }),
      logged: (line) => void (line.includes('StoreError') || bugs.push(line)),
    })
  }

  static async of(dice: Chance, plant: Plant): Promise<Walker> {
    const walker = new Walker(dice, await people(handClock().nowMs()), plant)
    const { clock, store } = walker.#plane
    await clock.settle()
    const writes = walker.#people.projects.map((row) => ({ table: 'projects', row }) as const)
    await store.commit({ writes, events: [] })
    for (const request of furniture) walker.#ask(request)
    await clock.settle()
    return walker
  }

  #ask(request: CallerRequest): void {
    const { ada } = this.#people.named
    const caller: Caller = {
      ...admin,
      userId: userId(ada.userId),
      userName: ada.name,
      projectId: projectId(ada.project),
    }
    this.story.say(`asks ${JSON.stringify(request)}`)
    const submitted = this.#plane.plane?.submit(request, { caller, door: 'test', requestId: 'r' })
    void submitted?.then((result) => this.#answered(result))
  }

  #answered(result: Result<Receipt>): void {
    if (!result.ok) return void this.walked.refused++
    this.walked.accepted++
    this.#promised.push(result.value)
  }

  get #behind(): Behind | null {
    const { plane, view } = this.#plane
    return plane && { plane, store: view }
  }

  #askDoor(): void {
    const behind = this.#behind
    if (!behind) return
    const nowMs = this.#plane.clock.nowMs()
    const choice = {
      dice: this.#dice,
      rows: this.#rows,
      people: this.#people,
      flavors: flavorNames,
    }
    const asked = randomAsk({ ...choice, nowMs })
    const { route, who, ask } = asked
    this.walked.asked++
    const what = `${who?.name ?? 'nobody'} asks ${route.door} ${ask.method} ${ask.target}`
    this.story.say(`${what} ${String(ask.body ?? '').slice(0, 100)}`)
    const { failed, laws } = this.#plane
    const { plane } = this.#plane
    void this.#doors.ask(behind, ask).then((answered) => {
      this.story.say(`${what} -> ${answered.heard.status} ${answered.heard.text.slice(0, 80)}`)
      // A disk that is away, or a life that ends, may be answered with regret; nothing else may.
      const isSorry =
        this.#plane.failed !== failed || this.#isClosing || this.#plane.plane !== plane
      judgeAnswer(laws.faults, asked, answered, {
        isSorry,
        rows: this.#rows,
        people: this.#people,
        changedBy: (requestId) => laws.changedBy(requestId),
      })
    })
  }

  #resize(id: string, capacity: number): void {
    this.#ask({ verb: 'put', table: 'pools', row: { id, capacity } })
  }

  async close(): Promise<void> {
    this.#plane.forget()
    await this.#doors.close()
  }

  async step(): Promise<void> {
    const { roll, upTo } = this.#dice
    const plane = this.#plane
    if (!plane.isAlive) {
      this.walked.deaths++
      this.story.say('begins again')
      plane.begin()
      await plane.clock.advance(upTo(500))
      return
    }
    const at = roll()
    if (at < 0.3) for (let asked = upTo(3); asked >= 0; asked--) this.#request()
    else if (at < 0.6) for (let asked = upTo(6); asked >= 0; asked--) this.#askDoor()
    else if (at < 0.7) await this.#beat()
    else if (at < 0.86) await this.#misfortune()
    // Some requests meet, some come one after another, some after all that was begun has ended.
    const paces = [0, 0, 5, 60, 400, 3_000, 12_000, 45_000] as const
    await plane.clock.advance(upTo(this.#dice.pick(paces)))
    if (roll() < 0.7) await plane.clock.settle()
  }

  async #misfortune(): Promise<void> {
    const { upTo, pick } = this.#dice
    const plane = this.#plane
    const what = pick(misfortunes)
    this.story.say(`misfortune: ${what}`)
    if (what === 'disk-away') plane.fail(1 + upTo(12))
    else if (what === 'disk-lies') plane.lie()
    else if (what === 'disk-slow') plane.slow(1 + upTo(6), upTo(8_000))
    else if (what === 'clock-forward') plane.clock.jump(upTo(90_000))
    else if (what === 'clock-back') this.#setBack(pick([upTo(20_000), 3_600_000]))
    else if (what === 'hint') for (const { id } of this.#rows.instances) plane.machine.hint(id)
    else if (what === 'close') await this.#close()
    else if (what === 'disk-breaks-in-a-rush') await this.#rush()
    else plane.die(what)
  }

  /** Requests that come while earlier ones are being written, on a disk that breaks somewhere among them. */
  async #rush(): Promise<void> {
    const { roll, upTo } = this.#dice
    for (let asked = 6 + upTo(12); asked > 0 && this.#plane.isAlive; asked--) {
      this.#request()
      if (roll() < 0.2) this.#plane.fail(1)
      if (roll() < 0.7) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** What was heard before is as long ago as it was, though the clock says that it has not happened yet. */
  #setBack(ms: number): void {
    this.#plane.clock.jump(-ms)
    for (const [id, beat] of this.#beats) this.#beats.set(id, { ...beat, atMs: beat.atMs - ms })
  }

  async #close(): Promise<void> {
    this.#isClosing = true
    // What is in flight is finished, however slow its disk is; a server gives up on that after its 10 s (run.ts).
    const mayTakeMs = 10_000 + this.#plane.slowMs
    const tookMs = await this.#plane.close()
    this.#isClosing = false
    assert.ok(tookMs < mayTakeMs, `an end in order is short, not ${tookMs} ms`)
  }

  #request(): void {
    const { roll, upTo, pick } = this.#dice
    const ids = this.#rows.instances.filter((row) => row.driver !== null).map((row) => row.id)
    const id = ids[upTo(Math.max(0, ids.length - 1))] ?? instanceId('none')
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
    else if (verb === 'register') this.#ask(registration(`i${upTo(2)}`, this.#plane.clock.nowMs()))
    else if (verb === 'status') this.#askStatus()
    else this.#ask({ verb, target })
  }

  /** What an operator says of a registered instance stands until an operator says otherwise. */
  #askStatus(): void {
    const { roll, pick } = this.#dice
    const row = this.#rows.instances.find(({ registration: one }) => one !== null)
    if (!row) return
    const target = { kind: 'any', id: row.id } as const
    if (roll() < 0.2) this.#ask({ verb: 'clear-status', target })
    else
      this.#ask({
        verb: 'set-status',
        target,
        as: pick(['operator', 'self']),
        status: pick(statuses),
      })
  }

  #creation(): CallerRequest {
    const { roll, pick } = this.#dice
    const free = roll() < 0.3
    return {
      verb: 'create',
      kind: free || roll() < 0.2 ? 'notebook' : 'server',
      name: 'n',
      flavorId: free ? 'free' : pick(flavorNames),
      imageId: 'sim',
      queues: free,
    }
  }

  async #beat(): Promise<void> {
    const rows = this.#rows.instances.filter((row) => row.registration && this.#dice.roll() < 0.8)
    const atMs = this.#plane.clock.nowMs()
    const alive = (await this.#plane.plane?.beat(rows.map(({ id }) => id))) ?? []
    rows.forEach(({ id, registration }, nth) => {
      const ttlMs = registration?.lease.ttlMs ?? 0
      if (alive[nth]) this.#beats.set(id, { atMs, ttlMs })
    })
  }

  async #snapshot(): Promise<Snapshot> {
    const rows = {
      instances: await this.#plane.all('instances'),
      operations: await this.#plane.all('operations'),
      pools: await this.#plane.all('pools'),
      flavors: await this.#plane.all('flavors'),
      services: await this.#plane.all('services'),
    }
    this.#rows = rows
    const all = <T extends TableName>(table: T): readonly Rows[T][] => {
      assert.ok(table in rows, `${table} is in no snapshot`)
      return rows[table as keyof typeof rows] as readonly Rows[TableName][] as readonly Rows[T][] // that table's rows
    }
    return { instances: rows.instances, all }
  }

  async check(): Promise<Snapshot> {
    const tables = await this.#snapshot()
    laws(tables, this.#ended)
    await this.#events.check(this.#plane.store, tables)
    assert.deepEqual(this.#plane.laws.faults, [])
    assert.deepEqual(this.#plane.machine.faults, [], 'law 4: one thing for one instance')
    assert.deepEqual(this.#plane.bugs, [], 'nothing broke')
    for (const [id, atMs] of this.#events.expired) {
      const beat = this.#beats.get(id)
      assert.ok(!beat || beat.atMs + beat.ttlMs <= atMs, `${id} expired though its beat was heard`)
    }
    await this.#kept()
    await this.#oneTruth()
    this.walked.operations = tables.all('operations').length
    return tables
  }

  /** What was answered is on disk (law 1). */
  async #kept(): Promise<void> {
    for (const { operationId, instanceIds } of this.#promised.splice(0)) {
      if (operationId !== undefined)
        assert.ok(
          await this.#plane.store.get('operations', operationId),
          'law 1: an answer was lost',
        )
      for (const id of instanceIds) {
        const told = await this.#plane.store.events({ after: 0, instanceId: id, limit: 1 })
        assert.equal(told.length, 1, 'law 1: an answer was lost')
      }
    }
  }

  /** What one door shows is what every door shows, and what is (law 7). */
  async #oneTruth(): Promise<void> {
    const { roll, pick } = this.#dice
    const behind = roll() < 0.3 && !this.#isClosing ? this.#behind : null
    const servers = this.#rows.instances.filter(({ kind }) => kind === 'server')
    const [first, ...others] = servers
    if (!behind || !first) return
    const row = pick([first, ...others])
    const shown: string[] = []
    const reading = readEverywhere(row, {
      read: async (ask) => (await this.#doors.ask(behind, ask)).heard,
      people: this.#people,
      nowMs: this.#plane.clock.nowMs(),
    })
    void reading.then((faults) => shown.push(...faults))
    await this.#plane.clock.settle()
    const now = await this.#plane.store.get('instances', row.id)
    if (JSON.stringify(now) === JSON.stringify(row)) assert.deepEqual(shown, [])
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
      assert.ok(plane.clock.nowMs() < untilMs, `law 2: it never ends: ${JSON.stringify(late[0])}`)
    }
    await plane.clock.advance(15_000)
    const tables = await this.check()
    for (const row of tables.instances) await this.#asItIs(row, tables)
    await this.#close()
  }

  async #asItIs({ id }: Instance, tables: Tables): Promise<void> {
    const verbs = tables.all('operations').filter(({ instanceId: of }) => of === id)
    const { verb, state } = verbs.at(-1) ?? {}
    const fault = (await this.#otherwise(id)) && (await this.#stillOtherwise(id))
    assert.equal(fault, null, `${fault}; ${verb} ${state}`)
  }

  /** What has changed at this very moment is looked at within the next sweep. */
  async #stillOtherwise(id: Instance['id']): Promise<string | null> {
    await this.#plane.clock.advance(5_000)
    return this.#otherwise(id)
  }

  /** What a row says that is not so; null when it is. */
  async #otherwise(id: Instance['id']): Promise<string | null> {
    const row = await this.#plane.store.get('instances', id)
    if (!row || row.driver === null || row.underway) return null
    const { seen } = await this.#plane.look(row)
    // It is still hidden from the drivers, or an image is being taken: what the row says is the last that was known.
    if (row.observation.seen === 'unknown') return null
    const isSo = mayBeSeen[row.state]?.includes(seen) ?? true
    return isSo ? null : `${id} (${row.flavorId}) is ${row.state} and seen ${seen}`
  }
}

const isRunning = (row: Rows['operations']): boolean => row.state === 'running'

/** The same again is a heartbeat and writes nothing; what is told changes now and then. */
const registration = (instance: string, nowMs: number): CallerRequest => ({
  verb: 'register',
  service: registered.service,
  instance,
  hostName: 'h',
  endpoints: [`rest://h:${Math.floor(nowMs / 10_000)}`],
  healthCheck: {},
  dataCenter: null,
  version: '1',
  ttlMs: registered.ttlMs,
  properties: {},
})

const misfortunes = [
  'disk-away',
  'disk-away',
  'disk-lies',
  'disk-slow',
  'clock-forward',
  'clock-back',
  'hint',
  'close',
  'disk-breaks-in-a-rush',
  'disk-breaks-in-a-rush',
  'now',
  'before-commit',
  'after-commit',
] as const

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
  'status',
] as const

const statuses = ['up', 'down', 'out-of-service'] as const
