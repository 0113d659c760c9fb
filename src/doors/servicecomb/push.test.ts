// A slow reader costs others nothing: what waits for it is bounded, newest first kept, and no end is lost.

import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { suite, test } from 'node:test'
import type { WebSocket } from '@fastify/websocket'
import { serviceId } from '#kernel/ids.ts'
import { type Frame, Push, sendTimeoutMs } from './push.ts'

/** A reader that takes what it is sent when the test says so. */
class Reader extends EventEmitter {
  readonly got: string[] = []
  isCut = false
  #taken: ((error?: Error) => void)[] = []

  send(text: Buffer, _options: object, taken?: (error?: Error) => void): void {
    this.got.push(text.toString())
    if (taken) this.#taken.push(taken)
  }

  terminate(): void {
    this.isCut = true
  }

  take(): void {
    const taken = this.#taken
    this.#taken = []
    for (const one of taken) one()
  }
}

function scene(): { readonly reader: Reader; readonly push: Push } {
  const reader = new Reader()
  const socket = reader as unknown as WebSocket // what a push uses of it
  return { reader, push: new Push(socket, performance.now(), { closed: () => undefined }) }
}

const frame = (instance: string, text: string, isLast = false): Frame => ({
  instance,
  isLast,
  of: { service: serviceId('s'), revision: 1 },
  text: Buffer.from(text),
})

suite('what waits for a reader', () => {
  test('is sent in order, in one go, and nothing more until that has been taken', () => {
    const { reader, push } = scene()
    for (const text of ['1', '2']) push.enqueue(frame('a', text))
    push.flush()
    push.enqueue(frame('a', '3'))
    push.flush()
    assert.deepEqual(reader.got, ['1', '2'])
    reader.take()
    assert.deepEqual(reader.got, ['1', '2', '3'])
  })

  test('is every frame while few wait', () => {
    const { reader, push } = scene()
    push.enqueue(frame('a', 'first'))
    push.flush()
    for (let n = 0; n < 100; n += 1) push.enqueue(frame('a', `${n}`))
    reader.take()
    assert.equal(reader.got.length, 101)
  })

  test('is the newest of each instance once many wait, and every end', () => {
    const { reader, push } = scene()
    push.enqueue(frame('a', 'first'))
    push.flush()
    push.enqueue(frame('a', 'end of a', true))
    push.enqueue(frame('b', 'b'))
    for (let n = 0; n < 5_000; n += 1) push.enqueue(frame('a', `${n}`))
    reader.take()
    const got = reader.got.slice(1)
    assert.ok(got.length <= 102, `${got.length} frames`)
    assert.deepEqual([got[0], got[1], got.at(-1)], ['end of a', 'b', '4999'])
    assert.equal(reader.isCut, false)
  })

  test('is bounded: beyond it the reader is cut', () => {
    const { reader, push } = scene()
    push.enqueue(frame('a', 'first'))
    push.flush()
    for (let n = 0; n <= 5_000; n += 1) push.enqueue(frame(`i${n}`, 'x'))
    assert.equal(reader.isCut, true)
  })

  test('is not waited for longer than a write may take', () => {
    const { reader, push } = scene()
    const nowMs = performance.now()
    assert.equal(push.isStuck(nowMs + 2 * sendTimeoutMs), false, 'nothing is being sent')
    push.enqueue(frame('a', 'first'))
    push.flush()
    assert.equal(push.isStuck(nowMs + 2 * sendTimeoutMs), true)
    reader.take()
    assert.equal(push.isStuck(nowMs + 2 * sendTimeoutMs), false)
  })
})
