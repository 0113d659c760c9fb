// Registered instances: three facts, and the operator's word.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Board, code } from '#test/harness/board.ts'
import { type InstanceId } from '../ids.ts'

describe('registered instances', () => {
  const registered = (board: Board): InstanceId => {
    board.must({ verb: 'register-service', freshId: 's', key: 'k', name: 'n', attributes: {} })
    const receipt = board.must(registration)
    return receipt.instanceIds[0] as InstanceId // one was registered
  }
  const registration = {
    verb: 'register',
    service: 's',
    instance: 'i',
    hostName: 'h',
    endpoints: [],
    healthCheck: {},
    dataCenter: null,
    version: '1',
    ttlMs: 120_000,
    properties: {},
  } as const
  const statuses = ['up', 'down', 'starting', 'testing', 'out-of-service'] as const
  const ref = { kind: 'service-instance', service: 's', instance: 'i' } as const

  it('any status may follow any, and the same again is still a change', () => {
    for (const from of statuses) {
      for (const to of statuses) {
        const board = new Board()
        const id = registered(board)
        board.must({ verb: 'set-status', target: ref, as: 'operator', status: from })
        const before = board.all('services')[0]?.revision ?? 0
        board.must({ verb: 'set-status', target: ref, as: 'operator', status: to })
        assert.equal(board.instance(id).state, to)
        assert.equal(board.all('services')[0]?.revision, before + 1)
        assert.equal(board.events.at(-1)?.type, 'instance.status')
      }
    }
  })

  it('the word of an operator outlives a new registration', () => {
    const board = new Board()
    const id = registered(board)
    board.must({ verb: 'set-status', target: ref, as: 'operator', status: 'out-of-service' })
    board.must({ ...registration, status: 'up', endpoints: ['rest://a:1'] })
    assert.equal(board.instance(id).state, 'out-of-service')
    board.must({ verb: 'clear-status', target: ref })
    assert.equal(board.instance(id).state, 'up')
  })

  it('equal content again writes nothing until half of its term has passed', () => {
    const board = new Board()
    const id = registered(board)
    const before = board.instance(id)
    board.nowMs += 59_999
    board.must(registration)
    assert.equal(board.instance(id), before)
    board.nowMs += 1
    board.must(registration)
    assert.equal(board.instance(id).registration?.lease.renewedAtMs, board.nowMs)
  })

  it('equal content again is a heartbeat; a lease that ran out removes the instance', () => {
    const board = new Board()
    const id = registered(board)
    board.nowMs += 60_000
    assert.equal(board.must(registration).unchanged, 'already')
    board.nowMs += 119_000
    assert.equal(
      board.must({ verb: 'expire', instance: id, renewedAtMs: 0, dueSinceMs: 0 }).unchanged,
      'already',
    )
    board.nowMs += 1_000
    board.must({ verb: 'expire', instance: id, renewedAtMs: 0, dueSinceMs: 0 })
    assert.equal(board.get('instances', id), undefined)
    assert.equal(
      code(board.ask({ verb: 'set-status', target: ref, as: 'operator', status: 'up' })),
      'NotFound',
    )
  })
})
