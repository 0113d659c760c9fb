// The real server as a process of its own, for tests that kill it: started from its own entry point, on any free
// port, with a data folder that outlives it.

import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
/** As `npm start` starts it: exec, node, its flags, the entry point. */
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: { readonly start: string }
} // ours
const [, , ...started] = scripts.start.split(' ')
const flags = started.slice(0, -1)
const entry = join(root, started.at(-1) ?? '')
/** A deadline, not an expectation: a machine that is busy with other things starts nothing soon. */
const readyWithinMs = 60_000

export interface ServerProcess {
  readonly url: string
  readonly token: string
  readonly pid: number
  /** What it printed on stdout so far. */
  readonly stdout: () => string
  /** Its log. */
  readonly stderr: () => string
  /** Resolves with its exit code, or the signal's name, when it has ended. */
  readonly gone: Promise<number | string>
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Called>
  /** Ends it with the signal and resolves with its exit code, or the signal's name. */
  end(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | string>
}

export interface Called {
  readonly status: number
  readonly headers: Headers
  // The body of a test's own call: each test knows what it asked for.
  readonly body: Record<string, unknown>
}

export interface StartOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** For node itself, before the entry point. */
  readonly nodeArgs?: readonly string[]
}

interface Spawned {
  readonly child: ChildProcess
  readonly printed: { out: string; err: string }
}

/** The settings file lies beside the data folder, which the server makes when it is missing. `''`: there is none. */
function spawnServer(
  dataDir: string,
  yaml: string,
  { args = [], env = {}, nodeArgs = [] }: StartOptions,
): Spawned {
  const config = join(dataDir, '..', 'runstate.yaml')
  if (yaml !== '') writeFileSync(config, yaml)
  const surroundings = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    RUNSTATE_PORT: '0',
    RUNSTATE_DATA: dataDir,
    ...(yaml === '' ? {} : { RUNSTATE_CONFIG: config }),
    RUNSTATE_LOG: 'error',
    ...env,
  }
  const own = [...flags, ...nodeArgs, entry, ...args]
  const child = spawn(process.execPath, own, {
    env: surroundings,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = { out: '', err: '' }
  child.stdout.on('data', (data: Buffer) => (printed.out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (printed.err += data.toString()))
  return { child, printed }
}

export interface Ended {
  readonly code: number | string
  readonly out: string
  readonly err: string
}

/** Runs it until it ends by itself: for starts that are refused, and for `--stop-all`. */
export async function runServer(
  dataDir: string,
  yaml: string,
  options: StartOptions = {},
): Promise<Ended> {
  const { child, printed } = spawnServer(dataDir, yaml, options)
  const timer = setTimeout(() => child.kill('SIGKILL'), readyWithinMs)
  const code = await new Promise<number | string>((tell) =>
    child.once('close', (exit, signal) => tell(exit ?? signal ?? 0)),
  )
  clearTimeout(timer)
  return { code, ...printed }
}

export async function startServer(
  dataDir: string,
  yaml = 'starter: false\n',
  options: StartOptions = {},
): Promise<ServerProcess> {
  const { child, printed } = spawnServer(dataDir, yaml, options)
  const gone = new Promise<number | string>((tell) =>
    child.once('close', (code, signal) => tell(code ?? signal ?? 0)),
  )
  const url = await ready(child, printed)
  const token =
    /^RUNSTATE_TOKEN=(.*)$/m.exec(readFileSync(join(dataDir, 'credentials.env'), 'utf8'))?.[1] ?? ''
  return {
    url,
    token,
    pid: child.pid ?? 0,
    stdout: () => printed.out,
    stderr: () => printed.err,
    gone,
    call: (method, path, body, headers) => call(url, token, method, path, body, headers),
    end: (signal) => {
      child.kill(signal)
      return gone
    },
  }
}

function ready(
  child: ChildProcess,
  printed: { readonly out: string; readonly err: string },
): Promise<string> {
  return new Promise((resolveUrl, reject) => {
    const timer = setTimeout(() => {
      // Left alone it would keep the test, and its folder, for ever.
      child.kill('SIGKILL')
      reject(new Error(`no ready line: ${printed.out}${printed.err}`))
    }, readyWithinMs)
    const look = (): void => {
      const url = /^runstate ready (\S+)$/m.exec(printed.out)?.[1]
      if (url === undefined) return
      clearTimeout(timer)
      resolveUrl(url)
    }
    child.stdout?.on('data', look)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`the server ended with ${code}: ${printed.out}${printed.err}`))
    })
  })
}

async function call(
  url: string,
  token: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Called> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  } // what our tests ask for is answered with JSON objects
}

/** Every live process that carries this instance's id in its environment, shims apart: the truth beside the record. */
export function processesOf(instanceId: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter(
      (pid) =>
        environment(pid).includes(`RUNSTATE_INSTANCE_ID=${instanceId}`) &&
        !commandOf(pid).includes('shim.sh'),
    )
    .map(Number)
}

const readProc = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It ended between the listing and the look.
    return ''
  }
}
const environment = (pid: string): readonly string[] => readProc(`/proc/${pid}/environ`).split('\0')
const commandOf = (pid: string): string => readProc(`/proc/${pid}/cmdline`)
