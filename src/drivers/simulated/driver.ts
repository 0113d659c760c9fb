// Acts on nothing, and behaves like something that does: moves take their time, fail, hang, hide and drift as
// the scenario says. It ships in the product, for trying out and for testing clients.
//
// - A thing is its handle; what is kept besides is timers for hints and counts of failures (misfortune.ts).
// - It is deterministic: clock, seed and scenario decide everything.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { InstanceId } from '#kernel/ids.ts'
import type { Observation } from '#kernel/observation.ts'
import type { Act } from '#kernel/operation.ts'
import type { Rung } from '#kernel/ladder.ts'
import type { ActOptions, Capabilities, Driver, Thing, Usage } from '#kernel/ports/driver.ts'
import type { DriverError } from '#kernel/request.ts'
import {
  type Acted,
  calledOff,
  type DriverWorld,
  refused,
  stale,
  unsupported,
} from '../shared/world.ts'
import { roll } from './chance.ts'
import { acts, scenarioOf, type SimulatedConfig } from './config.ts'
import { type Handle, readHandle, writeHandle } from './handle.ts'
import { type Hints, hinting } from './hints.ts'
import { type Misfortunes, misfortunes } from './misfortune.ts'
import { capture, create, hold, needed, remove, start, stop, wake, type Work } from './moves.ts'
import { observeAt } from './observe.ts'
import { aborted, pause } from './waiting.ts'

export const simulatedDriver = (config: SimulatedConfig, world: DriverWorld): Driver =>
  new SimulatedDriver(config, world)

class SimulatedDriver implements Driver {
  readonly name = 'simulated'
  readonly capabilities: Capabilities
  readonly #config: SimulatedConfig
  readonly #world: DriverWorld
  readonly #hints: Hints
  readonly #misfortunes: Misfortunes

  constructor(config: SimulatedConfig, world: DriverWorld) {
    this.#config = config
    const cannot: readonly Act[] = config.cannot ?? []
    this.capabilities = {
      acts: acts.filter((act) => !cannot.includes(act)),
      rungs: ['drain', 'soft', 'hard'],
    }
    this.#world = world
    this.#hints = hinting(config, world.clock)
    this.#misfortunes = misfortunes(config.seed ?? 1)
  }

  create(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#act('create', thing, options, create)
  }

  start(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#act('start', thing, options, start)
  }

  stop(thing: Thing, options: ActOptions & { readonly rung: Rung }): Promise<Acted> {
    return this.#act('stop', thing, options, (work) => stop(work, options.rung))
  }

  pause(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#act('pause', thing, options, (work) => hold(work, 'pause'))
  }

  unpause(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#act('unpause', thing, options, (work) => wake(work, 'unpause'))
  }

  suspend(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#act('suspend', thing, options, (work) => hold(work, 'suspend'))
  }

  resume(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#act('resume', thing, options, (work) => wake(work, 'resume'))
  }

  capture(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#act('capture', thing, options, capture)
  }

  remove(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#act('remove', thing, options, remove)
  }

  async observe(thing: Thing, signal: AbortSignal): Promise<Observation> {
    const scenario = scenarioOf(thing, this.#config)
    if (scenario.ok && scenario.value.hangAt.includes('observe')) await aborted(signal)
    const nowMs = this.#world.clock.nowMs()
    const unseen = (reason: string): Observation => ({
      seen: 'unknown',
      ready: false,
      reason: `it could not be looked at: ${reason}`,
      atMs: nowMs,
      evidence: {},
    })
    if (signal.aborted) return unseen('called off')
    if (!scenario.ok) return unseen(scenario.error.message)
    const handle = readHandle(thing.handle)
    if (!handle.ok) return unseen(handle.error)
    // The scenario may have been changed since the last act.
    this.#hints.arm(thing)
    return observeAt(handle.value, scenario.value, nowMs)
  }

  async usage(thing: Thing, signal: AbortSignal): Promise<Usage | null> {
    const scenario = scenarioOf(thing, this.#config)
    const seen = await this.observe(thing, signal)
    return scenario.ok && seen.seen === 'up' ? scenario.value.uses : null
  }

  adopt(thing: Thing): Promise<void> {
    this.#hints.arm(thing)
    return Promise.resolve()
  }

  watch(hint: (id: InstanceId) => void): () => void {
    return this.#hints.watch(hint)
  }

  close(): Promise<void> {
    this.#hints.close()
    this.#misfortunes.clear()
    return Promise.resolve()
  }

  async #act(
    act: Act,
    thing: Thing,
    { attempt, signal }: ActOptions,
    move: (work: Work) => Result<Handle, DriverError>,
  ): Promise<Acted> {
    if (signal.aborted) return calledOff(act)
    if (!this.capabilities.acts.includes(act)) return unsupported(`this driver cannot ${act}`)
    const work = this.#workOf(thing, attempt)
    if (!work.ok) return work
    const before = work.value
    if (before.scenario.hangAt.includes(act)) await aborted(signal)
    if (signal.aborted) return calledOff(act)
    const fault = this.#misfortunes.strike(act, thing, before)
    if (fault) return err(fault)
    // Only these two answer late: what the others begin is waited for by looking.
    const answersInMs = act === 'create' || act === 'remove' ? needed(act, before) : 0
    if (!(await pause(this.#world.clock, answersInMs, signal))) return calledOff(act)
    const after = move({ ...before, nowMs: this.#world.clock.nowMs() })
    if (!after.ok) return after
    const failures = this.#misfortunes.settle(thing, before.handle)
    const kept = writeHandle({ ...after.value, attempt, failures })
    this.#hints.arm({ ...thing, ...kept })
    return ok(kept)
  }

  #workOf(thing: Thing, attempt: number): Result<Work, DriverError> {
    const handle = readHandle(thing.handle)
    if (!handle.ok) return refused(handle.error)
    if (handle.value && handle.value.attempt > attempt) return stale(attempt, handle.value.attempt)
    const scenario = scenarioOf(thing, this.#config)
    if (!scenario.ok) return scenario
    const { seed = 1, jitter = 0 } = this.#config
    const starts = handle.value?.starts ?? 0
    const spread = (act: string) =>
      jitter === 0 ? 1 : 1 + jitter * (2 * roll(seed, 'time', thing.id, act, starts) - 1)
    return ok({
      handle: handle.value,
      scenario: scenario.value,
      nowMs: this.#world.clock.nowMs(),
      attempt,
      takes: (act) => Math.round(scenario.value.durationMs[act] * spread(act)),
    })
  }
}
