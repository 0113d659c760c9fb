// The writing thread, seen from the main one: orders go over in order, and so do the answers come back.

import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Operation } from '#kernel/operation.ts'
import { StoreError } from '#kernel/ports/store.ts'
import type { Encoded } from './encode.ts'
import { type Place, Succession } from './succession.ts'
import type { Claim, Writer } from './writer.ts'

/** `null` ends the thread once all before it is done. */
export type Order =
  | { readonly commit: Encoded; readonly place: Place }
  | { readonly claim: Claim }
  | null

export type Answer =
  | { readonly ok: true; readonly value: number | readonly Operation[] }
  /** `code` null: a bug, not the store's refusal. */
  | { readonly ok: false; readonly code: StoreError['code'] | null; readonly message: string }

export interface ThreadData {
  readonly path: string
  readonly entry: string
  readonly cache: string | null
}

interface Pending {
  /** Of a commit. */
  readonly place: Place | null
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/** It holds nothing for long: what it is sent is garbage once it is written. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 }

/** Left to itself the thread would strip types once more, and keep 25 MiB for having done so. */
const bootstrap = `
  const { cache, entry } = require('node:worker_threads').workerData
  if (cache !== null) require('node:module').enableCompileCache(cache)
  import(entry)
`

export class WritingThread implements Writer {
  readonly #path: string
  readonly #pending: Pending[] = []
  /** The failures that were heard of here. */
  readonly #heard = new Succession()
  #worker: Worker | null

  constructor(path: string) {
    this.#path = path
    this.#worker = this.#start()
  }

  async commit(commit: Encoded, place: Place): Promise<number> {
    // A thread that is new knows nothing of what the last one failed at.
    return this.#heard.run(place, () => this.#ask<number>({ commit, place }))
  }

  claim(claim: Claim): Promise<readonly Operation[]> {
    return this.#ask({ claim })
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === null) return
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.ref()
    worker.postMessage(null satisfies Order)
    await ended
  }

  #ask<T>(order: Exclude<Order, null>): Promise<T> {
    const worker = (this.#worker ??= this.#start())
    return new Promise((resolve, reject) => {
      this.#pending.push({ place: 'place' in order ? order.place : null, resolve, reject })
      // Only an order under way keeps the process alive, as it would on the main thread.
      worker.ref()
      worker.postMessage(order)
    })
  }

  #start(): Worker {
    const cache = getCompileCacheDir()
    const workerData: ThreadData = {
      path: this.#path,
      entry: new URL('./thread-entry.ts', import.meta.url).href,
      // Of the folder that it names, Node makes one for each of its versions.
      cache: cache === undefined ? null : dirname(cache),
    }
    const worker = new Worker(bootstrap, { eval: true, workerData, resourceLimits })
    let cause: unknown
    worker.on('message', (answer: Answer) => this.#settle(worker, answer))
    worker.on('error', (thrown: unknown) => {
      cause = thrown
    })
    worker.on('exit', () => this.#lose(cause))
    worker.unref()
    return worker
  }

  #settle(worker: Worker, answer: Answer): void {
    const pending = this.#pending.shift()
    if (this.#pending.length === 0) worker.unref()
    if (!answer.ok && pending?.place) this.#heard.fail(pending.place.nth)
    if (answer.ok)
      pending?.resolve(answer.value as never) // orders and answers pair up, so it is what was asked for
    else if (answer.code === null) pending?.reject(new Error(answer.message))
    else pending?.reject(new StoreError(answer.code, answer.message))
  }

  /** Whether what was under way is on disk, nobody knows now. The next order starts another thread. */
  #lose(cause: unknown): void {
    this.#worker = null
    const error = new StoreError('io', 'the writing thread has ended', { cause })
    for (const { place, reject } of this.#pending.splice(0)) {
      if (place) this.#heard.fail(place.nth)
      reject(error)
    }
  }
}
