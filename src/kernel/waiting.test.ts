// The bound on a wait, in figures; that it holds whatever happens is test/model/queue-walk.test.ts's.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Board, flavor, target } from '#test/harness/board.ts'
import { turns } from './waiting.ts'

const free = flavor({
  id: 'free',
  charge: 'free',
  poolId: 'pool',
  releasesOnStop: true,
  autoStopMs: 60_000,
  graceMs: 2_000,
})

function lineOf(board: Board) {
  const pool = board.get('pools', 'pool')
  assert.ok(pool)
  const rows = board.all('instances')
  return {
    pool,
    holders: rows.filter((row) => row.place !== null),
    waiting: rows.filter((row) => row.queue !== null),
    flavorOf: () => free,
    nowMs: board.nowMs,
  }
}

it('the first turn is when a run must end at the latest, the next one a whole stay later', () => {
  const board = new Board([free], [{ id: 'pool', capacity: 1 }])
  const make = (name: string) =>
    board.create({ kind: 'notebook', flavorId: 'free', queues: true, name })
  const [holder, first, second] = [make('a'), make('b'), make('c')]
  board.settle(holder)
  const told = turns(lineOf(board), free)
  const stopMs = 2_000 + 15_000 + 2_000
  const handoverMs = 2_000
  const firstAt = board.nowMs + 60_000 + stopMs + handoverMs
  assert.deepEqual(told.get(first), { rank: 1, atMs: firstAt })
  const bringMs = 60_000 + 2 * 30_000 + 2_000
  const secondAt = firstAt + bringMs + 60_000 + stopMs + handoverMs
  assert.deepEqual(told.get(second), { rank: 2, atMs: secondAt })
  assert.equal(told.get('')?.rank, 3)
})

it('a free place is had at the next pass; where no place is, one run is counted on', () => {
  const board = new Board([free], [{ id: 'pool', capacity: 0 }])
  const id = board.create({ kind: 'notebook', flavorId: 'free', queues: true })
  assert.equal(turns(lineOf(board)).get(id)?.atMs, board.nowMs + 3_600_000)
  const line = lineOf(board)
  const open = { ...line, pool: { ...line.pool, capacity: 1 } }
  assert.equal(turns(open).get(id)?.atMs, board.nowMs + 2_000)
})

it('a project that comes new is not behind all of another crowd', () => {
  const board = new Board([free], [{ id: 'pool', capacity: 0 }])
  const make = (as?: 'other') => {
    const request = { verb: 'create', kind: 'notebook', name: 'n' } as const
    const rest = { flavorId: 'free', imageId: 'sim', queues: true }
    const caller = { ...board.context().caller, projectId: 'p2' as never } // branded ids of a test
    const made = board.must({ ...request, ...rest }, as ? { as: caller } : {})
    return String(made.instanceIds[0])
  }
  const crowd = [make(), make(), make()]
  const [one, two] = [make('other'), make('other')]
  const rankOf = (id: string | undefined) => turns(lineOf(board)).get(id ?? '')?.rank
  assert.deepEqual([...crowd, one, two].map(rankOf), [1, 3, 5, 2, 4])
  // Whoever leaves gives his turn to the next one of his own.
  board.must({ verb: 'dequeue', target: target(crowd[0] ?? '') })
  assert.deepEqual([crowd[1], crowd[2], one, two].map(rankOf), [2, 4, 1, 3])
})
