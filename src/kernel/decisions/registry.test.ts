// Registered instances: three facts, and the operator's word.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Board, code } from '#test/harness/board.ts'
import type { InstanceId } from '../ids.ts'

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

  it('a status that would be over at once is refused', () => {
    const board = new Board()
    registered(board)
    const asked = board.ask({
      verb: 'set-status',
      target: ref,
      as: 'operator',
      status: 'down',
      untilMs: board.nowMs,
    })
    assert.equal(code(asked), 'BadField')
  })

  it('a row that says that it was renewed in the future does not keep a lease from running out', () => {
    const board = new Board()
    const id = registered(board)
    board.nowMs -= 3_600_000
    const expire = { verb: 'expire', instance: id, dueSinceMs: 0 } as const
    const renewedAtMs = board.nowMs - 119_999
    assert.equal(board.must({ ...expire, renewedAtMs }).unchanged, 'already')
    board.must({ ...expire, renewedAtMs: renewedAtMs - 1 })
    assert.equal(board.get('instances', id), undefined)
  })
})

describe('dependencies', () => {
  const service = (board: Board, id: string, key: string) =>
    board.must({ verb: 'register-service', id, freshId: id, key, name: id, attributes: {} })
  const depend = {
    verb: 'depend',
    service: 'consumer',
    on: ['/shop/provider'],
    replace: false,
  } as const
  const remove = { verb: 'unregister-service', service: 'provider', force: false } as const
  const staged = (): Board => {
    const board = new Board()
    service(board, 'consumer', '/shop/consumer/1')
    service(board, 'provider', '/shop/provider/1')
    return board
  }

  it('what is said again changes nothing, and what is replaced is forgotten', () => {
    const board = staged()
    board.must(depend)
    const events = board.events.length
    assert.equal(board.must(depend).unchanged, 'already')
    assert.equal(board.events.length, events)
    board.must({ ...depend, on: ['/shop/other'], replace: true })
    assert.deepEqual(
      board.all('dependencies').map((one) => one.provider.split(' ')[1]),
      ['/shop/other'],
    )
  })

  it('a microservice that another needs goes by force only', () => {
    const board = staged()
    board.must(depend)
    assert.equal(code(board.ask(remove)), 'ServiceInUse')
    board.must({ ...remove, force: true })
    assert.equal(board.all('dependencies').length, 1, 'the wish stays for who comes next')
  })

  it('who goes needs nobody any more, and nobody is kept by his own need', () => {
    const board = staged()
    board.must(depend)
    board.must({ ...depend, service: 'provider' })
    board.must({ ...remove, service: 'consumer' })
    board.must(remove)
    assert.equal(board.all('dependencies').length, 0)
  })

  it('guessing names leaves no endless trail', () => {
    const board = staged()
    const on = Array.from({ length: 1_000 }, (_, n) => `/shop/wish-${n}`)
    board.must({ ...depend, on })
    assert.equal(code(board.ask(depend)), 'QuotaExceeded')
    board.must({ ...depend, replace: true })
  })
})

describe('the last event of a registered instance', () => {
  it('tells what it was and of which service', () => {
    const board = new Board()
    board.must({ verb: 'register-service', freshId: 's', key: 'k/1', name: 'n', attributes: {} })
    board.must({
      verb: 'register',
      service: 's',
      instance: 'i',
      hostName: 'h',
      endpoints: ['rest://a:1'],
      healthCheck: {},
      dataCenter: null,
      version: '1',
      ttlMs: 120_000,
      properties: { z: '1' },
    })
    const target = { kind: 'service-instance', service: 's', instance: 'i' } as const
    board.must({ verb: 'unregister', target })
    const { data } = board.events.at(-1) ?? {}
    assert.equal(data?.['service'], board.all('services')[0]?.id)
    assert.deepEqual(data?.['last'], {
      name: 'i',
      labels: { z: '1' },
      createdAtMs: board.nowMs,
      updatedAtMs: board.nowMs,
      hostName: 'h',
      endpoints: ['rest://a:1'],
      healthCheck: {},
      dataCenter: null,
      version: '1',
    })
  })
})

describe('attributes of a service', () => {
  it('those that are named change, null removes, the others stay', () => {
    const board = new Board()
    const attributes = { a: { v: 1 }, b: { v: 2 } }
    board.must({ verb: 'register-service', freshId: 's', key: 'k/1', name: 'n', attributes })
    board.must({
      verb: 'update-service',
      kind: 'microservice',
      service: 's',
      changedAttributes: { a: null, c: { v: 3 } },
    })
    assert.deepEqual(board.all('services')[0]?.attributes, { b: { v: 2 }, c: { v: 3 } })
  })
})
