// How real processes end, what is seen of it, and who is never signalled.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '#kernel/json.ts'
import { Held, until } from '#test/contract/driver.contract.ts'
import { inNameOf, isRunning, mentioning, processes } from '#test/harness/proc.ts'
import { law, type ProcessBench, runs, sh } from '#test/harness/process-bench.ts'
import { folderOf } from './folder.ts'
import { thisHost } from './host.ts'

const fileIn = ({ dataDir }: ProcessBench, held: Held, name: string): string =>
  join(folderOf(dataDir, held.thing.id).work, name)

const shellsOf = (held: Held) => mentioning(join(held.thing.id, 'control', 'shim.'))

/** Ready once it has made a file: whatever it sets up before is set up by then. */
const readyFile: JsonObject = {
  kind: 'exec',
  command: ['/usr/bin/test', '-e', 'ready'],
  intervalMs: 20,
}

describe('process: the end is seen', () => {
  law('an exit code, as it was', async (bench) => {
    for (const code of [0, 3, 127]) {
      const held = new Held(bench.driver, bench.run({ command: sh(`exit ${code}`) }))
      await held.do('create')
      await held.do('start')
      const { reason, evidence } = await held.down()
      assert.equal(reason, `process ${Number(evidence['pid'])} exited with code ${code}`)
      assert.equal(evidence['exitCode'], code)
      assert.ok(Number(evidence['endedAtMs']) >= Number(evidence['startedAtMs']))
    }
  })

  law('a signal, by its name', async (bench) => {
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const) {
      const held = await runs(bench, { command: ['sleep', '1000'] })
      const { pid } = (await held.up()).evidence
      process.kill(Number(pid), signal)
      const { reason, evidence } = await held.down()
      assert.equal(reason, `process ${Number(pid)} was killed by ${signal}`)
      assert.equal(evidence['signal'], signal)
    }
  })

  law('our own kill, though it takes the witness along', async (bench) => {
    const held = await runs(bench, { command: ['sleep', '1000'] })
    await held.do('stop', 'hard')
    const { reason, evidence } = await held.down()
    assert.match(reason ?? '', /was killed by SIGKILL$/)
    assert.equal(evidence['signal'], 'SIGKILL')
  })

  law('an end in our absence', async (bench) => {
    const held = await runs(bench, {
      command: sh('while [ ! -e end ]; do sleep 0.05; done; exit 4'),
    })
    await bench.driver.close()
    writeFileSync(fileIn(bench, held, 'end'), '')
    await until('its end is recorded', () => shellsOf(held).length === 0)
    // The end is known to the millisecond, and is to lie before the next driver's beginning.
    await sleep(5)
    held.driver = bench.another()
    const { reason } = await held.down()
    assert.match(reason ?? '', /^process \d+ exited with code 4 while runstate was away$/)
  })

  law('an end after adoption, told by a hint', async (bench) => {
    const held = await runs(bench, {
      command: sh('while [ ! -e end ]; do sleep 0.05; done; exit 5'),
    })
    await bench.driver.close()
    held.driver = bench.another()
    let hints = 0
    held.driver.watch(() => (hints += 1))
    await held.driver.adopt(held.thing)
    writeFileSync(fileIn(bench, held, 'end'), '')
    await until('a hint', () => hints > 0)
    const { reason } = await held.look()
    assert.match(reason ?? '', /^process \d+ exited with code 5$/)
  })

  law('an end with the machine', async (bench) => {
    const held = await runs(bench, { command: ['sleep', '1000'] })
    await held.do('stop', 'soft')
    await held.down()
    const { control } = folderOf(bench.dataDir, held.thing.id)
    recordRun(control, { pid: process.pid, started: '1', boot: 'another-life' })
    const { reason, evidence } = await held.down()
    assert.equal(reason, `process ${process.pid} ended with the machine`)
    assert.deepEqual(evidence['exitCode'], null)
  })

  law('what cannot be looked at is unknown, not down', async (bench) => {
    const held = await runs(bench, { command: ['sleep', '1000'] })
    const { control } = folderOf(bench.dataDir, held.thing.id)
    rmSync(control, { recursive: true })
    writeFileSync(control, 'not a folder')
    const { seen, reason } = await held.look()
    assert.equal(seen, 'unknown')
    assert.match(reason ?? '', /^it could not be looked at: ENOTDIR/)
    const done = await held.try('remove')
    assert.equal(!done.ok && done.error.code, 'failed')
  })
})

interface Someone {
  readonly pid: number
  readonly started: string
  readonly boot: string
}

/** The records of a run that became a command, with this process for both of its own. */
function recordRun(control: string, { pid, started, boot }: Someone): void {
  const fence = 2 ** 41
  mkdirSync(control, { recursive: true })
  for (const name of [
    `run.${fence}.${pid}.${started}.${boot}`,
    `main.${fence}.${pid}.${started}.${boot}`,
    `live.${fence}`,
  ]) {
    writeFileSync(join(control, name), '')
  }
}

function startOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

describe('process: nobody else is signalled', () => {
  const withStranger = async (check: (stranger: Someone) => Promise<void>): Promise<void> => {
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
    const ended = once(child, 'exit')
    try {
      const pid = child.pid ?? 0
      await check({ pid, started: startOf(pid), boot: thisHost().boot })
      await sleep(50)
      assert.ok(isRunning(pid), 'the stranger lives')
    } finally {
      child.kill('SIGKILL')
      await ended
    }
  }

  const stopsInVain = async (held: Held): Promise<void> => {
    assert.equal((await held.look()).seen, 'down')
    for (const rung of ['drain', 'soft', 'hard'] as const) await held.do('stop', rung)
    await held.do('remove')
  }

  law('a pid that came back to another process is down', async (bench) => {
    await withStranger(async (stranger) => {
      for (const recycled of [
        { ...stranger, started: String(Number(stranger.started) - 1) },
        { ...stranger, boot: 'another-life' },
      ]) {
        const held = new Held(bench.driver, bench.thing('plain'))
        await held.do('create')
        recordRun(folderOf(bench.dataDir, held.thing.id).control, recycled)
        await stopsInVain(held)
      }
    })
  })

  law('nor one that only the handle names', async (bench) => {
    await withStranger(async (stranger) => {
      const held = new Held(bench.driver, bench.thing('plain'))
      await held.do('create')
      const recycled = { ...stranger, started: '1' }
      const run = { fence: 1, leader: recycled, main: recycled }
      held.thing = { ...held.thing, handle: { version: 1, port: null, run } }
      await stopsInVain(held)
    })
  })

  law('a record that is true is acted on, so the cases above can fail', async (bench) => {
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
    const ended = once(child, 'exit')
    const pid = child.pid ?? 0
    const held = new Held(bench.driver, bench.thing('plain'))
    await held.do('create')
    const { control } = folderOf(bench.dataDir, held.thing.id)
    recordRun(control, { pid, started: startOf(pid), boot: thisHost().boot })
    assert.equal((await held.look()).seen, 'up')
    await held.do('stop', 'hard')
    await ended
  })
})

describe('process: the ladder', () => {
  law('each rung reaches the whole group', async (bench) => {
    for (const rung of ['soft', 'hard'] as const) {
      const held = await runs(bench, { command: sh('(sleep 1000 & sleep 1000) & sleep 1000') })
      await until('all of them run', () => inNameOf(held.thing.id).length >= 4)
      await held.do('stop', rung)
      await held.down()
      assert.deepEqual(inNameOf(held.thing.id), [])
    }
  })

  law(
    'what outlives its command after a soft stop is not down before a hard one',
    async (bench) => {
      const child = '(trap "" TERM; : > ready; while :; do sleep 0.05; done) &'
      const held = await runs(bench, { command: sh(`${child} exec sleep 1000`), probe: readyFile })
      await held.do('stop', 'soft')
      const { reason } = await held.comes('its command has ended', ({ reason }) =>
        /has ended, but/.test(reason ?? ''),
      )
      assert.match(reason ?? '', /^process \d+ has ended, but \d+ of its children still run$/)
      await held.do('stop', 'hard')
      await held.down()
      await until('nothing is left', () => inNameOf(held.thing.id).length === 0)
    },
  )

  law('a soft stop is sent once per attempt, in the signal that the image names', async (bench) => {
    const script = 'trap "echo asked >> asked" USR1; : > ready; while :; do sleep 0.02; done'
    const held = await runs(bench, { command: sh(script), probe: readyFile, stopSignal: 'SIGUSR1' })
    const asked = (): number =>
      readFileSync(fileIn(bench, held, 'asked'), 'utf8').split('\n').length - 1
    held.attempt += 1
    for (const _ of [1, 2, 3]) assert.ok((await held.try('stop', { rung: 'soft' })).ok)
    await sleep(150)
    assert.equal(asked(), 1)
    await held.do('stop', 'soft')
    await until('asked again', () => asked() === 2)
    await held.do('stop', 'hard')
    await held.down()
  })

  law('one that is suspended acts on a soft stop too', async (bench) => {
    const held = await runs(bench, { command: ['sleep', '1000'] })
    process.kill(Number((await held.up()).evidence['pid']), 'SIGSTOP')
    await held.do('stop', 'soft')
    await held.down()
  })

  law('a drain is the command that the image names, told whom to drain', async (bench) => {
    const held = await runs(bench, {
      command: ['sleep', '1000'],
      drain: {
        kind: 'exec',
        command: sh('echo "$RUNSTATE_PID" > drained; kill -INT "$RUNSTATE_PID"'),
      },
    })
    const { pid } = (await held.up()).evidence
    await held.do('stop', 'drain')
    const { evidence } = await held.down()
    assert.equal(evidence['signal'], 'SIGINT')
    assert.equal(readFileSync(fileIn(bench, held, 'drained'), 'utf8'), `${Number(pid)}\n`)
  })

  law('a drain that does not come about says why, and not later than its time', async (bench) => {
    const drains: readonly (readonly [JsonObject, RegExp])[] = [
      [{ kind: 'exec', command: sh('exit 9') }, /ended with code 9$/],
      [{ kind: 'exec', command: ['sleep', '1000'], timeoutMs: 50 }, /no answer within 50 ms$/],
      [{ kind: 'http', path: '/drain', method: 'POST' }, /ECONNREFUSED/],
    ]
    for (const [drain, message] of drains) {
      const held = await runs(bench, { command: ['sleep', '1000'], port: 'auto', drain })
      held.attempt += 1
      const done = await held.try('stop', { rung: 'drain' })
      assert.ok(!done.ok)
      assert.match(done.error.message, message)
      assert.equal((await held.look()).seen, 'up')
      await held.do('stop', 'hard')
      await held.down()
    }
    assert.deepEqual(
      processes().filter(
        ({ command, parent }) => parent === process.pid && command === 'sleep 1000',
      ),
      [],
    )
  })

  law('it lives in a group and session of its own', async (bench) => {
    const held = await runs(bench, { command: ['sleep', '1000'] })
    const [leader] = shellsOf(held)
    const [main] = inNameOf(held.thing.id)
    assert.ok(leader && main)
    assert.deepEqual([main.parent, main.group, leader.group], [leader.pid, leader.pid, leader.pid])
    assert.ok(!leader.environment.some((entry) => entry.startsWith('RUNSTATE_INSTANCE_ID=')))
  })
})
