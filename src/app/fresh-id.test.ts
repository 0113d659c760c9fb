// Law of new ids: those made later sort later, every shortened form that is shown differs, and a client's check of a
// version 4 UUID takes them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshId } from './fresh-id.ts'

test('ids rise, look like version 4, and differ in their last eight digits', () => {
  const ids = Array.from({ length: 200 }, freshId)
  assert.deepEqual(ids, ids.toSorted())
  for (const id of ids)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(new Set(ids.map((id) => id.slice(-8))).size, ids.length)
})
