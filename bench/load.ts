// Load over kept-alive connections, in two ways:
//
// - closed: so many connections, each with one request in flight: how much is carried.
// - paced: a request at each moment of a schedule, whether or not earlier ones were answered, timed from the moment
//   it was due: what one caller waits. A server that stalls is not asked less, so no stall is left out.

import { Agent, request as httpRequest } from 'node:http'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly headers: Record<string, string>
}

export interface Figures {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** Answers that were not 2xx or 304. */
  readonly refused: number
}

/** Fewer than a server keeps waiting to be accepted: a connection that it drops is tried again a second later. */
const pacedConnections = 256

type Make = (n: number) => Asked

export async function closed(
  url: string,
  make: Make,
  { count, connections }: { readonly count: number; readonly connections: number },
): Promise<Figures> {
  const caller = new Caller(url, connections)
  let next = 0
  async function client(): Promise<void> {
    while (next < count) await caller.ask(make(next++), performance.now())
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: connections }, client))
  return caller.figures(count / ((performance.now() - began) / 1000))
}

export async function paced(
  url: string,
  make: Make,
  { count, perSecond }: { readonly count: number; readonly perSecond: number },
): Promise<Figures> {
  const caller = new Caller(url, pacedConnections)
  const began = performance.now()
  const asked: Promise<void>[] = []
  while (asked.length < count) {
    const now = performance.now()
    // All that is due by now: a timer is no finer than a millisecond.
    for (;;) {
      const dueMs = began + (asked.length * 1_000) / perSecond
      if (dueMs > now || asked.length === count) break
      asked.push(caller.ask(make(asked.length), dueMs))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(asked)
  return caller.figures(perSecond)
}

class Caller {
  readonly #agent: Agent
  readonly #to: { readonly agent: Agent; readonly hostname: string; readonly port: string }
  readonly #tookMs: number[] = []
  #refused = 0

  constructor(url: string, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
    const { hostname, port } = new URL(url)
    this.#to = { agent: this.#agent, hostname, port }
  }

  async ask(asked: Asked, sinceMs: number): Promise<void> {
    const status = await this.#send(asked)
    this.#tookMs.push(performance.now() - sinceMs)
    if ((status < 200 || status > 299) && status !== 304) this.#refused++
  }

  figures(perSecond: number): Figures {
    this.#agent.destroy()
    const sorted = this.#tookMs.toSorted((a, b) => a - b)
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
    const refused = this.#refused
    return { perSecond, p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), refused }
  }

  #send({ method, path, body, headers }: Asked): Promise<number> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const options = { ...this.#to, method, path, headers: { ...headers, ...length } }
      const sent = httpRequest(options, (answer) => {
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
      })
      sent.once('error', reject)
      sent.end(body)
    })
  }
}
