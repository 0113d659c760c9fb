// Closed-loop load over kept-alive connections, each with one request in flight.

import { Agent, request as httpRequest } from 'node:http'

export interface Figures {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers that were not 2xx or 304. */
  readonly refused: number
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly headers: Record<string, string>
}

export async function load(
  url: string,
  make: (n: number) => Asked,
  { count, connections }: { readonly count: number; readonly connections: number },
): Promise<Figures> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const { hostname, port } = new URL(url)
  const tookMs: number[] = []
  let refused = 0
  let next = 0
  async function client(): Promise<void> {
    while (next < count) {
      const began = performance.now()
      const status = await once({ agent, hostname, port }, make(next++))
      tookMs.push(performance.now() - began)
      if ((status < 200 || status > 299) && status !== 304) refused++
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: connections }, client))
  const seconds = (performance.now() - began) / 1000
  agent.destroy()
  const sorted = tookMs.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  return { perSecond: count / seconds, p50Ms: at(0.5), p99Ms: at(0.99), refused }
}

function once(
  to: { readonly agent: Agent; readonly hostname: string; readonly port: string },
  { method, path, body, headers }: Asked,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const sent = httpRequest(
      { ...to, method, path, headers: { ...headers, ...length } },
      (answer) => {
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })
}
