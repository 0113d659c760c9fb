// Law 4 with real processes: whatever crashes, overtakes or comes late, one instance has at most one process.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Thing } from '#kernel/ports/driver.ts'
import { Held, never, until } from '#test/contract/driver.contract.ts'
import { inNameOf, isRunning, mentioning } from '#test/harness/proc.ts'
import { law, type ProcessBench, sh } from '#test/harness/process-bench.ts'
import { takeFence } from './fence.ts'
import { folderOf } from './folder.ts'
import { thisHost } from './host.ts'
import { placeShim, shell, shimArguments } from './shim.ts'

const serverFile = fileURLToPath(import.meta.resolve('#test/harness/start-once.ts'))

/** What a start leaves, in order; how far one has come is the last of them that is there. */
const stages = ['nothing', 'fence', 'shim', 'run', 'main', 'live'] as const
type Stage = (typeof stages)[number]

function stageOf(bench: ProcessBench, thing: Thing): Stage {
  const names = namesIn(bench, thing)
  return stages.findLast((stage) => names.some((name) => name.startsWith(stage))) ?? 'nothing'
}

/**
 * Starts things one a little after the other in a server of its own, and kills that server when the first has
 * come so far: the others are then somewhere before that.
 */
async function startInKilledServer(
  bench: ProcessBench,
  things: readonly Thing[],
  until: Stage,
): Promise<void> {
  const server = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      serverFile,
      bench.dataDir,
      '2',
      JSON.stringify(things),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: join(bench.dataDir, 'compiled') },
    },
  )
  const ended = once(server, 'exit')
  await Promise.race([once(server.stdout, 'data'), ended])
  const [first] = things
  assert.ok(first)
  while (
    stages.indexOf(stageOf(bench, first)) < stages.indexOf(until) &&
    server.exitCode === null
  ) {
    await new Promise(setImmediate)
  }
  assert.equal(server.exitCode, null, 'it was to be killed, and ended by itself')
  server.kill('SIGKILL')
  await ended
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

async function startsOnce(bench: ProcessBench, held: Held): Promise<void> {
  const { id } = held.thing
  await held.do('start')
  // Until no shell is on its way any more: the one that leads, and no other.
  await until('late shells have given up', () => shellsOf(held.thing).length === 1)
  await held.isOne(bench)
  await held.do('stop', 'hard')
  await held.down()
  assert.equal(inNameOf(id).length, 0)
}

describe('process: never two', () => {
  law(
    'a server killed at any moment of a start leaves one process to the next',
    async (bench, t) => {
      const reached: Record<string, number> = {}
      for (const until of ['fence', 'shim', 'shim', 'run', 'main', 'live'] as const) {
        const things = Array.from({ length: 5 }, () => bench.thing('plain'))
        await startInKilledServer(bench, things, until)
        for (const thing of things) {
          const stage = stageOf(bench, thing)
          reached[stage] = (reached[stage] ?? 0) + 1
        }
        const driver = bench.another()
        await Promise.all(things.map((thing) => startsOnce(bench, new Held(driver, thing))))
      }
      t.diagnostic(`killed at ${JSON.stringify(reached)}`)
      assert.ok(Object.keys(reached).length >= 3, 'the moments differ')
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
    await until('the others have given up', () => shellsOf(held.thing).length === 1)
    await held.isOne(bench)
  })
})

/** A shell that a server set out to start with the next number of this attempt, and that has not begun yet. */
async function lateShell(bench: ProcessBench, thing: Thing, attempt: number) {
  const { control } = folderOf(bench.dataDir, thing.id)
  const fence = await takeFence(control, attempt)
  assert.ok(fence.ok)
  const host = thisHost()
  const run = { control, fence: fence.value, boot: host.boot, id: thing.id }
  return {
    async begin(): Promise<void> {
      // It has opened its script by now, as it were, so what became of the file does not stop it.
      if (existsSync(control)) await placeShim(control, fence.value, host)
      const late = spawn(shell, shimArguments(run, ['sleep', '1000']), {
        detached: true,
        stdio: 'ignore',
      })
      await Promise.race([once(late, 'exit'), sleep(300)])
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
    await held.isOne(bench)
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
    // As many acts as before it was removed: would numbers begin anew, the late one's would be the last again.
    await held.do('create')
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
    await held.isOne(bench)
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
    await held.isOne(bench)
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
      assert.equal(isRunning(left.pid), false)
      await held.isOne(bench)
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
    await held.isOne(bench)
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
      await held.isOne(bench)
    },
  )
})
