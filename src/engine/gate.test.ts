import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Gate } from './gate.ts'

const never = new AbortController().signal

it('no more are inside than there are places, and who waited longest is next', async () => {
  const gate = new Gate(2)
  const inside = [await gate.enter(never), await gate.enter(never)]
  const order: string[] = []
  const later = ['c', 'd'].map(async (name) => {
    const leave = await gate.enter(never)
    order.push(name)
    leave?.()
  })
  await Promise.resolve()
  assert.deepEqual(order, [])
  inside[0]?.()
  await Promise.all(later)
  assert.deepEqual(order, ['c', 'd'])
})

it('who gives up while waiting takes no place', async () => {
  const gate = new Gate(1)
  const leave = await gate.enter(never)
  const impatient = new AbortController()
  const gaveUp = gate.enter(impatient.signal)
  impatient.abort()
  assert.equal(await gaveUp, null)
  leave?.()
  assert.notEqual(await gate.enter(never), null)
})
