// Services on nodes: what follows from their instances, and what is asked of all of them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Board, code, deployed, flavor, member, reader, settled } from '#test/harness/board.ts'
import type { Instance } from '../instance.ts'
import type { RedeployService, Request } from '../request.ts'

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

  it('a removal that a node fails is over with a reason, and can be asked again', () => {
    const board = new Board()
    const id = settled(board)
    const service = board.all('services')[0]?.id ?? ''
    const now = () => board.all('services')[0]
    board.must({ verb: 'remove-services', services: [service] })
    board.report(id, { act: 'stop', ok: true })
    board.look(id)
    const error = { code: 'refused', message: 'the disk is busy' } as const
    board.report(id, { act: 'remove', ok: false, error })
    assert.equal(board.instance(id).state, 'failed')
    assert.equal(now()?.status, 'deleting', 'the other node is still being left')
    for (const one of board.all('instances')) board.settle(one.id)
    assert.deepEqual([now()?.status, now()?.failure], ['failed', 'the disk is busy'])
    board.must({ verb: 'remove-services', services: [service] })
    assert.equal(now()?.status, 'deleting')
    board.settle(id)
    assert.equal(now()?.status, 'deleted')
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

  it('a stop that must be sure is refused while the last look could not tell', () => {
    const board = new Board()
    const id = settled(board)
    board.observe(id, board.seen('unknown'))
    const stop = { verb: 'stop', target: { kind: 'any', id }, rung: 'soft' } as const
    assert.equal(code(board.ask({ ...stop, from: ['running'], ifSure: true })), 'WrongState')
    assert.equal(code(board.ask({ ...stop, from: ['running'] })), undefined)
  })

  it('exists, then may, then whose: a reader is told which right he lacks, of what is there only', () => {
    const board = new Board()
    settled(board)
    const service = board.all('services')[0]?.id ?? ''
    const asks = (id: string): readonly Request[] => [
      { verb: 'stop-service', service: id },
      { verb: 'start-service', service: id },
      { verb: 'update-service', service: id, kind: 'inference' },
      { verb: 'redeploy', service: id, nodes: ['n1'], flavorId: 'small', imageId: 'sim' },
      { verb: 'remove-services', services: [id] },
      { verb: 'stop', target: { kind: 'edge-instance', service: id, node: 'n9' }, rung: 'soft' },
    ]
    for (const ask of asks('none')) assert.equal(code(board.ask(ask, { as: reader })), 'NotFound')
    for (const ask of asks(service)) assert.equal(code(board.ask(ask, { as: reader })), 'Forbidden')
    const both = { verb: 'remove-services', services: [service, 'none'] } as const
    assert.equal(code(board.ask(both, { as: reader })), 'NotFound')
  })
})

describe('another configuration', () => {
  const again = (board: Board, change: Partial<RedeployService> = {}): RedeployService => ({
    verb: 'redeploy',
    service: board.all('services')[0]?.id ?? '',
    nodes: ['n1', 'n2'],
    flavorId: 'small',
    imageId: 'sim',
    ...change,
  })
  const on = (board: Board, node: string): Instance | undefined =>
    board.all('instances').find((one) => one.nodeId === node && one.state !== 'deleted')
  const status = (board: Board): string | undefined => board.all('services')[0]?.status
  const settleAll = (board: Board): void => {
    for (const { id } of board.all('instances')) board.settle(id)
  }

  it('makes anew what stays, makes what is new, and removes what is no longer named', () => {
    const board = new Board()
    settled(board)
    board.put('nodes', { id: 'n3', name: 'n3', state: 'ready', attributes: {} })
    const before = { n1: on(board, 'n1'), n2: on(board, 'n2') }
    board.nowMs += 1000
    const launch = { env: { MODE: 'new' } }
    board.must(again(board, { nodes: ['n2', 'n3'], launch }))
    assert.equal(status(board), 'deploying')
    assert.deepEqual(board.instance(before.n2?.id ?? '').launch, {}, 'until the old one is removed')
    settleAll(board)
    assert.equal(status(board), 'running')
    assert.equal(on(board, 'n1'), undefined)
    const kept = on(board, 'n2')
    assert.equal(kept?.id, before.n2?.id)
    assert.deepEqual([kept?.launch, kept?.refit], [launch, null])
    assert.deepEqual(on(board, 'n3')?.launch, launch)
    const acts = board
      .all('operations')
      .find((one) => one.refits)
      ?.log.map(({ step }) => step)
    assert.deepEqual(acts, ['stop', 'await-down', 'remove', 'create', 'start', 'await-up'])
    const [service] = board.all('services')
    assert.deepEqual([service?.configuredAtMs, service?.deployedAtMs], [1_001_000, 1_001_000])
    const told = board.events.filter(({ type }) => type === 'service.deployed')
    assert.deepEqual(
      told.map(({ data }) => data['again']),
      [false, true],
    )
    assert.deepEqual(Object.keys(told[1]?.data['placed'] ?? {}), ['n2', 'n3', 'n1'])
  })

  it('is what the next start brings up, when a stop came in between', () => {
    const board = new Board()
    const id = settled(board)
    board.must(again(board, { launch: { env: { MODE: 'new' } } }))
    board.must({ verb: 'stop-service', service: board.all('services')[0]?.id ?? '' })
    settleAll(board)
    assert.equal(status(board), 'stopped')
    assert.deepEqual(board.instance(id).launch, {})
    board.must({ verb: 'start-service', service: board.all('services')[0]?.id ?? '' })
    settleAll(board)
    assert.equal(status(board), 'running')
    assert.deepEqual(board.instance(id).launch, { env: { MODE: 'new' } })
  })

  it('brings up what was stopped or had failed, and is refused while the whole is under way', () => {
    const board = new Board()
    const id = settled(board)
    const ref = { kind: 'any', id } as const
    board.must({ verb: 'stop', target: ref, rung: 'soft' })
    board.settle(id)
    board.observe(on(board, 'n2')?.id ?? '', board.seen('down'))
    assert.equal(status(board), 'failed')
    board.must(again(board))
    assert.equal(code(board.ask(again(board))), 'ServiceBusy')
    settleAll(board)
    assert.equal(status(board), 'running')
    board.must({ verb: 'remove-services', services: [again(board).service] })
    assert.equal(code(board.ask(again(board))), 'ServiceBusy')
  })

  it('is all or none, and takes the place of its new flavor', () => {
    const pools = [{ id: 'cpu', capacity: 2 }]
    const big = flavor({ id: 'big', poolId: 'cpu' })
    const board = new Board([flavor(), big], pools)
    settled(board)
    const rows = () => JSON.stringify([board.all('services'), board.all('instances')])
    const before = rows()
    const refused = (change: Partial<RedeployService>): string | undefined =>
      code(board.ask(again(board, change)))
    assert.equal(refused({ nodes: ['n1', 'n9'] }), 'NotFound')
    assert.equal(refused({ imageId: 'none' }), 'NotFound')
    board.put('nodes', { id: 'n2', name: 'n2', state: 'failed', attributes: {} })
    assert.equal(refused({}), 'NodeNotReady')
    board.put('nodes', { id: 'n3', name: 'n3', state: 'ready', attributes: {} })
    board.put('nodes', { id: 'n4', name: 'n4', state: 'ready', attributes: {} })
    assert.equal(refused({ nodes: ['n1', 'n3', 'n4'], flavorId: 'big' }), 'NoCapacity')
    assert.equal(rows(), before)
    board.must(again(board, { nodes: ['n1', 'n3'], flavorId: 'big' }))
    settleAll(board)
    assert.equal(board.get('pools', 'cpu')?.taken, 2)
    board.must(again(board, { nodes: ['n1'] }))
    settleAll(board)
    assert.equal(board.get('pools', 'cpu')?.taken, 0)
  })
})
