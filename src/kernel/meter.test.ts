// Meters: what is charged follows what was seen, and spans of time leave no gap and count nothing twice.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { admin, Board, flavor, target } from '#test/harness/board.ts'
import type { EventDraft } from './event.ts'
import type { InstanceId } from './ids.ts'
import { meteredTypes, type Period, Usage, type UsageSpan } from './meter.ts'

const isMetered = ({ type }: EventDraft): boolean =>
  (meteredTypes as readonly string[]).includes(type) // widened: an event is of any type

function usageOf(board: Board, id: InstanceId, period: Period): readonly UsageSpan[] {
  const usage = new Usage(period)
  for (const event of board.events) if (event.subject === id && isMetered(event)) usage.take(event)
  return usage.spans()
}

const always = { fromMs: 0, untilMs: 10_000_000_000 }
const charged = (spans: readonly UsageSpan[]): number =>
  spans.filter((span) => span.charged).reduce((sum, { ms }) => sum + ms, 0)
const whole = (spans: readonly UsageSpan[]): number => spans.reduce((sum, { ms }) => sum + ms, 0)

/** Lets time pass, then has it seen as what is under way wants it. */
function settleAfter(board: Board, id: InstanceId, ms: number): void {
  board.nowMs += ms
  board.settle(id)
}

describe('the meter', () => {
  it('starts when the thing is first seen up, not when it was asked for', () => {
    const board = new Board()
    const id = board.create()
    assert.equal(board.instance(id).charged, false)
    settleAfter(board, id, 5_000)
    assert.equal(board.instance(id).charged, true)
    const untilMs = board.nowMs + 1_000
    assert.equal(charged(usageOf(board, id, { fromMs: 0, untilMs })), 1_000)
  })

  it('of a stop that gives the capacity back ends when it is seen down, and of any other goes on', () => {
    for (const stoppedMode of ['release', 'keep'] as const) {
      const board = new Board()
      const id = board.create()
      board.settle(id)
      const upMs = board.nowMs
      board.nowMs += 10_000
      board.must({ verb: 'stop', target: target(id), rung: 'soft', stoppedMode })
      assert.equal(board.instance(id).charged, true, 'asked is not seen')
      settleAfter(board, id, 3_000)
      const downMs = board.nowMs
      board.nowMs += 60_000
      board.must({ verb: 'start', target: target(id) })
      assert.equal(board.instance(id).charged, stoppedMode === 'keep')
      settleAfter(board, id, 2_000)
      const againMs = board.nowMs
      const spans = usageOf(board, id, { fromMs: 0, untilMs: againMs + 500 })
      const off = stoppedMode === 'keep' ? 0 : againMs - downMs
      assert.equal(charged(spans), againMs + 500 - upMs - off, stoppedMode)
      const stopped = spans.find(({ situation }) => situation === 'stopped')
      assert.deepEqual(stopped, {
        situation: 'stopped',
        stoppedMode,
        charged: stoppedMode === 'keep',
        ms: 60_000,
      })
    }
  })

  it('of a stopped instance follows its mode', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    board.must({ verb: 'stop', target: target(id), rung: 'soft' })
    board.settle(id)
    for (const mode of ['release', 'keep'] as const) {
      board.nowMs += 1_000
      board.must({ verb: 'stop', target: target(id), rung: 'soft', stoppedMode: mode })
      assert.equal(board.instance(id).charged, mode === 'keep')
    }
    const spans = usageOf(board, id, { fromMs: 0, untilMs: board.nowMs + 7 })
    const released = spans.find(({ stoppedMode }) => stoppedMode === 'release')
    assert.equal(released?.ms, 1_000)
  })

  it('is told of when a harder stop names another mode than the one it takes the place of', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    board.must({ verb: 'stop', target: target(id), rung: 'soft', stoppedMode: 'keep' })
    board.must({ verb: 'stop', target: target(id), rung: 'hard', stoppedMode: 'release' })
    const last = board.events.filter(isMetered).at(-1)
    assert.deepEqual(last?.data, { to: 'stopping', mode: 'release', charged: true })
    board.settle(id)
    assert.equal(board.instance(id).charged, false)
  })

  it('of a term runs from the first start to the end, whatever it does; of what is free, never', () => {
    for (const charge of ['PrePaid', 'free'] as const) {
      const board = new Board([flavor({ charge })])
      const id = board.create()
      board.settle(id)
      const upMs = board.nowMs
      board.must({ verb: 'stop', target: target(id), rung: 'hard' })
      settleAfter(board, id, 4_000)
      const untilMs = board.nowMs + 4_000
      const spans = usageOf(board, id, { fromMs: 0, untilMs })
      assert.equal(charged(spans), charge === 'free' ? 0 : untilMs - upMs)
    }
  })

  it('follows a change of how it is paid for', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    for (const charge of ['free', 'PostPaid'] as const) {
      board.nowMs += 1_000
      board.must({ verb: 'update', target: target(id), charge }, { as: admin })
      assert.equal(board.instance(id).charged, charge !== 'free')
    }
    board.must({ verb: 'update', target: target(id), charge: 'PostPaid', name: 'same' })
    assert.equal(board.events.filter(({ type }) => type === 'instance.charge').length, 2)
  })

  it('ends with what is lost or gone, and what stopped by itself is kept', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    board.observe(id, board.seen('down'))
    assert.equal(board.instance(id).charged, true, 'it stopped by itself')
    board.observe(id, board.seen('absent'))
    assert.equal(board.instance(id).charged, false, 'it is lost')
    board.must({ verb: 'start', target: target(id) })
    board.settle(id)
    assert.equal(board.instance(id).charged, true)
    board.must({ verb: 'delete', target: target(id) })
    settleAfter(board, id, 100)
    const lived = whole(usageOf(board, id, always))
    board.nowMs += 50_000
    assert.equal(whole(usageOf(board, id, always)), lived, 'what is gone takes no more time')
  })

  it('of what failed to be stopped ends when it is seen to be down or gone after all', () => {
    for (const seen of ['down', 'absent'] as const) {
      const board = new Board()
      const id = board.create()
      board.settle(id)
      const upMs = board.nowMs
      board.must({ verb: 'stop', target: target(id), rung: 'hard' })
      board.report(id, { act: 'stop', ok: false, error: { code: 'refused', message: 'no' } })
      assert.equal(board.instance(id).state, 'failed')
      board.nowMs += 1_000
      board.observe(id, board.seen('unknown'))
      assert.equal(board.instance(id).charged, true, 'it is there for all we know')
      board.observe(id, board.seen(seen))
      assert.equal(board.instance(id).charged, false)
      board.nowMs += 60_000
      const spans = usageOf(board, id, { fromMs: 0, untilMs: board.nowMs })
      assert.equal(charged(spans), 1_000)
      assert.equal(whole(spans), board.nowMs - upMs)
    }
  })

  it('is not deceived by a clock that is set back', () => {
    const board = new Board()
    const id = board.create()
    board.settle(id)
    const before = board.nowMs
    board.nowMs -= 3_600_000
    board.must({ verb: 'stop', target: target(id), rung: 'soft', stoppedMode: 'release' })
    board.settle(id)
    assert.equal(board.instance(id).stateSinceMs, before)
    assert.equal(charged(usageOf(board, id, always)), 0, 'no time has passed')
  })

  it('counts each moment of a life once, however its time is cut into periods', () => {
    const moment = fc.integer({ min: 900_000, max: 1_300_000 })
    const deed = fc.constantFrom('release', 'keep', 'start', 'restart', 'down', 'absent', 'up')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(deed, fc.nat(20_000)), { maxLength: 12 }),
        fc.tuple(moment, moment, moment),
        (deeds, moments) => {
          const board = new Board()
          const id = board.create()
          board.settle(id)
          for (const [what, ms] of deeds) {
            board.nowMs += ms
            if (what === 'down' || what === 'absent' || what === 'up')
              board.observe(id, board.seen(what))
            else if (what === 'start' || what === 'restart')
              board.ask({ verb: what, target: target(id), rung: 'soft' })
            else board.ask({ verb: 'stop', target: target(id), rung: 'soft', stoppedMode: what })
            board.settle(id)
          }
          const [a = 0, b = 0, c = 0] = moments.toSorted((one, other) => one - other)
          const in_ = (fromMs: number, untilMs: number) => usageOf(board, id, { fromMs, untilMs })
          for (const sum of [whole, charged])
            assert.equal(sum(in_(a, b)) + sum(in_(b, c)), sum(in_(a, c)))
          assert.equal(whole(in_(a, c)), Math.max(0, c - Math.max(a, 1_000_000)))
        },
      ),
      { numRuns: 200 },
    )
  })
})
