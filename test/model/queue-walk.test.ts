// The queue for counted places, walked at random: over the kernel alone, and over a whole plane that dies and
// begins again. What must hold is the witness's to say; what would show nothing is counted here.
//
// RUNSTATE_TEST_WALKS=<n> walks more; a seed that fails is named.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { Caller } from '#kernel/caller.ts'
import { projectId } from '#kernel/ids.ts'
import type { CallerRequest, InstanceRef } from '#kernel/request.ts'
import { type Instance, wakeAtMs } from '#kernel/instance.ts'
import { admin, Board, flavor, member } from '#test/harness/board.ts'
import { laws } from '#test/harness/laws.ts'
import { QueueWitness } from '#test/harness/queue-witness.ts'
import { planeQueueWalk } from '#test/harness/queue-walker.ts'

const projects = ['p1', 'p2', 'p3'] as const
const flavors = [
  flavor({
    id: 'free',
    charge: 'free',
    poolId: 'pool',
    releasesOnStop: true,
    autoStopMs: 60_000,
    storeMs: 900_000,
    reserveMs: 20_000,
    startMs: 10_000,
    graceMs: 2_000,
  }),
  flavor({
    id: 'wide',
    charge: 'free',
    poolId: 'pool',
    units: 2,
    releasesOnStop: true,
    autoStopMs: 90_000,
    reserveMs: 30_000,
    startMs: 5_000,
    graceMs: 2_000,
  }),
]

/** Requests as they come, and time in which all that is due happens at its moment. */
const step = fc.record({
  verb: fc.constantFrom(
    'create',
    'create',
    'create',
    'queue',
    'queue',
    'dequeue',
    'start',
    'start',
    'stop',
    'delete',
    'restart',
    'hold',
    'release',
    'resize',
    'pass-time',
    'pass-time',
    'pass-time',
    'pass-time',
  ),
  who: fc.nat(30),
  project: fc.nat(2),
  isWide: fc.nat(4).map((roll) => roll === 0),
  ms: fc.nat(70_000),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const as = (project: number): Caller => ({
  ...member,
  projectId: projectId(projects[project] ?? 'p1'),
})

function requestOf(
  verb: Step['verb'],
  target: InstanceRef,
  nowMs: number,
): CallerRequest | undefined {
  switch (verb) {
    case 'hold':
      return { verb, target, kind: 'hold', untilMs: nowMs + 30_000 }
    case 'release':
      return { verb, target, hold: { kind: 'hold' } }
    case 'stop':
    case 'restart':
      return { verb, target, rung: 'soft' }
    case 'queue':
    case 'dequeue':
    case 'start':
    case 'delete':
      return { verb, target }
    default:
      return undefined
  }
}

class Walk {
  readonly board = new Board(flavors, [{ id: 'pool', capacity: 3 }])
  readonly witness = new QueueWitness()
  readonly #ended = new Map<string, string>()
  /** When what is under way ends: within what it may take. */
  readonly #endsAt = new Map<string, number>()
  #seen = 0

  take(one: Step): void {
    if (one.verb === 'pass-time') this.#pass(one.ms, one.who)
    else if (one.verb === 'resize')
      this.board.ask(
        { verb: 'put', table: 'pools', row: { id: 'pool', capacity: one.who % 5 } },
        { as: admin },
      )
    else this.#request(one)
    this.look()
  }

  #request({ verb, who, project, isWide }: Step): void {
    if (verb === 'create') {
      const flavorId = isWide ? 'wide' : 'free'
      const made = { kind: 'notebook', name: 'n', flavorId, imageId: 'sim', queues: true } as const
      this.board.ask({ verb, ...made }, { as: as(project) })
      return
    }
    const rows = this.board.all('instances').filter((row) => row.state !== 'deleted')
    const row = rows[who % Math.max(1, rows.length)]
    if (!row) return
    const target = { kind: 'any', id: row.id } as const
    const request = requestOf(verb, target, this.board.nowMs)
    if (request) this.board.ask(request, { as: { ...member, projectId: row.project } })
  }

  /** What is due happens in order, each at its moment. */
  #pass(ms: number, pace: number): void {
    const untilMs = this.board.nowMs + ms
    for (let events = 0; events < 500; events++) {
      const next = this.#next(pace)
      if (!next || next.atMs > untilMs) break
      this.board.nowMs = Math.max(this.board.nowMs, next.atMs)
      next.happen()
      this.look()
    }
    this.board.nowMs = untilMs
  }

  #next(pace: number): { readonly atMs: number; readonly happen: () => void } | undefined {
    const due: { readonly atMs: number; readonly happen: () => void }[] = []
    for (const row of this.board.all('instances')) {
      const at = wakeAtMs(row)
      if (at !== null)
        due.push({ atMs: at, happen: () => this.board.ask({ verb: 'wake', instance: row.id }) })
      if (row.underway) due.push({ atMs: this.#endOf(row, pace), happen: () => this.#end(row) })
    }
    for (const pool of this.board.all('pools'))
      if (pool.passAtMs !== null)
        due.push({
          atMs: pool.passAtMs,
          happen: () => this.board.ask({ verb: 'pass', pool: pool.id }),
        })
    return due.toSorted((a, b) => a.atMs - b.atMs)[0]
  }

  #endOf({ underway, flavorId }: Instance, pace: number): number {
    if (!underway) return this.board.nowMs
    const known = this.#endsAt.get(underway.operationId)
    if (known !== undefined) return known
    const { startMs = 0, graceMs = 0 } = flavors.find(({ id }) => id === flavorId) ?? {}
    const isBringing = underway.verb === 'create' || underway.verb === 'start'
    const at = underway.sinceMs + Math.floor(((isBringing ? startMs : graceMs) * (pace % 5)) / 4)
    this.#endsAt.set(underway.operationId, at)
    return at
  }

  #end(row: Instance): void {
    this.board.settle(row.id)
  }

  look(): void {
    const { board } = this
    laws(board, this.#ended)
    const pool = board.get('pools', 'pool')
    assert.ok(pool)
    const events = board.events.slice(this.#seen)
    this.#seen = board.events.length
    this.witness.see({
      pool,
      instances: board.all('instances'),
      flavors,
      events,
      nowMs: board.nowMs,
    })
  }

  /** Left in peace, everybody who waits is served: every place is used again. */
  rest(): void {
    this.board.ask({ verb: 'put', table: 'pools', row: { id: 'pool', capacity: 3 } }, { as: admin })
    this.look()
    const waiting = () => this.board.get('pools', 'pool')?.waiting ?? 0
    for (let hours = 0; waiting() > 0; hours++) {
      assert.ok(hours < 60, `${waiting()} wait for ever`)
      this.#pass(60_000, hours)
    }
  }
}

it('kernel: places are never oversold, nobody overtakes, all are served, and no turn is later than told', () => {
  const runs = Number(process.env['RUNSTATE_TEST_WALKS'] ?? 40)
  const total = { turns: 0, kept: 0, overtaken: 0 }
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
      const walk = new Walk()
      for (const one of steps) walk.take(one)
      walk.rest()
      total.turns += walk.witness.turns
      total.kept += walk.witness.kept
      total.overtaken += walk.witness.overtaken
    }),
    { numRuns: runs },
  )
  // A walk in which nobody's turn comes shows nothing; how many come is chance.
  const { turns, kept, overtaken } = total
  assert.ok(turns > runs && kept > runs / 4 && overtaken > runs / 8, JSON.stringify(total))
})

const walks = Number(process.env['RUNSTATE_TEST_WALKS'] ?? 2)
const only = process.env['RUNSTATE_TEST_SEED']
const seeds = only === undefined ? Array.from({ length: walks }, (_, n) => n + 1) : [Number(only)]

it('plane: the same, however often it dies on the way', async () => {
  const total = { turns: 0, kept: 0, deaths: 0 }
  for (const seed of seeds) {
    try {
      const walked = await planeQueueWalk(seed)
      total.turns += walked.turns
      total.kept += walked.kept
      total.deaths += walked.deaths
    } catch (thrown) {
      throw new Error(`seed ${seed} (RUNSTATE_TEST_SEED=${seed} walks it alone)`, { cause: thrown })
    }
  }
  if (only === undefined)
    assert.ok(total.turns > walks && total.kept > 0 && total.deaths > 0, JSON.stringify(total))
})
