// Loaded into the server before anything else (`--require`, which threads hear too): ends it with SIGKILL exactly before or after its nth
// effect on the world: a statement in the database, a file or folder made, renamed or removed, a process started,
// a signal sent. Without its file it does nothing; the test writes the file when the load begins.

import childProcess from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { StatementSync } from 'node:sqlite'
import { isMainThread } from 'node:worker_threads'

/** What the file says. */
export interface KillPoint {
  readonly thread: 'main' | 'writer'
  readonly nth: number
}

const order = process.env['KILL_POINT'] ?? ''
const thread: KillPoint['thread'] = isMainThread ? 'main' : 'writer'
const { readFileSync, writeFileSync } = fs
const kill = process.kill.bind(process)
let point: KillPoint | null = null
let passed = 0

function ordered(): KillPoint | null {
  try {
    return JSON.parse(readFileSync(order, 'utf8')) as KillPoint // written by the test
  } catch {
    // Not armed yet.
    return null
  }
}

function pass(name: string): void {
  point ??= ordered()
  if (point?.thread !== thread || ++passed !== point.nth) return
  writeFileSync(`${order}.hit`, name)
  kill(process.pid, 'SIGKILL')
}

type Call = (this: unknown, ...args: never[]) => unknown

function watch(of: object, name: string, label: string): void {
  const call = Reflect.get(of, name) as Call // each is a function, named below
  const watched = function (this: unknown, ...args: never[]): unknown {
    pass(`before ${label}`)
    const done = call.apply(this, args)
    if (done instanceof Promise)
      return done.then((value: unknown) => {
        pass(`after ${label}`)
        return value
      })
    pass(`after ${label}`)
    return done
  }
  Reflect.set(of, name, watched)
}

if (order !== '') {
  watch(StatementSync.prototype, 'run', 'statement')
  for (const name of ['mkdir', 'rename', 'rm', 'symlink', 'unlink', 'writeFile', 'open'])
    watch(fs.promises, name, name)
  watch(childProcess, 'spawn', 'spawn')
  watch(process, 'kill', 'kill')
  syncBuiltinESMExports()
}
