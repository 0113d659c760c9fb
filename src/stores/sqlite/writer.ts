// The thread that writes: takes encoded commits in order, answers each once it is on disk.

import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '#kernel/assert.ts'
import { StoreError } from '#kernel/ports/store.ts'
import { connect } from './connect.ts'
import { Database } from './database.ts'
import { type Encoded } from './encode.ts'

/** `null` ends the thread once all before it is written. */
export type Order = Encoded | null

export type Written =
  | { readonly ok: true; readonly first: number }
  /** `code` null: a bug, not the store's refusal. */
  | { readonly ok: false; readonly code: StoreError['code'] | null; readonly message: string }

assert(parentPort !== null, 'the writer runs in a thread of its own')
const port = parentPort
const database = new Database(connect(String(workerData), 'writer'))

function write(encoded: Encoded): Written {
  try {
    return { ok: true, first: database.apply(encoded) }
  } catch (thrown) {
    if (thrown instanceof StoreError)
      return { ok: false, code: thrown.code, message: thrown.message }
    return { ok: false, code: null, message: String(thrown) }
  }
}

port.on('message', (order: Order) => {
  if (order !== null) return port.postMessage(write(order))
  database.close()
  port.close()
})
