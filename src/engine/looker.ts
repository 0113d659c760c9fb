// Sees what happens to things though nobody asked (drift): on a driver's hint, and by a slow sweep that takes no
// hints, so that a lost hint is only a delay. What it sees goes through `decide` like everything else.

import { isNews } from '#kernel/decisions/settle.ts'
import type { InstanceId } from '#kernel/ids.ts'
import type { Instance } from '#kernel/instance.ts'
import type { RunnerParts } from './runner.ts'
import { within } from './clock.ts'
import { observe, observeTimeoutMs } from './runner.ts'
import type { Store } from '#kernel/ports/store.ts'
import { thingOf } from './thing.ts'

export interface LookerParts extends Omit<RunnerParts, 'store' | 'leaseMs' | 'hasSeen'> {
  readonly store: Pick<Store, 'get' | 'list'>
  /** Whether an operation is at work on it, which then has its own eyes; it is told of the hint. */
  readonly atWork: (id: InstanceId) => boolean
}

/** Things looked at per round of the sweep. */
const sweepRows = 100
const watched = ['running', 'stopped', 'paused', 'suspended', 'not-ready', 'failed'] as const

export class Looker {
  readonly #parts: LookerParts
  readonly #looking = new Map<InstanceId, Promise<void>>()
  readonly #again = new Set<InstanceId>()
  readonly #gone = new AbortController()
  readonly #stops: (() => void)[] = []
  #after: { id: string } | undefined
  #adopting: Promise<void> = Promise.resolve()

  constructor(parts: LookerParts) {
    this.#parts = parts
    for (const driver of parts.drivers.values())
      this.#stops.push(driver.watch((id) => this.hint(id)))
  }

  hint(id: InstanceId): void {
    if (this.#gone.signal.aborted || this.#parts.atWork(id)) return
    // One look at a time per thing; a hint during a look means another look after it.
    if (this.#looking.has(id)) return void this.#again.add(id)
    const look = this.#look(id)
      .catch((bug: unknown) =>
        this.#parts.log.error({ err: bug, instance: id }, 'a look failed; the sweep looks again'),
      )
      .finally(() => {
        this.#looking.delete(id)
        if (this.#again.delete(id)) this.hint(id)
      })
    this.#looking.set(id, look)
  }

  async #look(id: InstanceId): Promise<void> {
    const { store, drivers, clock } = this.#parts
    const instance = await store.get('instances', id)
    const driver = instance && drivers.get(instance.driver ?? '')
    if (!driver || !isWatched(instance)) return
    const observation = await observe(
      driver,
      await thingOf(store, instance),
      this.#gone.signal,
      clock,
    )
    if (this.#gone.signal.aborted || !isNews(instance, observation)) return
    const { generation } = instance.intent
    await this.#parts.settle({ verb: 'observed', instance: id, generation, observation })
  }

  /** One round of the sweep; begins again at the end of the table. */
  async sweep(): Promise<void> {
    const rows = await this.#parts.store.list('instances', {
      where: { state: watched, driver: [...this.#parts.drivers.keys()] },
      limit: sweepRows,
      ...(this.#after ? { after: this.#after } : {}),
    })
    const last = rows.at(-1)
    this.#after = last && rows.length === sweepRows ? { id: last.id } : undefined
    for (const row of rows) if (isWatched(row)) this.hint(row.id)
  }

  /** After a restart: every driver takes up what is alive, at a pace that leaves room for everything else. */
  adoptAll(): void {
    this.#adopting = this.#adoptAll().catch((cause: unknown) =>
      this.#parts.log.error(
        { err: cause },
        'not all could be taken up; the sweep looks at the rest',
      ),
    )
  }

  async #adoptAll(): Promise<void> {
    let after: { id: string } | undefined
    for (;;) {
      const rows = await this.#parts.store.list('instances', {
        where: { driver: [...this.#parts.drivers.keys()] },
        limit: sweepRows,
        ...(after ? { after } : {}),
      })
      await Promise.all(rows.map((row) => this.#adopt(row)))
      const last = rows.at(-1)
      if (!last || rows.length < sweepRows || this.#gone.signal.aborted) return
      after = { id: last.id }
      // What is read at once gives nobody else a turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #adopt(row: Instance): Promise<void> {
    const { store, drivers, clock, log } = this.#parts
    const driver = drivers.get(row.driver ?? '')
    if (!driver || row.handle === null || row.state === 'deleted') return
    try {
      const thing = await thingOf(store, row)
      const bounds = { clock, timeoutMs: observeTimeoutMs, signal: this.#gone.signal }
      await within(
        bounds,
        () => driver.adopt(thing),
        () => log.warn({ instance: row.id }, 'its driver did not take it up in time'),
      )
    } catch (cause) {
      log.error(
        { err: cause, instance: row.id },
        'it could not be taken up; it is looked at instead',
      )
    }
    this.hint(row.id)
    await this.#looking.get(row.id)
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop()
    this.#gone.abort()
    await this.#adopting
    await Promise.all(this.#looking.values())
  }
}

/** Busy ones have an operation that looks; what was never made cannot be seen, unless somebody says that it runs. */
const isWatched = (instance: Instance): boolean =>
  instance.underway === null &&
  (instance.handle !== null || instance.state === 'running') &&
  (watched as readonly string[]).includes(instance.state) // widened: includes() wants the tuple's own union
