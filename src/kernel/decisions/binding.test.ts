// What an instance serves as: bound, drained with it, put back when it is ready, and never against a person's word.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { admin, Board, code, flavor, target } from '#test/harness/board.ts'
import { type InstanceId, projectId } from '../ids.ts'
import { currentStep } from '../operation.ts'
import { nextMove } from '../reconcile.ts'

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
const ref = { kind: 'service-instance', service: 's', instance: 'i' } as const
const pair = { service: 's', instance: 'i' } as const

class Stage extends Board {
  readonly server: InstanceId
  registered: string

  constructor(change: Parameters<typeof flavor>[0] = {}) {
    super([flavor(change)])
    this.must({ verb: 'register-service', freshId: 's', key: 'k', name: 'n', attributes: {} })
    this.registered = this.must(registration).instanceIds[0] ?? ''
    this.server = this.create()
    this.settle(this.server)
    this.must({ verb: 'bind', target: target(this.server), ...pair })
  }

  get status(): string {
    return this.instance(this.registered).state
  }

  get revision(): number {
    return this.all('services')[0]?.revision ?? 0
  }

  drain(graceMs?: number): void {
    const grace = graceMs === undefined ? {} : { graceMs }
    this.must({ verb: 'stop', target: target(this.server), rung: 'drain', ...grace })
  }

  /** The step that it has come to. */
  get step(): string | undefined {
    const { underway } = this.instance(this.server)
    return underway ? currentStep(this.operation(underway.operationId))?.name : undefined
  }
}

describe('a drain', () => {
  it('takes it out of service, waits, goes down the ladder; a start puts it back when it is up', () => {
    const stage = new Stage()
    const before = stage.revision
    stage.drain()
    assert.equal(stage.step, 'withdraw')
    stage.report(stage.server, { rows: true })
    assert.deepEqual([stage.step, stage.status], ['await-unseen', 'out-of-service'])
    assert.equal(stage.revision, before + 1, 'and finds show it')
    stage.report(stage.server, { unseen: false })
    assert.equal(stage.step, 'await-unseen')
    stage.report(stage.server, { unseen: true })
    assert.equal(stage.step, 'stop')
    const { underway } = stage.instance(stage.server)
    assert.equal(underway?.rung, 'drain')
    assert.deepEqual(nextMove(stage.operation(underway?.operationId), stage.nowMs), {
      do: 'act',
      act: 'stop',
      rung: 'drain',
      timeoutMs: 30_000,
    })
    assert.equal(stage.settle(stage.server).state, 'stopped')
    assert.equal(stage.status, 'out-of-service')
    stage.must({ verb: 'start', target: target(stage.server) })
    for (const act of ['start'] as const) stage.report(stage.server, { act, ok: true })
    assert.equal(stage.status, 'out-of-service', 'not before it is ready')
    assert.equal(stage.settle(stage.server).state, 'running')
    assert.equal(stage.status, 'up')
  })

  it('goes on when its consumers were not heard in time, and its log says so', () => {
    const stage = new Stage()
    stage.drain(5_000)
    stage.report(stage.server, { rows: true })
    stage.nowMs += 4_999
    stage.report(stage.server, { unseen: false })
    assert.equal(stage.step, 'await-unseen')
    stage.nowMs += 1
    stage.report(stage.server, { unseen: false })
    assert.equal(stage.step, 'stop')
    const operation = stage.operation(stage.instance(stage.server).underway?.operationId)
    assert.equal(operation.log.at(-1)?.message, 'not all consumers were shown it within 5 s')
  })

  it('that cannot be carried through puts it back', () => {
    const stage = new Stage()
    stage.drain()
    stage.report(stage.server, { rows: true })
    stage.report(stage.server, { unseen: true })
    stage.report(stage.server, {
      act: 'stop',
      ok: false,
      error: { code: 'refused', message: 'no' },
    })
    assert.deepEqual([stage.step, stage.status], ['put-back', 'out-of-service'])
    stage.report(stage.server, { rows: true })
    assert.equal(stage.instance(stage.server).state, 'failed')
    assert.equal(stage.status, 'up')
    const [operation] = stage.all('operations').filter((one) => one.verb === 'stop')
    assert.deepEqual(
      operation?.log.map(({ step, result }) => `${step} ${result}`),
      ['withdraw done', 'await-unseen done', 'stop failed', 'undo put-back done'],
    )
  })

  it("leaves a person's override as it is, and a person's later word ends it", () => {
    const stage = new Stage()
    stage.must({ verb: 'set-status', target: ref, as: 'operator', status: 'testing' })
    stage.drain()
    stage.report(stage.server, { rows: true })
    assert.equal(stage.status, 'out-of-service')
    stage.settle(stage.server)
    stage.must({ verb: 'start', target: target(stage.server) })
    stage.settle(stage.server)
    assert.equal(stage.status, 'testing', 'what was set before is shown again')
    stage.drain()
    stage.report(stage.server, { rows: true })
    stage.must({ ...registration, status: 'up', endpoints: ['rest://a:1'] })
    assert.equal(stage.status, 'out-of-service', 'a registration is no word of a person')
    stage.must({ verb: 'set-status', target: ref, as: 'operator', status: 'up' })
    assert.equal(stage.status, 'up')
    stage.settle(stage.server)
    assert.equal(stage.status, 'up', 'nor does the rest of the drain undo it')
  })

  it('does not make callable what a person has set down', () => {
    const stage = new Stage()
    stage.must({ verb: 'set-status', target: ref, as: 'operator', status: 'down' })
    stage.drain()
    stage.report(stage.server, { rows: true })
    assert.equal(stage.status, 'down')
  })

  it('is refused while somebody holds what would be taken out of service', () => {
    const stage = new Stage()
    stage.must({ verb: 'hold', target: ref, kind: 'hold' })
    const stop = { verb: 'stop', target: target(stage.server) } as const
    assert.equal(code(stage.ask({ ...stop, rung: 'drain' })), 'Held')
    assert.equal(code(stage.ask({ ...stop, rung: 'soft' })), undefined, 'a soft stop touches none')
  })

  it('is pre-empted by a harder stop, which leaves it out of service', () => {
    const stage = new Stage()
    stage.drain()
    stage.report(stage.server, { rows: true })
    stage.must({ verb: 'stop', target: target(stage.server), rung: 'hard' })
    assert.equal(stage.step, 'stop')
    assert.equal(stage.settle(stage.server).state, 'stopped')
    assert.equal(stage.status, 'out-of-service')
  })

  it('comes first where every stop is forced', () => {
    const stage = new Stage({ bareMetal: true })
    stage.drain()
    assert.equal(stage.step, 'withdraw')
    stage.report(stage.server, { rows: true })
    stage.report(stage.server, { unseen: true })
    assert.equal(stage.instance(stage.server).underway?.rung, 'hard')
  })

  it('of what serves as nothing is a stop as ever', () => {
    const stage = new Stage()
    stage.must({ verb: 'unbind', target: target(stage.server), ...pair })
    stage.drain()
    assert.equal(stage.step, 'stop')
    assert.equal(stage.settle(stage.server).state, 'stopped')
    assert.equal(stage.status, 'up')
  })

  it('waits for nobody when what it serves as is not registered now', () => {
    const stage = new Stage()
    stage.must({ verb: 'unregister', target: ref })
    stage.drain()
    stage.report(stage.server, { rows: true })
    const operation = stage.operation(stage.instance(stage.server).underway?.operationId)
    assert.deepEqual(operation.drain?.withdrawn, [])
  })
})

describe('a restart as a drain', () => {
  it('withdraws before and puts back after', () => {
    const stage = new Stage()
    stage.must({ verb: 'restart', target: target(stage.server), rung: 'drain' })
    stage.report(stage.server, { rows: true })
    assert.equal(stage.status, 'out-of-service')
    assert.equal(stage.settle(stage.server).state, 'running')
    assert.equal(stage.status, 'up')
  })

  it('that fails to start leaves it out of service: nobody is sent to what is not there', () => {
    const stage = new Stage()
    stage.must({ verb: 'restart', target: target(stage.server), rung: 'drain' })
    stage.report(stage.server, { rows: true })
    stage.report(stage.server, { unseen: true })
    stage.report(stage.server, { act: 'stop', ok: true })
    stage.report(stage.server, { observation: stage.seen('down') })
    const error = { code: 'refused', message: 'no' } as const
    stage.report(stage.server, { act: 'start', ok: false, error })
    assert.equal(stage.settle(stage.server).state, 'failed')
    assert.equal(stage.status, 'out-of-service')
  })
})

describe('a binding', () => {
  it('outlives the lease: what registers again under its name is drained with it', () => {
    const stage = new Stage()
    stage.must({ verb: 'unregister', target: ref })
    stage.registered = stage.must(registration).instanceIds[0] ?? ''
    stage.drain()
    stage.report(stage.server, { rows: true })
    assert.equal(stage.status, 'out-of-service')
  })

  it('is of one instance alone, and made once', () => {
    const stage = new Stage()
    const other = stage.create({ name: 'two' })
    const bind = { verb: 'bind', ...pair } as const
    assert.equal(stage.must({ ...bind, target: target(stage.server) }).unchanged, 'already')
    assert.equal(code(stage.ask({ ...bind, target: target(other) })), 'AlreadyExists')
    assert.equal(code(stage.ask({ ...bind, target: ref })), 'Unsupported')
    stage.must({ verb: 'unbind', target: target(stage.server), ...pair })
    stage.must({ ...bind, target: target(other) })
    assert.equal(
      code(stage.ask({ verb: 'unbind', target: target(stage.server), ...pair })),
      'NotFound',
    )
  })

  it('ends with the instance, and with it what was withdrawn can be bound anew', () => {
    const stage = new Stage()
    stage.must({ verb: 'delete', target: target(stage.server) })
    stage.settle(stage.server)
    assert.deepEqual(stage.instance(stage.server).serves, [])
    const other = stage.create({ name: 'two' })
    stage.must({ verb: 'bind', target: target(other), ...pair })
  })

  it('undone while it is drained puts back, for nobody else would', () => {
    const stage = new Stage()
    stage.drain()
    stage.report(stage.server, { rows: true })
    stage.must({ verb: 'unbind', target: target(stage.server), ...pair })
    assert.equal(stage.status, 'up')
    assert.equal(stage.settle(stage.server).state, 'stopped')
  })

  it('makes itself when a registration says whose it is, and gives up names that are gone', () => {
    const stage = new Stage()
    const { server } = stage
    stage.must({ verb: 'unbind', target: target(server), ...pair })
    const properties = { 'runstate.instance': server }
    stage.must({ ...registration, instance: 'a', properties })
    stage.must({ ...registration, instance: 'b', properties })
    const names = (): readonly string[] =>
      stage.instance(server).serves.map(({ instance }) => instance)
    assert.deepEqual(names(), ['a', 'b'])
    stage.must({ verb: 'unregister', target: { ...ref, instance: 'a' } })
    stage.must({ ...registration, instance: 'c', properties })
    assert.deepEqual(names(), ['b', 'c'])
  })

  it('is not made with an instance of another project, nor with one that is not there', () => {
    const stage = new Stage()
    const theirs = { ...admin, projectId: projectId('p2') }
    const other = stage.create({ name: 'theirs' }, { as: theirs })
    for (const owner of [other, 'none', stage.registered]) {
      stage.must({ ...registration, instance: 'x', properties: { 'runstate.instance': owner } })
      stage.must({ verb: 'unregister', target: { ...ref, instance: 'x' } })
    }
    assert.deepEqual(stage.instance(other).serves, [])
  })
})

it('a start of what runs already puts back what nobody has put back yet', () => {
  const stage = new Stage()
  stage.drain()
  stage.settle(stage.server)
  stage.observe(stage.server, stage.seen('up'))
  assert.deepEqual(
    [stage.instance(stage.server).state, stage.status],
    ['running', 'out-of-service'],
  )
  stage.must({ verb: 'start', target: target(stage.server) })
  assert.equal(stage.status, 'up')
})

it('a drained instance that is said by hand to run is put back', () => {
  const stage = new Stage()
  stage.drain()
  stage.report(stage.server, { rows: true })
  stage.must({ verb: 'reset', target: target(stage.server), to: 'running' }, { as: admin })
  assert.equal(stage.status, 'up')
})
