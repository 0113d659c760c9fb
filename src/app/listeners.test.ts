// Callers who send a byte now and then, to keep a connection for themselves (slow loris).

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Door } from '#doors/shared/http.ts'
import { closeListener, listener } from './listeners.ts'

const requestMs = 400
const plain = { 'content-type': 'text/plain' }
const door: Door = {
  name: 'open',
  routes: [
    {
      method: ['GET', 'POST'],
      path: '/',
      operation: 'greet',
      source: 'this test',
      handle: async ({ body }) => ({ status: 200, headers: plain, body: `${body.length} bytes` }),
    },
  ],
  claims: () => true,
  refuse: (why) => ({ status: 400, headers: plain, body: why }),
}

let app: FastifyInstance
let url: URL
before(async () => {
  const patience = { requestMs, checkEachMs: 50 }
  app = listener([door], pino({ level: 'silent' }), patience)
  url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
})
after(() => closeListener(app))

interface Drip {
  readonly heard: string
  readonly tookMs: number
}

/** Sends `first`, then a byte now and then until it is cut off. */
function drip(first: string): Promise<Drip> {
  return new Promise((resolve) => {
    const since = performance.now()
    let heard = ''
    const socket = connect(Number(url.port), url.hostname)
    socket.write(first)
    const dripping = setInterval(() => socket.write('x'), 20)
    socket.on('data', (data) => (heard += data.toString()))
    // Its next byte may meet a connection that is gone.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(dripping)
      resolve({ heard, tookMs: performance.now() - since })
    })
  })
}

const drips = {
  'a line that does not end': 'GET /',
  'a header that does not end': 'GET / HTTP/1.1\r\nHost: a\r\nX: ',
  'a body that does not end': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n',
}

describe('whoever keeps a request from ending', () => {
  for (const [what, first] of Object.entries(drips)) {
    it(`is cut off when its time is over: ${what}`, async () => {
      const { heard, tookMs } = await drip(first)
      assert.match(heard, /^HTTP\/1\.1 408 /)
      assert.match(heard, /connection: close/i)
      assert.ok(tookMs >= requestMs, `after ${tookMs} ms`)
    })
  }

  it('keeps nobody else from being served', async () => {
    const many = Array.from({ length: 200 }, () => drip(drips['a header that does not end']))
    const answer = await fetch(url, { method: 'POST', body: 'abc' })
    assert.deepEqual([answer.status, await answer.text()], [200, '3 bytes'])
    for (const { heard } of await Promise.all(many)) assert.match(heard, /^HTTP\/1\.1 408 /)
  })
})
