// Services on nodes: what follows from their instances, and what is asked of all of them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Board, code, deployed, member, reader, settled } from '#test/harness/board.ts'
import { type Instance } from '../instance.ts'

describe('services on nodes', () => {
  it('status follows the nodes', () => {
    const board = new Board()
    const id = deployed(board)
    const service = (): string | undefined => board.all('services')[0]?.status
    assert.equal(service(), 'deploying')
    for (const instance of board.all('instances')) board.settle(instance.id)
    assert.equal(service(), 'running')
    const ref = {
      kind: 'edge-instance',
      service: board.all('services')[0]?.id ?? '',
      node: 'n1',
    } as const
    board.must({ verb: 'stop', target: ref, rung: 'soft', from: ['running'] })
    board.settle(id)
    assert.equal(service(), 'running', 'a node stopped on purpose does not degrade the service')
    assert.equal(
      code(board.ask({ verb: 'stop', target: ref, rung: 'soft', from: ['running'] })),
      'WrongState',
    )
    const other = board.all('instances').find((one) => one.id !== id)
    board.observe(other?.id ?? '', board.seen('down'))
    assert.equal(service(), 'failed')
    board.must({ verb: 'start-service', service: ref.service })
    assert.equal(service(), 'deploying')
    for (const instance of board.all('instances')) board.settle(instance.id)
    assert.equal(service(), 'running')
    board.must({ verb: 'remove-services', services: [ref.service] })
    assert.equal(service(), 'deleting')
    assert.equal(code(board.ask({ verb: 'stop', target: ref, rung: 'soft' })), 'ServiceBusy')
    for (const instance of board.all('instances')) board.settle(instance.id)
    assert.equal(service(), 'deleted')
  })

  it('what forbids it for one instance forbids it for the whole service, and nothing changes', () => {
    const board = new Board()
    const id = settled(board)
    const service = board.all('services')[0]?.id ?? ''
    const lift = (change: Partial<Instance>): void =>
      board.put('instances', { ...board.instance(id), ...change })
    const before = JSON.stringify(board.all('services'))
    const refused = (verb: 'stop-service' | 'start-service'): string | undefined =>
      code(board.ask({ verb, service }))
    lift({ conditions: { ...board.instance(id).conditions, createdByService: 'other' } })
    assert.equal(refused('stop-service'), 'OwnedByService')
    assert.equal(
      code(board.ask({ verb: 'remove-services', services: [service] })),
      'OwnedByService',
    )
    lift({ conditions: { ...board.instance(id).conditions, createdByService: null } })
    board.put('drivers', { id: 'simulated', available: false, reason: 'out' })
    assert.equal(refused('stop-service'), 'DriverUnavailable')
    assert.equal(JSON.stringify(board.all('services')), before)
    board.put('drivers', { id: 'simulated', available: true, reason: null })
    assert.equal(refused('stop-service'), undefined)
  })

  it('belongs to its owner', () => {
    const board = new Board()
    deployed(board)
    const ref = {
      kind: 'edge-instance',
      service: board.all('services')[0]?.id ?? '',
      node: 'n1',
    } as const
    const other = { ...member, userId: reader.userId }
    assert.equal(
      code(board.ask({ verb: 'stop', target: ref, rung: 'soft' }, { as: other })),
      'NotOwner',
    )
  })
})
