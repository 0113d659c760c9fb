// The thread that writes: carries out orders one by one, and answers each once it is on disk.

import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '#kernel/assert.ts'
import { StoreError } from '#kernel/ports/store.ts'
import { connect } from './connect.ts'
import { Database } from './database.ts'
import { Succession } from './succession.ts'
import type { Answer, Order, ThreadData } from './thread.ts'

assert(parentPort !== null, 'this is the entry of a thread')
const port = parentPort
const { path } = workerData as ThreadData // given by WritingThread alone
const succession = new Succession()
const database = new Database(connect(path, { checkpoints: true }))

function answer(order: Exclude<Order, null>): Answer {
  try {
    const value =
      'commit' in order
        ? succession.run(order.place, () => database.apply(order.commit))
        : database.claim(order.claim)
    return { ok: true, value }
  } catch (thrown) {
    // An error's class does not survive the crossing, so what it says crosses alone.
    const code = thrown instanceof StoreError ? thrown.code : null
    return { ok: false, code, message: thrown instanceof Error ? thrown.message : String(thrown) }
  }
}

port.on('message', (order: Order) => {
  if (order !== null) return port.postMessage(answer(order))
  database.close()
  port.close()
})
