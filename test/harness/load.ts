// Clients that change things through several doors at once, each on its own, and remember what they were told was
// done: whatever dies then, that must be there.

import assert from 'node:assert/strict'
import type { Event } from '#kernel/event.ts'
import type { Store } from '#kernel/ports/store.ts'
import type { Chance } from './chance.ts'
import type { Called, ServerProcess } from './server.ts'

type Server = Pick<ServerProcess, 'token' | 'call'>
interface Lane {
  id: string | null
}

const modes = ['soft', 'hard'] as const
const registry = '/v4/default/registry'
const statuses = ['UP', 'DOWN', 'OUTOFSERVICE'] as const
/** Their words for the states of ours. */
const shown = { UP: 'up', DOWN: 'down', OUTOFSERVICE: 'out-of-service' } as const

export class Load {
  readonly #dice: Chance
  /** So many that a batch is decided and handed over behind another; three of them with real processes. */
  readonly #lanes: readonly Lane[] = Array.from({ length: 24 }, () => ({ id: null }))
  /** Request ids of changes that were acknowledged and are not looked up yet. */
  readonly #promised = new Map<string, string>()
  /** Every request id that the log names. */
  readonly #caused = new Set<string>()
  #lastSeq = 0
  /** The last status that was said to be set, and one that may be, because no answer came. */
  #status: { readonly sure: string | null; readonly maybe: string | null } = {
    sure: null,
    maybe: null,
  }
  acknowledged = 0
  #made = 0

  constructor(dice: Chance) {
    this.#dice = dice
  }

  /** Goes on until the server is gone; resolves, when it is stopped, once every client has given up. */
  begin(server: Server): () => Promise<void> {
    let isOver = false
    const endless = async (turn: () => Promise<void>): Promise<void> => {
      while (!isOver) {
        try {
          await turn()
        } catch (thrown) {
          // The server is dead: no answer, so nothing was promised. An answer that is wrong is another matter.
          if (thrown instanceof assert.AssertionError) throw thrown
          return
        }
      }
    }
    const all = [
      ...this.#lanes.map((lane, nth) => endless(() => this.#turn(server, lane, nth))),
      endless(() => this.#register(server)),
    ]
    return async () => {
      isOver = true
      await Promise.all(all)
    }
  }

  async #turn(server: Server, lane: Lane, nth: number): Promise<void> {
    const { roll, pick } = this.#dice
    if (lane.id === null) {
      const real = nth < 3
      const body = {
        kind: 'server',
        name: `lane-${nth}-${++this.#made}`,
        flavor: real ? 'quick' : 'light',
        image: real ? pick(['sleeper', 'sleeper', 'stubborn']) : 'sim',
      }
      const made = await this.#change(server, 'POST', '/api/v1/instances', body)
      lane.id = (made.body['instances'] as readonly string[] | undefined)?.[0] ?? null // what the native door answers
      return
    }
    const own = `/api/v1/instances/${lane.id}`
    if (roll() < 0.08) {
      await this.#change(server, 'DELETE', own)
      lane.id = null
      return
    }
    // Its removal may have been carried out though nobody was told.
    if ((await server.call('GET', own)).status === 404) return void (lane.id = null)
    const act = pick(['start', 'stop', 'stop', 'restart'])
    if (act !== 'restart' && roll() < 0.4)
      await this.#change(server, 'POST', `/compute/v2.1/servers/${lane.id}/action`, {
        [`os-${act}`]: null,
      })
    else await this.#change(server, 'POST', `${own}/actions`, { action: act, ...this.#how(act) })
    if (roll() < 0.5) await pause(this.#dice.upTo(120))
  }

  #how(act: string): object {
    return act === 'start' ? {} : { mode: this.#dice.pick(modes) }
  }

  async #change(server: Server, method: string, path: string, body?: object): Promise<Called> {
    const answer = await server.call(method, path, body, { 'x-auth-token': server.token })
    // Refused because of what is under way is in order; anything else that is not done is not.
    assert.ok(
      answer.status < 300 || answer.status === 409 || answer.status === 404,
      `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`,
    )
    const isDone = answer.status < 300 && !answer.body['unchanged']
    const requestId =
      answer.headers.get('x-compute-request-id') ?? answer.headers.get('x-request-id')
    if (isDone && requestId !== null) {
      this.acknowledged++
      this.#promised.set(requestId, `${method} ${path} ${JSON.stringify(body)}`)
    }
    return answer
  }

  /** One registered instance, whose status an operator sets again and again. */
  async #register(server: Server): Promise<void> {
    const service = { serviceId: 'svc1', appId: 'a', serviceName: 's', version: '1.0.0' }
    const instance = { instanceId: 'i1', hostName: 'h', endpoints: ['rest://127.0.0.1:80'] }
    const at = `${registry}/microservices/svc1/instances`
    await server.call('POST', `${registry}/microservices`, { service })
    await server.call('POST', at, { instance })
    await server.call('PUT', `${at}/i1/heartbeat`)
    const status = this.#dice.pick(statuses)
    this.#status = { ...this.#status, maybe: shown[status] }
    const set = await server.call('PUT', `${at}/i1/status?value=${status}`)
    assert.equal(set.status, 200, JSON.stringify(set.body))
    this.#status = { sure: shown[status], maybe: null }
    this.acknowledged++
    await pause(30)
  }

  /** All that was acknowledged is in the log, and the status that was set stands. */
  async kept(store: Store): Promise<void> {
    for (;;) {
      const events: readonly Event[] = await store.events({ after: this.#lastSeq, limit: 1_000 })
      for (const { seq, cause } of events) {
        this.#lastSeq = seq
        this.#caused.add(cause.requestId)
      }
      if (events.length === 0) break
    }
    for (const [requestId, what] of this.#promised)
      assert.ok(this.#caused.has(requestId), `acknowledged and lost: ${what}`)
    this.#promised.clear()
    const { sure, maybe } = this.#status
    const [row] = await store.list('instances', { where: { kind: 'service-instance' }, limit: 1 })
    const override = row?.registration?.override?.status ?? null
    assert.ok(override === sure || override === maybe, `${override}, not ${sure} or ${maybe}`)
    this.#status = { sure: override, maybe: null }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
