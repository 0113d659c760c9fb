// A process driver over a folder of its own, with real processes; nothing of it is left afterwards.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ProcessConfig } from '#drivers/process/config.ts'
import { processDriver } from '#drivers/process/driver.ts'
import { instanceId } from '#kernel/ids.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { Driver, Thing } from '#kernel/ports/driver.ts'
import { type Bench, Held, until } from '#test/contract/driver.contract.ts'
import { realWorld } from './real-world.ts'
import { inNameOf, mentioning, zombies } from './proc.ts'

export interface ProcessBench extends Bench {
  readonly dataDir: string
  readonly run: (launch: JsonObject, own?: JsonObject) => Thing
  /** Another driver with other settings. */
  readonly configured: (config: ProcessConfig) => Driver
}

/** One claim about real processes, with a bench of its own that ends clean. */
export function law(
  claim: string,
  check: (bench: ProcessBench, t: TestContext) => Promise<void>,
): void {
  test(claim, async (t) => {
    const bench = await processBench()
    try {
      await check(bench, t)
    } finally {
      await bench.close()
    }
  })
}

/** Made, started, and seen up and ready. */
export async function runs(
  bench: ProcessBench,
  launch: JsonObject,
  own: JsonObject = {},
): Promise<Held> {
  const held = new Held(bench.driver, bench.run(launch, own))
  await held.do('create')
  await held.do('start')
  await held.up()
  return held
}

/** A shell that does this; `exec` in it makes it one process. */
export const sh = (script: string): readonly string[] => ['/bin/sh', '-c', script]

/** Ready once its traps are set: a signal before that would end it whatever it is meant to do. */
const stubborn: JsonObject = {
  command: sh('trap "" TERM; : > ready; while :; do sleep 0.1; done'),
  probe: { kind: 'exec', command: ['/usr/bin/test', '-e', 'ready'], intervalMs: 20 },
}

export function processBench(): Promise<ProcessBench> {
  const dataDir = mkdtempSync(join(tmpdir(), 'runstate-process-'))
  const drivers: Driver[] = []
  const things: Thing[] = []
  // The folder is in the command line of each supervising shell, the id in the environment of what it runs.
  const alive = () => [...mentioning(dataDir), ...things.flatMap(({ id }) => inNameOf(id))]
  const configured = (config: ProcessConfig): Driver => {
    const driver = processDriver({ pollMs: 50, ...config }, { ...realWorld, dataDir })
    drivers.push(driver)
    return driver
  }
  const run = (launch: JsonObject, own: JsonObject = {}): Thing => {
    const image = { id: 'image', launch }
    const id = instanceId(randomUUID())
    const thing = { id, name: 'thing', handle: null, launch: own, flavor: null, image }
    things.push(thing)
    return thing
  }
  return Promise.resolve({
    dataDir,
    driver: configured({}),
    another: () => configured({}),
    configured,
    run,
    thing: (nature) => run(nature === 'plain' ? { command: ['sleep', '1000'] } : stubborn),
    live: ({ id }) => Promise.resolve(inNameOf(id).length),
    async close() {
      for (const driver of drivers) await driver.close()
      // All that must not remain after a test. Listed again and again: one that is just becoming its command has
      // no environment to be known by at that moment.
      await until('nothing is left running', () => {
        const left = alive()
        for (const { pid } of left) endHard(pid)
        return left.length === 0
      })
      await until('no zombie is left', () => zombies().length === 0)
      rmSync(dataDir, { recursive: true, force: true })
    },
  })
}

function endHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (thrown) {
    assert.equal((thrown as NodeJS.ErrnoException).code, 'ESRCH') // what kill throws has a code
  }
}
