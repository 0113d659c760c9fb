// The laws that every lifecycle keeps, over every table, state and move: small spaces are enumerated.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allowed, isA, type Lifecycle, step } from './lifecycle.ts'
import { lifecycles } from './kinds.ts'

const tables: readonly Lifecycle[] = Object.values(lifecycles)

function reachable(table: Lifecycle): ReadonlySet<string> {
  const seen = new Set<string>(table.starts)
  for (let size = 0; size !== seen.size; ) {
    size = seen.size
    for (const move of table.moves)
      if (move.from.some((state) => seen.has(state))) seen.add(move.to)
  }
  return seen
}

/** Every broken law of a table, in words; empty when it keeps them all. */
function faults(table: Lifecycle): readonly string[] {
  const names = Object.keys(table.states)
  const found: string[] = []
  const exits = (state: string) => table.moves.filter((move) => move.from.includes(state))
  for (const state of names) {
    if (!reachable(table).has(state)) found.push(`${state} is unreachable`)
    if (!isA(table, state, 'final') && exits(state).length === 0) found.push(`${state} is a trap`)
    if (isA(table, state, 'final') && exits(state).length > 0)
      found.push(`${state} is final and has exits`)
    if (state.length > 16) found.push(`${state} does not fit the column`)
    if (!isA(table, state, 'busy')) continue
    const toward = table.states[state]?.toward ?? ''
    if (!names.includes(toward)) found.push(`${state} heads nowhere`)
    if (!exits(state).some((move) => move.by === 'kernel' && move.to === toward))
      found.push(`${state} cannot get where it heads`)
    if (!exits(state).some((move) => move.by === 'kernel' && isA(table, move.to, 'failed')))
      found.push(`${state} cannot fail`)
  }
  for (const move of table.moves) {
    for (const state of [...move.from, move.to])
      if (!names.includes(state)) found.push(`${move.on} names ${state}, which is no state`)
    for (const state of move.from)
      if (
        table.moves.filter((other) => other.on === move.on && other.from.includes(state)).length > 1
      )
        found.push(`${state} has two answers to ${move.on}`)
  }
  return found
}

describe('lifecycles', () => {
  for (const table of tables)
    it(`${table.kind} keeps every law`, () => assert.deepEqual(faults(table), []))

  it('step and allowed agree with the table for every state and move', () => {
    let pairs = 0
    for (const table of tables) {
      for (const on of new Set(table.moves.map((move) => move.on))) {
        for (const state of Object.keys(table.states)) {
          const row = table.moves.find((move) => move.on === on && move.from.includes(state))
          assert.equal(step(table, state, on), row?.to)
          assert.equal(allowed(table, on).includes(state), row !== undefined)
          pairs++
        }
      }
    }
    assert.ok(pairs > 400, `only ${pairs} pairs were tried`)
  })

  it('the laws find each planted fault', () => {
    const rest = { is: 'rest', doc: '' } as const
    const busy = { is: 'busy', toward: 'on', doc: '' } as const
    const planted = {
      kind: 'planted',
      starts: ['on'],
      states: { on: rest, trap: rest, lost: rest, going: busy, over: { is: 'final', doc: '' } },
      moves: [
        { on: 'go', from: ['on'], to: 'going', by: 'caller', doc: '' },
        { on: 'go', from: ['on'], to: 'trap', by: 'caller', doc: '' },
        { on: 'end', from: ['going', 'over'], to: 'over', by: 'caller', doc: '' },
      ],
    } as const satisfies Lifecycle
    const found = faults(planted)
    for (const fault of [
      'lost is unreachable',
      'trap is a trap',
      'over is final and has exits',
      'going cannot get where it heads',
      'going cannot fail',
      'on has two answers to go',
    ])
      assert.ok(found.includes(fault), fault)
  })
})
