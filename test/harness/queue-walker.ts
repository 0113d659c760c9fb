// One random walk of a plane whose only pool is fought over by three projects, and which dies now and then.
// See test/model/queue-walk.test.ts.

import assert from 'node:assert/strict'
import type { Caller } from '#kernel/caller.ts'
import type { Event } from '#kernel/event.ts'
import { projectId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { CallerRequest } from '#kernel/request.ts'
import { admin, flavor, member } from './board.ts'
import { chance, type Chance } from './chance.ts'
import { MortalPlane } from './mortal-plane.ts'
import { QueueWitness } from './queue-witness.ts'

export interface QueueWalk {
  readonly turns: number
  readonly kept: number
  readonly deaths: number
}

const attributes = { createMs: 300, startMs: 2_000, stopMs: 500, hardStopMs: 200, removeMs: 200 }
const free = flavor({
  id: 'free',
  charge: 'free',
  poolId: 'pool',
  releasesOnStop: true,
  autoStopMs: 60_000,
  storeMs: 400_000,
  reserveMs: 20_000,
  startMs: 10_000,
  graceMs: 3_000,
  attributes,
})
const projects = ['p1', 'p2', 'p3'] as const
const capacity = 2
const asks = ['create', 'create', 'queue', 'queue', 'dequeue', 'start', 'stop', 'other'] as const

export async function planeQueueWalk(seed: number, steps = 40): Promise<QueueWalk> {
  const walker = new QueueWalker(chance(seed))
  await walker.furnish()
  for (let step = 0; step < steps; step++) await walker.step()
  await walker.rest()
  const { turns, kept } = walker.witness
  return { turns, kept, deaths: walker.deaths }
}

class QueueWalker {
  readonly #dice: Chance
  readonly #plane: MortalPlane
  readonly witness = new QueueWitness()
  deaths = 0
  #seen = 0
  #awayMs = 0

  constructor(dice: Chance) {
    this.#dice = dice
    this.#plane = new MortalPlane(dice)
    // Late answers are another walk's matter: here every act takes the time that it may.
    this.#plane.isUnruly = false
  }

  async furnish(): Promise<void> {
    await this.#plane.clock.settle()
    const image = { id: 'sim', name: 'sim', launch: {}, hardware: 'CPU', attributes: {} } as const
    this.#ask({
      verb: 'put',
      table: 'drivers',
      row: { id: 'simulated', available: true, reason: null },
    })
    this.#ask({ verb: 'put', table: 'images', row: { ...image, kinds: ['notebook'] } })
    this.#ask({ verb: 'put', table: 'flavors', row: free })
    this.#resize(capacity)
    await this.#plane.clock.settle()
    await this.#look()
  }

  #ask(request: CallerRequest, as: Caller = admin): void {
    const submission = { caller: as, door: 'test', requestId: 'r' }
    void this.#plane.plane?.submit(request, submission)
  }

  #resize(places: number): void {
    this.#ask({ verb: 'put', table: 'pools', row: { id: 'pool', capacity: places } })
  }

  async step(): Promise<void> {
    const { roll, upTo, pick } = this.#dice
    const plane = this.#plane
    if (!plane.isAlive) {
      this.deaths++
      await this.#go(upTo(3_000))
      plane.begin()
      await this.#go(100)
    }
    for (let asked = upTo(2); asked >= 0; asked--) await this.#request()
    if (roll() < 0.06) plane.die(pick(['now', 'before-commit', 'after-commit']))
    await this.#go(upTo(pick([50, 2_000, 10_000, 40_000])))
  }

  /** In short strides, so that what happens is seen about when it does. */
  async #go(ms: number, strideMs = 1_000): Promise<void> {
    for (let left = ms; left > 0; left -= strideMs) {
      const wasAlive = this.#plane.isAlive
      const stride = Math.min(left, strideMs)
      await this.#plane.clock.advance(stride)
      if (!wasAlive || !this.#plane.isAlive) this.#awayMs += stride
      await this.#look()
    }
  }

  async #request(): Promise<void> {
    const { upTo, pick } = this.#dice
    const verb = pick(asks)
    if (verb === 'create') {
      const made = { kind: 'notebook', name: 'n', flavorId: 'free', imageId: 'sim' } as const
      this.#ask({ verb, ...made, queues: true }, of(projectId(pick(projects))))
      return
    }
    const rows = (await this.#plane.all('instances')).filter((row) => row.state !== 'deleted')
    const row = rows[upTo(Math.max(0, rows.length - 1))]
    if (!row) return
    const target = { kind: 'any', id: row.id } as const
    const by = of(row.project)
    if (verb === 'stop') this.#ask({ verb, target, rung: 'soft' }, by)
    else if (verb === 'queue' || verb === 'dequeue' || verb === 'start')
      this.#ask({ verb, target }, by)
    else this.#seldom(pick(['resize', 'delete', 'restart', 'nothing']), row)
  }

  #seldom(verb: 'resize' | 'delete' | 'restart' | 'nothing', { id, project }: Instance): void {
    const target = { kind: 'any', id } as const
    if (verb === 'resize') this.#resize(1 + this.#dice.upTo(3))
    else if (verb === 'delete') this.#ask({ verb, target }, of(project))
    else if (verb === 'restart') this.#ask({ verb, target, rung: 'soft' }, of(project))
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#plane
    const pool = await store.get('pools', 'pool')
    if (!pool) return
    this.witness.see({
      pool,
      instances: await this.#instances(),
      flavors: [free],
      events: await this.#news(),
      nowMs: clock.nowMs(),
      awayMs: this.#awayMs,
    })
    this.#awayMs = 0
    assert.deepEqual(this.#plane.machine.faults, [], 'one thing for one instance')
    assert.deepEqual(this.#plane.bugs, [], 'nothing broke')
  }

  #instances = (): Promise<readonly Instance[]> => this.#plane.all('instances')

  async #news(): Promise<readonly Event[]> {
    const events: Event[] = []
    for (;;) {
      const page = await this.#plane.store.events({ after: this.#seen, limit: 1_000 })
      events.push(...page)
      this.#seen = page.at(-1)?.seq ?? this.#seen
      if (page.length < 1_000) return events
    }
  }

  /** Left in peace, everybody who waits is served. */
  async rest(): Promise<void> {
    this.#plane.pardon()
    if (!this.#plane.isAlive) this.#plane.begin()
    await this.#go(1_000)
    this.#resize(capacity)
    for (let minutes = 0; ; minutes++) {
      const pool = await this.#plane.store.get('pools', 'pool')
      if (pool?.waiting === 0) break
      assert.ok(minutes < 90, `${pool?.waiting} wait for ever`)
      await this.#go(60_000, 10_000)
    }
    await this.#plane.close()
  }
}

const of = (project: Instance['project']): Caller => ({ ...member, projectId: project })
