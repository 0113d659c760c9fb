// The records that shells and acts leave in a thing's control folder, read as runs. One run is one life of the
// command; its number is that of the act that started it.
//
//   shim.<fence>                          the script of that shell
//   run.<fence>.<pid>.<started>.<boot>    the shell that leads the session and will record the end
//   main.<fence>.<pid>.<started>.<boot>   the process that becomes the command, or gives up
//   live.<fence>                          it was not overtaken, and became the command
//   exit.<fence>.<code>                   how the command ended, as a shell says it: 128 + n for signal n
//   stop.<fence>.<attempt>.<rung>         a stop was sent to this run
//
// Records are made by their names alone, so none is ever seen half written.

import { constants } from 'node:os'
import { lstat, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Rung, rungs } from '#kernel/ladder.ts'
import { codeOf, isNoRoom } from '../shared/world.ts'
import type { Handle, Identity } from './handle.ts'
import type { Host } from './host.ts'

export interface Run {
  readonly fence: number
  readonly leader: Identity | null
  readonly main: Identity | null
  /** It became the command; one that did not never will once it is over. */
  readonly isLive: boolean
  readonly exitStatus: number | null
  readonly stops: readonly { readonly attempt: number; readonly rung: Rung }[]
  readonly names: readonly string[]
}

/** All runs on record, oldest first; null when there is no folder to hold any. */
export async function readRuns(control: string): Promise<readonly Run[] | null> {
  let names: readonly string[]
  try {
    names = await readdir(control)
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null
    throw thrown
  }
  const byFence = new Map<number, string[]>()
  for (const name of names) {
    const fence = /^(?:shim|run|main|live|exit|stop)\.(\d+)/.exec(name)?.[1]
    if (fence === undefined) continue
    const group = byFence.get(Number(fence)) ?? []
    byFence.set(Number(fence), [...group, name])
  }
  return [...byFence].toSorted(([a], [b]) => a - b).map(([fence, group]) => runOf(fence, group))
}

function runOf(fence: number, names: readonly string[]): Run {
  const parts = (word: string): readonly string[] | undefined =>
    names
      .find((name) => name.startsWith(`${word}.`))
      ?.split('.')
      .slice(2)
  const status = parts('exit')?.[0]
  return {
    fence,
    leader: identityOf(parts('run')),
    main: identityOf(parts('main')),
    isLive: parts('live') !== undefined,
    exitStatus: status === undefined ? null : Number(status),
    stops: names.flatMap((name) => stopOf(name) ?? []),
    names,
  }
}

function identityOf(parts: readonly string[] | undefined): Identity | null {
  const [pid, started, boot] = parts ?? []
  if (pid === undefined || started === undefined || boot === undefined) return null
  return { pid: Number(pid), started, boot }
}

function stopOf(name: string): Run['stops'][number] | undefined {
  const [word, , attempt, text] = name.split('.')
  const rung = rungs.find((one) => one === text)
  return word === 'stop' && rung !== undefined ? { attempt: Number(attempt), rung } : undefined
}

/**
 * pending  exists, and will become the command or give up
 * up       the command runs
 * ending   the command has ended; its end is being recorded
 * over     nothing of the two processes is left
 */
export type Phase = 'pending' | 'up' | 'ending' | 'over'

export function phaseOf(run: Run, host: Host): Phase {
  const leads = run.leader !== null && host.isAlive(run.leader)
  const runs = run.main !== null && host.isAlive(run.main)
  if (!run.isLive) return leads || runs ? 'pending' : 'over'
  if (runs) return 'up'
  return leads ? 'ending' : 'over'
}

/** The run that a thing's state is read from: the last that became the command, else what the handle knows. */
export function lastRun(runs: readonly Run[], { run }: Handle): Run | null {
  const last = runs.findLast(({ isLive }) => isLive)
  if (last || run === null) return last ?? null
  const { fence, leader, main } = run
  return { fence, leader, main, isLive: true, exitStatus: null, stops: [], names: [] }
}

/** The signal that a shell means by an exit status; null when the command ended by itself. */
export function signalOf(status: number): NodeJS.Signals | null {
  if (status <= 128) return null
  const found = Object.entries(constants.signals).find(([, number]) => number === status - 128)
  return (found?.[0] as NodeJS.Signals | undefined) ?? null // the keys of node's own table
}

/** Notes a stop before it is sent. False when this attempt has sent this rung already, so nobody sends it twice. */
export async function recordStop(
  control: string,
  stop: { readonly fence: number; readonly attempt: number; readonly rung: Rung },
): Promise<boolean> {
  const name = `stop.${stop.fence}.${stop.attempt}.${stop.rung}`
  try {
    const file = await open(join(control, name), 'wx', 0o600)
    await file.close()
    return true
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') return false
    // The folder was taken away under a thing that runs, or its disk is full: it can still be stopped, only not noted.
    if (codeOf(thrown) === 'ENOENT' || isNoRoom(thrown)) return true
    throw thrown
  }
}

/** When a record was made; null when it is not there. */
export async function recordedAtMs(
  control: string,
  run: Run,
  word: string,
): Promise<number | null> {
  const name = run.names.find((one) => one.startsWith(`${word}.`))
  if (name === undefined) return null
  try {
    return Math.round((await lstat(join(control, name))).mtimeMs)
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null
    throw thrown
  }
}

/** Drops the records of runs that came before; only the last one is ever asked about. */
export async function dropEarlier(
  control: string,
  runs: readonly Run[],
  fence: number,
): Promise<void> {
  const names = runs.filter((run) => run.fence < fence).flatMap((run) => run.names)
  for (const name of names) {
    await unlink(join(control, name)).catch((thrown: unknown) => {
      if (codeOf(thrown) !== 'ENOENT') throw thrown
    })
  }
}
