#!/usr/bin/env node
/**
 * Starts the command line under a Node that can run it.
 *
 * Plain JavaScript on purpose: whichever old `node` the shell finds must be able to read this file.
 * The pinned platform package wins over the caller's Node, so that both run what the tests ran.
 * Signals are passed on and the exit code is the child's.
 */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const NODE_MAJOR_MIN = 24
const platform = `${process.platform}-${process.arch}`
const require = createRequire(import.meta.url)

// macOS on arm64 is published under the second name only.
const pinned = [`node-${platform}`, `node-bin-${platform}`].flatMap((name) => {
  try {
    return [require.resolve(`${name}/bin/node`)]
  } catch {
    return []
  }
})[0]
const own =
  Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN ? process.execPath : undefined
const node = pinned ?? own

if (node === undefined) {
  console.error(
    `runstate needs Node ${NODE_MAJOR_MIN} or newer: this is ${process.version} and no pinned Node is installed for ${platform}.`,
  )
  process.exit(2)
}

const main = fileURLToPath(new URL('../src/cli/main.mjs', import.meta.url))
const child = spawn(
  node,
  ['--disable-warning=ExperimentalWarning', main, ...process.argv.slice(2)],
  { stdio: 'inherit' },
)

// A terminal sends Ctrl-C to the whole foreground group, the child included: passed on as well, it
// would read as an impatient second Ctrl-C. Without a terminal it was aimed at this process alone.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP', 'SIGUSR2']))
  process.on(signal, () => child.kill(signal))

child.on('error', (error) => {
  console.error(`runstate could not start ${node}: ${error.message}`)
  process.exit(2)
})
child.on('exit', (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal])
})
