// A server reduced to one act: makes a driver, says that it is about to start things, and starts them, each a
// little after the one before. The crash tests of the process driver kill it somewhere in between.

import { setTimeout as sleep } from 'node:timers/promises'
import { processDriver } from '#drivers/process/driver.ts'
import type { Thing } from '#kernel/ports/driver.ts'
import { realWorld } from './real-world.ts'

const [dataDir = '', apartMs = '', text = ''] = process.argv.slice(2)
const things = JSON.parse(text) as readonly Thing[] // written by the test that runs this
const driver = processDriver({}, { ...realWorld, dataDir })
process.stdout.write('starting\n')
const { signal } = new AbortController()
await Promise.all(
  things.map(async (thing, n) => {
    await sleep(n * Number(apartMs))
    await driver.start(thing, { attempt: 1, signal })
  }),
)
// Stays until it is killed, as a server would.
setInterval(() => undefined, 1000)
