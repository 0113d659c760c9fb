// The one place that knows which system this is: how a process is told from another with the same pid.
//
// - A question that cannot be answered throws; the caller reports `unknown`, and nothing is signalled.
// - A zombie is dead: it runs nothing and only waits for its parent.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { codeOf } from '../shared/world.ts'
import type { Identity } from './handle.ts'

export interface Host {
  /** This life of the machine. */
  readonly boot: string
  /** Body of a POSIX shell function that sets `since` to the start of `$$`, in the words of `started`. */
  readonly shellSince: string
  isAlive(process: Identity): boolean
  /** The process group that this very process is in; null when it is gone. */
  groupOf(process: Identity): number | null
  /** Whether this very process is held still (SIGSTOP); false when it is gone. */
  isHeld(process: Identity): boolean
  /** Whether this text is in the process's command line; false when it is gone. */
  isCalledWith(process: Identity, text: string): boolean
  /** Everything that runs with `name=value` in the environment it was started with. */
  withVariable(name: string, value: string): Promise<readonly Identity[]>
  /** Processor time so far and memory now; null when it is gone, or when this system does not tell. */
  used(process: Identity): Used | null
}

export interface Used {
  readonly cpuMs: number
  readonly bytes: number
}

interface Seen {
  readonly started: string
  readonly group: number
  readonly isZombie: boolean
  readonly isHeld: boolean
}

/** Source: proc(5). Fields of /proc/<pid>/stat after the name, which may itself hold blanks and brackets. */
function linux(): Host {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const look = (pid: number): Seen | null => {
    const text = whenThere(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
    return text === null ? null : parseStat(text)
  }
  return {
    boot,
    shellSince: 'read -r since < "/proc/$$/stat"; set -- ${since##*) }; shift 19; since=$1',
    ...identified(boot, look, (pid) =>
      whenThere(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
    ),
    used(identity) {
      const text = whenThere(() => readFileSync(`/proc/${identity.pid}/stat`, 'utf8'))
      const isSame = text !== null && parseStat(text).started === identity.started
      return isSame && identity.boot === boot ? parseUsed(text) : null
    },
    async withVariable(name, value) {
      const wanted = Buffer.from(`${name}=${value}`)
      const found: Identity[] = []
      for (const entry of await readdir('/proc')) {
        const pid = Number(entry)
        if (!Number.isInteger(pid) || pid === process.pid) continue
        const environment = await readFile(`/proc/${pid}/environ`).catch(goneOrNotOurs)
        if (environment === null || !holds(environment, wanted)) continue
        const seen = look(pid)
        if (seen && !seen.isZombie) found.push({ pid, started: seen.started, boot })
      }
      return found
    },
  }
}

export function parseStat(text: string): Seen {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state = '', , group = ''] = fields
  // Field 22 of the line; the fields here begin with the third.
  return {
    started: fields[19] ?? '',
    group: Number(group),
    isZombie: state === 'Z' || state === 'X',
    isHeld: state === 'T',
  }
}

/** The kernel's ticks as programs see them, and its pages: the same on every Linux that Node runs on. */
const msPerTick = 10
const bytesPerPage = 4096

/** Fields 14, 15 (user and system time) and 24 (resident pages) of the line; the fields here begin with the third. */
export function parseUsed(text: string): Used {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return { cpuMs: ticks * msPerTick, bytes: Number(fields[21]) * bytesPerPage }
}

/** Whole entries only: one variable's value may hold the text of another. */
function holds(environment: Buffer, wanted: Buffer): boolean {
  for (let at = environment.indexOf(wanted); at !== -1; at = environment.indexOf(wanted, at + 1)) {
    const end = at + wanted.length
    const isStart = at === 0 || environment[at - 1] === 0
    if (isStart && (end === environment.length || environment[end] === 0)) return true
  }
  return false
}

/** Processes come and go while they are listed, and those of other users keep their secrets. */
function goneOrNotOurs(thrown: unknown): null {
  const code = codeOf(thrown)
  if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return null
  throw thrown
}

function whenThere<T>(read: () => T): T | null {
  try {
    return read()
  } catch (thrown) {
    const code = codeOf(thrown)
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw thrown
  }
}

/** Source: ps(1) of the BSDs and macOS. The start has a grain of one second there, so does the proof. */
function bsd(): Host {
  const boot = run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid']).trim()
  const look = (pid: number): Seen | null => {
    const line = runOrNothing('/bin/ps', ['-o', 'lstart=,pgid=,stat=', '-p', String(pid)]).trim()
    if (line === '') return null
    const [, month = '', day = '', time = '', year = '', group = '', stat = ''] = line.split(/\s+/)
    return {
      started: [year, month, day, time].join('-'),
      group: Number(group),
      isZombie: stat.startsWith('Z'),
      isHeld: stat.startsWith('T'),
    }
  }
  return {
    boot,
    shellSince: 'set -- $(LC_ALL=C TZ=UTC /bin/ps -o lstart= -p $$); since=$5-$2-$3-$4',
    ...identified(boot, look, (pid) =>
      runOrNothing('/bin/ps', ['-ww', '-o', 'command=', '-p', String(pid)]),
    ),
    // Another process's environment is not to be had there without its owner's consent.
    withVariable: () => Promise.resolve([]),
    used: () => null,
  }
}

const quick = { encoding: 'utf8', timeout: 2000, env: { LC_ALL: 'C', TZ: 'UTC' } } as const

const run = (file: string, parts: readonly string[]): string => execFileSync(file, parts, quick)

/** ps ends with 1 when there is no such process. */
function runOrNothing(file: string, parts: readonly string[]): string {
  try {
    return run(file, parts)
  } catch (thrown) {
    if (thrown instanceof Error && 'status' in thrown && thrown.status === 1) return ''
    throw thrown
  }
}

function identified(
  boot: string,
  look: (pid: number) => Seen | null,
  commandLine: (pid: number) => string | null,
): Pick<Host, 'isAlive' | 'groupOf' | 'isHeld' | 'isCalledWith'> {
  const find = (identity: Identity): Seen | null => {
    if (identity.boot !== boot) return null
    const seen = look(identity.pid)
    return seen && seen.started === identity.started && !seen.isZombie ? seen : null
  }
  return {
    isAlive: (identity) => find(identity) !== null,
    groupOf: (identity) => find(identity)?.group ?? null,
    isHeld: (identity) => find(identity)?.isHeld ?? false,
    isCalledWith: (identity, text) =>
      find(identity) !== null && (commandLine(identity.pid)?.includes(text) ?? false),
  }
}

let known: Host | undefined

/** Asked for when a driver is made, not on import: a server without this driver runs anywhere. */
export function thisHost(): Host {
  if (process.platform === 'win32') throw new Error('the process driver needs Linux or macOS')
  known ??= process.platform === 'linux' ? linux() : bsd()
  return known
}
