// The thread that writes: takes encoded commits in order, and answers each once it is on disk.

import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '#kernel/assert.ts'
import { StoreError } from '#kernel/ports/store.ts'
import { connect } from './connect.ts'
import { Database } from './database.ts'
import { type Encoded } from './encode.ts'
import { type Order, type ThreadData, type Written } from './writing.ts'

assert(parentPort !== null, 'the writer runs in a thread of its own')
const port = parentPort
const { path } = workerData as ThreadData // given by Writing alone
const database = new Database(connect(path, 'writer'))

function write(encoded: Encoded): Written {
  try {
    return { ok: true, first: database.apply(encoded) }
  } catch (thrown) {
    // An error's class does not survive the crossing, so what it says crosses alone.
    const code = thrown instanceof StoreError ? thrown.code : null
    return { ok: false, code, message: thrown instanceof Error ? thrown.message : String(thrown) }
  }
}

port.on('message', (order: Order) => {
  if (order !== null) return port.postMessage(write(order))
  database.close()
  port.close()
})
