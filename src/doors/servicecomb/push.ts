// One open connection to a client and what waits to be sent to it. A slow reader costs others nothing: what it
// has not taken yet is collapsed to the newest frame of each instance, and it is given up when a write does not
// end in time, or when too much waits all the same.
//
// - Order per instance is kept, and a frame that tells of an end is never dropped.
// - Frames of one turn leave in one write.
// Source: contracts/cse-registry.md sections 6.2 and 6.3.

import type { WebSocket } from '@fastify/websocket'
import type { ServiceId } from '#kernel/ids.ts'

export interface Frame {
  /** Frames of one instance replace each other for whoever is behind. */
  readonly instance: string
  readonly isLast: boolean
  /** Of which service it tells, and as of which of its revisions. */
  readonly of: { readonly service: ServiceId; readonly revision: number }
  readonly text: Buffer
}

/** Beyond this many, a reader is behind. */
const relaxedMax = 100
const queueMax = 5_000
export const sendTimeoutMs = 5_000
/** Clients have nothing to say here but pings. */
const messageBytesMax = 64

const asText = { binary: false, fin: true } as const

interface Hooks {
  /** A pong came. */
  readonly heard?: () => void
  /** These have left without an error. */
  readonly sent?: (frames: readonly Frame[]) => void
  readonly closed: () => void
}

export class Push {
  readonly #socket: WebSocket
  readonly #on: Hooks
  /** By instance, for one that is behind; else by number. */
  #waiting = new Map<string | number, Frame>()
  #count = 0
  #sinceMs: number | null = null
  #heardAtMs: number
  #pingsItself = false

  constructor(socket: WebSocket, nowMs: number, on: Hooks) {
    this.#socket = socket
    this.#on = on
    this.#heardAtMs = nowMs
    socket.on('ping', () => {
      this.#pingsItself = true
      this.#heardAtMs = performance.now()
    })
    socket.on('pong', () => {
      this.#heardAtMs = performance.now()
      on.heard?.()
    })
    socket.on('message', (data: Buffer) => {
      if (data.length > messageBytesMax) socket.terminate()
    })
    socket.on('close', on.closed)
  }

  /** A client that pings by itself is not pinged: it would be kept awake twice. */
  get wantsPings(): boolean {
    return !this.#pingsItself
  }

  /** When something was heard that says that the client lives; other messages do not. */
  get heardAtMs(): number {
    return this.#heardAtMs
  }

  /** Whether a write began longer ago than any may take. */
  isStuck(nowMs: number): boolean {
    return this.#sinceMs !== null && nowMs - this.#sinceMs > sendTimeoutMs
  }

  enqueue(frame: Frame): void {
    const isBehind = this.#sinceMs !== null && this.#waiting.size >= relaxedMax
    // Put in again at the end: the map's order is the order of sending.
    if (isBehind) this.#waiting.delete(frame.instance)
    this.#waiting.set(isBehind && !frame.isLast ? frame.instance : (this.#count += 1), frame)
    if (this.#waiting.size > queueMax) this.#socket.terminate()
  }

  /** Sends what waits, unless an earlier write is still under way: then it goes when that ends. */
  flush(): void {
    if (this.#sinceMs !== null || this.#waiting.size === 0) return
    const frames = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#sinceMs = performance.now()
    const last = frames.length - 1
    for (const [index, { text }] of frames.entries())
      this.#socket.send(
        text,
        asText,
        index === last ? (error) => this.#sent(error ? [] : frames) : undefined,
      )
  }

  /** A write that failed has closed the connection; there is nothing else to do about it. */
  #sent(frames: readonly Frame[]): void {
    this.#sinceMs = null
    this.#on.sent?.(frames)
    this.flush()
  }

  ping(): void {
    this.#socket.ping()
  }

  say(text: string): void {
    this.#socket.send(text)
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }
}
