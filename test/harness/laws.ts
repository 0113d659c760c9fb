// The laws that hold between rows at every moment, whatever happened before.

import assert from 'node:assert/strict'
import { phaseOf, statusOf as serviceStatusOf } from '#kernel/inference.ts'
import { statusOf } from '#kernel/instance.ts'
import { isA } from '#kernel/lifecycle.ts'
import { lifecycles } from '#kernel/kinds.ts'
import type { Rows, TableName } from '#kernel/tables.ts'

export interface Tables {
  all<T extends TableName>(table: T): readonly Rows[T][]
}

/** `ended` keeps how each operation ended, from one call to the next. */
export function laws(board: Tables, ended: Map<string, string>): void {
  poolLaws(board)
  drainLaws(board)
  serviceLaws(board)
  for (const row of board.all('instances')) {
    const running = board
      .all('operations')
      .filter((one) => one.instanceId === row.id && one.state === 'running')
    assert.ok(running.length <= 1, 'two operations at one thing')
    assert.equal(row.underway?.operationId, running[0]?.id, 'an instance and its operation agree')
    assert.equal(
      isA(lifecycles[row.kind], row.state, 'busy'),
      running.length === 1,
      `${row.state} has an owner exactly while busy`,
    )
    assert.equal(row.failure !== null, row.state === 'failed', 'failed has its reason, and only it')
    assert.equal(row.queue !== null, row.state === 'queued', 'queued has its ticket, and only it')
    if (row.state === 'deleted') assert.deepEqual([row.place, row.handle], [null, null])
  }
  for (const row of board.all('operations')) {
    if (row.state === 'running') {
      assert.ok(row.stepDeadlineMs > row.stepSinceMs, 'every step has a deadline')
      continue
    }
    const once = ended.get(row.id) ?? JSON.stringify(row)
    assert.equal(JSON.stringify(row), once, 'an operation ends once')
    ended.set(row.id, once)
  }
}

/** A service is what its instances say, and no node carries it twice. */
function serviceLaws(board: Tables): void {
  const living = board
    .all('instances')
    .filter((row) => !isA(lifecycles[row.kind], row.state, 'final'))
  for (const service of board.all('services').filter((row) => row.onNodes)) {
    const parts = living.filter((row) => row.serviceId === service.id)
    assert.equal(serviceStatusOf(service, parts), service.status, 'a service follows its nodes')
    assert.equal(phaseOf(service, parts), service.phase, 'a phase ends when nothing is under way')
    const nodes = parts.map(({ nodeId }) => nodeId)
    assert.equal(new Set(nodes).size, nodes.length, 'one instance on one node')
    if (service.status === 'running' && service.phase === 'settled')
      for (const row of parts)
        if (row.state === 'running') assert.equal(row.refit, null, 'what runs is what was asked')
  }
}

function drainLaws(board: Tables): void {
  const operations = new Map(board.all('operations').map((row) => [row.id, row]))
  const owners = new Map<string, string>()
  for (const row of board.all('instances')) {
    for (const { service, instance } of row.serves) {
      const pair = `${service}/${instance}`
      assert.equal(owners.get(pair), undefined, `${pair} is bound once`)
      owners.set(pair, row.id)
    }
    const { registration } = row
    if (!registration) continue
    assert.equal(row.state, statusOf(registration), 'a status is computed from its facts')
    if (registration.withdrawal === null) continue
    const drain = operations.get(registration.withdrawal.operation)
    assert.ok(drain?.drain, 'a drain withdrew it')
    const wasGivenUp = drain.verb === 'stop' && drain.state === 'failed'
    assert.ok(!wasGivenUp, 'a drain that failed has put back what it withdrew')
  }
}

function poolLaws(board: Tables): void {
  for (const pool of board.all('pools')) {
    const holders = board.all('instances').filter((row) => row.place?.poolId === pool.id)
    assert.equal(
      pool.taken,
      holders.reduce((sum, row) => sum + (row.place?.units ?? 0), 0),
      `places of ${pool.id}`,
    )
    assert.equal(
      pool.waiting,
      board.all('instances').filter((row) => row.queue?.poolId === pool.id).length,
      `queue of ${pool.id}`,
    )
    // A head that does not fit waits for the next change of the pool.
    const units = unitsOfHead(board, pool.id)
    if (units !== undefined && pool.capacity - pool.taken >= units)
      assert.notEqual(pool.passAtMs, null, `${pool.id} waits for nobody`)
  }
}

/** Of the first whose turn it may be: one that is held is passed over. */
function unitsOfHead(board: Tables, pool: string): number | undefined {
  const waiting = board
    .all('instances')
    .filter((row) => row.queue?.poolId === pool && row.holds.length === 0)
  const head = waiting.toSorted((a, b) => (a.queue?.ticket ?? 0) - (b.queue?.ticket ?? 0))[0]
  return head && (board.all('flavors').find((row) => row.id === head.flavorId)?.units ?? 1)
}
