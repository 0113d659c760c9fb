// The command line against a real server: each verb, each form of output, each exit code.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import type {
  InstanceShown,
  OperationShown,
  OutputShown,
  PageShown,
  UsageShown,
} from '#doors/native/wire.ts'
import { type Ended, run, start } from '#test/harness/cli.ts'
import { adminOf, type NativeApi } from '#test/harness/native-api.ts'
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
async function cliOk(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await cli(...args)
  assert.equal(code, 0, `${args.join(' ')}: ${err}`)
  return out
}
const named = async (name: string): Promise<InstanceShown | undefined> =>
  (await api.get<PageShown<InstanceShown>>(`/instances?name=${name}`)).items[0]
const stateOf = async (name: string): Promise<string | undefined> => (await named(name))?.situation
const sticky = { launch: { scenario: { ignoreSoftStop: true, hardStopMs: 20 } } }

interface Result {
  readonly target: string
  readonly result: string
  readonly receipt: {
    readonly before: string
    readonly unchanged: string | null
    readonly operation: string | null
  } | null
  readonly operation: OperationShown | null
  readonly problem: { readonly code: string } | null
}
const resultsOf = (out: string): readonly Result[] => JSON.parse(out) as Result[] // what the command promises with -o json

test('an instance is bound to a registered one, drained with it, and put back by a start', async () => {
  await cliOk('bind', 'web-1', 'provider-1')
  assert.match(await cliOk('get', 'web-1'), /serves +\S+\/provider-1/)
  await cliOk('stop', 'web-1', '--mode', 'drain', '--grace', '1s', '--why', 'a drill')
  assert.match(await cliOk('get', 'provider-1'), /drained +since .*by /)
  assert.equal(await stateOf('provider-1'), 'out-of-service')
  await cliOk('start', 'web-1')
  assert.equal(await stateOf('provider-1'), 'up')
  await cliOk('unbind', 'web-1', 'provider-1')
  const { code, err } = await cli('bind', 'web-1', 'notebook-1')
  assert.deepEqual([code, /no registered instance/.test(err)], [2, true])
})

test('guards are listed and released by name', async () => {
  assert.equal(await cliOk('guard', 'ls', '-o', 'name'), '')
  const { code, err } = await cli('guard', 'release', 'registry', '--why', 'a drill')
  assert.deepEqual([code, /registry/.test(err)], [4, true])
})

test('ls shows what there is, in every form, and filters', async () => {
  const table = await cliOk('ls')
  assert.match(table, /^NAME +KIND +STATE/)
  assert.match(table, /\nweb-1 +server +running/)
  assert.ok(!table.includes('\u001b'), 'no colour without a terminal')
  const rows = JSON.parse(
    await cliOk('ls', '-o', 'json', '--kind', 'edge-instance'),
  ) as InstanceShown[] // as the door shows them
  assert.deepEqual(
    rows.map(({ kind }) => kind),
    ['edge-instance', 'edge-instance'],
  )
  const names = (parse(await cliOk('ls', '-o', 'yaml', '--name', 'web')) as InstanceShown[]).map(
    ({ name }) => name,
  ) // as above
  assert.deepEqual(names, ['web-1'])
  const ids = (await cliOk('ls', '-o', 'name')).trim().split('\n')
  assert.deepEqual(
    new Set(ids),
    new Set((await api.get<PageShown<InstanceShown>>('/instances')).items.map(({ id }) => id)),
  )
  assert.equal((await cliOk('ls', '-o', 'name', '--limit', '2')).trim().split('\n').length, 2)
  const none = await cli('ls', '--state', 'failed')
  assert.deepEqual([none.code, none.out, none.err], [0, '', 'no instances\n'])
})

test('get shows one by name, by id and by an id of another door', async () => {
  const one = await named('ecs-1')
  assert.ok(one)
  for (const target of ['ecs-1', one.id, one.aliases['ecs'] ?? '']) {
    const shown = JSON.parse(await cliOk('get', target, '-o', 'json')) as InstanceShown // as the door shows it
    assert.equal(shown.id, one.id)
  }
  assert.match(await cliOk('get', 'ecs-1', 'web-1'), /name +ecs-1\n[^]*\n\nname +web-1\n/)
})

test('create, stop, start, restart and delete wait for the end and say how it is', async () => {
  const created = await cliOk(
    'create',
    'made',
    '--flavor',
    'sim.small',
    '--image',
    'sim',
    '--label',
    'team=a',
    '--label',
    'tier=b',
  )
  assert.match(created, /\nmade +done +- +running /)
  assert.deepEqual((await named('made'))?.labels, { team: 'a', tier: 'b' })
  for (const [verb, result] of [
    ['stop', 'stopped'],
    ['start', 'running'],
    ['restart', 'running'],
  ] as const) {
    const [row] = resultsOf(await cliOk(verb, 'made', '-o', 'json', '--why', 'a test'))
    assert.deepEqual(
      [row?.result, row?.operation?.state, row?.operation?.cause.why],
      ['done', 'succeeded', 'a test'],
      verb,
    )
    assert.equal(await stateOf('made'), result)
  }
  assert.match(await cliOk('start', 'made'), /made +already +running +running/)
  await cliOk('delete', 'made')
  assert.equal(await named('made'), undefined)
})

test('several are asked at once; the mode and the grace reach the driver', async () => {
  const pair = await Promise.all(
    ['many-1', 'many-2'].map((name) => api.server({ name, ...sticky })),
  )
  const rows = resultsOf(
    await cliOk('stop', ...pair.map(({ id }) => id), '--grace', '100ms', '-o', 'json'),
  )
  assert.deepEqual(
    rows.map(({ operation }) => [operation?.graceMs, operation?.rung]),
    [
      [100, 'hard'],
      [100, 'hard'],
    ],
  )
  await cliOk('start', 'many-1', 'many-2')
  const [hard] = resultsOf(await cliOk('stop', '--mode', 'hard', 'many-1', '-o', 'json'))
  assert.deepEqual(
    hard?.operation?.log.map(({ result }) => result),
    ['done', 'done'],
  )
})

test('--no-wait returns once it is accepted; --dry-run changes nothing', async () => {
  await api.server({ name: 'impatient', ...sticky })
  const [plan] = resultsOf(await cliOk('stop', 'impatient', '--dry-run', '-o', 'json'))
  assert.deepEqual(
    [plan?.result, plan?.operation, await stateOf('impatient')],
    ['planned', null, 'running'],
  )
  const [row] = resultsOf(await cliOk('stop', 'impatient', '--no-wait', '-o', 'json'))
  assert.deepEqual([row?.result, row?.operation], ['accepted', null])
  assert.equal(await stateOf('impatient'), 'stopping')
  assert.equal(
    resultsOf(await cliOk('stop', 'impatient', '--no-wait', '-o', 'json'))[0]?.result,
    'joined',
  )
})

test('queue and dequeue: a free notebook waits in line for a place', async () => {
  const free = [
    'create',
    '--kind',
    'notebook',
    '--flavor',
    'modelarts.vm.cpu.free',
    '--image',
    'Multi-Engine 2.0 (python3)',
  ]
  await cliOk(...free, 'free-1')
  await cliOk(...free, 'free-2')
  const full = await cli(...free, 'free-3')
  assert.deepEqual([full.code, /NoCapacity/.test(full.err)], [4, true])
  assert.match(await cliOk(...free, 'free-3', '--queue'), /free-3 +done +- +queued/)
  assert.match(
    await cliOk('get', 'free-3'),
    /queue +number 1 in modelarts\.vm\.cpu\.free, to create/,
  )
  await cliOk('dequeue', 'free-3')
  assert.equal(await stateOf('free-3'), 'stopped')
  await cliOk('queue', 'free-3')
  assert.equal(await stateOf('free-3'), 'queued')
  await cliOk('delete', 'free-1', 'free-2')
  await until(
    () => stateOf('free-3'),
    (state) => state === 'reserved',
  )
})

test('status set and status clear: what an operator says of a registered instance', async () => {
  await cliOk('status', 'set', 'out-of-service', 'provider-1', '--why', 'drill', '--for', '1h')
  const one = await named('provider-1')
  assert.deepEqual([one?.state, one?.registration?.override?.why], ['out-of-service', 'drill'])
  assert.ok(Date.parse(one?.registration?.override?.until ?? '') > Date.now() + 3_000_000)
  await cliOk('status', 'clear', 'provider-1')
  assert.equal(await stateOf('provider-1'), 'up')
  assert.equal((await cli('status', 'set', 'asleep', 'provider-1')).code, 2)
})

test('hold and release: what is held is refused, with the reason', async () => {
  await api.server({ name: 'held' })
  await cliOk('hold', 'held', '--why', 'audit until friday', '--for', '2d')
  const refused = await cli('stop', 'held')
  assert.deepEqual([refused.code, refused.out], [4, ''])
  assert.match(refused.err, /^runstate: held: It is held: audit until friday .*\(Held\)\n$/)
  assert.match(await cliOk('why', 'held'), /A hold of .* until .*: audit until friday\./)
  await cliOk('release', 'held')
  assert.deepEqual((await named('held'))?.holds, [])
  await cliOk('stop', 'held')
})

test('logs shows the last lines that an instance wrote', async () => {
  assert.match(await cliOk('logs', 'web-1'), /^[^\n]*listening on /)
  assert.match(await cliOk('logs', 'web-1', '-n', '1'), /^[^\n]+\n$/)
  const shown = JSON.parse(await cliOk('logs', 'web-1', '-o', 'json')) as OutputShown // as the door shows it
  assert.equal(shown.name, 'web-1')
  assert.match(await cliOk('logs', 'web-1', 'notebook-1'), /^==> web-1 <==\n[^]*==> notebook-1 <==/)
  assert.equal((await cli('logs', 'web-1', '-n', '0')).code, 4)
  assert.equal((await cli('logs', 'nobody')).code, 4)
})

test('ops lists, filters, and shows the log of one; why and events tell the story', async () => {
  await api.server({ name: 'story' })
  const [row] = resultsOf(await cliOk('stop', 'story', '-o', 'json', '--why', 'the end'))
  const operation = row?.receipt?.operation ?? ''
  assert.deepEqual(
    (await cliOk('ops', '--instance', 'story', '-o', 'name')).trim().split('\n')[0],
    operation,
  )
  assert.match(await cliOk('ops', '--state', 'succeeded', '--limit', '3'), /^ID +VERB +STATE/)
  assert.match(await cliOk('ops', operation), /verb +stop \(soft\)[^]*why +the end[^]*await-down/)
  assert.match(
    await cliOk('why', 'story'),
    /^story \(server\) is stopped since .*\n.*by admin through native.*: the end\./,
  )
  const events = JSON.parse(
    await cliOk('events', '--instance', 'story', '--type', 'instance.state', '-o', 'json'),
  ) as { seq: number; data: { to: string } }[] // as the door shows them
  assert.deepEqual(
    events.map(({ data }) => data.to),
    ['running', 'stopping', 'stopped'],
  )
  const later = await cliOk(
    'events',
    '--after',
    String(events[1]?.seq),
    '--instance',
    'story',
    '--type',
    'instance.state',
  )
  assert.equal(later.trim().split('\n').length, 2, 'a head and one row')
})

test('usage tells how long instances were charged for, one or all of the project', async () => {
  const one = JSON.parse(await cliOk('usage', 'story', '-o', 'json')) as UsageShown
  assert.ok(one.chargedMs > 0)
  const all = JSON.parse(await cliOk('usage', '--kind', 'server', '-o', 'json')) as UsageShown[]
  assert.ok(all.some(({ instance }) => instance === one.instance))
  assert.match(await cliOk('usage'), /^NAME +KIND +CHARGE +CHARGED +UNCHARGED +SPANS +ID/)
  assert.deepEqual(await cliOk('usage', 'story', '-o', 'name'), `${one.instance}\n`)
})

test('events --follow prints each event as a line until Ctrl-C', async () => {
  await api.server({ name: 'followed' })
  const following = start(
    ['events', '--follow', '--instance', 'followed', '--type', 'instance.state', '-o', 'json'],
    { env: envOf(), cwd: folder },
  )
  await until(
    async () => {
      await api.act(
        (await named('followed'))?.id ?? '',
        { action: 'restart' },
        { prefer: 'wait=5' },
      )
      return following.out().trim().split('\n').length
    },
    (count) => count >= 2,
  )
  following.child.kill('SIGINT')
  const { code, out } = await following.ended
  assert.equal(code, 0)
  const seqs = out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { seq: number }).seq) // one event per line
  assert.deepEqual(
    seqs,
    [...new Set(seqs)].toSorted((a, b) => a - b),
  )
})

const wanted = `
- {name: app-1, flavor: sim.small, image: sim, labels: {app: shop}}
- {name: app-2, flavor: sim.small, image: sim, state: stopped, description: spare}
`

test('apply makes what is listed, then changes only what differs, then nothing', async () => {
  const file = join(folder, 'fleet.yaml')
  writeFileSync(file, wanted)
  assert.equal(resultsOf(await cliOk('apply', '-f', file, '--dry-run', '-o', 'json')).length, 2)
  assert.equal(await named('app-1'), undefined)
  await cliOk('apply', '-f', file)
  assert.deepEqual([await stateOf('app-1'), await stateOf('app-2')], ['running', 'stopped'])
  const seqOf = async (): Promise<string> =>
    (await cliOk('events', '--limit', '1', '-o', 'name')).trim()
  const was = await seqOf()
  const again = resultsOf(await cliOk('apply', '-f', file, '-o', 'json'))
  assert.deepEqual(
    again.map(({ result }) => result),
    ['already', 'already'],
  )
  assert.equal(await seqOf(), was, 'no event')
  const changed = await run(['apply', '-f', '-'], {
    env: envOf(),
    cwd: folder,
    stdin: wanted.replace('app: shop', 'app: store').replace('stopped', 'running'),
  })
  assert.equal(changed.code, 0, changed.err)
  assert.deepEqual(
    [(await named('app-1'))?.labels, await stateOf('app-2')],
    [{ app: 'store' }, 'running'],
  )
  for (const [text, said] of [
    [
      '- {name: app-1, flavor: proc.small, image: sim}',
      /its flavor is sim\.small and cannot become proc\.small/,
    ],
    ['- {name: app-1, flavour: sim.small}', /instance 1: flavor is missing/],
    ['- {name: app-1, flavor: sim.small, image: sim, colour: red}', /colour is not known/],
    [
      '- {name: a, flavor: f, image: i}\n- {name: a, flavor: f, image: i}',
      /server a is there twice/,
    ],
    ['a: [', /is not YAML/],
    ['just text', /say a list of instances/],
    ['- *nothing', /is not YAML: .*alias/],
  ] as const) {
    const { code, err } = await run(['apply', '-f', '-'], {
      env: envOf(),
      cwd: folder,
      stdin: text,
    })
    assert.equal(code, 2, text)
    assert.match(err, said)
  }
})

test('version and help need no server', async () => {
  assert.match((await run(['version'])).out, /^runstate \d+\.\d+\.\d+ /)
  const help = await run(['help'])
  assert.equal(help.code, 0)
  for (const verb of [
    'serve',
    'ls',
    'get',
    'create',
    'start',
    'stop',
    'restart',
    'queue',
    'dequeue',
    'status',
    'hold',
    'release',
    'delete',
    'ops',
    'events',
    'why',
    'credentials',
    'apply',
    'version',
  ])
    assert.match(help.out, new RegExp(`^  ${verb}\\b`, 'm'))
})
