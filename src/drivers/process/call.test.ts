// Whatever is asked, and of whom, there is an answer, and in time: who waits for one that never comes is the server.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe } from 'node:test'
import { Held, until } from '#test/contract/driver.contract.ts'
import { law } from '#test/harness/process-bench.ts'
import { ask } from './call.ts'

const timeoutMs = 1000
const timing = { timeoutMs, intervalMs: 20 }
const place = {
  address: '127.0.0.1',
  cwd: '/',
  environment: {},
  signal: new AbortController().signal,
}

describe('process: what is asked is answered', () => {
  const commands = {
    ENOENT: '/nowhere/check',
    EACCES: '/etc',
    // Of these two Node does not tell the child's listeners: it throws.
    ENOTDIR: '/etc/passwd/check',
    ENAMETOOLONG: `/${'long'.repeat(100)}`,
  }
  for (const [code, command] of Object.entries(commands)) {
    law(`a command that the system refuses with ${code} is an answer`, async (bench) => {
      const call = { kind: 'exec', command: [command], ...timing } as const
      assert.match((await ask(call, place)) ?? '', new RegExp(`${code}$`))
      const probe = { kind: 'exec', command: [command], intervalMs: 20 }
      const held = new Held(bench.driver, bench.run({ command: ['sleep', '1000'], probe }))
      await held.do('create')
      await held.do('start')
      const { seen, ready, reason } = await held.look()
      assert.deepEqual([seen, ready], ['up', false])
      assert.match(reason ?? '', new RegExp(`is not ready: .*${code}$`))
    })
  }

  law('a server that leaves HTTP instead of answering has said no', async (_, t) => {
    const rude = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .once('data', () =>
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n',
          ),
        ),
    ).listen(0, '127.0.0.1')
    t.after(() => rude.close())
    await once(rude, 'listening')
    const { port } = rude.address() as { port: number } // it listens on TCP
    const url = `http://127.0.0.1:${port}/`
    let answer: string | null | undefined
    void ask({ kind: 'http', url, method: 'GET', ...timing }, place).then((said) => (answer = said))
    await until('there is an answer', () => answer !== undefined)
    assert.match(answer ?? '', /without an answer$/)
  })
})
