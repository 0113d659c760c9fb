import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lentHeaders } from './lent-headers.ts'
import type { Exchange } from './http.ts'

const exchange = (headers: Record<string, string>, change: Partial<Exchange> = {}): Exchange =>
  ({
    method: 'PUT',
    rawPath: '/a',
    rawQuery: '',
    headers,
    body: Buffer.from('{}'),
    ...change,
  }) as Exchange // what the headers are read from, and no more

const keyed = (change: Partial<Exchange> = {}) => {
  const lent = lentHeaders(exchange({ 'idempotency-key': 'k' }, change))
  assert.ok(lent.ok)
  return lent.value.idempotency
}

test('nothing is lent that was not asked for', () => {
  assert.deepEqual(lentHeaders(exchange({})), { ok: true, value: {} })
  assert.deepEqual(lentHeaders(exchange({ 'x-dry-run': 'False' })), { ok: true, value: {} })
})

test('a dry run is asked for by true, in any case', () => {
  for (const text of ['true', 'True'])
    assert.deepEqual(lentHeaders(exchange({ 'x-dry-run': text })), {
      ok: true,
      value: { dryRun: true },
    })
})

test('the same request has the same fingerprint, and any other has another', () => {
  assert.equal(keyed()?.token, 'k')
  assert.deepEqual(keyed(), keyed())
  const others = [
    keyed({ method: 'POST' }),
    keyed({ rawPath: '/b' }),
    keyed({ rawQuery: 'a=b' }),
    keyed({ body: Buffer.from('{ }') }),
  ]
  const prints = new Set([keyed(), ...others].map((one) => one?.fingerprint))
  assert.equal(prints.size, 5)
})

test('what is no key and no truth value is refused by its header\u2019s name', () => {
  for (const [headers, field] of [
    [{ 'idempotency-key': '' }, 'Idempotency-Key'],
    [{ 'idempotency-key': 'a b' }, 'Idempotency-Key'],
    [{ 'idempotency-key': 'x'.repeat(256) }, 'Idempotency-Key'],
    [{ 'x-dry-run': '1' }, 'X-Dry-Run'],
  ] as const) {
    const lent = lentHeaders(exchange(headers))
    assert.ok(!lent.ok)
    assert.equal(lent.error.field, field)
  }
})
