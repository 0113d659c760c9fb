// The command line as a child process, as a shell would run it.

import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
const timeoutMs = 60_000

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Running {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  readonly ended: Promise<Ended>
}

type Environment = Readonly<Record<string, string>>

/** Nothing of the caller's own settings reaches the child. */
export function start(
  args: readonly string[],
  {
    env = {},
    cwd = root,
    program = 'src/cli/main.mjs',
  }: { readonly env?: Environment; readonly cwd?: string; readonly program?: string } = {},
): Running {
  const foreign = Object.entries(process.env).filter(
    ([name]) => !/^(RUNSTATE_|OS_|NODE_TEST)/.test(name),
  )
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', root + program, ...args],
    {
      cwd,
      env: { ...Object.fromEntries(foreign), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const { promise, resolve } = Promise.withResolvers<Ended>()
  // Asked, not killed: a wrapper that is killed leaves what it started.
  const tooLong = setTimeout(() => child.kill('SIGTERM'), timeoutMs)
  child.on('close', (code) => {
    clearTimeout(tooLong)
    resolve({ code, out, err })
  })
  return { child, out: () => out, err: () => err, ended: promise }
}

export function run(
  args: readonly string[],
  options: { readonly env?: Environment; readonly cwd?: string; readonly stdin?: string } = {},
): Promise<Ended> {
  const { child, ended } = start(args, options)
  child.stdin?.end(options.stdin ?? '')
  return ended
}
