// A whole plane in this process that can die at any moment and begin again on the same disk, with new drivers,
// in a world that went on without it.

import type { Instance } from '#kernel/instance.ts'
import type { Observation } from '#kernel/observation.ts'
import type { Clock } from '#kernel/ports/clock.ts'
import type { Driver } from '#kernel/ports/driver.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { Commit, Store } from '#kernel/ports/store.ts'
import type { Rows, TableName } from '#kernel/tables.ts'
import { type Engine, startEngine } from '#engine/plane.ts'
import { simulatedDriver } from '#drivers/simulated/driver.ts'
import { memoryStore } from '#stores/memory/store.ts'
import type { Chance } from './chance.ts'
import { CommitLaws, type Homes } from './commit-laws.ts'
import { handClock, type Life as HandLife } from './hand-clock.ts'
import { Machine } from './machine.ts'
import { type Death, type StoreView, viewOf } from './mortal-store.ts'

/** A bug put in on purpose, between the engine and what is real: a test of the tests. */
export interface Plant {
  /** What reaches the disk in place of a commit; null: nothing does, and nobody is told. */
  readonly commit?: (commit: Commit) => Commit | null
  readonly driver?: (driver: Driver) => Driver
  readonly plane?: (plane: Plane) => Plane
  readonly store?: (store: Store) => Store
}

interface Options {
  readonly plant?: Plant
  readonly homes?: Homes
  readonly say?: (line: string) => void
}

interface Life {
  readonly engine: Promise<Engine>
  readonly clock: HandLife
  readonly view: StoreView
  plane: Plane | null
  isAlive: boolean
}

const quiet = (): void => undefined
/** When the things' own time begins; only differences mean anything. */
const bornMs = 1_700_000_000_000

export class MortalPlane {
  readonly clock = handClock()
  readonly store: Store = memoryStore()
  readonly laws: CommitLaws
  readonly machine = new Machine()
  /** Bugs that the engine logged. */
  readonly bugs: unknown[] = []
  /** Looks at things from outside; its hints go nowhere. */
  readonly #eyes: Driver = this.#driver(this.clock.life())
  readonly #chance: Chance
  readonly #plant: Plant
  readonly #say: (line: string) => void
  #ids = 0
  readonly #lives: Life[] = []
  #life: Life
  /** While false, nothing is late any more. */
  isUnruly = true

  constructor(chance: Chance, { plant = {}, homes = new Map(), say = quiet }: Options = {}) {
    this.#chance = chance
    this.#plant = plant
    this.#say = say
    this.laws = new CommitLaws(homes)
    this.#life = this.#begin()
  }

  /** Null while it is dead, or not up yet. */
  get plane(): Plane | null {
    return this.#life.isAlive ? this.#life.plane : null
  }

  get isAlive(): boolean {
    return this.#life.isAlive
  }

  /** A process that died lets go of its memory; a life that did, here, only when it is told. */
  forget(): void {
    for (const life of this.#lives)
      void life.engine.then(
        (engine) => void engine.close(),
        () => undefined,
      )
  }

  begin(): void {
    this.#life = this.#begin()
  }

  /** The disk as the process that lives now sees it. */
  get view(): Store {
    return this.#life.view.store
  }

  /** Calls to the disk that failed in this life. */
  get failed(): number {
    return this.#life.view.failed()
  }

  lie(): void {
    this.#life.view.lie()
  }

  slow(calls: number, ms: number): void {
    this.#life.view.slow(calls, ms)
  }

  get slowMs(): number {
    return this.#life.view.slowMs()
  }

  die(how: Death): void {
    this.#life.view.die(how)
  }

  fail(calls: number): void {
    this.#life.view.fail(calls)
  }

  pardon(): void {
    this.#life.view.pardon()
  }

  /** Ends it in order, unless it dies on the way. Resolves with how long that took. */
  async close(): Promise<number> {
    const life = this.#life
    const sinceMs = this.clock.nowMs()
    let isClosed = false
    void life.engine.then((one) => one.close()).then(() => (isClosed = true))
    while (!isClosed && life.isAlive && this.clock.nowMs() < sinceMs + 60_000)
      await this.clock.advance(100)
    life.view.die('now')
    return this.clock.nowMs() - sinceMs
  }

  async all<T extends TableName>(table: T): Promise<readonly Rows[T][]> {
    return this.store.list(table, { limit: 1_000 })
  }

  /** What things do takes the time that it takes: a clock that is set back does not undo it. */
  #driver(life: HandLife): Driver {
    const clock: Clock = {
      nowMs: () => bornMs + life.ranMs(),
      after: (delayMs, then) => life.after(delayMs, then),
    }
    return simulatedDriver(
      { seed: 1 },
      { clock, log: { debug: quiet, info: quiet, warn: quiet, error: quiet } },
    )
  }

  #begin(): Life {
    const clock = this.clock.life()
    const { store = (one: Store) => one, commit = (one: Commit) => one } = this.#plant
    const disk: Store = {
      ...store(this.store),
      commit: async (changes) => {
        const written = commit(changes)
        if (written === null) return (await this.store.lastEvent()) + 1
        const first = await this.store.commit(written)
        this.laws.take(written)
        return first
      },
    }
    const view = viewOf(disk, {
      died: () => {
        life.isAlive = false
        clock.stop()
      },
      stir: () => this.clock.stir(),
      committed: (commit) => this.#committed(commit),
      pause: (ms) => new Promise((resolve) => void clock.after(ms, resolve)),
    })
    const plant = this.#plant
    const honest = this.machine.driver(this.#driver(clock), {
      clock,
      isAlive: () => life.isAlive,
      lateMs: (call) => this.#lateMs(call),
      isLying: () => this.isUnruly && this.#chance.roll() < 0.02,
    })
    const driver = plant.driver?.(honest) ?? honest
    const life: Life = {
      clock,
      view,
      plane: null,
      isAlive: true,
      engine: startEngine({
        store: view.store,
        clock,
        drivers: new Map([[driver.name, driver]]),
        worker: 'w',
        // Every commit may be followed by another before it is on disk.
        secondMin: 1,
        freshId: () => this.#freshId(),
        log: {
          debug: quiet,
          info: quiet,
          warn: quiet,
          error: (fields) => this.#logged(fields['err']),
        },
      }),
    }
    void life.engine.then(
      ({ plane }) => (life.plane = plant.plane?.(plane) ?? plane),
      // It could not read its disk at the start; whoever runs it starts it again.
      () => view.die('now'),
    )
    this.#lives.push(life)
    return life
  }

  /** A stop that is said to have succeeded has: it is down at that moment, whatever it does later. */
  async #committed({ events }: Commit): Promise<void> {
    for (const { type, data, subject, cause } of events) {
      this.#say(`${type} ${subject} ${JSON.stringify(data)} by ${cause.userName ?? cause.by}`)
      if (type !== 'operation.succeeded' || data['verb'] !== 'stop') continue
      const row = await this.store.get('instances', subject)
      const id = data['operation'] as string // each of these events names its own
      const operation = await this.store.get('operations', id)
      const { seen, reason } = row ? await this.look(row) : {}
      // It was seen down since it was awaited, and came up again before that was written.
      const awaitedMs = operation?.log.at(-1)?.startedAtMs ?? Infinity
      const wasDown = row?.observation.seen === 'down' && row.observation.atMs >= awaitedMs
      const hasRevived = wasDown && reason === 'it started by itself'
      if (seen === 'up' && !hasRevived)
        this.machine.faults.push(`${subject} is up though its stop succeeded`)
    }
  }

  /** What an instance's thing is, whatever its row says. */
  async look(row: Instance): Promise<Observation> {
    const flavor = (await this.store.get('flavors', row.flavorId ?? '')) ?? null
    return this.machine.look(this.#eyes, { ...row, flavor, image: null })
  }

  /** What a failing disk causes is no bug of the engine. */
  #logged(cause: unknown): void {
    const isDisk = cause instanceof Error && cause.name === 'StoreError'
    if (!isDisk) this.bugs.push(cause)
  }

  #lateMs(call: 'act' | 'look'): number {
    if (!this.isUnruly || this.#chance.roll() > 0.05) return 0
    return this.#chance.upTo(call === 'act' ? 80_000 : 30_000)
  }

  #freshId(): string {
    const nth = String(++this.#ids).padStart(12, '0')
    const first = Math.floor(this.#chance.roll() * 2 ** 32).toString(16)
    return `${first.padStart(8, '0')}-0000-4000-8000-${nth}`
  }
}
