// What time alone changes, and what moves its moments.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Board, code, flavor, target } from '#test/harness/board.ts'
import type { Instance } from '../instance.ts'

const hourMs = 3_600_000
const autoStop = { enabled: true, afterMs: hourMs }
const lease = { ...autoStop, isLease: true } as const
const stopsAt = (row: Instance): number | null => row.timers.autoStopAtMs

describe('auto stop', () => {
  it('counts from each moment at which it is seen up; a change waits for the next start', () => {
    const board = new Board()
    const id = board.create({ autoStop })
    board.nowMs += 5_000
    assert.equal(stopsAt(board.settle(id)), board.nowMs + hourMs)
    const armed = stopsAt(board.instance(id))
    board.must({
      verb: 'update',
      target: target(id),
      autoStop: { enabled: true, afterMs: 2 * hourMs },
    })
    assert.equal(stopsAt(board.instance(id)), armed)
    board.must({ verb: 'restart', target: target(id), rung: 'soft' })
    board.nowMs += 5_000
    assert.equal(stopsAt(board.settle(id)), board.nowMs + 2 * hourMs)
  })

  it('that is switched off while it runs stops nothing any more', () => {
    const board = new Board()
    const id = board.create({ autoStop })
    board.settle(id)
    const off = { enabled: false, afterMs: hourMs }
    board.must({ verb: 'update', target: target(id), autoStop: off })
    assert.equal(stopsAt(board.instance(id)), null)
    const told = board.events.findLast((event) => event.type === 'instance.updated')
    assert.equal(told?.data['runsUntilMs'], null)
    board.nowMs += hourMs
    assert.equal(board.must({ verb: 'wake', instance: id }).unchanged, 'already')
    assert.equal(board.instance(id).state, 'running')
  })

  it('that a flavor imposes is not switched off', () => {
    const board = new Board([flavor({ autoStopMs: 60_000 })])
    const id = board.create({ autoStop })
    const armed = stopsAt(board.settle(id))
    board.nowMs += 5_000
    const off = { enabled: false, afterMs: hourMs }
    board.must({ verb: 'update', target: target(id), autoStop: off })
    assert.equal(stopsAt(board.instance(id)), armed)
  })

  it('is a stop like any other, once, with its cause', () => {
    const board = new Board()
    const id = board.create({ autoStop })
    board.settle(id)
    board.nowMs += hourMs
    board.must({ verb: 'wake', instance: id })
    assert.equal(board.instance(id).state, 'stopping')
    assert.equal(board.must({ verb: 'wake', instance: id }).unchanged, 'already')
    const started = board.events.findLast((event) => event.type === 'operation.started')
    assert.deepEqual([started?.cause.by, started?.cause.why], ['timer', 'auto stop'])
    assert.equal(stopsAt(board.settle(id)), null)
  })
})

describe('a lease', () => {
  it('counts from when it was asked for, begins anew with each start, and is renewed while it runs', () => {
    const board = new Board()
    const id = board.create({ autoStop: lease })
    const askedAt = board.nowMs
    board.nowMs += 5_000
    assert.equal(stopsAt(board.settle(id)), askedAt + hourMs)
    board.nowMs += 5_000
    board.must({ verb: 'update', target: target(id), autoStop: { ...lease, afterMs: 2 * hourMs } })
    assert.equal(stopsAt(board.instance(id)), board.nowMs + 2 * hourMs)
    assert.equal(board.instance(id).autoStop?.sinceMs, board.nowMs)
    const told = board.events.findLast((event) => event.type === 'instance.updated')
    assert.equal(told?.data['runsUntilMs'], board.nowMs + 2 * hourMs)
    board.must({ verb: 'stop', target: target(id), rung: 'soft' })
    board.settle(id)
    board.nowMs += 10 * hourMs
    board.must({ verb: 'start', target: target(id) })
    const startedAt = board.nowMs
    board.nowMs += 1_000
    assert.equal(stopsAt(board.settle(id)), startedAt + 2 * hourMs)
    board.must({ verb: 'update', target: target(id), autoStop: { ...lease, enabled: false } })
    assert.equal(stopsAt(board.instance(id)), null)
  })

  it('of a flavor that imposes a time is as long as that', () => {
    const board = new Board([flavor({ autoStopMs: 60_000 })])
    const id = board.create({ autoStop: lease })
    const askedAt = board.nowMs
    board.nowMs += 5_000
    assert.equal(stopsAt(board.settle(id)), askedAt + 60_000)
  })
})

describe('storage time', () => {
  it('counts from when it became inactive, is put off by a hold, and removes once', () => {
    const board = new Board([flavor({ storeMs: hourMs })])
    const id = board.create()
    board.settle(id)
    board.must({ verb: 'stop', target: target(id), rung: 'soft' })
    assert.equal(board.settle(id).timers.removeAtMs, board.nowMs + hourMs)
    board.must({ verb: 'hold', target: target(id), kind: 'hold' })
    board.nowMs += hourMs
    board.must({ verb: 'wake', instance: id })
    assert.equal(board.instance(id).state, 'stopped')
    board.must({ verb: 'release', target: target(id), hold: { kind: 'hold' } })
    board.nowMs += hourMs
    board.must({ verb: 'wake', instance: id })
    assert.equal(board.instance(id).state, 'deleting')
    assert.equal(board.must({ verb: 'wake', instance: id }).unchanged, 'already')
  })
})

describe('what an instance is made of', () => {
  const flavors = [
    flavor({ id: 'small', poolId: 'pool' }),
    flavor({ id: 'large', poolId: 'pool', units: 2, charge: 'free' }),
    flavor({ id: 'gpu', hardware: 'GPU' }),
    flavor({ id: 'elsewhere', driver: 'process' }),
  ]

  it('changes while it is stopped, with its place and its charge', () => {
    const board = new Board(flavors, [{ id: 'pool', capacity: 2 }])
    const id = board.create()
    const change = (flavorId: string) => board.ask({ verb: 'update', target: target(id), flavorId })
    board.settle(id)
    assert.equal(code(change('large')), 'WrongState')
    board.must({ verb: 'stop', target: target(id), rung: 'soft' })
    board.settle(id)
    for (const [other, error] of [
      ['none', 'NotFound'],
      ['gpu', 'FlavorMismatch'],
      ['elsewhere', 'Unsupported'],
    ] as const)
      assert.equal(code(change(other)), error)
    assert.ok(change('large').ok)
    assert.equal(board.get('pools', 'pool')?.taken, 2)
    assert.equal(board.instance(id).charge, 'free')
    assert.ok(change('small').ok)
    board.create({ name: 'two' })
    assert.equal(code(change('large')), 'NoCapacity')
    assert.equal(board.get('pools', 'pool')?.taken, 2)
    assert.equal(board.instance(id).flavorId, 'small')
  })
})
