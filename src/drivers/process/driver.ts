// Runs commands as processes of this machine, each in its own session, so that they outlive the server and are
// found again by the next one. README.md says how, and what this does not protect from.
//
// - One thing for one instance, whatever crashes (start.ts, shim.sh).
// - No signal to a stranger (signals.ts, host.ts).
// - A thing gets none of the server's secrets (config.ts).

import { ok, type Result } from '#kernel/errors.ts'
import { type ActOptions, type Driver, type Thing } from '#kernel/ports/driver.ts'
import { type DriverError } from '#kernel/request.ts'
import {
  type Acted,
  calledOff,
  type DriverWorld,
  failed,
  listeners,
  messageOf,
  refused,
  stale,
  unsupported,
} from '../shared/world.ts'
import { ask } from './call.ts'
import {
  callOf,
  defaults,
  environmentOf,
  fill,
  type Filling,
  type Launch,
  type ProcessConfig,
  readLaunch,
} from './config.ts'
import { type Folder, folderOf, isInstanceId, isThere, makeFolder, removeFolder } from './folder.ts'
import { takeFence } from './fence.ts'
import { type Handle, noHandle, readHandle, writeHandle } from './handle.ts'
import { type Host, thisHost } from './host.ts'
import { observeThing, unknown } from './observe.ts'
import { givePort, returnPort } from './ports.ts'
import { lastRun, phaseOf, readRuns, type Run } from './runs.ts'
import { endLeftovers } from './signals.ts'
import { startRun } from './start.ts'
import { stopRun } from './stop.ts'
import { type Watched, watcher } from './watcher.ts'
import { type InstanceId } from '#kernel/ids.ts'

export interface ProcessWorld extends DriverWorld {
  readonly dataDir: string
}

const probePatience = { intervalMs: 250, timeoutMs: 1000 }
const drainPatience = { intervalMs: 1000, timeoutMs: 10_000 }

/** What an act needs of a thing, read and checked. */
interface Site {
  readonly folder: Folder
  readonly handle: Handle
}

export function processDriver(config: ProcessConfig, world: ProcessWorld): Driver {
  const settings = { ...defaults, ...config }
  const host = thisHost()
  const openedAtMs = Date.now()
  const hints = listeners<InstanceId>()
  const watching = watcher({ host, settings, hints, log: world.log })
  const givePortInTurn = inTurn(givePort)

  const server = { environment: process.env, pass: settings.passEnvironment }
  const filling = (thing: Thing, port: number | null): Filling => ({
    instanceId: thing.id,
    port,
    address: settings.address,
  })

  const placeOf = ({ folder }: Site, launch: Launch | null, filled: Filling) => ({
    address: settings.address,
    cwd: launch?.cwd ?? folder.work,
    environment: launch ? environmentOf(launch, filled, server) : {},
  })

  const portFor = async (
    site: Site,
    launch: Launch,
  ): Promise<Result<number | null, DriverError>> => {
    if (launch.port !== 'auto') return ok(launch.port)
    const port = await givePortInTurn(site.folder, settings)
    return port === null
      ? failed(`no port from ${settings.portMin} to ${settings.portMax} is free`)
      : ok(port)
  }

  const watchedOf = (thing: Thing, site: Site, run: Run): Watched => {
    const launch = readLaunch(thing)
    const filled = filling(thing, site.handle.port)
    const known = launch.ok ? launch.value : null
    return {
      id: thing.id,
      folder: site.folder,
      run,
      child: null,
      probe: known && callOf(known.probe, filled, probePatience),
      place: placeOf(site, known, filled),
    }
  }

  /** Checks what every act checks, and turns whatever the system threw into an error that may be retried. */
  const acting = async (
    act: string,
    thing: Thing,
    { signal }: ActOptions,
    run: (site: Site) => Promise<Acted>,
  ): Promise<Acted> => {
    const site = siteOf(world.dataDir, thing)
    if (!site.ok) return refused(site.error)
    if (signal.aborted) return calledOff(act)
    try {
      return await run(site.value)
    } catch (thrown) {
      world.log.warn({ instance: thing.id, act, err: thrown }, 'the system refused a process')
      return failed(`${act}: ${messageOf(thrown)}`)
    }
  }

  return {
    name: 'process',
    capabilities: { acts: ['create', 'start', 'stop', 'remove'], rungs: ['drain', 'soft', 'hard'] },

    create: (thing, options) =>
      acting('create', thing, options, async (site) => {
        const launch = readLaunch(thing)
        if (!launch.ok) return launch
        await makeFolder(site.folder)
        const fence = await takeFence(site.folder.control, options.attempt)
        if (!fence.ok) return stale(options.attempt, fence.error.latest)
        const port = await portFor(site, launch.value)
        return port.ok ? ok(writeHandle({ ...site.handle, port: port.value })) : port
      }),

    start: (thing, options) =>
      acting('start', thing, options, async (site) => {
        const launch = readLaunch(thing)
        if (!launch.ok) return launch
        await makeFolder(site.folder)
        const port = await portFor(site, launch.value)
        if (!port.ok) return port
        const filled = filling(thing, port.value)
        const { cwd, environment } = placeOf(site, launch.value, filled)
        const command = launch.value.command.map((part) => fill(part, filled))
        if (port.value === null && command.some((part) => part.includes('${PORT}'))) {
          return refused('the command names ${PORT}, but image.launch.port is not set')
        }
        const started = await startRun({
          ...site,
          ...settings,
          attempt: options.attempt,
          signal: options.signal,
          host,
          command,
          environment,
          cwd,
          port: port.value,
        })
        if (!started.ok) return started
        const { run, child } = started.value
        const handle = handleOf(port.value, run)
        watching.watch({ ...watchedOf(thing, { ...site, handle }, run), child })
        return ok(writeHandle(handle))
      }),

    stop: (thing, options) =>
      acting('stop', thing, options, async (site) => {
        const launch = readLaunch(thing)
        // What cannot be read any more can still be stopped in the usual way.
        const known = launch.ok ? launch.value : null
        const filled = filling(thing, site.handle.port)
        const place = placeOf(site, known, filled)
        const call = known && callOf(known.drain, filled, drainPatience)
        const stopped = await stopRun({
          ...site,
          ...options,
          host,
          settleMs: settings.settleMs,
          stopSignal: known?.stopSignal ?? 'SIGTERM',
          drain:
            call &&
            ((pid) => {
              const environment = { ...place.environment, RUNSTATE_PID: String(pid) }
              return ask(call, { ...place, environment, signal: options.signal })
            }),
        })
        return stopped.ok ? ok(writeHandle(site.handle)) : stopped
      }),

    capture: () => Promise.resolve(unsupported('a process has no image to take')),

    remove: (thing, options) =>
      acting('remove', thing, options, async (site) => {
        const gone = await isGone(site, { host, settleMs: settings.settleMs, options })
        if (!gone.ok) return gone
        watching.forget(thing.id)
        await returnPort(site.folder)
        await removeFolder(site.folder)
        return ok(writeHandle(noHandle))
      }),

    async observe(thing, signal) {
      const nowMs = world.clock.nowMs()
      const site = siteOf(world.dataDir, thing)
      if (!site.ok) return { ...unknown(site.error), atMs: nowMs, evidence: {} }
      const { probe, place } = watchedOf(thing, site.value, nothingRuns)
      return observeThing({
        ...site.value,
        host,
        nowMs,
        openedAtMs,
        address: settings.address,
        probe,
        place: { ...place, signal },
      })
    },

    async adopt(thing) {
      const site = siteOf(world.dataDir, thing)
      if (!site.ok) return
      const run = lastRun((await readRuns(site.value.folder.control)) ?? [], site.value.handle)
      if (run && phaseOf(run, host) !== 'over') watching.watch(watchedOf(thing, site.value, run))
    },

    watch: (hint) => hints.add(hint),

    async close() {
      hints.clear()
      await watching.close()
    },
  }
}

const nothingRuns: Run = {
  fence: 0,
  leader: null,
  main: null,
  isLive: false,
  exitStatus: null,
  stops: [],
  names: [],
}

function siteOf(dataDir: string, thing: Thing): Result<Site, string> {
  if (!isInstanceId(thing.id))
    return { ok: false, error: `${JSON.stringify(thing.id)} is no instance id` }
  const handle = readHandle(thing.handle)
  return handle.ok ? ok({ folder: folderOf(dataDir, thing.id), handle: handle.value }) : handle
}

function handleOf(port: number | null, { fence, leader, main }: Run): Handle {
  return { version: 1, port, run: leader && main && { fence, leader, main } }
}

/** Whether it may be removed: nothing of it lives, and nothing that was started before will. */
async function isGone(
  { folder, handle }: Site,
  {
    host,
    settleMs,
    options,
  }: { readonly host: Host; readonly settleMs: number; readonly options: ActOptions },
): Promise<Result<null, DriverError>> {
  if (await isThere(folder.control)) {
    const fence = await takeFence(folder.control, options.attempt)
    if (!fence.ok) return stale(options.attempt, fence.error.latest)
  }
  const runs = (await readRuns(folder.control)) ?? []
  const last = lastRun(runs, handle)
  const alive = [...runs, ...(last ? [last] : [])].find((run) => phaseOf(run, host) !== 'over')
  if (alive) return failed(`process ${(alive.main ?? alive.leader)?.pid ?? 0} still runs`)
  const patience = { untilMs: Date.now() + settleMs, signal: options.signal }
  if (await endLeftovers(folder.id, host, patience)) return ok(null)
  return failed('what it left behind does not end')
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
