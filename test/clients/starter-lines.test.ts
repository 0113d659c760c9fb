// The lines that a first start prints "ready to paste", pasted: into a shell, with what credentials.env holds.
//
// Those of curl and of our own command line are run here; `openstack` and `ve` have tests of their own.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { run } from '#test/harness/cli.ts'
import { type ServerProcess, startServer } from '#test/harness/server.ts'
import { until } from '#test/harness/world.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'runstate-paste-'))
const data = join(folder, 'data')
let server: ServerProcess

before(async () => {
  mkdirSync(data)
  server = await startServer(data, '')
  // Whoever pastes is slower than the fleet.
  await until(
    async () => (await server.call('GET', '/api/v1/operations?state=running&limit=1')).body,
    ({ items }) => (items as readonly unknown[]).length === 0,
    30_000,
  )
})
after(async () => {
  await server.end('SIGTERM')
  // The starter fleet has real processes, which outlive their server.
  await run(['serve', '--stop-all'], { env: { RUNSTATE_DATA: data } })
  rmSync(folder, { recursive: true, force: true })
})

async function paste(line: string): Promise<string> {
  const script = `set -a; . ${data}/credentials.env; set +a\n${line}`
  const { stdout } = await promisify(execFile)('bash', ['-ec', script], { cwd: root })
  return stdout
}

test('each line that is ready to paste does what it says', async () => {
  const printed = server.stdout().matchAll(/^ {2}(\S+) +(\S.*)$/gm)
  const lines = new Map([...printed].map(([, door = '', line = '']) => [door, line]))
  assert.deepEqual(
    [...lines.keys()],
    [
      'nova',
      'huawei',
      'modelarts-service',
      'modelarts-notebook',
      'servicecomb',
      'volcengine',
      'native',
      'keystone',
    ],
  )
  for (const [door, line] of lines) {
    if (line.startsWith('curl')) assert.match(await paste(line), /^HTTP\/1\.1 20\d /, door)
    else if (line.startsWith('npx runstate')) assert.match(await paste(line), /web-1/, door)
  }
})
