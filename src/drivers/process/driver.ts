// Runs commands as processes of this machine, each in its own session, so that they outlive the server and are
// found again by the next one. README.md says how, and what this does not protect from.
//
// - One thing for one instance, whatever crashes (start.ts, shim.sh).
// - No signal to a stranger (signals.ts, host.ts).
// - A thing gets none of the server's secrets (config.ts).

import { ok, type Result } from '#kernel/errors.ts'
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
  failed,
  listeners,
  messageOf,
  refused,
  unsupported,
} from '../shared/world.ts'
import { ask } from './call.ts'
import {
  defaults,
  fill,
  type Launch,
  type ProcessConfig,
  type ProcessSettings,
  readLaunch,
} from './config.ts'
import { noHandle, writeHandle } from './handle.ts'
import { type Host, thisHost } from './host.ts'
import { readLog } from './log.ts'
import { makeThing } from './make.ts'
import { observeThing, unknown } from './observe.ts'
import { pauseRun, unpauseRun } from './pause.ts'
import { givePort } from './ports.ts'
import { removeThing } from './remove.ts'
import { lastRun, readRuns, type Run } from './runs.ts'
import { drainOf, fillingOf, placeOf, probeOf, type Site, siteOf } from './site.ts'
import { startRun } from './start.ts'
import { isAnybodyThere, stopRun } from './stop.ts'
import { usageOf } from './usage.ts'
import { type Watcher, watcher } from './watcher.ts'

export interface ProcessWorld extends DriverWorld {
  readonly dataDir: string
}

export const processDriver = (config: ProcessConfig, world: ProcessWorld): Driver =>
  new ProcessDriver(config, world)

class ProcessDriver implements Driver {
  readonly name = 'process'
  readonly capabilities: Capabilities = {
    acts: ['create', 'start', 'stop', 'pause', 'unpause', 'remove'],
    rungs: ['drain', 'soft', 'hard'],
  }
  readonly #settings: ProcessSettings
  readonly #world: ProcessWorld
  readonly #host: Host = thisHost()
  readonly #hints = listeners<InstanceId>()
  readonly #watcher: Watcher
  readonly #openedAtMs = Date.now()
  readonly #givePort = inTurn(givePort)

  constructor(config: ProcessConfig, world: ProcessWorld) {
    this.#settings = { ...defaults, ...config }
    this.#world = world
    const parts = { host: this.#host, settings: this.#settings, hints: this.#hints, log: world.log }
    this.#watcher = watcher(parts)
  }

  create(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#act('create', thing, options, async (site) => {
      const launch = readLaunch(thing)
      if (!launch.ok) return launch
      const made = await makeThing(site.folder, options.attempt)
      if (!made.ok) return made
      const port = await this.#portFor(site, launch.value)
      return port.ok ? ok(writeHandle({ ...site.handle, port: port.value })) : port
    })
  }

  start(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#act('start', thing, options, async (site) => {
      const launch = readLaunch(thing)
      if (!launch.ok) return launch
      // Again, because somebody may have deleted the folder since.
      const made = await makeThing(site.folder, options.attempt)
      if (!made.ok) return made
      const port = await this.#portFor(site, launch.value)
      if (!port.ok) return port
      const filling = fillingOf(site, port.value, this.#settings)
      const started = await startRun({
        ...site,
        ...placeOf(site, launch.value, filling, this.#settings),
        fence: made.value,
        signal: options.signal,
        settleMs: this.#settings.settleMs,
        host: this.#host,
        command: launch.value.command.map((part) => fill(part, filling)),
        port: port.value,
      })
      if (!started.ok) return started
      const { run, child } = started.value
      const { fence, leader, main } = run
      const handle = {
        version: 1,
        port: port.value,
        run: leader && main && { fence, leader, main },
      } as const
      this.#watch(thing, { ...site, handle }, run, child)
      return ok(writeHandle(handle))
    })
  }

  stop(thing: Thing, options: ActOptions & { readonly rung: Rung }): Promise<Acted> {
    return this.#act('stop', thing, options, async (site) => {
      const launch = launchOf(thing)
      const filling = fillingOf(site, site.handle.port, this.#settings)
      const place = placeOf(site, launch, filling, this.#settings)
      const call = drainOf(launch, filling)
      const stopped = await stopRun({
        ...site,
        attempt: options.attempt,
        rung: options.rung,
        signal: options.signal,
        settleMs: this.#settings.settleMs,
        host: this.#host,
        stopSignal: launch?.stopSignal ?? 'SIGTERM',
        drain:
          call &&
          ((pid) =>
            ask(call, {
              ...place,
              environment: { ...place.environment, RUNSTATE_PID: String(pid) },
              signal: options.signal,
            })),
      })
      return stopped.ok ? ok(writeHandle(site.handle)) : stopped
    })
  }

  pause(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#still('pause', thing, options, pauseRun)
  }

  unpause(thing: Thing, options: ActOptions): Promise<Acted> {
    return this.#still('unpause', thing, options, unpauseRun)
  }

  suspend(): Promise<Acted> {
    return Promise.resolve(unsupported('a process cannot be put away'))
  }

  resume(): Promise<Acted> {
    return Promise.resolve(unsupported('a process cannot be put away'))
  }

  capture(): Promise<Acted> {
    return Promise.resolve(unsupported('no image can be taken of a process'))
  }

  remove(thing: Thing, { attempt, signal }: ActOptions): Promise<Acted> {
    return this.#act('remove', thing, { attempt, signal }, async (site) => {
      const settleMs = this.#settings.settleMs
      const removed = await removeThing({ ...site, host: this.#host, attempt, signal, settleMs })
      if (!removed.ok) return removed
      this.#watcher.forget(thing.id)
      return ok(writeHandle(noHandle))
    })
  }

  async observe(thing: Thing, signal: AbortSignal): Promise<Observation> {
    const nowMs = this.#world.clock.nowMs()
    const site = siteOf(this.#world.dataDir, thing)
    if (!site.ok) return { ...unknown(site.error), atMs: nowMs, evidence: {} }
    const launch = launchOf(thing)
    const filling = fillingOf(site.value, site.value.handle.port, this.#settings)
    return observeThing({
      ...site.value,
      host: this.#host,
      nowMs,
      openedAtMs: this.#openedAtMs,
      probe: probeOf(launch, filling),
      place: { ...placeOf(site.value, launch, filling, this.#settings), signal },
    })
  }

  output(thing: Thing, lines: number): Promise<readonly string[]> {
    return readLog({ dataDir: this.#world.dataDir, instanceId: thing.id, lines })
  }

  usage(thing: Thing, signal: AbortSignal): Promise<Usage | null> {
    return usageOf(thing.id, this.#host, signal)
  }

  async adopt(thing: Thing): Promise<void> {
    const site = siteOf(this.#world.dataDir, thing)
    if (!site.ok) {
      this.#world.log.warn(
        { instance: thing.id, cause: site.error },
        'a process could not be taken up',
      )
      return
    }
    const { folder, handle } = site.value
    const run = lastRun((await readRuns(folder.control)) ?? [], handle)
    if (run && (await isAnybodyThere({ folder, host: this.#host }, run)))
      this.#watch(thing, site.value, run, null)
  }

  watch(hint: (id: InstanceId) => void): () => void {
    return this.#hints.add(hint)
  }

  async close(): Promise<void> {
    this.#hints.clear()
    await this.#watcher.close()
  }

  /** Checks what every act checks, and turns whatever the system threw into an error that may be retried. */
  async #act(
    act: Act,
    thing: Thing,
    { signal }: ActOptions,
    run: (site: Site) => Promise<Acted>,
  ): Promise<Acted> {
    const site = siteOf(this.#world.dataDir, thing)
    if (!site.ok) return refused(site.error)
    if (signal.aborted) return calledOff(act)
    try {
      return await run(site.value)
    } catch (thrown) {
      this.#world.log.warn({ instance: thing.id, act, err: thrown }, 'the system refused an act')
      return failed(`${act}: ${messageOf(thrown)}`)
    }
  }

  #still(
    act: 'pause' | 'unpause',
    thing: Thing,
    { attempt, signal }: ActOptions,
    move: typeof pauseRun,
  ): Promise<Acted> {
    return this.#act(act, thing, { attempt, signal }, async (site) => {
      const { settleMs } = this.#settings
      const host = this.#host
      const done = await move({ ...site, host, attempt, signal, settleMs, rung: null })
      return done.ok ? ok(writeHandle(site.handle)) : done
    })
  }

  async #portFor(
    { folder, handle }: Site,
    launch: Launch,
  ): Promise<Result<number | null, DriverError>> {
    if (launch.port !== 'auto') return ok(launch.port)
    const { portMin, portMax } = this.#settings
    const port = await this.#givePort(folder, { ...this.#settings, known: handle.port })
    return port === null ? failed(`no port from ${portMin} to ${portMax} is free`) : ok(port)
  }

  #watch(
    thing: Thing,
    site: Site,
    run: Run,
    child: Parameters<Watcher['watch']>[0]['child'],
  ): void {
    const launch = launchOf(thing)
    const filling = fillingOf(site, site.handle.port, this.#settings)
    const place = placeOf(site, launch, filling, this.#settings)
    this.#watcher.watch({
      id: thing.id,
      folder: site.folder,
      run,
      child,
      probe: probeOf(launch, filling),
      place,
    })
  }
}

/** What runs can be seen and stopped though its image has gone or has been spoiled since. */
function launchOf(thing: Thing): Launch | null {
  const launch = readLaunch(thing)
  return launch.ok ? launch.value : null
}

/** Calls one after the other, so that two things are not given one port between a look and a note. */
function inTurn<Args extends readonly unknown[], T>(
  act: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (...args) => {
    const mine = last.then(() => act(...args))
    last = mine.catch(() => undefined) // The caller sees the failure; the next one only waits for its end.
    return mine
  }
}
