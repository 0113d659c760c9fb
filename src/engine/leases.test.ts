import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Board, admin } from '#test/harness/board.ts'
import { Leases } from './leases.ts'

function registered(): { leases: Leases; id: Parameters<Leases['beat']>[0]; nowMs: number } {
  const board = new Board()
  const { nowMs } = board
  const service = { freshId: 's', key: 's', name: 's', attributes: {} }
  board.must({ verb: 'register-service', id: 's', ...service }, { as: admin })
  const host = { hostName: 'h', endpoints: [], healthCheck: {}, dataCenter: null, version: '1' }
  board.must(
    { verb: 'register', service: 's', ...host, ttlMs: 10_000, properties: {} },
    { as: admin },
  )
  const leases = new Leases()
  const [row] = board.all('instances')
  assert.ok(row)
  leases.follow({ writes: [{ table: 'instances', row }], events: [] })
  return { leases, id: row.id, nowMs }
}

it('a beat is not heard any more once the lease is expiring, for it would be answered and yet expire', () => {
  const { leases, id, nowMs } = registered()
  assert.deepEqual([...leases.due(nowMs + 9_999)], [])
  assert.deepEqual([...leases.due(nowMs + 10_000)], [{ id, renewedAtMs: nowMs }])
  assert.equal(leases.beat(id, nowMs + 10_000), false)
  assert.deepEqual([...leases.due(nowMs + 10_001)], [], 'it is expiring already')
})

it('a lease that was spared lives by its beats again', () => {
  const { leases, id, nowMs } = registered()
  assert.equal([...leases.due(nowMs + 10_000)].length, 1)
  leases.spare(id)
  assert.equal(leases.beat(id, nowMs + 10_001), true)
  assert.deepEqual([...leases.due(nowMs + 20_000)], [])
  assert.equal([...leases.due(nowMs + 20_001)].length, 1)
})

it('what has expired is forgotten, and sparing it brings nothing back', () => {
  const { leases, id, nowMs } = registered()
  leases.follow({ writes: [{ table: 'instances', remove: id }], events: [] })
  leases.spare(id)
  assert.equal(leases.beat(id, nowMs), false)
})
