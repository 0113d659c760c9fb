// The exit codes of the command line, each by what brings it about, and the one line that says why.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { InstanceShown, OperationShown, PageShown } from '#doors/native/wire.ts'
import { type Ended, run, start } from '#test/harness/cli.ts'
import { adminOf, type NativeApi, tokenOf } from '#test/harness/native-api.ts'
import { until, type World, world } from '#test/harness/world.ts'

const people = {
  projects: [{ name: 'alpha' }],
  users: [{ name: 'rea', password: 'reader-of-alpha', roles: { alpha: 'reader' } }],
}

let w: World
let api: NativeApi
let folder = ''

before(async () => {
  w = await world({ config: { starter: true, identity: people } })
  api = adminOf(w)
  folder = mkdtempSync(join(tmpdir(), 'runstate-cli-'))
  await until(async () => (await stateOf('notebook-1')) === 'running', Boolean)
})
after(async () => {
  await w.close()
  rmSync(folder, { recursive: true, force: true })
})

const envOf = (token = api.token) => ({ RUNSTATE_URL: w.url, RUNSTATE_TOKEN: token })
const cli = (...args: readonly string[]): Promise<Ended> => run(args, { env: envOf(), cwd: folder })
const named = async (name: string): Promise<InstanceShown | undefined> =>
  (await api.get<PageShown<InstanceShown>>(`/instances?name=${name}`)).items[0]
const stateOf = async (name: string): Promise<string | undefined> => (await named(name))?.situation
const sticky = { launch: { scenario: { ignoreSoftStop: true, hardStopMs: 20 } } }

test('exit 1: all failed, also because no server answers', async () => {
  const broken = await cli(
    'create',
    'broken',
    '--flavor',
    'sim.small',
    '--image',
    'sim',
    '--launch',
    '{"scenario":{"refuse":["start"]}}',
  )
  assert.equal(broken.code, 1)
  assert.match(broken.err, /^runstate: broken: create failed: .*\(operation [0-9a-f-]+\)\n$/)
  const away = await run(['ls'], {
    env: { RUNSTATE_URL: 'http://127.0.0.1:9', RUNSTATE_TOKEN: 'x' },
  })
  assert.deepEqual([away.code, away.out], [1, ''])
  assert.match(
    away.err,
    /^runstate: no server answers at http:\/\/127\.0\.0\.1:9 \(.+\); start one with: runstate serve\n$/,
  )
})

test('exit 2: usage', async () => {
  await api.server({ name: 'same' })
  await api.server({ name: 'same' })
  for (const args of [
    ['stop'],
    ['fly'],
    ['stop', 'web-1', '--mode', 'gentle'],
    ['ls', '-o', 'xml'],
    ['stop', 'web-1', '--timeout', 'soon'],
    ['create', 'x'],
    ['create', 'x', '--flavor', 'f', '--image', 'i', '--launch', '[]'],
    ['stop', 'same'],
    ['hold', 'same', '--for', '99999999d'],
    ['status', 'set', 'up', 'same', '--for', '9999999d'],
    ['ls', '--token', 'broken\nover-two-lines'],
    ['ls', '--url', 'http://user:password@127.0.0.1:9'],
  ]) {
    const { code, out, err } = await cli(...args)
    assert.deepEqual([code, out], [2, ''], args.join(' '))
    assert.ok(err.length > 0)
    assert.doesNotMatch(err, /^ +at |password@|over-two-lines/m)
  }
  const noToken = await run(['ls'], { env: { RUNSTATE_URL: w.url }, cwd: folder })
  assert.equal(noToken.code, 2)
  assert.match(noToken.err, /no token for/)
})

test('exit 3: partly failed, and what went well is done', async () => {
  await api.server({ name: 'part' })
  const { code, err } = await cli('stop', 'part', 'not-there')
  assert.equal(code, 3)
  assert.match(err, /^runstate: not-there: There is no instance not-there\. \(NotFound\)\n$/)
  assert.equal(await stateOf('part'), 'stopped')
})

test('each of several that one request makes is waited for, and the exit code is that of all', async () => {
  const by = [
    '--flavor',
    'sim.small',
    '--image',
    'sim',
    '--launch',
    '{"scenario":{"failRate":0.6}}',
  ]
  const { code, out, err } = await cli('create', 'batch', '--count', '8', ...by, '-o', 'json')
  const fates = JSON.parse(out) as readonly { readonly target: string; readonly result: string }[] // as `-o json` prints them
  const names = fates.map(({ target }) => target)
  assert.deepEqual(
    names,
    [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `batch-${number}`),
  )
  const situations = await Promise.all(names.map(stateOf))
  const isUp = situations.map((one) => one === 'running')
  assert.deepEqual(
    fates.map(({ result }) => result === 'done'),
    isUp,
  )
  assert.ok(situations.every((one) => one === 'running' || one === 'failed/create'))
  assert.equal(code, isUp.every(Boolean) ? 0 : isUp.some(Boolean) ? 3 : 1, err)
})

test('exit 4: refused', async () => {
  const reader = await tokenOf(w, { user: 'rea', password: 'reader-of-alpha', project: 'alpha' })
  for (const [args, token, code] of [
    [['stop', 'not-there'], api.token, 'NotFound'],
    [['create', 'x', '--flavor', 'none', '--image', 'sim'], api.token, 'NotFound'],
    [['create', 'x', '--flavor', 'sim.small', '--image', 'sim'], reader, 'Forbidden'],
    [['ls', '--all-projects'], reader, 'Forbidden'],
    [['ls'], 'wrong', 'Unauthenticated'],
    [['status', 'set', 'up', 'web-1'], api.token, 'Unsupported'],
  ] as const) {
    const ended = await run(args, { env: envOf(token), cwd: folder })
    assert.equal(ended.code, 4, args.join(' '))
    assert.ok(ended.err.includes(`(${code})`), ended.err)
  }
})

test('exit 5: the wait timed out, and it goes on', async () => {
  await api.server({ name: 'slowly', ...sticky })
  const { code, err } = await cli('stop', 'slowly', '--grace', '10m', '--timeout', '300ms')
  assert.equal(code, 5)
  const [, operation] =
    /not done within 0\.3 s; it goes on: runstate ops ([0-9a-f-]+)/.exec(err) ?? []
  assert.equal((await api.get<OperationShown>(`/operations/${operation}`)).state, 'running')
})

test('exit 6: conflict, with what is under way and with what overtakes', async () => {
  const { id } = await api.server({ name: 'contested', ...sticky })
  const soft = start(['stop', 'contested', '--grace', '10m'], { env: envOf(), cwd: folder })
  await until(
    () => stateOf('contested'),
    (state) => state === 'stopping',
  )
  const busy = await cli('start', 'contested')
  assert.equal(busy.code, 6)
  assert.match(busy.err, /stop is under way.*\(Busy\)/)
  const hard = await api.act(id, { action: 'stop', mode: 'hard' })
  const overtaken = await soft.ended
  assert.equal(overtaken.code, 6)
  assert.ok(overtaken.err.includes(`overtaken by operation ${hard.operation}`), overtaken.err)
})

test('Ctrl-C ends the wait and not the operation, and says so', async () => {
  await api.server({ name: 'interrupted', ...sticky })
  const waiting = start(['stop', 'interrupted', '--grace', '10m'], { env: envOf(), cwd: folder })
  await until(
    () => stateOf('interrupted'),
    (state) => state === 'stopping',
  )
  waiting.child.kill('SIGINT')
  const { code, err } = await waiting.ended
  assert.equal(code, 130)
  assert.match(err, /no longer waited for; it goes on: runstate ops [0-9a-f-]+/)
  assert.equal(await stateOf('interrupted'), 'stopping')
})
