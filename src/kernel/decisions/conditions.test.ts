// The order in which what forbids a request is named.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { admin, Board, code, flavor, target } from '#test/harness/board.ts'
import type { Instance } from '../instance.ts'

describe('the order of checks', () => {
  it('names the first of all that forbid a stop', () => {
    const board = new Board()
    const id = board.create(
      {
        charge: 'PrePaid',
        conditions: { createdByService: 'vke', hostUnsupported: true, scheduled: true },
      },
      { as: admin },
    )
    const stop = (): string | undefined =>
      code(
        board.ask({
          verb: 'stop',
          target: target(id),
          rung: 'soft',
          from: ['running'],
          stoppedMode: 'release',
        }),
      )
    board.must({ verb: 'hold', target: target(id), kind: 'hold' })
    const lift = (change: Partial<Instance>): void =>
      board.put('instances', { ...board.instance(id), ...change })
    assert.equal(stop(), 'OwnedByService')
    lift({ conditions: { ...board.instance(id).conditions, createdByService: null } })
    assert.equal(stop(), 'Held')
    lift({ holds: [] })
    assert.equal(stop(), 'HostUnsupported')
    lift({ conditions: { ...board.instance(id).conditions, hostUnsupported: false } })
    assert.equal(stop(), 'Busy')
    board.settle(id)
    assert.deepEqual(
      board.ask({
        verb: 'stop',
        target: target(id),
        rung: 'soft',
        from: ['running'],
        stoppedMode: 'release',
      }),
      { ok: false, error: { code: 'CannotRelease', id, because: 'charge' } },
    )
    lift({ charge: 'PostPaid' })
    board.put('flavors', flavor({ mayRelease: false }))
    assert.deepEqual(
      board.ask({ verb: 'stop', target: target(id), rung: 'soft', stoppedMode: 'release' }),
      { ok: false, error: { code: 'CannotRelease', id, because: 'flavor' } },
    )
    board.put('flavors', flavor())
    assert.deepEqual(
      board.ask({ verb: 'stop', target: target(id), rung: 'soft', stoppedMode: 'release' }),
      { ok: false, error: { code: 'CannotRelease', id, because: 'scheduled' } },
    )
    lift({ conditions: { ...board.instance(id).conditions, scheduled: false } })
    board.put('drivers', { id: 'simulated', available: false, reason: 'out' })
    assert.equal(stop(), 'DriverUnavailable')
    board.put('drivers', { id: 'simulated', available: true, reason: null })
    assert.equal(stop(), undefined)
  })
})
