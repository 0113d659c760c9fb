// Random walks over one service on nodes: everything that may be asked of it or of its nodes, in any order, while
// drivers report well and badly. After every step the laws hold; and when nothing is asked any more and nothing
// fails, what was asked last is what runs.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { nextMove } from '#kernel/reconcile.ts'
import type { RedeployService } from '#kernel/request.ts'
import { admin, Board, flavor } from '#test/harness/board.ts'
import { laws } from '#test/harness/laws.ts'

const nodes = ['n1', 'n2'] as const
const step = fc.record({
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('work' as const) },
    { weight: 1, arbitrary: fc.constantFrom('fail' as const, 'lose' as const, 'wait' as const) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        'stop-node' as const,
        'start-node' as const,
        'stop-service' as const,
        'start-service' as const,
        'redeploy' as const,
        'node-down' as const,
      ),
    },
  ),
  n: fc.nat(3),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const choices = [['n1'], ['n2'], ['n1', 'n2'], ['n2', 'n1']] as const

class Walk {
  readonly board = new Board(
    [flavor({ id: 'small', poolId: 'pool' }), flavor({ id: 'big', poolId: 'pool', units: 2 })],
    [{ id: 'pool', capacity: 4 }],
  )
  readonly service: string
  asked: Pick<RedeployService, 'nodes' | 'launch'> = { nodes: [...nodes], launch: {} }

  constructor() {
    const made = this.board.must({
      verb: 'deploy',
      name: 's',
      nodes,
      onNodes: true,
      flavorId: 'small',
      imageId: 'sim',
    })
    this.service = made.serviceId ?? ''
  }

  take({ what, n }: Step): void {
    const { board, service } = this
    const node = nodes[n % 2] ?? 'n1'
    const target = { kind: 'edge-instance', service, node } as const
    const own = board.all('instances').filter((row) => row.state !== 'deleted')
    const one = own[n % Math.max(1, own.length)]
    if (what === 'stop-node')
      board.ask({ verb: 'stop', target, rung: 'soft', from: ['running'], ifSure: true })
    else if (what === 'start-node') board.ask({ verb: 'start', target, from: ['stopped'] })
    else if (what === 'redeploy') this.#redeploy(n)
    else if (what === 'node-down') this.#node(node, n < 2 ? 'failed' : 'ready')
    else if (what === 'stop-service' || what === 'start-service') board.ask({ verb: what, service })
    else if (what === 'wait') board.nowMs += 20_000
    else if (one) this.#work(one.id, what)
  }

  #redeploy(n: number): void {
    const launch = { version: this.board.nowMs }
    const wanted = { nodes: choices[n] ?? nodes, launch }
    const { service } = this
    const rest = { flavorId: n % 2 === 0 ? 'small' : 'big', imageId: 'sim' }
    if (this.board.ask({ verb: 'redeploy', service, ...rest, ...wanted }).ok) this.asked = wanted
  }

  #node(id: string, state: 'ready' | 'failed'): void {
    const row = { id, name: id, state, attributes: {} }
    this.board.must({ verb: 'put', table: 'nodes', row }, { as: admin })
  }

  #work(id: string, how: 'work' | 'fail' | 'lose'): void {
    const { board } = this
    const { underway } = board.instance(id)
    if (!underway) {
      if (how === 'fail') board.observe(id, board.seen('down'))
      if (how === 'lose') board.observe(id, board.seen('unknown'))
      return
    }
    const doing = nextMove(board.operation(underway.operationId), board.nowMs)
    if (doing.do === 'act' && how === 'fail')
      board.report(id, { act: doing.act, ok: false, error: { code: 'refused', message: 'no' } })
    else if (doing.do === 'observe' && how !== 'work')
      board.report(id, { observation: board.seen('unknown') })
    else if (doing.do === 'act')
      board.report(id, { act: doing.act, ok: true, handle: { made: true } })
    else if (doing.do === 'observe') board.look(id)
  }

  /** Nobody asks, nothing fails: then a start brings all of it up. */
  rest(): void {
    const { board, service } = this
    const settle = (): void => {
      for (const { id, state } of board.all('instances')) if (state !== 'deleted') board.settle(id)
    }
    for (const node of nodes) this.#node(node, 'ready')
    settle()
    for (const { id, state } of board.all('instances'))
      if (state === 'not-ready') board.observe(id, board.seen('up'))
    board.ask({ verb: 'stop-service', service })
    settle()
    board.must({ verb: 'start-service', service })
    settle()
  }
}

it('whatever is asked of a service and whatever fails, what was asked last is what comes up', () => {
  let replaced = 0
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80 }), (steps) => {
      const walk = new Walk()
      const ended = new Map<string, string>()
      for (const one of steps) {
        walk.take(one)
        laws(walk.board, ended)
      }
      walk.rest()
      laws(walk.board, ended)
      const { board, asked } = walk
      const living = board.all('instances').filter((row) => row.state !== 'deleted')
      const leaving = living.filter((row) => !asked.nodes.includes(row.nodeId ?? ''))
      assert.ok(leaving.every((row) => row.failure?.verb === 'delete' || row.state === 'running'))
      for (const node of asked.nodes) {
        const row = living.find((one) => one.nodeId === node)
        assert.deepEqual([row?.state, row?.launch, row?.refit], ['running', asked.launch, null])
      }
      if (leaving.length === 0) assert.equal(board.all('services')[0]?.status, 'running')
      replaced += board.all('operations').filter((row) => row.refits).length
    }),
    { numRuns: Number(process.env['RUNSTATE_TEST_WALKS'] ?? 300) },
  )
  assert.ok(replaced > 50, 'configurations really were replaced')
})
