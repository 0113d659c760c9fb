// The conventions that outsiders rely on, held against the real server as a process of its own: its lines, files,
// modes, signals, exit codes and settings.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it, type TestContext } from 'node:test'
import { doorKinds } from '#app/plugins.ts'
import { userApi } from '#test/harness/api.ts'
import { readEvents } from '#test/harness/event-reader.ts'
import {
  type Ended,
  processesOf,
  runServer,
  type ServerProcess,
  type StartOptions,
  startServer,
} from '#test/harness/server.ts'
import { until } from '#test/harness/world.ts'

const bare = 'starter: false\n'
const endWithinMs = 10_000

const credentialKeys = [
  'RUNSTATE_URL',
  'RUNSTATE_TOKEN',
  'OS_AUTH_URL',
  'OS_USERNAME',
  'OS_PASSWORD',
  'OS_PROJECT_NAME',
  'OS_PROJECT_ID',
  'OS_USER_DOMAIN_NAME',
  'OS_PROJECT_DOMAIN_NAME',
  'OS_REGION_NAME',
  'OS_IDENTITY_API_VERSION',
  'HUAWEICLOUD_SDK_AK',
  'HUAWEICLOUD_SDK_SK',
  'HUAWEICLOUD_PROJECT_ID',
  'VOLCENGINE_ACCESS_KEY',
  'VOLCENGINE_SECRET_KEY',
  'VOLCENGINE_REGION',
  'VOLCENGINE_ENDPOINT',
  'CSE_REGISTRY_ADDRESS',
]

/** A folder for one server, which makes `data` in it itself. */
function place(): { readonly folder: string; readonly data: string } {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-start-'))
  return { folder, data: join(folder, 'data') }
}

function placeFor(t: TestContext): string {
  const { folder, data } = place()
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return data
}

async function running(
  t: TestContext,
  yaml: string = bare,
  { data = placeFor(t), ...options }: StartOptions & { readonly data?: string } = {},
): Promise<ServerProcess> {
  const server = await startServer(data, yaml, options)
  t.after(() => server.end('SIGKILL'))
  return server
}

/** Refused with one line on stderr that says this, nothing on stdout, and a usage error's exit code. */
function refusedWith({ code, out, err }: Ended, line: RegExp): void {
  assert.equal(code, 2, err)
  assert.equal(out, '')
  assert.match(err, /^runstate: [^\n]+\n$/)
  assert.match(err, line)
}

const mode = (path: string): number => statSync(path).mode & 0o777

interface Row {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly state: string
  readonly busy: unknown
}

const rowsOf = async (server: ServerProcess): Promise<readonly Row[]> =>
  (await server.call('GET', '/api/v1/instances')).body['items'] as readonly Row[] // what the native door lists

/** Says on stderr which files are loaded, from node's first moment on. */
const telling = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) process.stderr.write('loaded ' + url + '\\n')
      return next(url, context)
    },
  })
`)}`

it('a server that has answered once acts without loading anything more: an upgrade may be replacing its files', async (t) => {
  const server = await running(t, '', {
    env: { RUNSTATE_STARTER: '0' },
    nodeArgs: ['--import', telling],
  })
  await fetch(`${server.url}/healthz`) // checks nothing itself
  const before = server.stderr()
  assert.match(before, /^loaded .*typebox/m)
  for (const [flavor, image] of [
    ['sim.small', 'sim'],
    ['proc.small', 'echo-http'],
  ]) {
    const name = `with-${image}`
    const made = await server.call('POST', '/api/v1/instances', {
      kind: 'server',
      name,
      flavor,
      image,
    })
    assert.equal(made.status, 202)
    const stateIs = (wanted: string) =>
      until(
        () => rowsOf(server),
        (all) => all.some((row) => row.name === name && row.state === wanted),
        30_000,
      )
    await stateIs('running')
    const [id] = made.body['instances'] as readonly string[] // what the native door made
    const action = { action: 'stop', mode: 'hard' }
    const stopped = await server.call('POST', `/api/v1/instances/${id}/actions`, action)
    assert.equal(stopped.status, 202)
    await stateIs('stopped')
  }
  const later = server.stderr().slice(before.length)
  assert.deepEqual(later.match(/^loaded .*$/gm) ?? [], [])
})

it('--stop-all ends what is held still, and what is on its way up', async (t) => {
  const data = placeFor(t)
  const file = `${bare}catalogue:
  images:
    - { id: plain, kinds: [server], launch: { command: [sleep, '1000'] } }
    - { id: never, kinds: [server], launch: { command: [sleep, '1000'], probe: { kind: exec, command: ['false'] } } }
`
  const server = await startServer(data, file)
  const made = async (name: string, image: string): Promise<string> => {
    const asked = { kind: 'server', name, flavor: 'proc.small', image }
    const { body } = await server.call('POST', '/api/v1/instances', asked)
    const [id = ''] = body['instances'] as readonly string[] // what the native door made
    return id
  }
  const stateIs = async (id: string, state: string): Promise<unknown> =>
    until(
      async () => (await server.call('GET', `/api/v1/instances/${id}`)).body['state'],
      (now) => now === state,
    )
  const still = await made('still', 'plain')
  await stateIs(still, 'running')
  await server.call('POST', `/api/v1/instances/${still}/actions`, { action: 'pause' })
  await stateIs(still, 'paused')
  const coming = await made('coming', 'never')
  await until(
    async () => processesOf(coming),
    (own) => own.length > 0,
  )
  assert.equal(await server.end('SIGTERM'), 0)
  for (const name of ['still', 'coming'])
    assert.match(server.stdout(), new RegExp(`^  ${name} `, 'm'))
  const ended = await runServer(data, file, { args: ['--stop-all'] })
  for (const [name, id] of Object.entries({ still, coming })) {
    assert.match(ended.out, new RegExp(`^${name}: succeeded`, 'm'))
    assert.deepEqual(processesOf(id), [])
  }
})

it('--stop-all that is not allowed to end a thing says so, also to scripts', async (t) => {
  const data = placeFor(t)
  const server = await startServer(data, bare)
  const asked = { kind: 'server', name: 'kept', flavor: 'proc.small', image: 'echo-http' }
  const wait = { prefer: 'wait=20' }
  const made = await server.call('POST', '/api/v1/instances', asked, wait)
  const [id = ''] = made.body['instances'] as readonly string[] // what the native door made
  t.after(() => {
    for (const pid of processesOf(id)) process.kill(pid, 'SIGKILL')
  })
  const holds = `/api/v1/instances/${id}/holds`
  const { body } = await server.call('POST', holds, { why: 'it has to run on' })
  assert.equal(await server.end('SIGTERM'), 0)
  const held = await runServer(data, bare, { args: ['--stop-all'] })
  assert.deepEqual([held.code, held.out], [1, 'kept: not stopped, Held\n'])
  assert.equal(processesOf(id).length, 1)
  const again = await startServer(data, bare)
  await again.call('DELETE', `${holds}/${String(body['hold'])}`)
  assert.equal(await again.end('SIGTERM'), 0)
  assert.equal((await runServer(data, bare, { args: ['--stop-all'] })).code, 0)
  assert.deepEqual(processesOf(id), [])
})

describe('the first start', () => {
  const { folder, data } = place()
  const real = ['web-1', 'notebook-1', 'defect-detect@edge-1', 'defect-detect@edge-2']
  let server: ServerProcess
  let rows: readonly Row[] = []
  before(async () => {
    server = await startServer(data, '')
    rows = await until(
      () => rowsOf(server),
      (all) => all.length > 0 && all.every(({ busy }) => busy === null),
      30_000,
    )
  })
  after(async () => {
    await server.end('SIGKILL')
    await runServer(data, '', { args: ['--stop-all'] })
    rmSync(folder, { recursive: true, force: true })
  })

  it('prints one ready line, the last, and before it one line to paste for each door', () => {
    const lines = server.stdout().trimEnd().split('\n')
    assert.match(lines.at(-1) ?? '', /^runstate ready http:\/\/127\.0\.0\.1:\d+$/)
    assert.equal(lines.filter((line) => line.startsWith('runstate ready')).length, 1)
    assert.ok(lines.some((line) => line.includes(join(data, 'credentials.env'))))
    for (const { name } of doorKinds)
      assert.equal(lines.filter((line) => line.startsWith(`  ${name} `)).length, 1, name)
  })

  it('writes every credential, for its owner alone', () => {
    const text = readFileSync(join(data, 'credentials.env'), 'utf8')
    const lines = text.trimEnd().split('\n')
    for (const line of lines) assert.match(line, /^[A-Z][A-Z0-9_]*=[^\s'"]+$/)
    const keys = lines.map((line) => line.slice(0, line.indexOf('=')))
    assert.deepEqual(keys.toSorted(), credentialKeys.toSorted())
    assert.equal(mode(data), 0o700)
    const files = readdirSync(data, { recursive: true, withFileTypes: true })
    assert.ok(files.length > 2)
    // A symbolic link has no mode of its own, and notes of process numbers keep no secret.
    const open = files
      .filter((file) => !file.isSymbolicLink() && !/\/control(\/|$)/.test(file.parentPath))
      .map((file) => join(file.parentPath, file.name))
      .filter((path) => (mode(path) & 0o077) !== 0)
    assert.deepEqual(open, [])
  })

  it('makes a fleet in which the server, the notebook and both edge instances are real processes', () => {
    for (const name of real) {
      const row = rows.find((one) => one.name === name)
      assert.equal(row?.state, 'running', name)
      assert.ok(processesOf(row?.id ?? '').length > 0, name)
    }
    const kinds = new Set(rows.map(({ kind }) => kind))
    assert.deepEqual([...kinds].toSorted(), [
      'edge-instance',
      'notebook',
      'server',
      'service-instance',
    ])
  })

  it('refuses a second server on the same folder, and the first goes on', async () => {
    refusedWith(await runServer(data, ''), /data/)
    refusedWith(await runServer(data, '', { args: ['--stop-all'] }), /data/)
    assert.equal((await rowsOf(server)).length, rows.length)
  })

  it('ends on SIGTERM though callers wait, lists what runs, and --stop-all ends it', async () => {
    const idOf = (name: string): string => rows.find((one) => one.name === name)?.id ?? ''
    const pids = new Map(real.map((name) => [name, processesOf(idOf(name))]))
    const stream = await readEvents(`${server.url}/api/v1`, server.token)
    const beganMs = Date.now()
    assert.equal(await server.end('SIGTERM'), 0)
    assert.ok(Date.now() - beganMs < endWithinMs)
    await stream.ended()
    const said = server.stdout().split(/^runstate ready.*\n/m)[1] ?? ''
    assert.match(said, /--stop-all/)
    for (const [name, own] of pids) {
      assert.ok(said.includes(name), said)
      assert.ok(
        own.some((pid) => said.includes(`pid ${pid}`)),
        said,
      )
      assert.deepEqual(processesOf(idOf(name)), own, `${name} runs on`)
    }
    const ended = await runServer(data, '', { args: ['--stop-all'] })
    assert.equal(ended.code, 0, ended.err)
    for (const name of real) {
      assert.match(ended.out, new RegExp(`^${name}: succeeded`, 'm'))
      assert.deepEqual(processesOf(idOf(name)), [])
    }
    const again = await runServer(data, '', { args: ['--stop-all'] })
    assert.deepEqual([again.code, again.out], [0, 'nothing was running\n'])
  })

  it('is the first only once: secrets stay, and who removed the fleet does not get it back', async () => {
    const text = readFileSync(join(data, 'credentials.env'), 'utf8')
    server = await startServer(data, '')
    for (const { id } of rows) await server.call('DELETE', `/api/v1/instances/${id}`)
    const services = (await server.call('GET', '/api/v1/services')).body['items'] as readonly Row[]
    for (const { id } of services) await server.call('DELETE', `/api/v1/services/${id}`)
    await until(
      () => rowsOf(server),
      (left) => left.length === 0,
    )
    assert.equal(await server.end('SIGINT'), 0)
    server = await startServer(data, '')
    assert.deepEqual(await rowsOf(server), [])
    const addressless = (all: string) => all.replaceAll(/127\.0\.0\.1:\d+/g, 'HERE')
    const now = readFileSync(join(data, 'credentials.env'), 'utf8')
    assert.equal(addressless(now), addressless(text))
  })
})

describe('a start that is refused', () => {
  const wrong: Readonly<
    Record<string, { readonly yaml?: string; readonly line: RegExp } & StartOptions>
  > = {
    'an unknown flag': { args: ['--prot', '1'], line: /--prot/ },
    'a stray argument': { args: ['prod'], line: /prod/ },
    'a flag without its value': { args: ['--port'], line: /port/ },
    'a flag where a value should be': { args: ['--host', '--port', '1'], line: /--host/ },
    'a data folder where none can be made': { args: ['--data', '/proc/x/y'], line: /\/proc\/x/ },
    'an unknown variable': { env: { RUNSTATE_PROT: '1' }, line: /RUNSTATE_PROT/ },
    'a port that is none': { args: ['--port', '65536'], line: /port .*65536/ },
    'a port in words': { env: { RUNSTATE_PORT: 'any' }, line: /port .*any/ },
    'a starter that is neither': { env: { RUNSTATE_STARTER: 'no' }, line: /RUNSTATE_STARTER/ },
    'an unknown log level': { env: { RUNSTATE_LOG: 'loud' }, line: /RUNSTATE_LOG/ },
    'a settings file that is missing': {
      env: { RUNSTATE_CONFIG: '/nonexistent/runstate.yaml' },
      line: /nonexistent/,
    },
    'an unknown key in the file': { yaml: 'strater: false\n', line: /strater/ },
    'a value of the wrong type': { yaml: 'port: eighty\n', line: /port/ },
    'a file that is not YAML': { yaml: 'doors: {nova: [\n', line: /not YAML/ },
    'an unknown door': { yaml: 'doors: { navo: {} }\n', line: /navo/ },
    'an unknown setting of a door': { yaml: 'doors: { nova: { prot: 1 } }\n', line: /doors\.nova/ },
    'an unknown driver': { yaml: 'drivers: { qemo: {} }\n', line: /qemo/ },
    'an unknown setting of a driver': {
      yaml: 'drivers: { process: { prot: 1 } }\n',
      line: /drivers\.process/,
    },
    'a flavor of an unknown driver': {
      yaml: 'catalogue: { flavors: [{ id: mine, driver: proces }] }\n',
      line: /mine.*proces.*process, simulated/,
    },
    'a flavor of an unknown project': {
      yaml: 'catalogue: { flavors: [{ id: mine, driver: process, projects: [nowhere] }] }\n',
      line: /catalogue\.flavors: mine .*nowhere/,
    },
    'an unknown role': {
      yaml: 'identity: { users: [{ name: a, password: b, roles: { default: boss } }] }\n',
      line: /users/,
    },
    'a role in a project that is nowhere': {
      yaml: 'identity: { users: [{ name: a, password: hunter22, roles: { nowhere: member } }] }\n',
      line: /nowhere/,
    },
    'an open door beyond loopback': { env: { RUNSTATE_HOST: '0.0.0.0' }, line: /allowOpenDoors/ },
  }
  for (const [what, { yaml = bare, line, ...options }] of Object.entries(wrong))
    it(`says in one line what is wrong: ${what}`, async (t) => {
      const ended = await runServer(placeFor(t), yaml, options)
      refusedWith(ended, line)
      assert.ok(!ended.err.includes('hunter22'), 'a password is never repeated')
    })

  it('a taken port is one line', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1')
    t.after(() => taken.close())
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as AddressInfo // it listens
    const ended = await runServer(placeFor(t), bare, { args: ['--port', String(port)] })
    refusedWith(ended, new RegExp(`port ${port} .*in use`))
  })

  it('a data file of a newer version is one line, and is left as it was', async (t) => {
    const data = placeFor(t)
    const server = await running(t, bare, { data })
    assert.equal(await server.end('SIGTERM'), 0)
    const [name] = readdirSync(data).filter((one) => /\.(db|sqlite3?)$/.test(one))
    const path = join(data, name ?? 'none')
    const change = new DatabaseSync(path)
    change.exec('PRAGMA user_version = 999')
    change.close()
    const text = readFileSync(path)
    refusedWith(await runServer(data, bare), /newer/)
    assert.deepEqual(readFileSync(path), text)
  })
})

describe('settings', () => {
  it('a flag goes before the environment, the environment before the file', async (t) => {
    const data = placeFor(t)
    const file = 'starter: true\nport: 1\ndata: /nonexistent\nregion: here\n'
    const env = { RUNSTATE_STARTER: '1', RUNSTATE_PORT: '2' }
    const server = await running(t, file, { data, env, args: ['--port', '0', '--no-starter'] })
    assert.deepEqual(await rowsOf(server), [])
    const text = readFileSync(join(data, 'credentials.env'), 'utf8')
    assert.match(text, /^OS_REGION_NAME=here$/m)
  })

  it('RUNSTATE_STARTER=0 makes no fleet; port 0 is a free one for each', async (t) => {
    const env = { RUNSTATE_STARTER: '0' }
    const [one, two] = await Promise.all([running(t, '', { env }), running(t, '', { env })])
    assert.notEqual(new URL(one.url).port, new URL(two.url).port)
    assert.deepEqual([await rowsOf(one), await rowsOf(two)], [[], []])
  })

  it('--help tells how, and starts nothing', async (t) => {
    const data = placeFor(t)
    const { code, out, err } = await runServer(data, bare, { args: ['--help'] })
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /--stop-all/)
    assert.throws(() => statSync(data), { code: 'ENOENT' })
  })

  it('a flavor is whose the file says; of one that it says nothing of, whose an admin said', async (t) => {
    const data = placeFor(t)
    const yaml = (more: string) => `${bare}
identity: { projects: [{ name: a }, { name: b }] }
catalogue: { flavors: [{ id: ours, driver: simulated${more} }, { id: theirs, driver: simulated }] }
`
    const first = await running(t, yaml(', projects: [a]'), { data })
    const projects = async (server: ServerProcess, id: string) =>
      (await server.call('GET', `/api/v1/flavors/${id}`)).body['projects']
    const listed = (await first.call('GET', '/api/v1/projects')).body['items'] as readonly Row[]
    const idOf = (name: string) => listed.find((one) => one.name === name)?.id
    assert.deepEqual(await projects(first, 'ours'), [idOf('a')])
    const put = (server: ServerProcess, id: string, only: readonly (string | undefined)[] | null) =>
      server.call('PUT', `/api/v1/flavors/${id}`, { projects: only })
    assert.equal((await put(first, 'theirs', [idOf('b')])).status, 200)
    assert.equal((await put(first, 'ours', null)).status, 200)
    assert.equal(await projects(first, 'ours'), undefined)
    await first.end('SIGTERM')
    const again = await running(t, yaml(', projects: [a]'), { data })
    assert.deepEqual(await projects(again, 'ours'), [idOf('a')])
    assert.deepEqual(await projects(again, 'theirs'), [idOf('b')])
  })

  it('declared users act in their project as their role allows, at every door', async (t) => {
    const yaml = `${bare}
identity:
  projects: [{ name: team }]
  users:
    - { name: rita, password: a-good-password, roles: { team: reader } }
    - { name: mary, password: a-good-password, roles: { team: member } }
`
    const server = await running(t, yaml)
    const login = { password: 'a-good-password', project: 'team' }
    const [rita, mary] = await Promise.all([
      userApi(server, { ...login, user: 'rita' }),
      userApi(server, { ...login, user: 'mary' }),
    ])
    const body = { server: { name: 'one', flavorRef: 'sim.small', imageRef: 'sim' } }
    const create = (who: typeof rita) => who.call('POST', '/compute/v2.1/servers', body)
    assert.equal((await create(rita)).status, 403)
    const made = await create(mary)
    assert.equal(made.status, 202, made.text)
    assert.equal((await rita.call('GET', '/v1/{p}/services')).status, 200)
    const refused = userApi(server, { ...login, user: 'mary', project: 'default' })
    await assert.rejects(refused, /401/)
  })

  it('beyond loopback: with allowOpenDoors, or without the open door', async (t) => {
    const env = { RUNSTATE_HOST: '0.0.0.0' }
    const allowed = await running(t, `${bare}allowOpenDoors: true\n`, { env })
    assert.equal((await allowed.call('GET', '/version')).status, 200)
    const shut = await running(t, `${bare}doors: { servicecomb: { enabled: false } }\n`, { env })
    assert.equal((await fetch(`${shut.url}/v4/default/registry/version`)).status, 404)
    assert.deepEqual(await rowsOf(shut), [])
  })

  it('who has credentials.env reaches each door, also one with a port of its own', async (t) => {
    const data = placeFor(t)
    const alone = '{ port: 0 }'
    const doors = `{ native: ${alone}, keystone: ${alone}, volcengine: ${alone}, huawei: ${alone} }`
    // With the starter fleet, whose lines to paste name the doors too.
    const server = await running(t, `doors: ${doors}\n`, { data })
    t.after(() => runServer(data, '', { args: ['--stop-all'] }))
    const text = readFileSync(join(data, 'credentials.env'), 'utf8')
    const told = new Map(text.split('\n').map((line) => line.split(/=(.*)/s) as [string, string])) // KEY=value
    const answers = async (url: string): Promise<number> => (await fetch(url)).status
    const address = (key: string): string => told.get(key) ?? ''
    assert.equal(await answers(`${address('RUNSTATE_URL')}/api/v1/openapi.json`), 200)
    assert.equal(await answers(address('OS_AUTH_URL')), 200)
    const ecs = `http://${address('VOLCENGINE_ENDPOINT')}/?Action=DescribeInstances`
    assert.notEqual(await answers(ecs), 404)
    const lines = [...server.stdout().matchAll(/curl -i -X (\w+) .*?(http:\/\/[^ ']+)/g)]
    assert.equal(lines.length, 5)
    for (const [, method = '', url = ''] of lines)
      assert.notEqual((await fetch(url, { method })).status, 404, url)
  })

  it('health tells neither names nor secrets, and needs no token', async (t) => {
    const server = await running(t)
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      const response = await fetch(server.url + path)
      assert.equal(response.status, 200, path)
      // What some probes ask, `wget --spider` among them.
      assert.equal((await fetch(server.url + path, { method: 'HEAD' })).status, 200, path)
      const text = await response.text()
      for (const secret of [server.token, 'admin']) assert.ok(!text.includes(secret), path)
    }
  })
})
