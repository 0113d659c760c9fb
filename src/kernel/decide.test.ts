// Laws of decisions: small spaces are enumerated, and a refusal changes nothing.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  admin,
  Board,
  code,
  deployed,
  flavor,
  reader,
  settled,
  stranger,
  target,
} from '#test/harness/board.ts'
import type { Image } from './catalogue.ts'
import type { InstanceId } from './ids.ts'
import { wakeAtMs } from './instance.ts'
import { lifecycles } from './kinds.ts'
import { rungs } from './ladder.ts'
import { step } from './lifecycle.ts'
import { currentStep } from './operation.ts'
import type { InstanceRequest, Request } from './request.ts'

/** Boards on which one instance of each kind is in each state that requests can bring it to. */
function situations(): readonly {
  readonly name: string
  readonly board: Board
  readonly id: InstanceId
}[] {
  const made: { name: string; board: Board; id: InstanceId }[] = []
  const add = (name: string, build: (board: Board) => InstanceId): void => {
    const board = new Board(
      [flavor(), flavor({ id: 'free', charge: 'free', poolId: 'pool', releasesOnStop: true })],
      [{ id: 'pool', capacity: 1 }],
    )
    made.push({ name, board, id: build(board) })
  }
  for (const kind of ['server', 'notebook'] as const) {
    const fresh = (board: Board): InstanceId => board.create({ kind })
    const ran = (board: Board): InstanceId => {
      const id = fresh(board)
      board.settle(id)
      return id
    }
    const after =
      (verb: 'start' | 'restart' | 'delete', settle: boolean) =>
      (board: Board): InstanceId => {
        const id = ran(board)
        if (verb === 'start') {
          board.must({ verb: 'stop', target: target(id), rung: 'soft' })
          board.settle(id)
        }
        board.must(
          verb === 'restart'
            ? { verb, target: target(id), rung: 'soft' }
            : { verb, target: target(id) },
        )
        if (settle) board.settle(id)
        return id
      }
    add(`${kind} provisioning`, fresh)
    add(`${kind} running`, ran)
    for (const rung of rungs) {
      add(`${kind} stopping ${rung}`, (board) => {
        const id = ran(board)
        board.must({ verb: 'stop', target: target(id), rung })
        return id
      })
    }
    add(`${kind} stopped`, (board) => {
      const id = ran(board)
      board.must({ verb: 'stop', target: target(id), rung: 'soft' })
      board.settle(id)
      return id
    })
    add(`${kind} starting`, after('start', false))
    add(`${kind} restarting`, after('restart', false))
    add(`${kind} deleting`, after('delete', false))
    add(`${kind} failed`, (board) => {
      const id = fresh(board)
      board.report(id, { act: 'create', ok: false, error: { code: 'refused', message: 'no' } })
      board.settle(id)
      return id
    })
  }
  add('server imaging', (board) => {
    const id = board.create()
    board.settle(id)
    board.must({ verb: 'capture', target: target(id), imageName: 'x' })
    return id
  })
  const stillStates = [
    ['pausing', ['pause'], false],
    ['paused', ['pause'], true],
    ['unpausing', ['pause', 'unpause'], false],
    ['suspending', ['suspend'], false],
    ['suspended', ['suspend'], true],
    ['resuming', ['suspend', 'resume'], false],
  ] as const
  for (const [state, verbs, isLastSettled] of stillStates) {
    add(`server ${state}`, (board) => {
      const id = board.create()
      board.settle(id)
      verbs.forEach((verb, nth) => {
        board.must({ verb, target: target(id) })
        if (isLastSettled || nth < verbs.length - 1) board.settle(id)
      })
      assert.equal(board.instance(id).state, state)
      return id
    })
  }
  add('server rebuilding', (board) => {
    const id = board.create()
    board.settle(id)
    board.must({ verb: 'rebuild', target: target(id), imageId: 'sim' })
    return id
  })
  add('notebook queued', (board) => {
    board.create({ kind: 'notebook', flavorId: 'free' })
    return board.create({ kind: 'notebook', flavorId: 'free', name: 'two', queues: true })
  })
  add('edge-instance deploying', (board) => deployed(board))
  add('edge-instance running', (board) => settled(board))
  return made
}

const asked = (id: string): readonly InstanceRequest[] => [
  { verb: 'start', target: target(id) },
  ...rungs.map((rung) => ({ verb: 'stop', target: target(id), rung }) as const),
  ...rungs.map((rung) => ({ verb: 'restart', target: target(id), rung }) as const),
  { verb: 'capture', target: target(id), imageName: 'x' },
  { verb: 'pause', target: target(id) },
  { verb: 'unpause', target: target(id) },
  { verb: 'suspend', target: target(id) },
  { verb: 'resume', target: target(id) },
  { verb: 'rebuild', target: target(id), imageId: 'sim' },
  { verb: 'queue', target: target(id) },
  { verb: 'dequeue', target: target(id) },
  { verb: 'delete', target: target(id) },
]

describe('decide', () => {
  it('every request in every state is accepted as its lifecycle says or refused without a trace', () => {
    let tried = 0
    for (const { name } of situations()) {
      for (let index = 0; index < asked('').length; index++) {
        // A fresh board per request: an accepted one changes it.
        const place = situations().find((one) => one.name === name)
        assert.ok(place)
        const { board, id } = place
        const request = asked(id)[index]
        assert.ok(request)
        const before = board.instance(id)
        const rows = JSON.stringify([
          board.all('instances'),
          board.all('operations'),
          board.all('pools'),
        ])
        const result = board.ask(request)
        const after = board.instance(id)
        const label = `${request.verb} on ${name}`
        tried++
        if (!result.ok) {
          assert.equal(
            JSON.stringify([board.all('instances'), board.all('operations'), board.all('pools')]),
            rows,
            `${label} left a trace`,
          )
          continue
        }
        if (result.value.unchanged) assert.equal(after.state, before.state, label)
        else
          assert.equal(after.state, step(lifecycles[after.kind], before.state, request.verb), label)
        assert.equal(
          after.underway !== null,
          ['provisioning', 'deploying'].includes(after.state) ||
            (after.state.endsWith('ing') && after.state !== 'running'),
          label,
        )
      }
    }
    assert.ok(tried >= 200, `only ${tried} were tried`)
  })

  it('a harder stop pre-empts a softer one, and nothing else does', () => {
    for (const first of rungs) {
      for (const second of rungs) {
        const board = new Board()
        const id = board.create()
        board.settle(id)
        const one = board.must({ verb: 'stop', target: target(id), rung: first })
        const two = board.must({ verb: 'stop', target: target(id), rung: second })
        const harder = rungs.indexOf(second) > rungs.indexOf(first)
        assert.equal(two.unchanged, harder ? undefined : 'joined')
        assert.equal(two.operationId === one.operationId, !harder)
        assert.equal(board.operation(one.operationId).state, harder ? 'cancelled' : 'running')
        assert.equal(board.all('operations').filter((row) => row.state === 'running').length, 1)
        assert.equal(board.settle(id).state, 'stopped')
      }
    }
  })

  it('a stop cancels a start that is under way', () => {
    const board = new Board()
    const id = board.create()
    const stop = board.must({ verb: 'stop', target: target(id), rung: 'soft' })
    assert.equal(stop.after, 'stopping')
    const [create] = board.all('operations')
    assert.equal(create?.state, 'cancelled')
    assert.equal(create?.supersededBy, stop.operationId)
    assert.equal(board.settle(id).state, 'stopped')
  })

  it('a stop that cannot be asked goes down the ladder: after its tries, or as soon as its rung has had its time', () => {
    const graceMs = 2_000
    for (const code of ['failed', 'timeout'] as const) {
      for (const tookMs of [0, graceMs]) {
        const board = new Board()
        const id = board.create()
        board.settle(id)
        const ask = { verb: 'stop', target: target(id), rung: 'drain', graceMs } as const
        const { operationId } = board.must(ask)
        const asked: (string | null)[] = []
        while (board.instance(id).underway) {
          const operation = board.operation(operationId)
          board.nowMs = Math.max(board.nowMs, operation.notBeforeMs ?? 0) + tookMs
          asked.push(operation.rung)
          board.report(id, { act: 'stop', ok: false, error: { code, message: 'nobody answers' } })
        }
        const soft = tookMs < graceMs ? 4 : 1
        const wanted = { drain: soft, soft, hard: 4 }
        assert.deepEqual(
          asked,
          rungs.flatMap((rung) => Array.from({ length: wanted[rung] }, () => rung)),
        )
        assert.equal(board.operation(operationId).state, 'failed')
      }
    }
  })

  it('a soft stop that is not heard becomes hard at its deadline, in the same operation', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const { operationId } = board.must({
      verb: 'stop',
      target: target(id),
      rung: 'soft',
      graceMs: 2_000,
    })
    board.report(id, { act: 'stop', ok: true })
    board.report(id, { observation: board.seen('up') })
    assert.equal(board.operation(operationId).rung, 'soft')
    board.nowMs += 2_000
    board.report(id, { observation: board.seen('up') })
    assert.equal(board.operation(operationId).rung, 'hard')
    assert.equal(board.instance(id).underway?.rung, 'hard')
    assert.equal(board.settle(id).state, 'stopped')
    assert.equal(board.all('operations').length, 2)
  })

  it('what cannot be stopped fails with a reason, and can be stopped again', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    board.must({ verb: 'stop', target: target(id), rung: 'hard' })
    for (let tries = 0; tries < 50 && board.instance(id).underway; tries++) {
      board.report(id, { act: 'stop', ok: true })
      board.nowMs += 60_000
      if (board.instance(id).underway) board.report(id, { observation: board.seen('up') })
    }
    assert.equal(board.instance(id).state, 'failed')
    assert.match(board.instance(id).failure?.message ?? '', /not down within 15 s of a hard stop/)
    board.must({ verb: 'stop', target: target(id), rung: 'hard' })
    assert.equal(board.settle(id).state, 'stopped')
  })

  it('a driver that takes no images refuses to be asked for one', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const acts = ['create', 'start', 'stop', 'remove'] as const
    board.put('drivers', { id: 'simulated', available: true, reason: null, acts })
    const capture = { verb: 'capture', target: target(id), imageName: 'x' } as const
    assert.deepEqual(board.ask(capture), {
      ok: false,
      error: { code: 'Unsupported', verb: 'capture', driver: 'simulated' },
    })
  })

  it('a driver that can hold nothing still refuses to be asked for it', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const acts = ['create', 'start', 'stop', 'remove'] as const
    board.put('drivers', { id: 'simulated', available: true, reason: null, acts })
    for (const verb of ['pause', 'suspend'] as const)
      assert.deepEqual(board.ask({ verb, target: target(id) }), {
        ok: false,
        error: { code: 'Unsupported', verb, driver: 'simulated' },
      })
  })

  it('what is held still is left by what is seen though nobody asked', () => {
    const table = [
      ['pause', 'up', 'running'],
      ['pause', 'down', 'stopped'],
      ['pause', 'absent', 'failed'],
      ['pause', 'suspended', 'suspended'],
      ['suspend', 'up', 'running'],
      ['suspend', 'paused', 'paused'],
      ['suspend', 'unknown', 'suspended'],
    ] as const
    for (const [verb, seen, state] of table) {
      const board = new Board()
      const id = board.create()
      board.settle(id)
      board.must({ verb, target: target(id) })
      board.settle(id)
      board.observe(id, board.seen(seen))
      assert.equal(board.instance(id).state, state, `${verb}, then ${seen}`)
    }
    const board = new Board()
    const id = board.create()
    board.settle(id)
    board.observe(id, board.seen('paused'))
    assert.deepEqual(
      [board.instance(id).state, board.instance(id).reason],
      ['paused', 'seen paused though nobody asked'],
    )
  })

  it('a pause that comes to nothing has its deadline, and what ended meanwhile fails at once', () => {
    for (const [seen, laterMs] of [
      ['up', 60_000],
      ['down', 1],
    ] as const) {
      const board = new Board()
      const id = board.create()
      board.settle(id)
      board.must({ verb: 'pause', target: target(id) })
      board.report(id, { act: 'pause', ok: true })
      board.report(id, { observation: { ...board.seen('up'), atMs: 0 } })
      assert.equal(board.instance(id).state, 'pausing')
      board.nowMs += laterMs
      board.report(id, { observation: board.seen(seen) })
      assert.deepEqual(
        [board.instance(id).state, board.instance(id).failure?.verb],
        ['failed', 'pause'],
        seen,
      )
    }
  })

  it('a rebuild makes it anew of another image, and leaves it as it was', () => {
    for (const isStopped of [false, true]) {
      const board = new Board()
      const other = { ...board.all('images')[0], id: 'other', name: 'other' } as Image // the board has one
      board.put('images', other)
      const id = board.create()
      board.settle(id)
      if (isStopped) {
        board.must({ verb: 'stop', target: target(id), rung: 'hard' })
        board.settle(id)
      }
      const labels = { a: 'b' }
      const { operationId } = board.must({
        verb: 'rebuild',
        target: target(id),
        imageId: 'other',
        name: 'two',
        labels,
      })
      board.settle(id)
      const row = board.instance(id)
      assert.deepEqual(
        [row.state, row.imageId, row.name, row.labels],
        [isStopped ? 'stopped' : 'running', 'other', 'two', labels],
      )
      const done = board.operation(operationId).log.map(({ step }) => step)
      const made = ['kill', 'await-down', 'remove', 'create']
      assert.deepEqual(done, isStopped ? made : [...made, 'start', 'await-up'])
      assert.equal(row.intent.want, isStopped ? 'down' : 'up')
    }
  })

  it('a captured image is its project’s alone, whole once the capture has succeeded, and gone if it has not', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const capture = { verb: 'capture', target: target(id), imageName: 'x' } as const
    const { imageId = '' } = board.must(capture)
    const made = () => board.all('images').find((one) => one.id === imageId)
    const create = {
      verb: 'create',
      kind: 'server',
      name: 'n',
      flavorId: 'small',
      imageId,
    } as const
    assert.equal(made()?.isSaving, true)
    assert.equal(code(board.ask(create)), 'NotFound', 'not while it is being saved')
    board.settle(id)
    assert.deepEqual([made()?.name, made()?.isSaving], ['x', undefined])
    assert.equal(code(board.ask(create, { as: stranger })), 'NotFound')
    board.must(create)
    const rebuilt = { verb: 'rebuild', target: target(id), imageId } as const
    board.must(rebuilt)
    board.settle(id)
    for (const end of ['fails', 'is cancelled'] as const) {
      const again = board.must(capture)
      if (end === 'is cancelled') board.must({ verb: 'delete', target: target(id) })
      else
        board.report(id, { act: 'capture', ok: false, error: { code: 'refused', message: 'no' } })
      assert.ok(!board.all('images').some((one) => one.id === again.imageId), end)
      if (end === 'fails') {
        board.must({ verb: 'start', target: target(id) })
        board.settle(id)
      }
    }
  })

  it('a failed start is undone before it is called failed', () => {
    const board = new Board()
    const id = board.create()
    board.report(id, { act: 'create', ok: true, handle: {} })
    board.report(id, { act: 'start', ok: true })
    board.nowMs += 1
    board.report(id, { observation: board.seen('down', { exitCode: 3 }) })
    assert.equal(board.operation(board.instance(id).underway?.operationId).undoing, true)
    assert.equal(board.settle(id).state, 'failed')
    assert.deepEqual(board.instance(id).failure?.evidence, { exitCode: 3, seen: 'down' })
  })

  it('a report from a worker that lost its lease is refused', () => {
    const board = new Board()
    const id = board.create()
    const operation = board.operation(board.instance(id).underway?.operationId)
    board.put('operations', { ...operation, attempt: 2 })
    const late = board.ask({
      verb: 'settle',
      operation: operation.id,
      attempt: 1,
      report: { act: 'create', ok: true },
    })
    assert.deepEqual(late, { ok: false, error: { code: 'Fenced', operation: operation.id } })
  })

  it('nothing follows from unknown', () => {
    for (const stop of [false, true]) {
      const board = new Board()
      const id = board.create()
      board.settle(id)
      if (stop) {
        board.must({ verb: 'stop', target: target(id), rung: 'soft' })
        board.settle(id)
      }
      const { state, handle } = board.instance(id)
      board.observe(id, board.seen('unknown'))
      assert.equal(board.instance(id).state, state)
      assert.deepEqual(board.instance(id).handle, handle)
    }
  })

  it('what was seen to be gone is made again by the next start', () => {
    const board = new Board()
    const id = board.create()
    board.report(id, { act: 'create', ok: true, handle: { made: 1 } })
    board.report(id, { act: 'start', ok: false, error: { code: 'refused', message: 'gone' } })
    board.report(id, { act: 'stop', ok: true, handle: { made: 1 } })
    board.report(id, { observation: board.seen('absent') })
    assert.deepEqual([board.instance(id).state, board.instance(id).handle], ['failed', null])
    board.must({ verb: 'start', target: target(id) })
    const { underway } = board.instance(id)
    assert.equal(currentStep(board.operation(underway?.operationId))?.name, 'create')
  })

  it('what was seen before a start says nothing of what a start that failed has left behind', () => {
    for (const seen of ['down', 'absent'] as const) {
      const board = new Board([flavor({ poolId: 'pool', units: 1 })], [{ id: 'pool', capacity: 1 }])
      const id = board.create()
      board.settle(id)
      board.observe(id, board.seen(seen))
      board.nowMs += 1_000
      board.must({ verb: 'start', target: target(id) })
      if (seen === 'absent') board.report(id, { act: 'create', ok: true, handle: { made: 2 } })
      // It may have begun to run, and nobody can end it.
      for (const act of ['start', 'stop'] as const)
        board.report(id, { act, ok: false, error: { code: 'refused', message: 'no' } })
      const { state, handle, place } = board.instance(id)
      assert.equal(state, 'failed')
      assert.deepEqual(handle, { made: seen === 'absent' ? 2 : true }, 'it is looked at again')
      assert.deepEqual(place, { poolId: 'pool', units: 1 }, 'and keeps its place until then')
    }
  })

  it('a look that began before a request which has ended since is dropped', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const { generation } = board.instance(id).intent
    board.must({ verb: 'restart', target: target(id), rung: 'hard' })
    board.settle(id)
    const observation = board.seen('down')
    board.must({ verb: 'observed', instance: id, generation, observation })
    assert.equal(board.instance(id).state, 'running')
  })

  it('what is seen on a node that is out of contact is told once, however often it is looked at', () => {
    const board = new Board()
    const id = settled(board)
    const node = (state: 'ready' | 'unconnected') => ({
      id: 'n1',
      name: 'n1',
      state,
      attributes: {},
    })
    board.must({ verb: 'put', table: 'nodes', row: node('unconnected') }, { as: admin })
    const before = board.events.length
    for (let looks = 0; looks < 3; looks++) board.observe(id, board.seen('up'))
    const told = board.events.slice(before)
    assert.deepEqual(
      told.map(({ type, data }) => [type, data['seen']]),
      [['instance.observed', 'unknown']],
    )
    board.must({ verb: 'put', table: 'nodes', row: node('ready') }, { as: admin })
    board.observe(id, board.seen('up'))
    assert.equal(board.instance(id).state, 'running')
  })

  it('a process that died by itself is stopped, with the reason', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const seen = {
      ...board.seen('down', { exitCode: 3 }),
      reason: 'process 4711 exited with code 3',
    }
    board.observe(id, seen)
    assert.equal(board.instance(id).state, 'stopped')
    assert.equal(board.instance(id).reason, 'process 4711 exited with code 3')
    assert.deepEqual(board.events.at(-1)?.data['to'], 'stopped')
  })
})

describe('who may', () => {
  const requests = (id: string): readonly Request[] => [
    ...asked(id),
    { verb: 'hold', target: target(id), kind: 'lock' },
    { verb: 'update', target: target(id), name: 'x' },
  ]

  it('a reset to what it is already has a cause too', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const { generation } = board.instance(id).intent
    board.must({ verb: 'reset', target: target(id), to: 'running' }, { as: admin })
    assert.equal(board.instance(id).intent.generation, generation + 1)
    assert.equal(board.events.at(-1)?.type, 'instance.reset')
  })

  it('another tenant cannot tell an instance from one that never was', () => {
    for (let index = 0; index < requests('').length; index++) {
      const board = new Board()
      const id = board.create()
      const theirs = board.ask(requests(id)[index] as Request, { as: stranger }) // index is below the length
      const nobodys = board.ask(requests('nothing')[index] as Request, { as: stranger }) // as above
      assert.deepEqual(theirs, { ok: false, error: { code: 'NotFound', what: 'instance', id } })
      assert.deepEqual(nobodys, {
        ok: false,
        error: { code: 'NotFound', what: 'instance', id: 'nothing' },
      })
    }
  })

  it('a reader changes nothing', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    for (const request of requests(id))
      assert.equal(code(board.ask(request, { as: reader })), 'Forbidden')
  })

  it('a lock stops all but an admin; a hold stops everybody', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    board.must({ verb: 'hold', target: target(id), kind: 'lock' })
    assert.equal(code(board.ask({ verb: 'stop', target: target(id), rung: 'soft' })), 'Held')
    board.must({ verb: 'stop', target: target(id), rung: 'soft' }, { as: admin })
    board.settle(id)
    board.must({ verb: 'hold', target: target(id), kind: 'hold' })
    assert.equal(code(board.ask({ verb: 'start', target: target(id) }, { as: admin })), 'Held')
  })

  it('a hold outlasts an auto stop, which comes once the hold has ended', () => {
    const board = new Board([flavor({ autoStopMs: 60_000 })])
    const id = board.create()
    board.settle(id)
    const untilMs = board.nowMs + 90_000
    board.must({ verb: 'hold', target: target(id), kind: 'hold', untilMs })
    board.nowMs += 60_000
    board.must({ verb: 'wake', instance: id })
    assert.equal(board.instance(id).state, 'running')
    assert.ok((wakeAtMs(board.instance(id)) ?? 0) > board.nowMs, 'and does not stay due')
    board.nowMs += 60_000
    board.must({ verb: 'wake', instance: id })
    board.must({ verb: 'wake', instance: id })
    assert.equal(board.instance(id).state, 'stopping')
  })
})

describe('holds', () => {
  it('one that would be over at once is refused', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const before = board.instance(id)
    const hold = (untilMs: number) =>
      board.ask({ verb: 'hold', target: target(id), kind: 'hold', untilMs })
    assert.equal(code(hold(board.nowMs)), 'BadField')
    assert.deepEqual(board.instance(id), before)
    assert.ok(hold(board.nowMs + 1).ok)
  })

  it('each that is over is told to have ended, also when another was set or released meanwhile', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const hold = (untilMs?: number) =>
      board.must({
        verb: 'hold',
        target: target(id),
        kind: 'hold',
        ...(untilMs ? { untilMs } : {}),
      }).holdId ?? ''
    const short = hold(board.nowMs + 1_000)
    board.nowMs += 2_000
    const long = hold()
    board.must({ verb: 'release', target: target(id), hold: { id: long } })
    board.must({ verb: 'wake', instance: id })
    const released = board.events.filter(({ type }) => type === 'instance.released')
    assert.deepEqual(
      released.map(({ data }) => data['hold']),
      [long, short],
    )
    assert.deepEqual(board.instance(id).holds, [])
  })
})

describe('idempotency', () => {
  it('one token is one operation and one answer; another request with it is refused; a refusal keeps nothing', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const stop = { verb: 'stop', target: target(id), rung: 'soft', from: ['running'] } as const
    const first = board.must(stop, { token: 't' })
    board.settle(id)
    board.must({ verb: 'start', target: target(id) })
    board.settle(id)
    assert.deepEqual(board.must(stop, { token: 't' }), first)
    assert.equal(board.instance(id).state, 'running')
    assert.equal(code(board.ask(stop, { token: 't', fingerprint: 'other' })), 'TokenReused')
    assert.equal(
      code(board.ask({ verb: 'start', target: target(id), from: ['stopped'] }, { token: 'u' })),
      'WrongState',
    )
    assert.equal(board.get('idempotency', 'u'), undefined)
  })

  it('what was answered is kept once, and told to whoever repeats the request', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const stop = { verb: 'stop', target: target(id), rung: 'soft' } as const
    const first = board.must(stop, { token: 't' })
    const keep = (answer: string) => board.must({ verb: 'keep', token: 't', answer }).answer
    assert.equal(first.answer, undefined)
    assert.equal(keep('one'), 'one')
    assert.equal(keep('two'), 'one')
    assert.deepEqual(board.must(stop, { token: 't' }), { ...first, answer: 'one' })
    assert.equal(board.must({ verb: 'keep', token: 'none', answer: 'one' }).answer, 'one')
    assert.equal(board.get('idempotency', 'none'), undefined)
  })
  it('an ended token is forgotten; one that was used again since is not', () => {
    const board = new Board()
    const create = (name: string): void =>
      void board.must(
        { verb: 'create', kind: 'server', name, flavorId: 'small', imageId: 'sim' },
        { token: 't', fingerprint: name },
      )
    const forget = (): unknown => board.must({ verb: 'forget', tokens: ['t'], batches: [] })
    create('one')
    forget()
    assert.notEqual(board.get('idempotency', 't'), undefined)
    board.nowMs += 86_400_000
    create('two')
    forget()
    assert.equal(board.get('idempotency', 't')?.fingerprint, 'two')
    board.nowMs += 86_400_000
    forget()
    assert.equal(board.get('idempotency', 't'), undefined)
  })
})
