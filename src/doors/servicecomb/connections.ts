// All open websockets of the door: what is sent to them leaves in slices, so that ten thousand watchers of one
// change hold up nobody's request, and one round of the clock keeps them alive or gives them up.
// Source: contracts/cse-registry.md section 6.3.

import type { WebSocket } from '@fastify/websocket'
import { type Frame, Push } from './push.ts'

/** Connections that are written to before others get their turn. */
const writesPerTurn = 250
const roundMs = 1_000

export interface LinkOptions {
  /** Between pings. */
  readonly pingMs: number
  /** Without a ping or a pong for so long, it is given up. */
  readonly silenceMs: number
  /** Pings go on although the client pings: its pongs are what counts. */
  readonly isPingedAlways?: true
  /** A pong came. */
  readonly heard?: () => void
  /** These have left without an error. */
  readonly sent?: (frames: readonly Frame[]) => void
  readonly closed: () => void
}

export interface Link {
  readonly push: Push
  readonly options: LinkOptions
  pingAtMs: number
  farewell(text: string, code: number): void
}

export class Connections {
  readonly #links = new Set<Link>()
  readonly #dirty = new Set<Link>()
  #isFlushing = false
  #round: NodeJS.Timeout | undefined

  get size(): number {
    return this.#links.size
  }

  open(socket: WebSocket, options: LinkOptions): Link {
    const nowMs = performance.now()
    const push = new Push(socket, nowMs, {
      ...(options.heard ? { heard: options.heard } : {}),
      ...(options.sent ? { sent: options.sent } : {}),
      closed: () => {
        this.#links.delete(link)
        this.#dirty.delete(link)
        if (this.#links.size === 0) this.#rest()
        options.closed()
      },
    })
    const link: Link = {
      push,
      options,
      pingAtMs: nowMs + options.pingMs,
      farewell: (text, code) => {
        if (text !== '') push.say(text)
        push.close(code, text)
      },
    }
    this.#links.add(link)
    this.#round ??= setInterval(() => this.#beat(), roundMs).unref()
    return link
  }

  send(link: Link, frame: Frame): void {
    link.push.enqueue(frame)
    this.#dirty.add(link)
    if (this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    let written = 0
    for (const link of this.#dirty) {
      if (written === writesPerTurn) break
      this.#dirty.delete(link)
      link.push.flush()
      written += 1
    }
    this.#isFlushing = this.#dirty.size > 0
    if (this.#isFlushing) setImmediate(() => this.#flush())
  }

  #beat(): void {
    const nowMs = performance.now()
    for (const link of this.#links) {
      const { push, options } = link
      if (push.isStuck(nowMs) || nowMs - push.heardAtMs > options.silenceMs) push.terminate()
      else if (nowMs >= link.pingAtMs) {
        link.pingAtMs = nowMs + options.pingMs
        if (options.isPingedAlways || push.wantsPings) push.ping()
      }
    }
  }

  #rest(): void {
    clearInterval(this.#round)
    this.#round = undefined
  }

  /** Says goodbye, and cuts what does not answer. */
  close(): void {
    this.#rest()
    for (const { push } of this.#links) push.close(1001, '')
    setTimeout(() => {
      for (const { push } of this.#links) push.terminate()
    }, goodbyeMs).unref()
  }
}

const goodbyeMs = 500
