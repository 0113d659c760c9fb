// Starts a run so that there are never two, whatever crashes; README.md, "Never two", has the argument.

import { type ChildProcess, spawn } from 'node:child_process'
import { access, constants, open, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ok, type Result } from '#kernel/errors.ts'
import type { DriverError } from '#kernel/request.ts'
import { calledOff, codeOf, failed, messageOf, refused, timedOut } from '../shared/world.ts'
import type { Folder } from './folder.ts'
import { isLatest } from './fence.ts'
import type { Handle } from './handle.ts'
import type { Host } from './host.ts'
import { isPortFree } from './ports.ts'
import { placeShim, shell, shimArguments, shimOf } from './shim.ts'
import { dropEarlier, phaseOf, readRuns, type Run } from './runs.ts'
import { endLeftovers, lookAgainMs } from './signals.ts'

export interface Starting {
  readonly folder: Folder
  readonly host: Host
  readonly handle: Handle
  /** This act's number (fence.ts). Nothing that was started before it can begin to run any more. */
  readonly fence: number
  readonly signal: AbortSignal
  readonly settleMs: number
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly cwd: string
  readonly port: number | null
  readonly address: string
}

export interface Started {
  readonly run: Run
  /** Null when it ran already. */
  readonly child: ChildProcess | null
}

export async function startRun(starting: Starting): Promise<Result<Started, DriverError>> {
  const { folder, host, signal } = starting
  const untilMs = Date.now() + starting.settleMs
  const before = await settled(starting, untilMs)
  if (!before.ok) return before
  if (before.value.up) return became(starting, { run: before.value.up, child: null }, untilMs)
  const cannot = await unrunnable(starting)
  if (cannot !== undefined) return refused(cannot)
  if (!(await endLeftovers(folder.id, host, { untilMs, signal }))) {
    return failed('what an earlier run left behind does not end')
  }
  if (starting.port !== null && !(await isPortFree(starting.port, starting.address))) {
    return failed(`port ${starting.port} is taken by another program`)
  }
  if (signal.aborted) return calledOff('start')
  await placeShim(folder.control, starting.fence, host)
  const child = await spawnShim(starting)
  if (!child.ok) return child
  return begun(starting, child.value, untilMs)
}

interface Settled {
  readonly up: Run | null
}

/** Waits until every run on record either runs or is over. The new number makes those that wait give up. */
async function settled(
  { folder, host, handle, signal }: Starting,
  untilMs: number,
): Promise<Result<Settled, DriverError>> {
  for (;;) {
    const runs = [...((await readRuns(folder.control)) ?? [])]
    const known = handle.run
    if (known !== null && !runs.some((run) => run.fence === known.fence)) {
      runs.push({ ...known, isLive: true, exitStatus: null, stops: [], names: [] })
    }
    const phases = runs.map((run) => ({ run, phase: phaseOf(run, host) }))
    const up = phases.find(({ phase }) => phase === 'up')
    if (up) return ok({ up: up.run })
    if (phases.every(({ phase }) => phase === 'over')) return ok({ up: null })
    if (signal.aborted) return calledOff('start')
    if (Date.now() >= untilMs) return timedOut('an earlier run neither runs nor ends')
    await sleep(lookAgainMs)
  }
}

async function spawnShim({
  folder,
  host,
  fence,
  command,
  environment,
  cwd,
}: Starting): Promise<Result<ChildProcess, DriverError>> {
  const log = await open(folder.log, 'a', 0o600)
  try {
    const child = spawn(
      shell,
      shimArguments({ control: folder.control, fence, boot: host.boot, id: folder.id }, command),
      // A session of its own: no terminal, and nothing that ends the server's group ends the thing.
      { cwd, env: environment, detached: true, stdio: ['ignore', log.fd, log.fd] },
    )
    const fault = await new Promise<Error | null>((done) => {
      child.once('spawn', () => done(null))
      child.once('error', done)
    })
    if (fault) return failed(`${shell} could not be started: ${fault.message}`)
    child.unref()
    return ok(child)
  } finally {
    await log.close()
  }
}

/** Between its record and the command there is one system call; who is told of a start finds the command. */
async function became({ folder, host, signal }: Starting, started: Started, untilMs: number) {
  const { main, fence } = started.run
  const script = shimOf(folder.control, fence)
  while (main && host.isCalledWith(main, script) && !signal.aborted && Date.now() < untilMs) {
    await sleep(lookAgainMs)
  }
  return ok(started)
}

async function begun(
  starting: Starting,
  child: ChildProcess,
  untilMs: number,
): Promise<Result<Started, DriverError>> {
  const { folder, fence, signal } = starting
  for (;;) {
    const isShellGone = child.exitCode !== null || child.signalCode !== null
    const runs = (await readRuns(folder.control)) ?? []
    const mine = runs.find((run) => run.fence === fence)
    if (mine?.isLive) {
      await dropEarlier(folder.control, runs, fence)
      return became(starting, { run: mine, child }, untilMs)
    }
    if (isShellGone) {
      if ((await readRuns(folder.control)) === null)
        return failed('its folder was removed meanwhile')
      if (!(await isLatest(folder.control, fence)))
        return failed('a later act on it came in between')
      return failed('the supervising shell ended before it could record itself; see the log')
    }
    // It may come to run after all; the next act sees it, or makes it give up.
    if (signal.aborted) return calledOff('start')
    if (Date.now() >= untilMs) return timedOut('the process did not come to exist in time')
    await sleep(lookAgainMs)
  }
}

/** Why the command cannot run, as far as that can be told beforehand. */
async function unrunnable({
  command,
  environment,
  cwd,
  folder,
}: Starting): Promise<string | undefined> {
  const [file = ''] = command
  if (cwd !== folder.work && !(await stat(cwd).catch(missing))?.isDirectory()) {
    return `${cwd}, where the command is to run, is no folder`
  }
  const path = environment['PATH'] ?? '/usr/bin:/bin'
  const places = file.includes('/')
    ? [isAbsolute(file) ? file : resolve(cwd, file)]
    : path.split(delimiter).map((place) => join(place, file))
  for (const place of places) {
    const found = await access(place, constants.X_OK).then(
      () => true,
      () => false, // Not there or not ours to run: another place may do.
    )
    if (found) return undefined
  }
  return file.includes('/')
    ? `the command ${file} is not there, or may not be run`
    : `the command ${file} was not found on the PATH`
}

function missing(thrown: unknown): undefined {
  if (codeOf(thrown) === 'ENOENT' || codeOf(thrown) === 'ENOTDIR') return undefined
  throw new Error(`could not look: ${messageOf(thrown)}`)
}
