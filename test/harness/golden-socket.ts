// A websocket that a transcript opens: its upgrade is a turn's answer, and what it hears is told by later turns, one
// line for each frame, as it came.

import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'

export interface Asked {
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Upgraded {
  readonly status: number
  readonly reason: string
  readonly rawHeaders: readonly string[]
  /** Of a refusal. */
  readonly text: string
}

export class GoldenSocket {
  readonly #socket: WebSocket
  readonly #heard: string[] = []
  #told = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#heard.push(`TEXT ${data.toString()}`))
    socket.on('ping', () => this.#heard.push('PING'))
    socket.on('close', (code: number, reason: Buffer) =>
      this.#heard.push(`CLOSE ${code} ${reason.toString()}`),
    )
    // What breaks is told by the close that follows.
    socket.on('error', () => undefined)
  }

  static open(
    url: string,
    { target, headers }: Asked,
  ): Promise<{ readonly socket: GoldenSocket; readonly answer: Upgraded }> {
    const client = new WebSocket(url.replace('http', 'ws') + target, { headers })
    const socket = new GoldenSocket(client)
    return new Promise((resolve) => {
      const tell = (response: IncomingMessage, text: string): void =>
        resolve({ socket, answer: { ...headOf(response), text } })
      client.on('upgrade', (response) => tell(response, ''))
      client.on('unexpected-response', (_request, response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => tell(response, Buffer.concat(chunks).toString()))
      })
    })
  }

  /** How many frames have come that no turn has told yet. */
  get untold(): number {
    return this.#heard.length - this.#told
  }

  /** The next frames, one line each. */
  tell(name: string, count: number): readonly string[] {
    const frames = this.#heard.slice(this.#told, this.#told + count)
    this.#told += frames.length
    return frames.map((frame) => `<${name} ${frame}`.trimEnd())
  }

  end(): void {
    this.#socket.terminate()
  }
}

const headOf = ({ statusCode = 0, statusMessage = '', rawHeaders }: IncomingMessage) => ({
  status: statusCode,
  reason: statusMessage,
  rawHeaders: rawHeaders.filter(
    (_, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== 'sec-websocket-accept',
  ),
})
