// Debian's `openstack` command, unmodified, against the identity door of the whole server.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { type World, world } from '#test/harness/world.ts'

const isHere = spawnSync('openstack', ['--version']).status === 0
const skip = isHere ? false : 'no openstack command; install python3-openstackclient'
const run = promisify(execFile)

type Row = Readonly<Record<string, string>>
const rowOf = (value: unknown): Row => Object(value) as Row // what the command prints is checked by the test
const rowsOf = (value: unknown): readonly Row[] => Object(value) as readonly Row[] // the same

const bob = { OS_USERNAME: 'bob', OS_PASSWORD: 'bob-password', OS_PROJECT_NAME: 'blue' }

suite('openstack', { skip }, () => {
  let w: World
  before(async () => {
    const users = [{ name: 'bob', password: bob.OS_PASSWORD, roles: { blue: 'reader' } }]
    w = await world({ config: { identity: { projects: [{ name: 'blue' }], users } } })
  })
  after(() => w.close())

  async function cli(words: string, more: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...w.credentials, ...more }
    const { stdout } = await run('openstack', words.split(' '), { env, timeout: 60_000 })
    return stdout === '' ? undefined : JSON.parse(stdout)
  }
  const cliAsBob = (words: string) => cli(words, { ...bob, OS_PROJECT_ID: '' })

  test('token issue, and revoke', async () => {
    const { id, project_id } = rowOf(await cli('token issue -f json'))
    assert.equal(project_id, w.credentials['OS_PROJECT_ID'])
    assert.equal((await w.identity.byToken(id ?? '')).ok, true)
    await cli(`token revoke ${id}`)
    assert.equal((await w.identity.byToken(id ?? '')).ok, false)
  })

  test('catalog list', async () => {
    const entries = rowsOf(await cli('catalog list -f json'))
    const types = entries.map((entry) => entry['Type'] ?? '')
    for (const type of ['compute', 'identity', 'image', 'iam', 'ecs', 'bms'])
      assert.ok(types.includes(type), type)
    assert.match(JSON.stringify(entries), new RegExp(`${w.url}/compute/v2.1`))
  })

  test('lists of an admin, by name and by id', async () => {
    const names = async (words: string) =>
      rowsOf(await cli(`${words} -f json`))
        .map((row) => row['Name'] ?? row['Region'] ?? '')
        .toSorted()
    assert.deepEqual(await names('project list'), ['blue', 'default'])
    assert.deepEqual(await names('user list'), ['admin', 'bob'])
    assert.deepEqual(await names('role list'), ['admin', 'member', 'reader'])
    const services = await names('service list')
    for (const name of ['glance', 'keystone', 'nova']) assert.ok(services.includes(name), name)
    assert.deepEqual(await names('region list'), ['RegionOne'])
    assert.deepEqual(await names('domain list'), ['Default'])
    const blue = rowOf(await cli('project show blue -f json'))
    assert.equal(blue['name'], 'blue')
  })

  test('a user who is no admin sees its own projects, and gets no list of users', async () => {
    assert.match(JSON.stringify(await cliAsBob('project list -f json')), /^\[\{.*"blue"\}\]$/)
    await assert.rejects(cliAsBob('user list -f json'), /identity:list_users.*HTTP 403/s)
    const wrong = cli('token issue -f json', { OS_PASSWORD: 'wrong' })
    await assert.rejects(wrong, /The request you have made requires authentication.*HTTP 401/s)
  })

  test('an application credential is made, logs in and is removed', async () => {
    const made = await cliAsBob('application credential create nightly -f json')
    const { id = '', secret = '' } = rowOf(made)
    const program = {
      OS_AUTH_TYPE: 'v3applicationcredential',
      OS_AUTH_URL: w.credentials['OS_AUTH_URL'] ?? '',
      OS_APPLICATION_CREDENTIAL_ID: id,
      OS_APPLICATION_CREDENTIAL_SECRET: secret,
      OS_IDENTITY_API_VERSION: '3',
    }
    const issue = async () => {
      const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...program }
      return await run('openstack', ['token', 'issue', '-f', 'json'], { env, timeout: 60_000 })
    }
    assert.match((await issue()).stdout, /"project_id"/)
    await cliAsBob(`application credential delete ${id}`)
    await assert.rejects(issue(), /HTTP 401/)
  })
})
