// How soon all who watch a consumer's providers have heard of one change: from the request to the last frame.

import { readFileSync } from 'node:fs'
import { WebSocket } from 'ws'
import type { ServerProcess } from '#test/harness/server.ts'

export interface Pushed {
  readonly watchers: number
  readonly changes: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly maxMs: number
  /** Of the server, for one change. */
  readonly cpuMs: number
}

const changes = 50
const openedAtOnce = 100
const base = '/v4/default/registry'

export async function pushed(server: ServerProcess, watchers: number): Promise<Pushed> {
  const provider = { serviceId: 'push-p', serviceName: 'push-p', appId: 'push', version: '1.0.0' }
  const consumer = { serviceId: 'push-c', serviceName: 'push-c', appId: 'push', version: '1.0.0' }
  const instance = { instanceId: 'i1', hostName: 'bench', endpoints: ['rest://10.0.0.1:80'] }
  await ask(server, 'POST', '/microservices', { service: provider })
  await ask(server, 'POST', '/microservices', { service: consumer })
  await ask(server, 'POST', '/microservices/push-p/instances', { instance })
  await ask(server, 'GET', '/instances?appId=push&serviceName=push-p&version=0%2B', undefined, {
    'x-consumerid': 'push-c',
  })
  const audience = new Audience()
  const url = `${server.url.replace('http', 'ws')}${base}/microservices/push-c/watcher`
  while (audience.size < watchers) await audience.open(url, openedAtOnce)
  const tookMs: number[] = []
  const cpuBefore = cpuMsOf(server.pid)
  for (let n = 0; n < changes; n++) {
    const heard = audience.heardByAll()
    const began = performance.now()
    const status = n % 2 === 0 ? 'DOWN' : 'UP'
    await ask(server, 'PUT', `/microservices/push-p/instances/i1/status?value=${status}`)
    tookMs.push((await heard) - began)
  }
  const cpuMs = (cpuMsOf(server.pid) - cpuBefore) / changes
  audience.close()
  const sorted = tookMs.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor((changes - 1) * share)] ?? 0
  return { watchers, changes, p50Ms: at(0.5), p90Ms: at(0.9), maxMs: at(1), cpuMs }
}

class Audience {
  readonly #sockets: WebSocket[] = []
  #heard = 0
  #all = (_atMs: number): void => undefined

  get size(): number {
    return this.#sockets.length
  }

  async open(url: string, count: number): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = new WebSocket(url, { perMessageDeflate: false })
        socket.on('message', () => this.#hear())
        await new Promise((resolve, reject) => {
          socket.once('open', resolve)
          socket.once('error', reject)
        })
        this.#sockets.push(socket)
      }),
    )
  }

  /** The moment at which everybody has heard one frame more. */
  heardByAll(): Promise<number> {
    this.#heard = 0
    return new Promise((resolve) => (this.#all = resolve))
  }

  #hear(): void {
    if (++this.#heard === this.size) this.#all(performance.now())
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate()
  }
}

async function ask(
  server: ServerProcess,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<void> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const answer = await fetch(server.url + base + path, { method, headers, ...sent })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  await answer.arrayBuffer()
}

/** User and system time, in the kernel's ticks of 10 ms. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}
