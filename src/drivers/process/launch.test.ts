// What a command is given and what it is not: environment, ports, folders; and how it is asked whether it is ready.

import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '#kernel/json.ts'
import { Held, never, until } from '#test/contract/driver.contract.ts'
import { inNameOf, processes } from '#test/harness/proc.ts'
import { law, runs, sh } from '#test/harness/process-bench.ts'
import { folderOf } from './folder.ts'
import { readLog } from './log.ts'
import { isPortFree } from './ports.ts'

const echo: JsonObject = {
  command: [process.execPath, fileURLToPath(new URL('./samples/echo-http.mjs', import.meta.url))],
  port: 'auto',
  probe: { kind: 'http', path: '/', intervalMs: 50 },
}

describe('process: what a command is given', () => {
  law('the environment that is named, and nothing of the server', async (bench) => {
    process.env['RUNSTATE_TEST_SECRET'] = 'hush'
    process.env['PASSED_ON'] = 'yes'
    try {
      const driver = bench.configured({ passEnvironment: ['PASSED_ON'] })
      const launch = {
        command: sh('env; echo "$0 $*"'),
        env: { GREETING: 'on ${PORT}', OF: 'image' },
        port: 'auto',
      }
      const own = { env: { OF: 'instance' }, args: ['name', '${RUNSTATE_INSTANCE_ID}', '${HOME}'] }
      const held = new Held(driver, bench.run(launch, own))
      await held.do('create')
      await held.do('start')
      await held.down()
      const { port } = held.thing.handle as { port: number } // this driver's own handle
      const lines = await readLog({ dataDir: bench.dataDir, instanceId: held.thing.id, lines: 100 })
      const names = lines.slice(0, -1).map((line) => line.split('=', 1).join())
      const known = [
        'PATH',
        'HOME',
        'USER',
        'LOGNAME',
        'SHELL',
        'LANG',
        'LC_ALL',
        'LC_CTYPE',
        'TZ',
        'TMPDIR',
        'PWD',
      ]
      assert.deepEqual(names.filter((name) => !known.includes(name)).toSorted(), [
        'GREETING',
        'OF',
        'PASSED_ON',
        'PORT',
        'RUNSTATE_INSTANCE_ID',
      ])
      for (const line of [
        `GREETING=on ${port}`,
        'OF=instance',
        `PORT=${port}`,
        `RUNSTATE_INSTANCE_ID=${held.thing.id}`,
      ]) {
        assert.ok(lines.includes(line), line)
      }
      assert.equal(lines.at(-1), `name ${held.thing.id} \${HOME}`)
    } finally {
      delete process.env['RUNSTATE_TEST_SECRET']
      delete process.env['PASSED_ON']
    }
  })

  law('a folder that nobody else looks into, to run in', async (bench) => {
    const held = await runs(bench, { command: sh('pwd; exec sleep 1000') })
    const folder = folderOf(bench.dataDir, held.thing.id)
    for (const path of [folder.own, folder.control, folder.work]) {
      assert.equal(statSync(path).mode & 0o777, 0o700, path)
    }
    assert.equal(statSync(folder.log).mode & 0o777, 0o600)
    const log = () => readLog({ dataDir: bench.dataDir, instanceId: held.thing.id, lines: 1 })
    await until('where it runs', async () => (await log())[0] === folder.work)
  })

  law('what it cannot be given is refused in one sentence', async (bench) => {
    const command = ['sleep', '1']
    const cases: readonly (readonly [JsonObject, JsonObject, RegExp])[] = [
      [{}, {}, /^image\.launch lacks command$/],
      [{ command: [] }, {}, /^image\.launch\.command must not have fewer than 1 items$/],
      [{ command: 'sleep 1' }, {}, /^image\.launch\.command must be array$/],
      [{ command: [''] }, {}, /^image\.launch\.command\.0 is empty$/],
      [{ command, port: 'any' }, {}, /^image\.launch\.port must match pattern/],
      [{ command, port: 70_000 }, {}, /^image\.launch\.port must be <= 65535$/],
      [{ command, env: { 'A B': '1' } }, {}, /^image\.launch\.env/],
      [{ command, env: { A: 1 } }, {}, /^image\.launch\.env\.A must be string$/],
      [{ command, stopSignal: 'SIGKILL' }, {}, /^image\.launch\.stopSignal/],
      [{ command, probe: { kind: 'icmp' } }, {}, /^image\.launch\.probe\.kind/],
      [
        { command, probe: { kind: 'http', pth: '/' } },
        {},
        /^image\.launch\.probe does not know pth$/,
      ],
      [{ command, probe: { kind: 'exec' } }, {}, /^image\.launch\.probe lacks command$/],
      [{ command, cwd: 'here' }, {}, /^image\.launch\.cwd must match pattern/],
      [{ command: ['sleep', '${PORT}'] }, {}, /^\$\{PORT\} is used, but image\.launch\.port/],
      [{ command }, { args: 'x' }, /^launch\.args must be array$/],
      [
        { command },
        { env: { LD_PRELOAD: 'x' } },
        /^launch\.env\.LD_PRELOAD may be set by the image only$/,
      ],
      [
        { command },
        { env: { RUNSTATE_TOKEN: 'x' } },
        /^launch\.env\.RUNSTATE_TOKEN: names in RUNSTATE_ are the server's$/,
      ],
    ]
    for (const [image, own, message] of cases) {
      const done = await new Held(bench.driver, bench.run(image, own)).try('create')
      assert.ok(!done.ok, String(message))
      assert.equal(done.error.code, 'refused')
      assert.match(done.error.message, message)
    }
    const none = await bench.driver.create(
      { ...bench.run({}), image: null },
      { attempt: 1, signal: never() },
    )
    assert.ok(!none.ok && /no image/.test(none.error.message))
  })

  law('a command that is not there is refused at its start', async (bench) => {
    const cases = [
      [{ command: ['no-such-command'] }, /^the command no-such-command was not found on the PATH$/],
      [
        { command: ['/no/such/command'] },
        /^the command \/no\/such\/command is not there, or may not be run$/,
      ],
      [
        { command: ['sleep', '1'], cwd: '/no/such/folder' },
        /^\/no\/such\/folder, where the command is to run, is no folder$/,
      ],
    ] as const
    for (const [launch, message] of cases) {
      const held = new Held(bench.driver, bench.run(launch))
      await held.do('create')
      const done = await held.try('start')
      assert.ok(!done.ok && done.error.code === 'refused')
      assert.match(done.error.message, message)
      assert.equal((await held.look()).seen, 'down')
    }
  })

  law('an id that is a path is refused', async (bench) => {
    for (const id of ['../../etc', 'a/b', '', '.', '..', 'ports', '-rf', 'a\0b']) {
      const thing = { ...bench.thing('plain'), id: id as never } // what a branded id can never be
      const done = await bench.driver.create(thing, { attempt: 1, signal: never() })
      assert.ok(!done.ok && done.error.code === 'refused', JSON.stringify(id))
      assert.equal((await bench.driver.observe(thing, never())).seen, 'unknown')
      await assert.rejects(
        readLog({ dataDir: bench.dataDir, instanceId: id, lines: 1 }),
        /is no instance id/,
      )
    }
  })
})

/** Others on this machine have ports of their own: the first of four in a row that nobody listens on. */
async function freeFrom(portMin: number): Promise<number> {
  for (let n = 3; n >= 0; n--)
    if (!(await isPortFree(portMin + n, '127.0.0.1'))) return freeFrom(portMin + n + 1)
  return portMin
}

describe('process: ports', () => {
  law('a thing keeps its port, and no other thing gets it', async (bench) => {
    const portMin = await freeFrom(28_310)
    const range = { portMin, portMax: portMin + 3 }
    const driver = bench.configured(range)
    const things = Array.from(
      { length: 4 },
      () => new Held(driver, bench.run({ command: ['sleep', '1000'], port: 'auto' })),
    )
    const made = await Promise.all(things.map((held) => held.do('create')))
    const ports = made.map((handle) => Number(handle['port']))
    assert.deepEqual(
      ports.toSorted((a, b) => a - b),
      [0, 1, 2, 3].map((n) => portMin + n),
    )
    const one = new Held(
      bench.configured(range),
      bench.run({ command: ['sleep', '1000'], port: 'auto' }),
    )
    const none = await one.try('create')
    assert.equal(
      !none.ok && none.error.message,
      `no port from ${portMin} to ${portMin + 3} is free`,
    )
    const [first] = things
    assert.ok(first)
    for (const _ of [1, 2]) {
      await first.do('start')
      assert.equal((await first.up()).evidence['port'], ports[0])
      await first.do('stop', 'hard')
      await first.down()
    }
    // The answer of a create may be lost; the next one finds what was chosen.
    first.thing = { ...first.thing, handle: null }
    assert.equal((await first.do('create'))['port'], ports[0])
    await first.do('remove')
    assert.equal((await one.do('create'))['port'], ports[0], 'what was given back is given again')
  })

  law('a start does not go ahead on a port that somebody else has taken', async (bench) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number } // it listens on TCP
    const held = new Held(
      bench.driver,
      bench.run({ command: ['sleep', '1000'], port: 'auto' }, { port }),
    )
    await held.do('create')
    const done = await held.try('start')
    assert.equal(!done.ok && done.error.message, `port ${port} is taken by another program`)
    other.close()
    await once(other, 'close')
    await held.do('start')
    assert.equal((await held.up()).evidence['port'], port)
  })
})

describe('process: readiness', () => {
  const slow = (probe: JsonObject): JsonObject => ({
    // Listens, and answers 503, then 200, each when told so by a file.
    command: [
      process.execPath,
      '-e',
      `const fs = require('node:fs')
       const later = (name, then) => { const t = setInterval(() => { if (fs.existsSync(name)) { clearInterval(t); then() } }, 10) }
       later('listen', () => require('node:http')
         .createServer((q, s) => s.writeHead(fs.existsSync('ready') ? 204 : 503).end())
         .listen(process.env.PORT, '127.0.0.1'))`,
    ],
    port: 'auto',
    probe,
  })
  const probes: readonly (readonly [JsonObject, string, RegExp])[] = [
    [{ kind: 'tcp' }, 'listen', /ECONNREFUSED/],
    [{ kind: 'http', path: '/ready' }, 'ready', /it answered 503$/],
    [{ kind: 'http', url: 'http://localhost:${PORT}/' }, 'ready', /it answered 503$/],
    [
      { kind: 'exec', command: ['/usr/bin/test', '-e', 'ready'] },
      'ready',
      /\/usr\/bin\/test ended with code 1$/,
    ],
  ]
  for (const [probe, decisive, fault] of probes) {
    law(`it is up, and ready when its probe says so: ${JSON.stringify(probe)}`, async (bench) => {
      const held = new Held(bench.driver, bench.run(slow({ ...probe, intervalMs: 20 })))
      const hinted: string[] = []
      held.driver.watch((id) => hinted.push(id))
      await held.do('create')
      await held.do('start')
      const told = (name: string) =>
        writeFileSync(join(folderOf(bench.dataDir, held.thing.id).work, name), '')
      if (decisive !== 'listen') told('listen')
      const { ready } = await held.comes(
        'up but not ready',
        ({ seen, reason }) => seen === 'up' && fault.test(reason ?? ''),
      )
      assert.equal(ready, false)
      hinted.length = 0
      told(decisive)
      await until('a hint', () => hinted.length > 0)
      await held.up()
    })
  }

  law('a probe that does not answer is ended in time, and leaves nothing', async (bench) => {
    const held = new Held(
      bench.driver,
      bench.run({
        command: ['sleep', '1000'],
        probe: { kind: 'exec', command: sh('sleep 777; true'), timeoutMs: 60, intervalMs: 20 },
      }),
    )
    await held.do('create')
    await held.do('start')
    const startedMs = Date.now()
    const { seen, ready, reason } = await held.look()
    assert.ok(Date.now() - startedMs < 1000)
    assert.deepEqual([seen, ready], ['up', false])
    assert.match(reason ?? '', /no answer within 60 ms$/)
    assert.equal(inNameOf(held.thing.id).length, 1, 'a probe is not in the name of the instance')
    const off = new AbortController()
    const look = bench.driver.observe(held.thing, off.signal)
    off.abort()
    assert.equal((await look).ready, false)
    await bench.driver.close()
    await until(
      'no probe is left',
      () => !processes().some(({ command }) => command === 'sleep 777'),
    )
  })
})

describe('process: the sample', () => {
  law('echo-http answers who it is, logs, and ends with 0 when asked', async (bench) => {
    const held = await runs(bench, echo)
    const { pid, port, address } = (await held.up()).evidence
    assert.equal(address, '127.0.0.1')
    const response = await fetch(`http://127.0.0.1:${Number(port)}/a/b?c=1`)
    const body = (await response.json()) as { readonly uptimeMs: number } // the sample's own answer
    assert.deepEqual(body, {
      instance: held.thing.id,
      pid,
      path: '/a/b?c=1',
      uptimeMs: body.uptimeMs,
    })
    const log = await readLog({ dataDir: bench.dataDir, instanceId: held.thing.id, lines: 1000 })
    assert.equal(log.filter((line) => line.endsWith(' GET /a/b?c=1')).length, 1)
    await held.do('stop', 'soft')
    const { reason } = await held.down()
    assert.equal(reason, `process ${Number(pid)} exited with code 0`)
  })
})
