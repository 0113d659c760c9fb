// This side of the writing thread. Commits go over in order and come back in order.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { StoreError } from '#kernel/ports/store.ts'
import { type Encoded } from './encode.ts'
import { type Order, type Written } from './writer.ts'

interface Pending {
  readonly resolve: (first: number) => void
  readonly reject: (error: unknown) => void
}

export class Writing {
  readonly #worker: Worker
  readonly #pending: Pending[] = []
  readonly #ended: Promise<unknown>
  #idle: PromiseWithResolvers<void> | null = null
  #failure: StoreError | null = null

  constructor(path: string) {
    this.#worker = new Worker(new URL('./writer.ts', import.meta.url), { workerData: path })
    this.#worker.on('message', (written: Written) => this.#settle(written))
    this.#worker.on('error', (cause) => this.#fail(cause))
    this.#worker.on('exit', () => this.#fail(undefined))
    this.#ended = once(this.#worker, 'exit')
    // Only a commit under way keeps the process alive, as it would on the main thread.
    this.#worker.unref()
  }

  write(encoded: Encoded): Promise<number> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject })
      this.#worker.ref()
      this.#send(encoded)
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
    this.#worker.ref()
    if (!this.#failure) this.#send(null)
    await this.#ended
  }

  #send(order: Order): void {
    this.#worker.postMessage(order)
  }

  #settle(written: Written): void {
    const pending = this.#pending.shift()
    if (written.ok) pending?.resolve(written.first)
    else if (written.code === null) pending?.reject(new Error(written.message))
    else pending?.reject(new StoreError(written.code, written.message))
    if (this.#pending.length > 0) return
    this.#worker.unref()
    this.#idle?.resolve()
    this.#idle = null
  }

  /** The thread is gone, and with it the answer to what was under way: whether that is on disk, nobody knows. */
  #fail(cause: unknown): void {
    this.#failure ??= new StoreError('io', 'the writing thread has ended', { cause })
    for (const { reject } of this.#pending.splice(0)) reject(this.#failure)
    this.#idle?.resolve()
    this.#idle = null
  }
}
