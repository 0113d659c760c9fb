// Libraries that OpenStack's programs are made of in Python, Go and Ruby, unmodified, as Debian packs them: what the
// `openstack` command does not cover. One that is not installed is skipped by name, or fails where it is required.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { twoProjects } from '#test/harness/openstack.ts'
import { type World, world } from '#test/harness/world.ts'

interface Library {
  readonly packages: string
  readonly command: string
  readonly args: readonly string[]
  /** Does nothing, and ends well where the library is installed. */
  readonly probe: readonly string[]
  readonly script: string
  readonly ends: RegExp
}

const libraries: Readonly<Record<string, Library>> = {
  'openstacksdk and novaclient': {
    packages: 'python3-openstacksdk and python3-novaclient',
    // Debian's own: another Python of the machine has none of its packages.
    command: '/usr/bin/python3',
    args: [],
    probe: ['-c', 'import openstack, novaclient'],
    script: 'openstack-libraries.py',
    ends: /sdk: deleted\n$/,
  },
  gophercloud: {
    packages: 'golang-go and golang-github-gophercloud-gophercloud-dev',
    command: 'go',
    args: ['run'],
    probe: ['list', 'github.com/gophercloud/gophercloud'],
    script: 'gophercloud.go',
    ends: /go: deleted\n$/,
  },
  'fog-openstack': {
    packages: 'ruby-fog-openstack',
    command: '/usr/bin/ruby',
    args: ['-W0'],
    probe: ['-e', "require 'fog/openstack'"],
    script: 'fog-openstack.rb',
    ends: /fog: deleted\n$/,
  },
}

/** Go finds Debian's sources as of old, by their place; and its library wants the domain under a name of its own. */
const goEnv = {
  GO111MODULE: 'off',
  GOPATH: '/usr/share/gocode',
  GOFLAGS: '',
  OS_DOMAIN_NAME: 'Default',
}
const isRequired = process.env['RUNSTATE_REQUIRE_CLIENTS'] === '1'

let w: World

before(async () => {
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

for (const [name, { packages, command, args, probe, script, ends }] of Object.entries(libraries)) {
  const isThere = spawnSync(command, probe, { env: { ...process.env, ...goEnv } }).status === 0
  const missing = `${packages}: not installed`
  const options = isThere || isRequired ? {} : { skip: missing }

  test(`a server’s life through ${name}`, options, async () => {
    assert.ok(isThere, missing)
    const own = Object.entries(process.env).filter(([key]) => !key.startsWith('OS_'))
    const given = Object.entries(w.credentials).filter(([key]) => key.startsWith('OS_'))
    const { OS_PROJECT_ID: _id, ...env } = Object.fromEntries([...own, ...given])
    const who = { OS_USERNAME: 'mary', OS_PASSWORD: twoProjects.users[0]?.password ?? '' }
    const path = fileURLToPath(new URL(script, import.meta.url))
    const said = await new Promise<string>((resolve, reject) => {
      execFile(
        command,
        [...args, path],
        { env: { ...env, ...goEnv, ...who, OS_PROJECT_NAME: 'one' }, timeout: 120_000 },
        (error, stdout, stderr) =>
          error === null ? resolve(stdout) : reject(new Error(`${stdout}${stderr}`)),
      )
    })
    assert.match(said, ends)
  })
}
