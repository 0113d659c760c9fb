import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Throttle, loginLimits } from './throttle.ts'

const proof = (isRight: boolean) => async () => isRight

function begin() {
  const clock = { nowMs: 1_000_000 }
  return { clock, throttle: new Throttle(loginLimits, () => clock.nowMs) }
}

test('five failures in a row lock, for a time that doubles up to a limit', async () => {
  const { clock, throttle } = begin()
  for (let failure = 1; failure <= 5; failure += 1)
    assert.deepEqual(await throttle.attempt('ann', proof(false)), { ok: true, value: false })
  const lockMs: number[] = []
  for (let round = 0; round < 11; round += 1) {
    const refused = await throttle.attempt('ann', proof(true))
    assert.ok(!refused.ok, `round ${round}`)
    lockMs.push(refused.error.retryAfterMs)
    clock.nowMs += refused.error.retryAfterMs - 1
    assert.ok(!(await throttle.attempt('ann', proof(true))).ok, 'one millisecond too early')
    clock.nowMs += 1
    assert.deepEqual(await throttle.attempt('ann', proof(false)), { ok: true, value: false })
  }
  assert.deepEqual(lockMs.slice(0, 5), [1_000, 2_000, 4_000, 8_000, 16_000])
  assert.equal(lockMs.at(-1), loginLimits.lockMsMax)
})

test('knocking while locked neither proves nor prolongs', async () => {
  const { clock, throttle } = begin()
  for (let failure = 0; failure < 5; failure += 1) await throttle.attempt('ann', proof(false))
  let proved = 0
  const counting = async () => {
    proved += 1
    return false
  }
  for (let knock = 0; knock < 50; knock += 1) await throttle.attempt('ann', counting)
  assert.equal(proved, 0)
  clock.nowMs += 1_000
  assert.deepEqual(await throttle.attempt('ann', proof(true)), { ok: true, value: true })
})

test('a success forgets the failures before it', async () => {
  const { throttle } = begin()
  for (let round = 0; round < 3; round += 1) {
    for (let failure = 0; failure < 4; failure += 1) await throttle.attempt('ann', proof(false))
    assert.deepEqual(await throttle.attempt('ann', proof(true)), { ok: true, value: true })
  }
})

test('failures are forgotten after a quarter of an hour', async () => {
  const { clock, throttle } = begin()
  for (let failure = 0; failure < 4; failure += 1) await throttle.attempt('ann', proof(false))
  clock.nowMs += 15 * 60_000 + 1
  await throttle.attempt('ann', proof(false))
  assert.deepEqual(await throttle.attempt('ann', proof(true)), { ok: true, value: true })
})

test('one subject does not lock another', async () => {
  const { throttle } = begin()
  for (let failure = 0; failure < 6; failure += 1) await throttle.attempt('ann', proof(false))
  assert.deepEqual(await throttle.attempt('bob', proof(true)), { ok: true, value: true })
})

test('guesses made all at once are no more than guesses made in a row', async () => {
  const { throttle } = begin()
  let proved = 0
  const slow = async () => {
    proved += 1
    await new Promise((resolve) => setImmediate(resolve))
    return false
  }
  const all = await Promise.all(Array.from({ length: 60 }, () => throttle.attempt('ann', slow)))
  assert.equal(proved, 5)
  assert.equal(all.filter(({ ok }) => ok).length, 5)
})

test('many right ones at once all pass, in turn', async () => {
  const { throttle } = begin()
  let running = 0
  let most = 0
  const slow = async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise((resolve) => setImmediate(resolve))
    running -= 1
    return true
  }
  const all = await Promise.all(Array.from({ length: 60 }, () => throttle.attempt('ann', slow)))
  assert.ok(all.every((one) => one.ok && one.value))
  assert.equal(most, 5)
})

test('an attempt that breaks frees its place', async () => {
  const { throttle } = begin()
  const breaks = async () => await Promise.reject(new Error('disk'))
  for (let round = 0; round < 20; round += 1)
    await assert.rejects(throttle.attempt('ann', breaks), /disk/)
  assert.deepEqual(await throttle.attempt('ann', proof(true)), { ok: true, value: true })
})

test('memory is bounded: the longest unused subject is forgotten first', async () => {
  const { throttle } = begin()
  for (let failure = 0; failure < 5; failure += 1) {
    await throttle.attempt('early', proof(false))
    await throttle.attempt('late', proof(false))
  }
  for (let other = 0; other < 9_999; other += 1) throttle.failed(`other ${other}`)
  assert.equal(throttle.refusal('early'), undefined)
  assert.deepEqual(throttle.refusal('late'), { code: 'throttled', retryAfterMs: 1_000 })
})

test('failures counted from outside lock as well, until proved', () => {
  const clock = { nowMs: 0 }
  const limits = { failuresMax: 3, lockMsMin: 500, lockMsMax: 500 }
  const throttle = new Throttle(limits, () => clock.nowMs)
  throttle.failed('key')
  throttle.failed('key')
  throttle.proved('key')
  throttle.failed('key')
  throttle.failed('key')
  assert.equal(throttle.refusal('key'), undefined)
  throttle.failed('key')
  assert.deepEqual(throttle.refusal('key'), { code: 'throttled', retryAfterMs: 500 })
  clock.nowMs += 500
  assert.equal(throttle.refusal('key'), undefined)
})
