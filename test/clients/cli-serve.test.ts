// `runstate serve` and what needs nothing but its data folder: the ready line, the credentials,
// signals; and a wait and a stream that outlast a server that is killed and started again.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Ended, run, type Running, start } from '#test/harness/cli.ts'
import { until } from '#test/harness/world.ts'

let folder = ''
/** Ended after a test that failed too: a server that goes on would keep the run from ending. */
const servers: Running[] = []
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'runstate-serve-'))
})
after(async () => {
  for (const { child } of servers) child.kill('SIGTERM')
  await Promise.all(servers.map(({ ended }) => ended))
  await run(['serve', '--stop-all'], { env: here() })
  rmSync(folder, { recursive: true, force: true })
})

const here = (): Readonly<Record<string, string>> => ({
  RUNSTATE_DATA: folder,
  RUNSTATE_STARTER: '0',
})
const cli = (...args: readonly string[]): Promise<Ended> =>
  run(args, { env: { RUNSTATE_DATA: folder } })

async function serving(port: string): Promise<{ readonly server: Running; readonly url: string }> {
  // The published command, with the wrapper that finds its Node.
  const server = start(['serve', '--port', port], { env: here(), program: 'bin/runstate.mjs' })
  servers.push(server)
  const url = await until(
    async () => /^runstate ready (http:\/\/\S+)$/m.exec(server.out())?.[1],
    (found) => found !== undefined,
    30_000,
  )
  return { server, url: url ?? '' }
}

test('what a server wrote is enough to reach it; without one there is a clear line', async () => {
  const none = await cli('credentials')
  assert.deepEqual([none.code, none.out], [1, ''])
  assert.match(none.err, /there is no .*credentials\.env; a first runstate serve writes it/)
  const { server, url } = await serving('0')
  const printed = await cli('credentials')
  assert.match(printed.out, new RegExp(`^RUNSTATE_URL=${url}$`, 'm'))
  assert.match((await cli('credentials', '--export')).out, /^export RUNSTATE_TOKEN='[^']+'$/m)
  const named = JSON.parse((await cli('credentials', '-o', 'json')).out) as Record<string, string> // keys and values
  assert.equal(named['RUNSTATE_URL'], url)
  const listed = await cli('ls')
  assert.deepEqual([listed.code, listed.err], [0, 'no instances\n'])
  const elsewhere = await run(['ls', '--url', 'http://127.0.0.1:9'], {
    env: { RUNSTATE_DATA: folder },
  })
  assert.deepEqual(
    [elsewhere.code, /no token for http:\/\/127\.0\.0\.1:9/.test(elsewhere.err)],
    [2, true],
    'the token is for its own server alone',
  )
  server.child.kill('SIGTERM')
  const { code, out } = await server.ended
  assert.equal(code, 0)
  assert.match(out, /runstate stopped\n$/)
})

test('a flag that the server does not know is its own to refuse', async () => {
  const { code, err } = await run(['serve', '--colour', 'red'], { env: here() })
  assert.equal(code, 2)
  assert.match(err, /colour/)
})

test('a wait and a stream outlast a server that is killed and started again', async () => {
  const first = await serving('0')
  const { port } = new URL(first.url)
  const launch = '{"scenario":{"stopMs":4000}}'
  assert.equal(
    (await cli('create', 'survivor', '--flavor', 'sim.small', '--image', 'sim', '--launch', launch))
      .code,
    0,
  )
  const last = (await cli('events', '--limit', '1', '-o', 'name')).out.trim()
  const following = start(
    ['events', '-f', '--after', last, '-o', 'name', '--type', 'instance.state'],
    {
      env: { RUNSTATE_DATA: folder },
    },
  )
  const waiting = start(['stop', 'survivor', '-o', 'json'], { env: { RUNSTATE_DATA: folder } })
  await until(
    async () => following.out(),
    (text) => text.includes('\n'),
  )
  const app = await pidBelow(first.server)
  process.kill(app, 'SIGKILL')
  assert.notEqual((await first.server.ended).code, 0)
  const second = await serving(port)
  const { code, out, err } = await waiting.ended
  assert.equal(code, 0, err)
  const [row] = JSON.parse(out) as { operation: { state: string } }[] // what -o json promises
  assert.equal(row?.operation.state, 'succeeded')
  await until(
    async () => following.out().trim().split('\n').length,
    (count) => count >= 2,
  )
  following.child.kill('SIGINT')
  const heard = await following.ended
  assert.equal(heard.code, 0)
  const all = (await cli('events', '--type', 'instance.state', '-o', 'name')).out.trim().split('\n')
  assert.deepEqual(heard.out.trim().split('\n'), all.slice(-2), 'stopping and stopped, each once')
  second.server.child.kill('SIGTERM')
  assert.equal((await second.server.ended).code, 0)
})

/** The server is a grandchild: wrapper, command line, server. */
async function pidBelow({ child }: Running): Promise<number> {
  const { processes } = await import('#test/harness/proc.ts')
  const childOf = (pid: number | undefined): number | undefined =>
    processes().find((one) => one.parent === pid)?.pid
  const server = childOf(childOf(child.pid))
  assert.ok(server !== undefined)
  return server
}
