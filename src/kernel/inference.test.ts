// Section 2.6 of the edge inference contract as a table, and every row of it: small spaces are enumerated.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Board, settled } from '#test/harness/board.ts'
import { phaseOf, statusOf } from './inference.ts'
import type { Instance } from './instance.ts'
import type { Service, ServiceState } from './service.ts'

const board = new Board()
const one = board.instance(settled(board))
const [service] = board.all('services')
assert.ok(service)

type Part = 'running' | 'stopped' | 'failed' | 'not-ready' | 'starting' | 'unseen'

function instance(part: Part): Instance {
  const { observation } = one
  if (part === 'unseen') return { ...one, observation: { ...observation, seen: 'unknown' } }
  const underway = part === 'starting' ? board.all('operations').map(underwayOf)[0] : null
  return { ...one, state: part, underway: underway ?? null }
}

const underwayOf = ({ id }: ReturnType<typeof board.operation>): Instance['underway'] => ({
  operationId: id,
  verb: 'start',
  rung: null,
  asked: null,
  from: 'stopped',
  sinceMs: 0,
})

const status = (parts: readonly Part[], change: Partial<Service> = {}): ServiceState =>
  statusOf({ ...service, status: 'stopping', ...change }, parts.map(instance))

const keeps = 'what it was'
const table: readonly (readonly [readonly Part[], ServiceState | typeof keeps])[] = [
  [[], 'stopped'],
  [['stopped'], 'stopped'],
  [['stopped', 'stopped'], 'stopped'],
  [['running'], 'running'],
  [['running', 'running'], 'running'],
  [['running', 'stopped'], 'running'],
  [['running', 'failed'], 'concerning'],
  [['running', 'not-ready'], 'concerning'],
  [['running', 'starting'], 'concerning'],
  [['running', 'unseen'], 'concerning'],
  [['running', 'failed', 'stopped'], 'concerning'],
  [['failed'], 'failed'],
  [['failed', 'stopped'], 'failed'],
  [['failed', 'not-ready'], keeps],
  [['not-ready'], keeps],
  [['starting', 'stopped'], keeps],
  [['unseen'], keeps],
]

describe('the status of a service on nodes', () => {
  for (const [parts, expected] of table)
    it(`of ${parts.join(' and ') || 'none'} is ${expected}`, () => {
      for (const before of ['deploying', 'running', 'concerning'] as const)
        for (const order of [parts, parts.toReversed()])
          assert.equal(status(order, { status: before }), expected === keeps ? before : expected)
    })

  it('is the whole service\u2019s own while that is under way, whatever its nodes say', () => {
    for (const phase of ['deploying', 'stopping'] as const)
      for (const [parts] of table) assert.equal(status(parts, { phase }), phase)
    assert.equal(status(['running'], { phase: 'deleting' }), 'deleting')
    assert.equal(status([], { phase: 'deleting' }), 'deleted')
  })

  it('leaves its phase once nothing is under way on any node; a deletion that left nothing never does', () => {
    const phase = (now: Service['phase'], parts: readonly Part[]) =>
      phaseOf({ ...service, phase: now }, parts.map(instance))
    assert.equal(phase('deploying', ['running', 'starting']), 'deploying')
    assert.equal(phase('deploying', ['running', 'failed', 'not-ready']), 'settled')
    assert.equal(phase('stopping', ['stopped']), 'settled')
    assert.equal(phase('deleting', []), 'deleting')
    assert.equal(phase('deleting', ['failed', 'starting']), 'deleting')
    assert.equal(phase('deleting', ['failed']), 'settled')
    assert.equal(phase('settled', ['starting']), 'settled')
  })

  it('follows an instance that can no longer be seen, and one that can again', () => {
    const own = new Board()
    const id = settled(own)
    const now = (): string | undefined => own.all('services')[0]?.status
    own.observe(id, own.seen('unknown'))
    assert.equal(now(), 'concerning')
    own.observe(id, own.seen('up'))
    assert.equal(now(), 'running')
  })
})
