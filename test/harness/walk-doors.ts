// Every door of a walk, without a socket: requests go in as bytes and come out as answers, so what decodes and
// encodes is what ships. Routes come from the doors' own tables; a new door is asked without a word here.
//
// The doors outlive the planes behind them, for opening them takes longer than anything else in a walk. A request
// belongs to the plane that lived when it was asked, and ends with it.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Plane } from '#kernel/ports/plane.ts'
import type { Store } from '#kernel/ports/store.ts'
import type { Receipt } from '#kernel/request.ts'
import { listener } from '#app/listeners.ts'
import { openDoors } from '#app/plugins.ts'
import type { Ask, Heard } from './door-call.ts'
import type { People } from './walk-people.ts'

export interface Answered {
  readonly heard: Heard
  /** What the kernel accepted of it. */
  readonly accepted: readonly Receipt[]
  /** Under which ids the kernel was asked. */
  readonly requestIds: readonly string[]
}

interface Parts {
  readonly people: People
  readonly nowMs: () => number
  readonly stir: () => void
  /** Told of each request that the kernel accepted, when whoever asked may be told. */
  readonly accepted: (receipt: Receipt) => void
  /** An error that was logged. */
  readonly logged: (line: string) => void
}

/** The plane that is asked, and the disk as it sees it. */
export interface Behind {
  readonly plane: Plane
  readonly store: Store
}

interface Asking extends Behind {
  readonly accepted: Receipt[]
  readonly requestIds: string[]
}

export class WalkDoors {
  readonly #app: FastifyInstance
  readonly #asking = new AsyncLocalStorage<Asking>()
  readonly #followers: Parameters<Plane['follow']>[0][] = []
  #followed: Plane | undefined

  constructor(parts: Parts) {
    const { people, stir } = parts
    const log = pino({ level: 'error' }, { write: parts.logged })
    const settings = {
      host: '127.0.0.1',
      port: 0,
      dataDir: '',
      starter: false,
      region: 'RegionOne',
      stopAll: false,
      file: {},
    }
    const plane = this.#heard(parts)
    const identity = throughStore(people.identity, () => this.#here.store)
    const opened = openDoors(settings, { plane, identity, region: 'RegionOne', log })
    if (!opened.ok) throw new Error(opened.error)
    this.#app = listener(
      opened.value.map(({ door }) => door),
      log,
    )
    // Time stands still until all that needs no time has happened, and this is some of it.
    for (const at of ['onRequest', 'preHandler', 'onSend'] as const)
      this.#app.addHook(at, async () => stir())
    this.#app.addHook('onResponse', async () => stir())
  }

  async close(): Promise<void> {
    await this.#app.close()
  }

  get #here(): Asking {
    const here = this.#asking.getStore()
    if (!here) throw new Error('a door asked its plane though nobody asked the door')
    return here
  }

  async ask({ plane, store }: Behind, ask: Ask): Promise<Answered> {
    if (this.#followed !== plane) for (const follower of this.#followers) plane.follow(follower)
    this.#followed = plane
    const { method, target, body } = ask
    const sent = {
      method: method as 'GET', // any method goes in; the type names the usual ones
      url: target,
      headers: { host: 'runstate.test', ...ask.headers },
      ...(body === undefined ? {} : { payload: body }),
    }
    // Opened by the first request, they would take every request for that one's.
    await this.#app.ready()
    const asking: Asking = { plane, store, accepted: [], requestIds: [] }
    // It begins only when it is waited for, so it is waited for in here.
    const response = await this.#asking.run(asking, async () => await this.#app.inject(sent))
    const { statusCode: status, payload: text } = response
    const headers = response.headers as Heard['headers'] // numbers apart, which no test reads
    const heard = { status, headers, text, rawHeaders: [], reason: response.statusMessage }
    return { heard, ...asking }
  }

  /** The plane of whoever is being answered; what it accepts is heard. */
  #heard({ accepted, nowMs }: Parts): Plane {
    const here = (): Plane => this.#here.plane
    return {
      read: {
        get: (...asked) => here().read.get(...asked),
        find: (...asked) => here().read.find(...asked),
        list: (...asked) => here().read.list(...asked),
        count: (...asked) => here().read.count(...asked),
        events: (...asked) => here().read.events(...asked),
        lastEvent: () => here().read.lastEvent(),
      },
      nowMs,
      see: (ref, caller) => here().see(ref, caller),
      beat: (ids) => here().beat(ids),
      lease: (instance) => here().lease(instance),
      leases: () => here().leases(),
      keep: (...asked) => here().keep(...asked),
      shown: (...asked) => here().shown(...asked),
      output: (...asked) => here().output(...asked),
      usage: (...asked) => here().usage(...asked),
      ended: (operation, timeoutMs, signal) => here().ended(operation, timeoutMs, signal),
      follow: (listener) => {
        this.#followers.push(listener)
        return () => undefined
      },
      submit: async (request, submission) => {
        const asking = this.#here
        asking.requestIds.push(submission.requestId)
        const result = await asking.plane.submit(request, submission)
        if (result.ok && !submission.dryRun) {
          if (result.value.unchanged === undefined) asking.accepted.push(...whole(result.value))
          accepted(result.value)
        }
        return result
      },
    }
  }
}

/** A batch in which every item was refused changed nothing. */
const whole = (receipt: Receipt): readonly Receipt[] =>
  receipt.items && !receipt.items.some((item) => item.ok && item.value.unchanged === undefined)
    ? []
    : [receipt]

/** Who proves somebody reads the store, and shares its fate. */
function throughStore<T extends object>(identity: T, store: () => Store): T {
  return new Proxy(identity, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (name !== 'byToken' && name !== 'accessKey') return value
      return async (...args: readonly unknown[]) => {
        await store().lastEvent()
        return (value as (...all: readonly unknown[]) => unknown).apply(target, [...args]) // one of the two methods
      }
    },
  })
}
