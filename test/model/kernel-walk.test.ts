// Random walks over the kernel alone: requests, reports of every kind, observations nobody asked for, and time.
// After every step the laws hold; afterwards, with everything failing, every operation still comes to an end.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { rungs } from '#kernel/ladder.ts'
import { nextMove } from '#kernel/reconcile.ts'
import type { Operation } from '#kernel/operation.ts'
import { asAwaited, Board, flavor } from '#test/harness/board.ts'
import { laws } from '#test/harness/laws.ts'

const pools = ['pool-a', 'pool-b'] as const
const flavors = [
  flavor({ id: 'small', poolId: 'pool-a' }),
  flavor({
    id: 'free',
    charge: 'free',
    poolId: 'pool-b',
    releasesOnStop: true,
    autoStopMs: 60_000,
    storeMs: 600_000,
  }),
]

const request = fc.record({
  verb: fc.constantFrom(
    'create',
    'start',
    'stop',
    'restart',
    'capture',
    'pause',
    'unpause',
    'suspend',
    'resume',
    'rebuild',
    'queue',
    'dequeue',
    'delete',
    'reset',
    'resize-pool',
    'deploy',
    'redeploy',
    'stop-service',
    'start-service',
    'remove-services',
    'register',
    'unregister',
    'set-status',
    'bind',
    'unbind',
  ),
  who: fc.nat(7),
  rung: fc.constantFrom(...rungs),
  mode: fc.constantFrom(undefined, 'keep' as const, 'release' as const),
  free: fc.boolean(),
  n: fc.nat(3),
})
const report = fc.record({
  who: fc.nat(7),
  kind: fc.constantFrom(
    'done',
    'failed',
    'refused',
    'unsupported',
    'up',
    'not-ready',
    'down',
    'paused',
    'suspended',
    'ended',
    'absent',
    'unknown',
  ),
})
const world = fc.record({
  who: fc.nat(7),
  kind: fc.constantFrom(
    'up',
    'down',
    'paused',
    'suspended',
    'absent',
    'unknown',
    'pass',
    'wake',
    'later',
    'much-later',
    'again',
  ),
})
const step = fc.oneof(
  { weight: 3, arbitrary: request.map((value) => ({ is: 'request', value }) as const) },
  { weight: 5, arbitrary: report.map((value) => ({ is: 'report', value }) as const) },
  { weight: 2, arbitrary: world.map((value) => ({ is: 'world', value }) as const) },
)

const registration = {
  verb: 'register',
  service: 'reg',
  hostName: 'h',
  endpoints: [],
  healthCheck: {},
  dataCenter: null,
  version: '1',
  ttlMs: 60_000,
  properties: {},
} as const

const registered = (n: number) =>
  ({ kind: 'service-instance', service: 'reg', instance: `r${n}` }) as const

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function pick(board: Board, who: number): string | undefined {
  const rows = board.all('instances').filter((row) => row.driver !== null)
  return rows[who % Math.max(1, rows.length)]?.id
}

function apply(board: Board, one: Step): void {
  const id = pick(board, one.value.who)
  if (one.is === 'request') ask(board, one.value, id)
  else if (id === undefined) return
  else if (one.is === 'report') tell(board, one.value.kind, id)
  else happen(board, one.value.kind, id)
}

function ask(
  board: Board,
  { verb, rung, mode, free, n }: Extract<Step, { is: 'request' }>['value'],
  id = 'none',
): void {
  const target = { kind: 'any', id } as const
  const service = board.all('services').find((row) => row.onNodes)?.id ?? 'none'
  const as = { as: { ...board.context().caller, role: 'admin' as const } }
  if (verb === 'create')
    board.ask({
      verb,
      kind: free ? 'notebook' : 'server',
      name: `n${n}`,
      flavorId: free ? 'free' : 'small',
      imageId: 'sim',
      queues: free,
    })
  else if (verb === 'resize-pool')
    board.ask(
      { verb: 'put', table: 'pools', row: { id: pools[n % 2] ?? pools[0], capacity: n } },
      as,
    )
  else if (verb === 'deploy')
    board.ask({
      verb,
      name: 's',
      nodes: ['n1', 'n2'],
      onNodes: true,
      flavorId: 'small',
      imageId: 'sim',
    })
  else if (verb === 'redeploy')
    board.ask({
      verb,
      service,
      nodes: [['n1'], ['n2'], ['n1', 'n2'], ['n2', 'n1']][n] ?? [],
      flavorId: 'small',
      imageId: 'sim',
      launch: { version: n },
    })
  else if (verb === 'stop-service' || verb === 'start-service') board.ask({ verb, service })
  else if (verb === 'remove-services') board.ask({ verb, services: [service] })
  else if (verb === 'stop')
    board.ask({ verb, target, rung, ...(mode === undefined ? {} : { stoppedMode: mode }) })
  else if (verb === 'restart') board.ask({ verb, target, rung })
  else if (verb === 'rebuild') board.ask({ verb, target, imageId: 'sim' })
  else if (verb === 'register') board.ask({ ...registration, instance: `r${n}` })
  else if (verb === 'unregister') board.ask({ verb, target: registered(n) })
  else if (verb === 'set-status')
    board.ask({ verb, target: registered(n), as: 'operator', status: free ? 'up' : 'testing' })
  else if (verb === 'bind' || verb === 'unbind')
    board.ask({ verb, target, service: 'reg', instance: `r${n}` })
  else if (verb === 'capture') board.ask({ verb, target, imageName: 'i' })
  else if (verb === 'reset') board.ask({ verb, target, to: n % 2 === 0 ? 'running' : 'failed' }, as)
  else board.ask({ verb, target })
}

function tell(
  board: Board,
  kind: Extract<Step, { is: 'report' }>['value']['kind'],
  id: string,
): void {
  const { underway } = board.instance(id)
  if (!underway) return
  const doing = nextMove(board.operation(underway.operationId), board.nowMs)
  if (doing.do === 'act') {
    const code =
      kind === 'failed' || kind === 'refused' || kind === 'unsupported' ? kind : undefined
    board.report(
      id,
      code
        ? { act: doing.act, ok: false, error: { code, message: code } }
        : { act: doing.act, ok: true, handle: { made: true } },
    )
  } else if (doing.do === 'rows') {
    board.report(id, { rows: true })
  } else if (doing.do === 'hear') {
    board.report(id, { unseen: kind === 'done' })
  } else if (doing.do === 'observe') {
    const seen =
      kind === 'done'
        ? asAwaited(board.operation(underway.operationId))
        : kind === 'not-ready'
          ? 'up'
          : kind === 'ended'
            ? 'down'
            : kind === 'failed' || kind === 'refused' || kind === 'unsupported'
              ? 'unknown'
              : kind
    board.report(id, {
      observation: {
        ...board.seen(seen, kind === 'ended' ? { exitCode: 1 } : {}),
        ready: kind === 'up' || kind === 'done',
      },
    })
  }
}

function happen(
  board: Board,
  kind: Extract<Step, { is: 'world' }>['value']['kind'],
  id: string,
): void {
  if (kind === 'pass') for (const pool of pools) board.ask({ verb: 'pass', pool })
  else if (kind === 'wake') board.ask({ verb: 'wake', instance: board.instance(id).id })
  else if (kind === 'later') board.nowMs += 5_000
  else if (kind === 'much-later') board.nowMs += 700_000
  else if (kind === 'again') {
    const { underway } = board.instance(id)
    // The worker died: the next claim raises the attempt, and the act runs again.
    if (underway)
      board.put('operations', {
        ...board.operation(underway.operationId),
        attempt: board.operation(underway.operationId).attempt + 1,
      })
  } else board.observe(id, board.seen(kind))
}

/** Either every act fails, or every act is said to be done and nothing comes of it: no state may stay busy. */
function endAll(board: Board, actsFail: boolean): void {
  for (const { id } of board.all('instances')) {
    for (let tries = 0; board.instance(id).underway; tries++) {
      assert.ok(
        tries < 200,
        `the operation on ${id} never ends: ${JSON.stringify(current(board, id))}`,
      )
      const doing = nextMove(current(board, id), board.nowMs)
      if (doing.do === 'sleep') board.nowMs = doing.untilMs
      else if (doing.do === 'act')
        board.report(
          id,
          actsFail
            ? { act: doing.act, ok: false, error: { code: 'failed', message: 'down' } }
            : { act: doing.act, ok: true },
        )
      else if (doing.do === 'rows') board.report(id, { rows: true })
      else {
        board.nowMs = Math.max(board.nowMs, current(board, id).stepDeadlineMs)
        if (doing.do === 'hear') board.report(id, { unseen: false })
        else board.report(id, { observation: board.seen(actsFail ? 'unknown' : 'up') })
      }
    }
  }
}

const current = (board: Board, id: string): Operation =>
  board.operation(board.instance(id).underway?.operationId)

it('the laws hold after every step of a random walk, and every operation ends', () => {
  let walked = 0
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 10, maxLength: 100, size: 'max' }),
      fc.boolean(),
      (walk, actsFail) => {
        const board = new Board(flavors, [
          { id: 'pool-a', capacity: 3 },
          { id: 'pool-b', capacity: 2 },
        ])
        const service = { freshId: 'reg', key: 'reg', name: 'reg', attributes: {} }
        board.must({ verb: 'register-service', id: 'reg', ...service })
        const ended = new Map<string, string>()
        for (const one of walk) {
          apply(board, one)
          laws(board, ended)
          walked++
        }
        endAll(board, actsFail)
        laws(board, ended)
      },
    ),
    { numRuns: Number(process.env['RUNSTATE_TEST_WALKS'] ?? 300) },
  )
  assert.ok(walked > 1_000)
})
