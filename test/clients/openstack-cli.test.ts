// The `openstack` command, unmodified, against the whole server: what an operator types, from token to deletion.
//
// Needs Debian's python3-openstackclient. Where it is missing the tests are skipped by name, and with
// RUNSTATE_REQUIRE_CLIENTS=1 they fail instead.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { twoProjects } from '#test/harness/openstack.ts'
import { until, type World, world } from '#test/harness/world.ts'

const isInstalled = spawnSync('openstack', ['--version']).status === 0
const isRequired = process.env['RUNSTATE_REQUIRE_CLIENTS'] === '1'
const missing = 'the openstack command is not installed (python3-openstackclient)'
const options = isInstalled || isRequired ? {} : { skip: missing }

let w: World

before(async () => {
  assert.ok(isInstalled || !isRequired, missing)
  const quick = { startMs: 50, stopMs: 50, hardStopMs: 20, removeMs: 20 }
  const catalogue = {
    flavors: [
      { id: 'quick', driver: 'simulated', attributes: quick },
      {
        id: 'stubborn',
        driver: 'simulated',
        graceMs: 60_000,
        attributes: { ...quick, ignoreSoftStop: true },
      },
    ],
  }
  w = await world({ config: { identity: twoProjects, catalogue } })
})
after(() => w?.close())

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** As a member of a project, so that locks and policies are felt. */
function openstack(...args: readonly string[]): Promise<Ran> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('OS_'))
  const given = Object.entries(w.credentials).filter(([name]) => name.startsWith('OS_'))
  const { OS_PROJECT_ID: _id, ...env } = Object.fromEntries([...own, ...given])
  const who = { OS_USERNAME: 'mary', OS_PASSWORD: twoProjects.users[0]?.password ?? '' }
  return new Promise((resolve) => {
    execFile(
      'openstack',
      [...args],
      { env: { ...env, ...who, OS_PROJECT_NAME: 'one' }, timeout: 60_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    )
  })
}

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await openstack(...args)
  assert.equal(code, 0, `openstack ${args.join(' ')}: ${stderr}`)
  return stdout
}

const read = async (...args: readonly string[]): Promise<unknown> =>
  JSON.parse(await run(...args, '-f', 'json'))

/** One column of a table. */
async function column(name: string, ...args: readonly string[]): Promise<readonly unknown[]> {
  const rows = await read(...args)
  assert.ok(Array.isArray(rows))
  return rows.map((row: Readonly<Record<string, unknown>>) => row[name])
}

async function field(name: string, ...args: readonly string[]): Promise<unknown> {
  const shown = await read(...args)
  return (shown as Readonly<Record<string, unknown>>)[name] // a table of fields, as JSON
}

const shows = (server: string, status: string) =>
  until(
    () => field('status', 'server', 'show', server),
    (shown) => shown === status,
    60_000,
  )

test('token, catalogue, flavors and images', options, async () => {
  assert.match(String(await field('id', 'token', 'issue')), /^\S{20,255}$/)
  const types = await column('Type', 'catalog', 'list')
  for (const type of ['identity', 'compute', 'image']) assert.ok(types.includes(type), type)
  assert.ok((await column('Name', 'flavor', 'list')).includes('quick'))
  assert.ok((await column('Name', 'image', 'list')).includes('Simulated machine'))
  assert.deepEqual(await column('Zone Name', 'availability', 'zone', 'list', '--compute'), ['az1'])
})

test(
  'a server’s life: create, list, show, stop, start, reboot, rename, delete',
  options,
  async () => {
    const create = ['server', 'create', '--flavor', 'quick', '--image', 'sim', '--property', 'a=b']
    assert.equal(await field('status', ...create, '--wait', 'cli-1'), 'ACTIVE')
    assert.deepEqual(await column('Name', 'server', 'list'), ['cli-1'])
    assert.deepEqual(await column('Status', 'server', 'list', '--name', 'cli'), ['ACTIVE'])
    assert.deepEqual(await column('Image Name', 'server', 'list', '--long'), ['Simulated machine'])
    await run('server', 'stop', 'cli-1')
    await shows('cli-1', 'SHUTOFF')
    const again = await openstack('server', 'stop', 'cli-1')
    assert.notEqual(again.code, 0)
    assert.match(again.stderr, /Cannot 'stop' instance \S+ while it is in vm_state stopped/)
    await run('server', 'start', 'cli-1')
    await shows('cli-1', 'ACTIVE')
    await run('server', 'reboot', '--soft', '--wait', 'cli-1')
    await run('server', 'reboot', '--hard', '--wait', 'cli-1')
    await run('server', 'set', '--name', 'cli-2', '--property', 'c=d', 'cli-1')
    assert.deepEqual(await field('properties', 'server', 'show', 'cli-2'), { a: 'b', c: 'd' })
    await run('server', 'unset', '--property', 'a', 'cli-2')
    assert.deepEqual(await field('properties', 'server', 'show', 'cli-2'), { c: 'd' })
    const actions = await column('Action', 'server', 'event', 'list', 'cli-2')
    assert.deepEqual(actions, ['reboot', 'reboot', 'start', 'stop', 'create'])
    const [request] = await column('Request ID', 'server', 'event', 'list', 'cli-2')
    assert.equal(
      await field('action', 'server', 'event', 'show', 'cli-2', String(request)),
      'reboot',
    )
    await run('server', 'delete', '--wait', 'cli-2')
    assert.deepEqual(await column('Name', 'server', 'list'), [])
  },
)

test('a locked server is not stopped, and is once it is unlocked', options, async () => {
  const create = ['server', 'create', '--flavor', 'quick', '--image', 'sim', '--wait']
  await run(...create, 'locked')
  await run('server', 'lock', 'locked')
  const refused = await openstack('server', 'stop', 'locked')
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /Instance \S+ is locked/)
  await run('server', 'unlock', 'locked')
  await run('server', 'stop', 'locked')
  await shows('locked', 'SHUTOFF')
  await run('server', 'delete', '--wait', 'locked')
})

test('while a stop is under way a second one is refused and says why', options, async () => {
  await run('server', 'create', '--flavor', 'stubborn', '--image', 'sim', '--wait', 'slow')
  await run('server', 'stop', 'slow')
  const refused = await openstack('server', 'stop', 'slow')
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /while it is in task_state powering-off/)
  await run('server', 'delete', '--wait', 'slow')
})

test('what is not there is named, and nothing is printed of how we are made', options, async () => {
  const heard = await openstack('server', 'show', 'nobody')
  assert.notEqual(heard.code, 0)
  assert.match(heard.stderr, /No server with a name or ID of 'nobody' exists/)
  const denied = await openstack('server', 'list', '--all-projects')
  assert.match(denied.stderr, /Policy doesn't allow os_compute_api:servers:detail:get_all_tenants/)
})
