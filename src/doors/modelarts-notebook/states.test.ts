// The tables of states.ts against the contract's own text: the matrix is written there once more by hand, so a
// slip in one of the two shows. What the doors then do is tested through sockets in door.test.ts.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { allowed } from '#kernel/lifecycle.ts'
import { lifecycles } from '#kernel/kinds.ts'
import {
  devenvFrom,
  devenvStatuses,
  type DevenvVerb,
  devenvVerbs,
  devenvWords,
  labFrom,
  labRows,
  labStatuses,
  matrix,
} from './states.ts'

/** Source: notebook contract, section 2.3, as it stands there. */
const table = `
| STOPPED | → STARTING¹ | 6307 | 6327 | → START_QUEUING | 6357 | ok | ok |
| START_FAILED | → STARTING¹ | 6327 | 6327 | → START_QUEUING | 6357 | ok | ok |
| CREATE_FAILED | 6357 | 6327 | 6327 | 6357 | 6357 | ok | 6347 |
| RESIZE_FAILED | → STARTING¹ | 6327 | 6327 | 6357 | 6357 | ok | ok |
| CREATING | 6357 | 6357 | 6357 | 6357 | 6357 | 6357 | 6347 |
| STARTING | 6306 | 6306 | 6306 | 6306 | 6306 | 6306 | 6347 |
| RESTARTING | 6357 | 6357 | 6357 | 6357 | 6357 | 6357 | 6347 |
| RUNNING | 6305 | → STOPPING | → RESTARTING | 6305 | 6357 | 6304 | ok² |
| STOPPING | 6308 | 6308 | 6308 | 6308 | 6308 | 6308 | 6347 |
| CREATE_QUEUING, START_QUEUING | 6357 | 6357 | 6357 | 6357 | → STOPPED | 6357 | ok |
| READY_TO_START | → STARTING | 6357 | 6357 | 6357 | → STOPPED | 6357 | ok |
| UNAVAILABLE | 6333 | → STOPPING | → RESTARTING | 6357 | 6357 | 6304 | 6347 |
| RESIZING | 6357 | 6357 | 6357 | 6357 | 6357 | 6357 | 6347 |
| DELETED / unknown id | 6309 | 6309 | 6309 | 6309 | 6309 | 6309 | 6309 |
`

test('the matrix is the contract\u2019s, cell by cell', () => {
  const seen: string[] = []
  for (const line of table.trim().split('\n')) {
    const [names = '', ...cells] = line
      .split('|')
      .slice(1, -1)
      .map((one) => one.trim())
    for (const name of names.replace(' / unknown id', '').split(', ')) {
      const status = devenvStatuses.find((one) => one === name)
      assert.ok(status, name)
      seen.push(name)
      devenvVerbs.forEach((verb, column) => {
        const cell = cells[column] ?? ''
        const wanted = /^(→|ok)/.test(cell) ? 'ok' : cell
        assert.equal(matrix[status][verb], wanted, `${status} ${verb}`)
      })
    }
  }
  assert.deepEqual(seen.toSorted(), [...devenvStatuses].toSorted())
})

suite('what a family accepts, the lifecycle of notebooks allows', () => {
  const stateOf = (situation: string) => situation.split('/')[0] ?? ''
  const check = (verb: Exclude<DevenvVerb, 'update'>, from: readonly string[]) => {
    assert.ok(from.length > 0)
    for (const situation of from)
      assert.ok(
        allowed(lifecycles.notebook, verb).includes(stateOf(situation)),
        `${verb} from ${situation}`,
      )
  }
  for (const verb of ['start', 'stop', 'restart', 'queue', 'dequeue', 'delete'] as const)
    test(`the first family's ${verb}`, () => check(verb, devenvFrom(verb)))
  for (const verb of ['start', 'stop', 'delete'] as const)
    test(`the second family's ${verb}`, () => check(verb, labFrom(verb)))
})

test('every situation has a word in both families, and every word of the first is reached but two', () => {
  const states = Object.keys(lifecycles.notebook.states).filter((one) => one !== 'failed')
  for (const state of states) {
    assert.ok(state in devenvWords, state)
    assert.ok(state in labRows, state)
  }
  const shown = new Set<string>(Object.values(devenvWords))
  const never = devenvStatuses.filter((one) => !shown.has(one))
  // CREATE_QUEUING is START_QUEUING's other word, told apart by what is waited for.
  assert.deepEqual(never.toSorted(), ['CREATE_QUEUING', 'RESIZE_FAILED', 'RESIZING'])
})

test('the second family never shows a snapshot or a frozen account', () => {
  const shown = new Set<string>(Object.values(labRows).map((one) => one.status))
  const never = labStatuses.filter((one) => !shown.has(one))
  assert.deepEqual(never, ['SNAPSHOTTING', 'FROZEN'])
})
