// The world under a simulated driver: it remembers each thing when the process that made it dies, finds it again
// by its id, and enforces the fence where it counts, when an act takes effect. It is a witness of law 4.
//
// - An act with an older fence than one that acted has no effect; asking for one at all is a fault of the engine.
// - So are two acts at once, unless the first was told to let go and given time to.
// - A start that takes effect though another act did so under it, with the same fence, makes a second live thing.
// - Answers may come late, long after the caller lost patience: the effect is there all the same.
// - And they may lie: what took effect is said to have failed. Hints come twice, or for nothing.

import type { InstanceId } from '#kernel/ids.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { Clock } from '#kernel/ports/clock.ts'
import type { Life } from './hand-clock.ts'
import type { ActOptions, Driver, Thing } from '#kernel/ports/driver.ts'
import type { Observation } from '#kernel/observation.ts'

interface Real {
  handle: JsonObject | null
  fence: number
  /** Counts effects. */
  version: number
  readonly acting: Set<Acting>
}

interface Acting {
  readonly process: Process
  readonly name: string
  letGoAtMs: number
}

/** How long one that was told to let go may take before the next act begins without it. */
const lettingGoMs = 2_000

type Acted = ReturnType<Driver['start']>
interface Process {
  readonly clock: Life
  readonly isAlive: () => boolean
  /** How late the next answer of an act or a look comes. */
  readonly lateMs: (call: 'act' | 'look') => number
  /** Whether the next act that takes effect is said to have failed. */
  readonly isLying: () => boolean
}

export class Machine {
  readonly #things = new Map<InstanceId, Real>()
  readonly #listeners = new Set<(id: InstanceId) => void>()
  /** What must not have happened, in words. */
  readonly faults: string[] = []

  ids(): readonly InstanceId[] {
    return [...this.#things.keys()]
  }

  /** Says that something may have happened to it, whether or not it has. */
  hint(id: InstanceId): void {
    for (const listener of this.#listeners) listener(id)
  }

  /** The driver of one process: `inner` decides what acts do, the machine remembers it. */
  driver(inner: Driver, process: Process): Driver {
    const act =
      <O extends ActOptions>(name: string, call: (thing: Thing, options: O) => Acted) =>
      (thing: Thing, options: O): Acted =>
        this.#act(name, process, { thing, options, call })
    return {
      name: inner.name,
      capabilities: inner.capabilities,
      create: act('create', (thing, options) => inner.create(thing, options)),
      start: act('start', (thing, options) => inner.start(thing, options)),
      stop: act('stop', (thing, options: Parameters<Driver['stop']>[1]) =>
        inner.stop(thing, options),
      ),
      pause: act('pause', (thing, options) => inner.pause(thing, options)),
      unpause: act('unpause', (thing, options) => inner.unpause(thing, options)),
      suspend: act('suspend', (thing, options) => inner.suspend(thing, options)),
      resume: act('resume', (thing, options) => inner.resume(thing, options)),
      capture: act('capture', (thing, options: Parameters<Driver['capture']>[1]) =>
        inner.capture(thing, options),
      ),
      remove: act('remove', (thing, options) => inner.remove(thing, options)),
      observe: async (thing, signal) => {
        const atMs = process.clock.nowMs()
        const seen = await inner.observe(this.#real(thing), signal)
        await late(process.clock, process.lateMs('look'))
        return { ...seen, atMs }
      },
      adopt: (thing) => inner.adopt(this.#real(thing)),
      watch: (hint) => {
        const own = (id: InstanceId): void => (process.isAlive() ? hint(id) : undefined)
        this.#listeners.add(own)
        const stop = inner.watch(hint)
        return () => {
          this.#listeners.delete(own)
          stop()
        }
      },
      close: () => inner.close(),
    }
  }

  /** What the thing looks like now, to eyes that nothing is hidden from. */
  look(eyes: Driver, thing: Thing): Promise<Observation> {
    const open = { ...this.#real(thing), launch: { scenario: { reportUnknown: false } } }
    return eyes.observe(open, new AbortController().signal)
  }

  #enter(real: Real, acting: Acting, { id }: Thing, signal: AbortSignal): void {
    const nowMs = acting.process.clock.ranMs()
    for (const other of real.acting)
      if (other.process.isAlive() && nowMs < other.letGoAtMs + lettingGoMs)
        this.faults.push(`${acting.name} of ${id} meets ${other.name}`)
    real.acting.add(acting)
    signal.addEventListener('abort', () => (acting.letGoAtMs = acting.process.clock.ranMs()))
  }

  #real(thing: Thing): Thing {
    return { ...thing, handle: this.#things.get(thing.id)?.handle ?? null }
  }

  async #act<O extends ActOptions>(
    name: string,
    process: Process,
    {
      thing,
      options,
      call,
    }: {
      readonly thing: Thing
      readonly options: O
      readonly call: (thing: Thing, options: O) => Acted
    },
  ): Acted {
    const real = this.#things.get(thing.id) ?? {
      handle: null,
      fence: 0,
      version: 0,
      acting: new Set(),
    }
    this.#things.set(thing.id, real)
    if (options.attempt < real.fence)
      this.faults.push(`${name} of ${thing.id} with fence ${options.attempt} after ${real.fence}`)
    real.fence = Math.max(real.fence, options.attempt)
    const acting: Acting = { process, name, letGoAtMs: Number.POSITIVE_INFINITY }
    this.#enter(real, acting, thing, options.signal)
    const { version } = real
    const lateMs = process.lateMs('act')
    const done = await call(this.#real(thing), options)
    // Half of the delay before the effect, half before the answer.
    await late(process.clock, lateMs / 2)
    if (process.isAlive() && done.ok) {
      if (options.attempt < real.fence) {
        real.acting.delete(acting)
        return overtaken
      }
      if (name === 'start' && real.version !== version)
        this.faults.push(`${thing.id} lives twice: another act took effect under its start`)
      real.handle = done.value.handle
      real.version++
    }
    await late(process.clock, lateMs / 2)
    real.acting.delete(acting)
    return done.ok && process.isLying() ? lost : done
  }
}

const lost = { ok: false, error: { code: 'failed', message: 'the answer was lost' } } as const

const overtaken = {
  ok: false,
  error: { code: 'refused', message: 'a later act came first' },
} as const

const late = (clock: Clock, lateMs: number): Promise<void> =>
  lateMs <= 0 ? Promise.resolve() : new Promise((resolve) => void clock.after(lateMs, resolve))
