// Places and queues: taken, released, and served in order.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Board, code, flavor, target } from '#test/harness/board.ts'
import type { InstanceId } from '../ids.ts'

describe('capacity', () => {
  it('is released by a stop that asks for it, when it is seen down, and taken again by a start', () => {
    const board = new Board([flavor({ poolId: 'pool' })], [{ id: 'pool', capacity: 1 }])
    const id = board.create()
    board.settle(id)
    assert.equal(
      code(
        board.ask({
          verb: 'create',
          kind: 'server',
          name: 'two',
          flavorId: 'small',
          imageId: 'sim',
        }),
      ),
      'NoCapacity',
    )
    board.must({ verb: 'stop', target: target(id), rung: 'soft', stoppedMode: 'release' })
    assert.equal(board.get('pools', 'pool')?.taken, 1)
    board.settle(id)
    assert.equal(board.get('pools', 'pool')?.taken, 0)
    const two = board.create({ name: 'two' })
    assert.equal(code(board.ask({ verb: 'start', target: target(id) })), 'NoCapacity')
    assert.equal(
      code(board.ask({ verb: 'stop', target: target(id), rung: 'soft', stoppedMode: 'keep' })),
      'NoCapacity',
    )
    assert.equal(
      code(
        board.ask({
          verb: 'stop',
          target: target(id),
          rung: 'soft',
          stoppedMode: 'release',
          from: ['running'],
        }),
      ),
      'StoppedModeSame',
    )
    board.must({ verb: 'delete', target: target(two) })
    board.settle(two)
    board.must({ verb: 'start', target: target(id) })
    assert.equal(board.settle(id).stoppedMode, null)
  })

  it('one that somebody holds keeps its turn, lets others pass, and has it as soon as it is held no more', () => {
    const board = new Board(
      [flavor({ charge: 'free', poolId: 'pool', releasesOnStop: true })],
      [{ id: 'pool', capacity: 1 }],
    )
    const [first, held, next] = ['a', 'b', 'c'].map((name) =>
      board.create({ kind: 'notebook', name, queues: true }),
    ) as [InstanceId, InstanceId, InstanceId]
    const stateOf = (id: InstanceId) => board.instance(id).state
    const stop = (id: InstanceId) => {
      board.settle(id)
      board.must({ verb: 'stop', target: target(id), rung: 'soft' })
      board.settle(id)
      board.must({ verb: 'pass', pool: 'pool' })
    }
    board.must({ verb: 'hold', target: target(held), kind: 'hold' })
    stop(first)
    assert.deepEqual([stateOf(held), stateOf(next)], ['queued', 'provisioning'])
    stop(next)
    board.must({ verb: 'pass', pool: 'pool' })
    assert.equal(stateOf(held), 'queued')
    assert.equal(board.get('pools', 'pool')?.passAtMs, null, 'nobody can be served')
    const direct = board.create({ kind: 'notebook', name: 'd' })
    stop(direct)
    board.must({ verb: 'release', target: target(held), hold: { kind: 'hold' } })
    assert.equal(board.get('pools', 'pool')?.passAtMs, board.nowMs)
    board.must({ verb: 'pass', pool: 'pool' })
    assert.equal(stateOf(held), 'provisioning')
  })

  it('a free flavor queues first come first served: reserved, then started, or lapsed to the next', () => {
    const board = new Board(
      [flavor({ charge: 'free', poolId: 'pool', releasesOnStop: true })],
      [{ id: 'pool', capacity: 1 }],
    )
    const made = ['a', 'b', 'c'].map((name) =>
      board.create({ kind: 'notebook', name, queues: true }),
    )
    const [a, b, c] = made as [InstanceId, InstanceId, InstanceId]
    assert.deepEqual(
      made.map((id) => board.instance(id).state),
      ['provisioning', 'queued', 'queued'],
    )
    board.settle(a)
    board.must({ verb: 'dequeue', target: target(b) })
    board.must({ verb: 'queue', target: target(b) })
    board.must({ verb: 'stop', target: target(a), rung: 'soft' })
    board.settle(a)
    board.must({ verb: 'pass', pool: 'pool' })
    assert.equal(
      board.instance(c).state,
      'provisioning',
      'c waited longer than b, which left the queue',
    )
    board.settle(c)
    board.must({ verb: 'delete', target: target(c) })
    board.settle(c)
    board.must({ verb: 'pass', pool: 'pool' })
    assert.equal(board.instance(b).state, 'reserved')
    board.nowMs += 300_000
    board.must({ verb: 'wake', instance: b })
    assert.equal(board.instance(b).state, 'stopped')
    assert.equal(board.get('pools', 'pool')?.taken, 0)
  })

  it('a unique name is unique in its own collection', () => {
    const board = new Board()
    const named = { kind: 'notebook', name: 'same', uniqueName: true } as const
    board.create({ ...named, schemes: ['lab'] })
    board.create({ ...named, schemes: ['devenv'] })
    const again = { ...named, verb: 'create', flavorId: 'small', imageId: 'sim' } as const
    assert.equal(code(board.ask({ ...again, schemes: ['devenv'] })), 'AlreadyExists')
    assert.equal(code(board.ask(again)), 'AlreadyExists')
  })

  it('is kept by what failed to start and may run for all we know', () => {
    for (const [seen, taken] of [
      ['unknown', 1],
      ['down', 0],
    ] as const) {
      const board = new Board([flavor({ poolId: 'pool' })], [{ id: 'pool', capacity: 1 }])
      const id = board.create()
      board.report(id, { act: 'create', ok: true, handle: {} })
      for (let tries = 0; tries < 50 && board.instance(id).underway; tries++) {
        // The one of them that is not asked for counts for nothing.
        for (const act of ['start', 'stop'] as const) board.report(id, { act, ok: true })
        board.nowMs += 120_000
        if (board.instance(id).underway) board.report(id, { observation: board.seen(seen) })
      }
      assert.equal(board.instance(id).state, 'failed', seen)
      assert.equal(board.get('pools', 'pool')?.taken, taken, seen)
      board.observe(id, board.seen('down'))
      assert.equal(board.get('pools', 'pool')?.taken, 0, 'now everybody knows')
      board.must({ verb: 'start', target: target(id) })
      assert.equal(board.get('pools', 'pool')?.taken, 1)
    }
  })

  it('of what failed to be stopped is given back when it is seen down, if a stop gives it back', () => {
    for (const releasesOnStop of [true, false]) {
      const pools = [{ id: 'pool', capacity: 1 }]
      const board = new Board([flavor({ poolId: 'pool', releasesOnStop })], pools)
      const id = board.create()
      board.settle(id)
      board.must({ verb: 'stop', target: target(id), rung: 'hard' })
      board.report(id, { act: 'stop', ok: false, error: { code: 'refused', message: 'no' } })
      assert.equal(board.instance(id).state, 'failed')
      board.observe(id, board.seen('down'))
      assert.equal(board.get('pools', 'pool')?.taken, releasesOnStop ? 0 : 1)
    }
  })

  it('only free flavors queue, whatever the state', () => {
    const board = new Board()
    const id = board.create({ kind: 'notebook' })
    for (const verb of ['queue', 'dequeue'] as const)
      assert.equal(code(board.ask({ verb, target: target(id) })), 'NotQueueable')
  })
})
