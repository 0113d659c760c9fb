// kill -9 at any moment: what was acknowledged completes, nothing is doubled, what should run keeps its process.
// Real server, SQLite on disk, real processes, real sockets.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { processesOf, type ServerProcess, startServer } from '#test/harness/server.ts'
import { until } from '#test/harness/world.ts'

const rounds = Number(process.env['RUNSTATE_TEST_KILLS'] ?? 24)
const yaml = `
starter: false
catalogue:
  flavors:
    - { id: quick, driver: process, graceMs: 700 }
  images:
    - id: sleeper
      launch: { command: [sh, -c, "sleep 1000 & wait"] }
    - id: stubborn
      launch: { command: [sh, -c, "trap '' TERM; while :; do sleep 0.2; done"] }
`

describe('kill -9 of the server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'runstate-crash-'))
  const dataDir = join(folder, 'data')
  let server: ServerProcess

  before(async () => {
    mkdirSync(dataDir)
    server = await startServer(dataDir, yaml)
  })
  after(async () => {
    for (const id of await ids()) await server.call('DELETE', `/api/v1/instances/${id}`)
    await until(ids, (left) => left.length === 0, 20_000)
    await server.end('SIGTERM')
    rmSync(folder, { recursive: true, force: true })
  })

  const get = async (id: string) => (await server.call('GET', `/api/v1/instances/${id}`)).body
  const ids = async () =>
    ((await server.call('GET', '/api/v1/instances')).body['items'] as { id: string }[]).map(
      (row) => row.id,
    )
  const act = (id: string, body: Record<string, unknown>) =>
    server.call('POST', `/api/v1/instances/${id}/actions`, body)
  const create = async (name: string, image: string): Promise<string> => {
    const made = await server.call('POST', '/api/v1/instances', {
      kind: 'server',
      name,
      flavor: 'quick',
      image,
    })
    assert.ok(made.status < 300, JSON.stringify(made.body))
    const [id] = made.body['instances'] as string[]
    assert.ok(id)
    return id
  }
  const atRest = (id: string) =>
    until(
      () => get(id),
      (row) => row['busy'] === null,
      20_000,
    )
  const restart = async (): Promise<void> => {
    await server.end('SIGKILL')
    server = await startServer(dataDir, yaml)
  }

  it('an acknowledged stop completes, in one operation, and the bystander keeps its process', async () => {
    const bystander = await create('bystander', 'sleeper')
    await atRest(bystander)
    const pids = processesOf(bystander)
    assert.ok(pids.length > 0)
    for (let round = 0; round < rounds; round++) {
      const id = await create(`victim-${round}`, round % 2 === 0 ? 'sleeper' : 'stubborn')
      await atRest(id)
      const stop = await act(id, { action: 'stop', mode: round % 3 === 0 ? 'hard' : 'soft' })
      assert.ok(stop.status === 200 || stop.status === 202, JSON.stringify(stop.body))
      await pause(round * 40)
      await restart()
      assert.equal((await atRest(id))['state'], 'stopped', `round ${round}`)
      assert.deepEqual(processesOf(id), [], `round ${round}: the process is gone`)
      const operations = (await server.call('GET', `/api/v1/instances/${id}/operations`)).body[
        'items'
      ] as { verb: string; state: string }[]
      assert.deepEqual(
        operations.map((row) => `${row.verb} ${row.state}`).toSorted(),
        ['create succeeded', 'stop succeeded'],
        `round ${round}`,
      )
      assert.deepEqual(processesOf(bystander), pids, `round ${round}: what runs is left alone`)
      await server.call('DELETE', `/api/v1/instances/${id}`)
    }
    assert.equal((await get(bystander))['state'], 'running')
  })

  it('a start or restart that is cut short ends with exactly one process', async () => {
    const id = await create('twin', 'sleeper')
    await atRest(id)
    for (let round = 0; round < rounds; round++) {
      if (round % 2 === 0) {
        await act(id, { action: 'stop', mode: 'hard' })
        await atRest(id)
        await act(id, { action: 'start' })
      } else await act(id, { action: 'restart', mode: 'hard' })
      await pause(round * 7)
      await restart()
      assert.equal((await atRest(id))['state'], 'running', `round ${round}`)
      const shells = processesOf(id)
      // `sh` and its `sleep`: one tree, not two.
      assert.equal(shells.length, 2, `round ${round}: ${shells.join(', ')}`)
    }
  })

  it('a pause, an unpause or a rebuild that is cut short ends as it was asked, with one process', async () => {
    const id = await create('still', 'sleeper')
    await atRest(id)
    const asked = [
      [{ action: 'pause' }, 'paused'],
      [{ action: 'unpause' }, 'running'],
      [{ action: 'rebuild', image: 'sleeper' }, 'running'],
    ] as const
    let pids = processesOf(id)
    for (let round = 0; round < rounds; round++) {
      const [body, state] = asked[round % asked.length] ?? asked[0]
      const answer = await act(id, body)
      assert.ok(answer.status < 300, JSON.stringify(answer.body))
      await pause(Math.floor(round / asked.length) * 15)
      await restart()
      assert.equal((await atRest(id))['state'], state, `round ${round}`)
      const left = processesOf(id)
      assert.equal(left.length, 2, `round ${round}: ${left.join(', ')}`)
      if (body.action === 'rebuild') assert.notDeepEqual(left, pids, `round ${round}: made anew`)
      else assert.deepEqual(left, pids, `round ${round}: the same process`)
      pids = left
    }
  })

  it('a drain that is cut short takes it out of service, ends its process, and a start puts it back', async () => {
    const registry = '/v4/default/registry/microservices'
    const own = { serviceId: 'cut', serviceName: 'cut', appId: 'crash', version: '1.0.0' }
    await server.call('POST', registry, { service: own })
    const healthCheck = { mode: 'push', interval: 3_600, times: 3 }
    const instance = { instanceId: 'one', hostName: 'h', endpoints: ['rest://10.0.0.1:80'] }
    await server.call('POST', `${registry}/cut/instances`, {
      instance: { ...instance, healthCheck },
    })
    const id = await create('drained', 'sleeper')
    await atRest(id)
    await act(id, { action: 'bind', service: 'cut', instance: 'one' })
    const shown = async () => {
      const { body } = await server.call('GET', `${registry}/cut/instances/one`)
      return (body['instance'] as { status: string }).status
    }
    const drains = Math.ceil(rounds / 3)
    for (let round = 0; round < drains; round++) {
      const drain = await act(id, { action: 'stop', mode: 'drain', graceMs: 600 })
      assert.ok(drain.status < 300, JSON.stringify(drain.body))
      await pause(round * 130)
      await restart()
      assert.equal((await atRest(id))['state'], 'stopped', `round ${round}`)
      assert.deepEqual(processesOf(id), [], `round ${round}: the process is gone`)
      assert.equal(await shown(), 'OUTOFSERVICE', `round ${round}`)
      await act(id, { action: 'start' })
      await pause(round * 20)
      await restart()
      assert.equal((await atRest(id))['state'], 'running', `round ${round}`)
      assert.equal(processesOf(id).length, 2, `round ${round}: one process`)
      assert.equal(await shown(), 'UP', `round ${round}`)
    }
    const { body } = await server.call('GET', `/api/v1/instances/${id}/operations`)
    const ended = (body['items'] as { verb: string; state: string }[]).map(
      (row) => `${row.verb} ${row.state}`,
    )
    assert.deepEqual(
      new Set(ended),
      new Set(['create succeeded', 'stop succeeded', 'start succeeded']),
    )
    assert.equal(ended.length, 1 + 2 * drains)
  })

  it('a create that was not answered is absent or whole', async () => {
    for (let round = 0; round < rounds / 2; round++) {
      const name = `unanswered-${round}`
      const asked = server
        .call('POST', '/api/v1/instances', {
          kind: 'server',
          name,
          flavor: 'quick',
          image: 'sleeper',
        })
        .then(
          (made) => made.status,
          () => 'no answer',
        )
      await pause(round * 2)
      await restart()
      const answer = await asked
      const rows = (await server.call('GET', `/api/v1/instances?name=${name}`)).body['items'] as {
        id: string
      }[]
      if (typeof answer === 'number' && answer < 300)
        assert.equal(rows.length, 1, 'what was acknowledged is there')
      assert.ok(rows.length <= 1)
      for (const { id } of rows) assert.equal((await atRest(id))['state'], 'running')
    }
  })
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
