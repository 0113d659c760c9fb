// What a kept row leaves out, and that nothing is lost by it.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { tableNames, usual } from '#kernel/tables.ts'
import { cause, eventDraft, rows } from '#test/contract/rows.ts'
import { decodeEvent, decodeRow, encode, encodeRow } from './encode.ts'

it('every row is read as it was written', () => {
  for (const table of tableNames) {
    const row = rows[table]()
    assert.deepEqual(decodeRow(table, encodeRow(table, row)[3]), row)
  }
})

it('what is usual is left out, and what is not is said', () => {
  const changed = { reason: 'it died', charged: true, labels: { a: 'b' } }
  const bodies = [
    encodeRow('instances', rows.instances(usual.instances)),
    encodeRow('operations', rows.operations(usual.operations)),
    encodeRow('instances', rows.instances({ ...usual.instances, ...changed })),
  ]
  const said = bodies.map(([table, , , body]) =>
    Object.keys(JSON.parse(body) as object).filter((field) => field in (usual[table] ?? {})),
  )
  assert.deepEqual(said, [[], [], ['reason', 'charged', 'labels']])
})

it('a row that says everything, as it was once written, is read as it says', () => {
  const { holds, conditions, ...rest } = rows.instances({ charge: 'PrePaid', launchedAtMs: null })
  const row = { ...rest, holds: [...holds], conditions: { ...conditions } }
  assert.deepEqual(decodeRow('instances', JSON.stringify(row)), row)
})

it('an event is kept once: what its columns say, its text does not', () => {
  const draft = eventDraft({ instanceId: null, cause, data: { from: 'running' } })
  const [values = []] = encode({ writes: [], events: [draft] }).events
  assert.deepEqual(Object.keys(JSON.parse(String(values.at(-1))) as object), ['cause', 'data'])
  assert.deepEqual(decodeEvent([7, ...values]), { ...draft, seq: 7 })
})
