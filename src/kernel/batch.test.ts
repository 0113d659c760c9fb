// Laws of batches: every item stands alone, and a kept batch says of each what came of it, until it is forgotten.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Board, code, reader } from '#test/harness/board.ts'
import { batchLifeMs } from './batch.ts'
import { decide } from './decide.ts'
import type { InstanceRequest } from './request.ts'
import { Missing, type Reader, type Wanted } from './rows.ts'

const stop = (id: string): InstanceRequest => ({
  verb: 'stop',
  target: { kind: 'server', id },
  rung: 'soft',
  from: ['running'],
})

function twoRunning(): { readonly board: Board; readonly ids: readonly [string, string] } {
  const board = new Board()
  const ids = [board.create(), board.create()] as const
  for (const id of ids) board.settle(id)
  return { board, ids }
}

describe('a batch', () => {
  it('is decided item by item: one that is refused sinks no other, before it or after it', () => {
    const { board, ids } = twoRunning()
    const [one, two] = ids
    const items = [stop('nobody'), stop(one), stop(one), stop(two)]
    const receipt = board.must({ verb: 'batch', items })
    const came = receipt.items?.map((item) => (item.ok ? 'ok' : item.error.code))
    assert.deepEqual(came, ['NotFound', 'ok', 'Busy', 'ok'])
    for (const id of ids) assert.equal(board.instance(id).state, 'stopping')
    assert.equal(receipt.batchId, undefined)
    assert.deepEqual(board.all('batches'), [])
  })

  it('that is kept says by name what came of each item, and points at the operations', () => {
    const { board, ids } = twoRunning()
    const [one, two] = ids
    const items = [stop(two), stop('nobody'), stop(one)]
    const receipt = board.must({ verb: 'batch', items, kept: { of: 'x' } })
    const [row] = board.all('batches')
    assert.ok(row)
    assert.equal(row.id, receipt.batchId)
    assert.deepEqual(row.note, { of: 'x' })
    assert.equal(row.project, board.instance(one).project)
    assert.deepEqual(
      row.items.map(({ name }) => name),
      [two, 'nobody', one],
    )
    const operations = row.items.map(({ outcome }) =>
      'operation' in outcome ? outcome.operation : outcome.error.code,
    )
    const underway = (id: string) => board.instance(id).underway?.operationId
    assert.deepEqual(operations, [underway(two), 'NotFound', underway(one)])
    const event = board.events.find(({ type }) => type === 'batch.accepted')
    assert.deepEqual(event?.data, { items: 3, refused: 1 })
  })

  it('of somebody who may not change anything is refused whole, and nothing is kept', () => {
    const { board, ids } = twoRunning()
    const refused = board.ask({ verb: 'batch', items: ids.map(stop), kept: {} }, { as: reader })
    assert.equal(code(refused), 'Forbidden')
    assert.deepEqual(board.all('batches'), [])
  })

  it('that is kept is forgotten by its name, when its life is over', () => {
    const { board, ids } = twoRunning()
    const { batchId = '' } = board.must({ verb: 'batch', items: ids.map(stop), kept: {} })
    assert.equal(board.get('batches', batchId)?.expiresAtMs, board.nowMs + batchLifeMs)
    board.must({ verb: 'forget', tokens: [], batches: [batchId] })
    assert.equal(board.get('batches', batchId), undefined)
  })

  it('tells of all rows that its items lack at once, so that its size does not multiply the reading', () => {
    const board = new Board()
    const ids = Array.from({ length: 40 }, () => board.create())
    for (const id of ids) board.settle(id)
    const known = new Set<string>()
    const keyOf = (wanted: Wanted): string =>
      'id' in wanted
        ? `${wanted.table} ${wanted.id}`
        : `${wanted.table} ${wanted.column} ${String(wanted.value)}`
    const need = (wanted: Wanted): void => {
      if (!known.has(keyOf(wanted))) throw new Missing(wanted)
    }
    const rows: Reader = {
      get(table, id) {
        need({ table, id })
        return board.get(table, id)
      },
      find(table, column, value) {
        need({ table, column, value })
        return board.find(table, column, value)
      },
    }
    let asked = 0
    for (;;) {
      asked += 1
      try {
        decide({ verb: 'batch', items: ids.map(stop), kept: {} }, board.context(), rows)
        break
      } catch (thrown) {
        if (!(thrown instanceof Missing)) throw thrown
        for (const wanted of thrown.wanted) known.add(keyOf(wanted))
      }
    }
    assert.ok(asked <= 10, `asked ${asked} times`)
  })
})
