// The `openstack` command, unmodified, against the whole server: what an operator types, from token to deletion.
//
// One process of it is asked one command after the other, as its interactive mode takes them: starting it costs
// seconds each time. What only an exit code tells is asked of a process of its own.
//
// Needs Debian's python3-openstackclient. Where it is missing the tests are skipped by name, and with
// RUNSTATE_REQUIRE_CLIENTS=1 they fail instead.

import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

const isInstalled = spawnSync('openstack', ['--version']).status === 0
const isRequired = process.env['RUNSTATE_REQUIRE_CLIENTS'] === '1'
const missing = 'the openstack command is not installed (python3-openstackclient)'
const options = isInstalled || isRequired ? {} : { skip: missing }

let w: World
let session: Session | undefined

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
after(async () => {
  session?.end()
  await w?.close()
})

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** As a member of a project, so that locks and policies are felt. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('OS_'))
  const given = Object.entries(w.credentials).filter(([name]) => name.startsWith('OS_'))
  const { OS_PROJECT_ID: _id, ...env } = Object.fromEntries([...own, ...given])
  const who = { OS_USERNAME: 'mary', OS_PASSWORD: twoProjects.users[0]?.password ?? '' }
  // Python holds back what it prints into a pipe, unless told otherwise.
  return { ...env, ...who, OS_PROJECT_NAME: 'one', PYTHONUNBUFFERED: '1' }
}

/** A process of its own, for its exit code. */
const openstack = (...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile('openstack', [...args], { env: environment(), timeout: 60_000 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout: out, stderr: err }),
    )
  })

const patienceMs = 40_000

/** One process that is typed into. The shell's own `!echo` after each command tells that it has been answered. */
class Session {
  // What it says and what it complains of, in the order in which it says so.
  readonly #child = spawn('sh', ['-c', 'exec openstack 2>&1'], {
    env: environment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  #said = ''
  #asked = 0
  #heard = (): void => undefined

  constructor() {
    this.#child.stdout.on('data', (text: Buffer) => {
      this.#said += text.toString()
      this.#heard()
    })
    this.#child.once('close', () => this.#heard())
  }

  async ask(command: string): Promise<string> {
    const mark = `answered-${++this.#asked}\n`
    this.#child.stdin.write(`${command}\n!echo ${mark}`)
    const deadline = setTimeout(() => this.end(), patienceMs)
    while (!this.#said.includes(mark)) {
      const isOver = this.#child.exitCode !== null || this.#child.signalCode !== null
      assert.ok(!isOver, `${command}: the session ended: ${this.#said}`)
      await new Promise<void>((resolve) => (this.#heard = resolve))
    }
    clearTimeout(deadline)
    const [said = '', later = ''] = this.#said.split(mark)
    this.#said = later
    return said
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }
}

const ask = (command: string): Promise<string> => {
  session ??= new Session()
  return session.ask(command)
}

/** A command that is carried out, with nothing to say. */
const run = async (command: string): Promise<void> =>
  assert.equal((await ask(command)).trim(), '', `openstack ${command}`)

async function read(command: string): Promise<unknown> {
  const text = await ask(`${command} -f json`)
  // With --wait it draws its progress before what it answers.
  return JSON.parse(text.slice(text.search(/[{[]/)))
}

/** One column of a table. */
async function column(name: string, command: string): Promise<readonly unknown[]> {
  const rows = await read(command)
  assert.ok(Array.isArray(rows))
  return rows.map((row: Readonly<Record<string, unknown>>) => row[name])
}

async function field(name: string, command: string): Promise<unknown> {
  const shown = await read(command)
  return (shown as Readonly<Record<string, unknown>>)[name] // a table of fields, as JSON
}

async function shows(server: string, status: string): Promise<void> {
  const lateMs = Date.now() + patienceMs
  while ((await field('status', `server show ${server}`)) !== status)
    assert.ok(Date.now() < lateMs, `${server} never shows ${status}`)
}

test('token, catalogue, flavors and images', options, async () => {
  assert.match(String(await field('id', 'token issue')), /^\S{20,255}$/)
  const types = await column('Type', 'catalog list')
  for (const type of ['identity', 'compute', 'image']) assert.ok(types.includes(type), type)
  assert.ok((await column('Name', 'flavor list')).includes('quick'))
  assert.ok((await column('Name', 'image list')).includes('Simulated machine'))
  assert.deepEqual(await column('Zone Name', 'availability zone list --compute'), ['az1'])
})

test('a server’s life, from creation to deletion', options, async () => {
  const create = 'server create --flavor quick --image sim --property a=b --wait cli-1'
  assert.equal(await field('status', create), 'ACTIVE')
  assert.deepEqual(await column('Name', 'server list'), ['cli-1'])
  assert.deepEqual(await column('Status', 'server list --name cli'), ['ACTIVE'])
  assert.deepEqual(await column('Image Name', 'server list --long'), ['Simulated machine'])
  await run('server stop cli-1')
  await shows('cli-1', 'SHUTOFF')
  assert.match(
    await ask('server stop cli-1'),
    /Cannot 'stop' instance \S+ while it is in vm_state stopped/,
  )
  await run('server start cli-1')
  await shows('cli-1', 'ACTIVE')
  for (const how of ['--soft', '--hard']) await ask(`server reboot ${how} --wait cli-1`)
  await shows('cli-1', 'ACTIVE')
  for (const [act, status] of [
    ['pause', 'PAUSED'],
    ['unpause', 'ACTIVE'],
    ['suspend', 'SUSPENDED'],
    ['resume', 'ACTIVE'],
  ] as const) {
    await run(`server ${act} cli-1`)
    await shows('cli-1', status)
  }
  await run('server set --name cli-2 --property c=d cli-1')
  assert.deepEqual(await field('properties', 'server show cli-2'), { a: 'b', c: 'd' })
  await run('server unset --property a cli-2')
  assert.deepEqual(await field('properties', 'server show cli-2'), { c: 'd' })
  const actions = await column('Action', 'server event list cli-2')
  const done = ['create', 'stop', 'start', 'reboot', 'reboot', 'pause', 'unpause']
  assert.deepEqual(actions, [...done, 'suspend', 'resume'].toReversed())
  const [request] = await column('Request ID', 'server event list cli-2')
  assert.equal(await field('action', `server event show cli-2 ${String(request)}`), 'resume')
  await ask('server delete --wait cli-2')
  assert.deepEqual(await column('Name', 'server list'), [])
})

test('a locked server is not stopped, and is once it is unlocked', options, async () => {
  await ask('server create --flavor quick --image sim --wait locked')
  await run('server lock locked')
  assert.match(await ask('server stop locked'), /Instance \S+ is locked/)
  await run('server unlock locked')
  await run('server stop locked')
  await shows('locked', 'SHUTOFF')
  await ask('server delete --wait locked')
})

test('while a stop is under way a second one is refused and says why', options, async () => {
  await ask('server create --flavor stubborn --image sim --wait slow')
  await run('server stop slow')
  assert.match(await ask('server stop slow'), /while it is in task_state powering-off/)
  await ask('server delete --wait slow')
})

test('what is not there is named, and nothing is printed of how we are made', options, async () => {
  const heard = await openstack('server', 'show', 'nobody')
  assert.notEqual(heard.code, 0)
  assert.match(heard.stderr, /No server with a name or ID of 'nobody' exists/)
  assert.match(
    await ask('server list --all-projects'),
    /Policy doesn't allow os_compute_api:servers:detail:get_all_tenants/,
  )
})
