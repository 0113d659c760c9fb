// openstacksdk and python3-novaclient, unmodified: what programs use that the `openstack` command does not cover.
//
// Needs Debian's python3-openstacksdk and python3-novaclient; missing ones skip by name, or fail where required.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

// Debian's own: another Python of the machine has none of its packages.
const python = '/usr/bin/python3'
const isInstalled = spawnSync(python, ['-c', 'import openstack, novaclient']).status === 0
const isRequired = process.env['RUNSTATE_REQUIRE_CLIENTS'] === '1'
const missing = 'python3-openstacksdk and python3-novaclient are not installed'
const options = isInstalled || isRequired ? {} : { skip: missing }

let w: World

before(async () => {
  assert.ok(isInstalled || !isRequired, missing)
  const attributes = {
    startMs: 30,
    stopMs: 30,
    hardStopMs: 20,
    removeMs: 20,
    captureMs: 30,
    pauseMs: 30,
    unpauseMs: 30,
    suspendMs: 30,
    resumeMs: 30,
  }
  const catalogue = { flavors: [{ id: 'quick', driver: 'simulated', attributes }] }
  w = await world({ config: { identity: twoProjects, catalogue } })
})
after(() => w?.close())

test('a server’s life through openstacksdk and novaclient', options, async () => {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('OS_'))
  const given = Object.entries(w.credentials).filter(([name]) => name.startsWith('OS_'))
  const { OS_PROJECT_ID: _id, ...env } = Object.fromEntries([...own, ...given])
  const who = { OS_USERNAME: 'mary', OS_PASSWORD: twoProjects.users[0]?.password ?? '' }
  const script = fileURLToPath(new URL('openstack-libraries.py', import.meta.url))
  const said = await new Promise<string>((resolve, reject) => {
    execFile(
      python,
      [script],
      { env: { ...env, ...who, OS_PROJECT_NAME: 'one' }, timeout: 120_000 },
      (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`${stdout}${stderr}`)),
    )
  })
  assert.match(said, /sdk: deleted\n$/)
})
