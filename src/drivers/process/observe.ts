// The records, the processes and the probe, read as an observation. Looking changes nothing, and a look that
// fails is `unknown`: it never says that a thing is down or gone.

import type { JsonObject } from '#kernel/json.ts'
import type { Observation } from '#kernel/observation.ts'
import { messageOf } from '../shared/world.ts'
import { ask, type Place } from './call.ts'
import type { Call } from './config.ts'
import { type Folder, isThere } from './folder.ts'
import type { Handle } from './handle.ts'
import type { Host } from './host.ts'
import { lastRun, phaseOf, readRuns, recordedAtMs, type Run, signalOf } from './runs.ts'
import { survivors } from './signals.ts'

export interface Look {
  readonly folder: Folder
  readonly host: Host
  readonly handle: Handle
  readonly nowMs: number
  /** When this server began to look after things. */
  readonly openedAtMs: number
  /** Null: it is ready as soon as it lives. */
  readonly probe: Call | null
  readonly place: Place
}

type Seen = Omit<Observation, 'atMs' | 'evidence'> & { readonly evidence?: JsonObject }

export async function observeThing(look: Look): Promise<Observation> {
  const seen = await see(look).catch((thrown: unknown): Seen => unknown(messageOf(thrown)))
  return {
    seen: seen.seen,
    ready: seen.ready,
    reason: seen.reason,
    atMs: look.nowMs,
    evidence: seen.evidence ?? {},
  }
}

export const unknown = (why: string): Seen => ({
  seen: 'unknown',
  ready: false,
  reason: `it could not be looked at: ${why}`,
})

async function see(look: Look, isAgain = false): Promise<Seen> {
  const { folder, host, handle } = look
  const runs = (await readRuns(folder.control)) ?? []
  const waits = runs.find((run) => phaseOf(run, host) === 'pending')
  const run = lastRun(runs, handle)
  const phase = run && phaseOf(run, host)
  if (run && phase === 'up') return up(look, run)
  if (run && phase === 'ending') return limbo(look, run, 'has ended, and its end is being recorded')
  if (waits) return limbo(look, waits, 'is about to run the command')
  if (run && phase === 'over' && run.exitStatus === null && !isAgain) {
    // It may have ended after its records were read; now that it is over they are complete.
    return see(look, true)
  }
  if (!(await isThere(folder.own)))
    return { seen: 'absent', ready: false, reason: 'its folder is gone' }
  if (!run) return { seen: 'down', ready: false, reason: null, evidence: place(look) }
  // Asked to stop, it is down only when all of it is: its children may still be finishing what they do.
  const alive = run.stops.length > 0 ? await survivors(run, folder.id, host) : 0
  if (alive > 0) return limbo(look, run, `has ended, but ${alive} of its children still run`)
  return { seen: 'down', ready: false, ...(await ended(look, run)) }
}

const place = ({ handle, place: { address } }: Look): JsonObject =>
  handle.port === null ? {} : { port: handle.port, address }

async function up(look: Look, run: Run): Promise<Seen> {
  const startedAtMs = await recordedAtMs(look.folder.control, run, 'live')
  const pid = run.main?.pid ?? 0
  const evidence = { pid, ...place(look), ...(startedAtMs === null ? {} : { startedAtMs }) }
  // It answers no probe, and is well.
  if (run.main && look.host.isHeld(run.main))
    return { seen: 'paused', ready: false, reason: null, evidence }
  if (look.probe === null) return { seen: 'up', ready: true, reason: null, evidence }
  const fault = await ask(look.probe, look.place)
  const reason = fault === null ? null : `process ${pid} is not ready: ${fault}`
  return { seen: 'up', ready: fault === null, reason, evidence }
}

/** Something of it lives, but not the command. */
function limbo(look: Look, run: Run, what: string): Seen {
  const pid = (run.main ?? run.leader)?.pid ?? 0
  return {
    seen: 'up',
    ready: false,
    reason: `process ${pid} ${what}`,
    evidence: { pid, ...place(look) },
  }
}

async function ended(look: Look, run: Run): Promise<{ reason: string; evidence: JsonObject }> {
  const { control } = look.folder
  const pid = run.main?.pid ?? 0
  const startedAtMs = await recordedAtMs(control, run, 'live')
  const endedAtMs = (await recordedAtMs(control, run, 'exit')) ?? (await killedAtMs(control, run))
  const how = howEnded(run, look.host)
  const away = endedAtMs !== null && endedAtMs < look.openedAtMs ? ' while runstate was away' : ''
  return {
    reason: `process ${pid} ${how.text}${away}`,
    evidence: {
      pid,
      ...place(look),
      ...how.evidence,
      ...(startedAtMs === null ? {} : { startedAtMs }),
      ...(endedAtMs === null ? {} : { endedAtMs }),
    },
  }
}

/** A hard stop kills the supervising shell too, so then the stop itself is what tells the end. */
const killedAtMs = (control: string, run: Run): Promise<number | null> =>
  recordedAtMs(
    control,
    { ...run, names: run.names.filter((name) => name.endsWith('.hard')) },
    'stop',
  )

function howEnded(run: Run, { boot }: Host): { text: string; evidence: JsonObject } {
  const { exitStatus } = run
  if (exitStatus === null && run.stops.some(({ rung }) => rung === 'hard')) {
    return { text: 'was killed by SIGKILL', evidence: { signal: 'SIGKILL' } }
  }
  if (exitStatus === null) {
    const text =
      run.main?.boot === boot
        ? 'is gone, and nothing recorded how it ended'
        : 'ended with the machine'
    return { text, evidence: { exitCode: null } }
  }
  const signal = signalOf(exitStatus)
  if (signal !== null) return { text: `was killed by ${signal}`, evidence: { signal } }
  return { text: `exited with code ${exitStatus}`, evidence: { exitCode: exitStatus } }
}
