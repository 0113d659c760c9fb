import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { until } from '#test/contract/driver.contract.ts'
import { parseStat, thisHost } from './host.ts'

const stat = (name: string, state: string): string => {
  const rest = Array.from({ length: 49 }, (_, n) => String(n + 4))
  return `4711 (${name}) ${[state, ...rest].join(' ')}`
}

describe('process: who is who', () => {
  test('a process may have any name and is still told by its start', () => {
    for (const name of ['sleep', 'a b', 'x) Z 1 (y', ') (', '']) {
      assert.deepEqual(parseStat(stat(name, 'S')), {
        started: '22',
        group: 5,
        isZombie: false,
        isHeld: false,
      })
    }
    assert.equal(parseStat(stat('gone', 'Z')).isZombie, true)
  })

  test('this very process is alive; with another start or in another life of the machine it is not', async () => {
    const host = thisHost()
    const child = spawn('sleep', ['1000'], { env: { MARK: 'one', PATH: process.env['PATH'] } })
    const ended = once(child, 'exit')
    const found = await until(
      'it is found',
      async () => (await host.withVariable('MARK', 'one'))[0],
    )
    assert.equal(found.pid, child.pid)
    assert.equal(host.isAlive(found), true)
    assert.equal(host.isAlive({ ...found, started: `${found.started}0` }), false)
    assert.equal(host.isAlive({ ...found, boot: 'another' }), false)
    assert.equal(host.groupOf({ ...found, boot: 'another' }), null)
    child.kill('SIGKILL')
    await ended
    assert.equal(host.isAlive(found), false)
  })

  test('a variable is found whole, never as a part of another', async () => {
    const env = { A_MARK: 'two', MARK: 'two-and-more', TEXT: 'MARK=two', PATH: process.env['PATH'] }
    const child = spawn('sleep', ['1000'], { env })
    const ended = once(child, 'exit')
    await until(
      'it runs',
      async () => (await thisHost().withVariable('A_MARK', 'two')).length === 1,
    )
    assert.deepEqual(await thisHost().withVariable('MARK', 'two'), [])
    child.kill('SIGKILL')
    await ended
  })
})
