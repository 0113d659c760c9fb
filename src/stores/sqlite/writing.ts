// This side of the writing thread. Commits go over in order and come back in order.

import { getCompileCacheDir } from 'node:module'
import { Worker } from 'node:worker_threads'
import { StoreError } from '#kernel/ports/store.ts'
import { type Encoded } from './encode.ts'

/** `null` ends the thread once all before it is written. */
export type Order = Encoded | null

export type Written =
  | { readonly ok: true; readonly first: number }
  /** `code` null: a bug, not the store's refusal. */
  | { readonly ok: false; readonly code: StoreError['code'] | null; readonly message: string }

export interface ThreadData {
  readonly path: string
  readonly entry: string
  readonly cache: string | null
}

interface Pending {
  readonly resolve: (first: number) => void
  readonly reject: (error: unknown) => void
}

/** Left to itself the thread would strip types once more, and keep 25 MiB for having done so. */
const bootstrap = `
  const { cache, entry } = require('node:worker_threads').workerData
  if (cache !== null) require('node:module').enableCompileCache(cache)
  import(entry)
`

export class Writing {
  readonly #path: string
  readonly #pending: Pending[] = []
  #worker: Worker | null = null
  #idle: PromiseWithResolvers<void> | null = null

  constructor(path: string) {
    this.#path = path
    this.#worker = this.#start()
  }

  write(encoded: Encoded): Promise<number> {
    const worker = (this.#worker ??= this.#start())
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject })
      // Only a commit under way keeps the process alive, as it would on the main thread.
      worker.ref()
      worker.postMessage(encoded satisfies Order)
    })
  }

  get isBusy(): boolean {
    return this.#pending.length > 0
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    if (this.isBusy) await (this.#idle ??= Promise.withResolvers()).promise
  }

  /** Writes what was handed over, then ends the thread. */
  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === null) return
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.ref()
    worker.postMessage(null satisfies Order)
    await ended
  }

  #start(): Worker {
    const workerData: ThreadData = {
      path: this.#path,
      entry: new URL('./writer.ts', import.meta.url).href,
      cache: getCompileCacheDir() ?? null,
    }
    const worker = new Worker(bootstrap, { eval: true, workerData })
    let cause: unknown
    worker.on('message', (written: Written) => this.#settle(worker, written))
    worker.on('error', (thrown: unknown) => {
      cause = thrown
    })
    worker.on('exit', () => this.#lose(cause))
    worker.unref()
    return worker
  }

  #settle(worker: Worker, written: Written): void {
    const pending = this.#pending.shift()
    if (written.ok) pending?.resolve(written.first)
    else if (written.code === null) pending?.reject(new Error(written.message))
    else pending?.reject(new StoreError(written.code, written.message))
    if (this.isBusy) return
    worker.unref()
    this.#rest()
  }

  /** Whether what was under way is on disk, nobody knows now. The next commit starts another thread. */
  #lose(cause: unknown): void {
    this.#worker = null
    const error = new StoreError('io', 'the writing thread has ended', { cause })
    for (const { reject } of this.#pending.splice(0)) reject(error)
    this.#rest()
  }

  #rest(): void {
    this.#idle?.resolve()
    this.#idle = null
  }
}
