// Law 4 with real processes: whatever crashes, overtakes or comes late, one instance has at most one process.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Thing } from '#kernel/ports/driver.ts'
import { Held, never, until } from '#test/contract/driver.contract.ts'
import { inNameOf, isRunning, mentioning } from '#test/harness/proc.ts'
import { type ProcessBench, processBench, sh } from '#test/harness/process-bench.ts'
import { takeFence } from './fence.ts'
import { folderOf } from './folder.ts'
import { thisHost } from './host.ts'
import { placeShim, shell, shimArguments } from './shim.ts'

const law = (
  claim: string,
  check: (bench: ProcessBench, t: TestContext) => Promise<void>,
): void => {
  test(claim, async (t) => {
    const bench = await processBench()
    try {
      await check(bench, t)
    } finally {
      await bench.close()
    }
  })
}

const serverFile = fileURLToPath(import.meta.resolve('#test/harness/start-once.ts'))

/** Starts a thing in a server of its own, kills that server after a while, and says how far it had come. */
async function startInKilledServer(
  bench: ProcessBench,
  thing: Thing,
  killAfterMs: number,
): Promise<string> {
  const server = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      serverFile,
      bench.dataDir,
      '1',
      JSON.stringify(thing),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(server.stdout, 'data')
  if (killAfterMs > 0) await sleep(killAfterMs)
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
  const names = namesIn(bench, thing)
  return (
    ['live', 'main', 'run', 'shim', 'fence'].find((word) =>
      names.some((name) => name.startsWith(word)),
    ) ?? 'nothing'
  )
}

function namesIn({ dataDir }: ProcessBench, thing: Thing): readonly string[] {
  try {
    return readdirSync(folderOf(dataDir, thing.id).control)
  } catch {
    // The server was killed before it made the folder.
    return []
  }
}

/** All that could still become a process of this instance: its supervising shells. */
const shellsOf = (thing: Thing) => mentioning(join(thing.id, 'control', 'shim.'))

describe('process: never two', () => {
  law(
    'a server killed at any moment of a start leaves one process to the next',
    async (bench, t) => {
      const things = Array.from({ length: 32 }, () => bench.thing('plain'))
      const reached = new Map<string, number>()
      const one = async (thing: Thing, n: number): Promise<void> => {
        const stage = await startInKilledServer(bench, thing, (n % 16) * 1.5)
        reached.set(stage, (reached.get(stage) ?? 0) + 1)
        const held = new Held(bench.another(), thing)
        await held.do('start')
        await held.up()
        // Until no shell is on its way any more: the one that leads, and no other.
        await until('late shells have given up', () => shellsOf(thing).length === 1)
        assert.equal(inNameOf(thing.id).length, 1, `killed at: ${stage}`)
        await held.do('stop', 'hard')
        await held.down()
        assert.equal(inNameOf(thing.id).length, 0)
      }
      // Two lines of work, because there are moments to hit only while the machine is busy.
      const queue = [...things.entries()]
      const work = async (): Promise<void> => {
        for (let next = queue.shift(); next; next = queue.shift()) await one(next[1], next[0])
      }
      await Promise.all([work(), work()])
      t.diagnostic(
        `killed at: ${[...reached].map(([stage, count]) => `${stage} ${count}`).join(', ')}`,
      )
      assert.ok(reached.size >= 2, 'the moments differ')
    },
  )

  law('many starts at one moment leave one process', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('create')
    const starts = Array.from({ length: 8 }, (_, n) =>
      bench.another().start(held.thing, { attempt: 10 + (n % 3), signal: never() }),
    )
    await Promise.all(starts)
    held.attempt = 20
    await held.do('start')
    await held.up()
    await until('the others have given up', () => shellsOf(held.thing).length === 1)
    assert.equal(inNameOf(held.thing.id).length, 1)
  })
})

/** A shell that a server set out to start with the next number of this attempt, and that has not begun yet. */
async function lateShell(bench: ProcessBench, thing: Thing, attempt: number) {
  const { control } = folderOf(bench.dataDir, thing.id)
  const fence = await takeFence(control, attempt)
  assert.ok(fence.ok)
  const host = thisHost()
  await placeShim(control, fence.value, host)
  const run = { control, fence: fence.value, boot: host.boot, id: thing.id }
  return {
    async begin(): Promise<void> {
      const child = spawn(shell, shimArguments(run, ['sleep', '1000']), {
        detached: true,
        stdio: 'ignore',
      })
      await Promise.race([once(child, 'exit'), sleep(300)])
    },
  }
}

describe('process: what comes late gives up', () => {
  law('after a later start', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('create')
    const late = await lateShell(bench, held.thing, held.attempt)
    await held.do('start')
    const first = await held.up()
    await late.begin()
    assert.deepEqual(
      inNameOf(held.thing.id).map(({ pid }) => pid),
      [first.evidence['pid']],
    )
  })

  for (const act of ['stop', 'create'] as const) {
    law(`after a later ${act}`, async (bench) => {
      const held = new Held(bench.driver, bench.thing('plain'))
      await held.do('create')
      const late = await lateShell(bench, held.thing, held.attempt)
      await held.do(act, 'soft')
      await late.begin()
      assert.deepEqual(inNameOf(held.thing.id), [])
      assert.equal((await held.look()).seen, 'down')
    })
  }

  law('after a remove, also when the thing was made again since', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('create')
    const late = await lateShell(bench, held.thing, held.attempt)
    await held.do('remove')
    await late.begin()
    assert.deepEqual(inNameOf(held.thing.id), [])
    await held.do('create')
    await late.begin()
    assert.deepEqual(inNameOf(held.thing.id), [])
  })

  law('and one that nothing overtook runs, and is then the one', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('create')
    const late = await lateShell(bench, held.thing, held.attempt)
    await late.begin()
    const first = await held.up()
    await held.do('start')
    assert.deepEqual((await held.up()).evidence, first.evidence)
    assert.equal(inNameOf(held.thing.id).length, 1)
  })
})

describe('process: what is left is found', () => {
  law('a command whose shell was killed still runs, and is stopped', async (bench) => {
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('create')
    await held.do('start')
    const { evidence } = await held.up()
    for (const { pid } of shellsOf(held.thing)) process.kill(pid, 'SIGKILL')
    await until('the shell is gone', () => shellsOf(held.thing).length === 0)
    held.driver = bench.another()
    await held.do('start')
    assert.deepEqual((await held.up()).evidence, evidence)
    assert.equal(inNameOf(held.thing.id).length, 1)
    await held.do('stop', 'soft')
    const { reason } = await held.down()
    assert.match(reason ?? '', /is gone, and nothing recorded how it ended/)
  })

  law(
    'children that outlive a command that ended by itself are ended by the next start',
    async (bench) => {
      const held = new Held(bench.driver, bench.run({ command: sh('sleep 1000 & exit 3') }))
      await held.do('create')
      await held.do('start')
      await held.down()
      const [left] = inNameOf(held.thing.id)
      assert.ok(left, 'a child is left')
      held.thing = { ...held.thing, image: { id: 'image', launch: { command: ['sleep', '1000'] } } }
      await held.do('start')
      await held.up()
      assert.equal(isRunning(left.pid), false)
      assert.equal(inNameOf(held.thing.id).length, 1)
    },
  )

  law('a daemon that left the session is ended by a hard stop', async (bench) => {
    const held = new Held(
      bench.driver,
      bench.run({ command: sh('setsid sleep 1000 & exec sleep 1000') }),
    )
    await held.do('create')
    await held.do('start')
    await held.up()
    await until('both run', () => inNameOf(held.thing.id).length === 2)
    await held.do('stop', 'hard')
    await held.down()
    await until('nothing is left', () => inNameOf(held.thing.id).length === 0)
  })

  law('what runs is found and stopped although its folder was deleted', async (bench) => {
    const held = new Held(bench.driver, bench.run({ command: ['sleep', '1000'], port: 'auto' }))
    await held.do('create')
    await held.do('start')
    const { evidence } = await held.up()
    rmSync(folderOf(bench.dataDir, held.thing.id).own, { recursive: true })
    held.driver = bench.another()
    const { pid, port } = (await held.up()).evidence
    assert.deepEqual([pid, port], [evidence['pid'], evidence['port']])
    await held.do('start')
    assert.equal(inNameOf(held.thing.id).length, 1)
    await held.do('stop', 'soft')
    await held.down()
  })

  law(
    'without folder and handle a start ends what still runs in its name, and runs one',
    async (bench) => {
      const held = new Held(bench.driver, bench.thing('plain'))
      await held.do('create')
      await held.do('start')
      await held.up()
      rmSync(folderOf(bench.dataDir, held.thing.id).own, { recursive: true })
      held.thing = { ...held.thing, handle: null }
      assert.equal((await held.look()).seen, 'absent')
      await held.do('create')
      await held.do('start')
      await held.up()
      assert.equal(inNameOf(held.thing.id).length, 1)
    },
  )
})
