import assert from 'node:assert/strict'
import { test } from 'node:test'
import { done, exitOf, type Failure, failed } from './outcome.ts'

const ok = done(null)
const problem = (code: string): Failure =>
  ({
    is: 'problem',
    problem: { type: '', title: '', status: 400, detail: '', code, requestId: '' },
  }) as Failure // a code that the door has
const timedOut: Failure = { is: 'timed-out', operation: 'x', afterMs: 1 }
const held = problem('Held')
const busy = problem('Busy')

test('one exit code stands for all targets', () => {
  for (const [failures, wentWell, code] of [
    [[], 2, 0],
    [[{ is: 'unreachable', url: '', why: '' }], 0, 1],
    [[{ is: 'usage', message: '' }], 0, 2],
    [[held], 1, 3],
    [[timedOut], 5, 3],
    [[held, held], 0, 4],
    [[problem('NotFound'), problem('Forbidden')], 0, 4],
    [[timedOut], 0, 5],
    [[busy], 0, 6],
    [[busy, held], 0, 1],
    [[problem('Overloaded')], 0, 1],
    [[{ is: 'interrupted', operation: 'x' }], 3, 130],
  ] as const) {
    const outcomes = [
      ...failures.map((failure) => failed(failure as Failure)),
      ...Array.from({ length: wentWell }, () => ok),
    ] // the literals above are failures
    assert.equal(exitOf(outcomes), code, JSON.stringify(failures))
  }
})
