// Facets say exactly what an instance is found by: no text is taken for another, a number or a prefix.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { rows } from '#test/contract/rows.ts'
import {
  facetKeyOf,
  facetText,
  fitsFacets,
  hasFacet,
  hasNumber,
  hasText,
  labelName,
  without,
} from './facets.ts'

const word = fc.constantFrom('', 'a', 'a=b', 'b', '%', '%0A', '\n', '\nlabel.a=b\n', 'é', '#', '=')
const labels = fc.dictionary(word, word, { maxKeys: 3 })

const holds = (text: string, one: ReturnType<typeof hasFacet>): boolean =>
  one !== undefined && fitsFacets(text, [[one]])

it('a label is found by its key, and by its key and value, and by nothing else', () => {
  fc.assert(
    fc.property(labels, word, word, (own, key, value) => {
      const text = facetText(rows.instances({ labels: own }))
      assert.equal(holds(text, hasFacet(labelName(key), value)), own[key] === value)
      assert.equal(holds(text, hasText(labelName(key))), Object.hasOwn(own, key))
      assert.equal(fitsFacets(text, [[without(hasText(labelName(key)))]]), !Object.hasOwn(own, key))
    }),
  )
})

it('a number is no text, and a text too long is only there', () => {
  const of = (zoneId: string | number) =>
    facetText(rows.instances({ attributes: { ecs: { zoneId } } }))
  assert.equal(holds(of(5), hasFacet('ecs.zoneId', 5)), true)
  assert.equal(holds(of(5), hasFacet('ecs.zoneId', '5')), false)
  assert.equal(holds(of(5), hasText('ecs.zoneId')), false)
  assert.equal(holds(of('5'), hasNumber('ecs.zoneId')), false)
  const long = 'x'.repeat(257)
  assert.equal(hasFacet('ecs.zoneId', long), undefined)
  assert.equal(holds(of(long), hasText('ecs.zoneId')), true)
  assert.equal(holds(of(long), hasFacet('ecs.zoneId', '%')), false)
})

it('the order in which labels were given makes no other set, and different sets have different keys', () => {
  const of = (own: Record<string, string>) => facetText(rows.instances({ labels: own }))
  assert.equal(of({ a: '1', b: '2' }), of({ b: '2', a: '1' }))
  const keys = Array.from({ length: 20_000 }, (_, n) => facetKeyOf(of({ n: String(n) })))
  assert.equal(new Set(keys).size, keys.length)
  assert.ok(keys.every((key) => Number.isSafeInteger(key) && key >= 0))
  assert.equal(facetText(rows.instances({ kind: 'notebook' })), '')
})
