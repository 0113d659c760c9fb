// The registry under load: what a fleet does all the time (heartbeats, polls), what it does when it is deployed
// (registrations, statuses), and finds of services of three sizes.
//
// The figures that Service-Center publishes for two cores, load generator on the same machine, are 7,068
// heartbeats, 699 growing registrations and 544 finds of 1,000 instances per second.

import type { Row } from './rows.ts'

const services = 20
const beating = 1_000
const sizes = [1, 100, 1_000] as const
/** Nobody beats for those that are found, so their leases outlast the run. */
const healthCheck = { mode: 'push', interval: 36_000, times: 3 }
const base = '/v4/default/registry'
const atOnce = 32

export async function registryRows(url: string): Promise<readonly Row[]> {
  const desk = new Desk(url)
  const provider = await desk.service('bench-beats')
  const ids = await desk.instances(provider, beating)
  const growing = await inParallel(services, (n) => desk.service(`bench-grows-${n}`))
  for (const size of sizes) await desk.instances(await desk.service(`bench-finds-${size}`), size)
  const at = (n: number): string =>
    `${base}/microservices/${provider}/instances/${ids[n % beating]}`
  let grown = 0
  const finds = sizes.map((size): Row => {
    const path = findPath(size)
    const owe = null
    const count = size === 1_000 ? 2_000 : 10_000
    return { what: `find ${size}`, owe, count, request: () => get(path) }
  })
  const revision = await desk.revision(findPath(1_000))
  return [
    {
      what: 'registry heartbeat',
      owe: 0.5,
      count: 20_000,
      request: (n) => ({ method: 'PUT', path: `${at(n)}/heartbeat`, headers: {} }),
    },
    {
      what: 'register growing, durable',
      owe: null,
      count: 4_000,
      request: (n) =>
        post(growing[n % services] ?? '', { endpoints: [`rest://10.0.0.1:${++grown}`] }),
    },
    {
      what: 'register same',
      owe: null,
      count: 10_000,
      request: (n) => {
        const nth = n % beating
        return post(provider, { instanceId: ids[nth], ...toldOf(nth) })
      },
    },
    {
      what: 'registry status, durable',
      owe: null,
      count: 5_000,
      request: (n) => ({
        method: 'PUT',
        path: `${at(n)}/status?value=${n % 2 ? 'UP' : 'DOWN'}`,
        headers: {},
      }),
    },
    ...finds,
    {
      what: 'find 1000, unchanged (304)',
      owe: 0.5,
      count: 20_000,
      request: () => get(`${findPath(1_000)}&rev=${revision}`),
    },
  ]
}

const findPath = (size: number): string =>
  `${base}/instances?appId=bench&serviceName=bench-finds-${size}&version=0%2B`
const toldOf = (n: number) => ({ endpoints: [`rest://10.0.1.${n % 250}:${1_000 + n}`] })
const get = (path: string) => ({ method: 'GET', path, headers: {} })

const post = (service: string, told: object) => ({
  method: 'POST',
  path: `${base}/microservices/${service}/instances`,
  body: JSON.stringify({ instance: { hostName: 'bench', healthCheck, ...told } }),
  headers: {},
})

class Desk {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async service(serviceName: string): Promise<string> {
    const body = { service: { serviceName, appId: 'bench', version: '1.0.0' } }
    const made = await this.#post(`${base}/microservices`, JSON.stringify(body))
    return made['serviceId'] ?? ''
  }

  instances(service: string, count: number): Promise<readonly string[]> {
    return inParallel(count, async (n) => {
      const { path, body } = post(service, toldOf(n))
      return (await this.#post(path, body))['instanceId'] ?? ''
    })
  }

  async revision(path: string): Promise<string> {
    const answer = await fetch(this.#url + path)
    await answer.arrayBuffer()
    return answer.headers.get('x-resource-revision') ?? ''
  }

  async #post(path: string, body: string): Promise<Record<string, string>> {
    const answer = await fetch(this.#url + path, { method: 'POST', body })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Record<string, string> // ids by the contract
  }
}

/** In order of the number, though they are asked some at a time. */
async function inParallel(
  count: number,
  make: (n: number) => Promise<string>,
): Promise<readonly string[]> {
  const made: string[] = []
  let next = 0
  const one = async (): Promise<void> => {
    while (next < count) {
      const n = next++
      made[n] = await make(n)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return made
}
