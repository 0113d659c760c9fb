// A websocket client of the registry: hears texts, counts pings, and knows how it ended.

import { WebSocket } from 'ws'

export interface Opened {
  /** As they came. */
  readonly texts: string[]
  /** Those that are JSON, parsed. */
  readonly frames: unknown[]
  readonly pings: number
  readonly isOpen: boolean
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  send(text: string): void
  /** Reads nothing more. */
  pause(): void
  resume(): void
  close(): void
}

/** Resolves once the upgrade is answered; rejects when it is refused. */
export function opened(
  url: string,
  path: string,
  { domain, token }: { readonly domain?: string; readonly token?: string } = {},
  options: { readonly autoPong?: boolean } = {},
): Promise<Opened> {
  const headers = {
    ...(domain === undefined ? {} : { 'x-domain-name': domain }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  const socket = new WebSocket(url.replace('http', 'ws') + path, { headers, ...options })
  const texts: string[] = []
  const frames: unknown[] = []
  let pings = 0
  socket.on('message', (data: Buffer) => {
    const text = data.toString()
    texts.push(text)
    if (text.startsWith('{')) frames.push(JSON.parse(text))
  })
  socket.on('ping', () => void (pings += 1))
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code: number, reason: Buffer) =>
      resolve({ code, reason: reason.toString() }),
    ),
  )
  const answer: Opened = {
    texts,
    frames,
    get pings() {
      return pings
    },
    get isOpen() {
      return socket.readyState === WebSocket.OPEN
    },
    closed,
    send: (text) => socket.send(text),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.close(),
  }
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(answer))
    socket.on('error', reject)
  })
}
