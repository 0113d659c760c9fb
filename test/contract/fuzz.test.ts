// Every door, asked what nobody would ask: requests spoilt in their meaning, from the doors' own tables, and spoilt in
// their bytes, on sockets of their own. Whatever comes, there is an answer in the door's words and soon, none of them
// is ours to be sorry for, the log has no bug, and memory returns to where it was.
//
// RUNSTATE_TEST_FUZZ=<n> asks so often; RUNSTATE_TEST_SEED=<seed> asks other things.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { chance, type Chance } from '#test/harness/chance.ts'
import { type Ask, asked, hear, held, parametersOf, targetOf } from '#test/harness/door-call.ts'
import { actionParams, ecsIdOf, samples } from '#test/harness/door-samples.ts'
import { type DoorRoute, doorStage, everyRoute, type Stage } from '#test/harness/door-stage.ts'
import { scaled } from '#test/harness/scale.ts'
import { spoiltBytes, spoiltValue, strangeHeaders } from '#test/harness/spoil.ts'

const requests = scaled('RUNSTATE_TEST_FUZZ', 2_000, 200_000)
const raw = Math.ceil(requests / 10)
const dice = chance(Number(process.env['RUNSTATE_TEST_SEED'] ?? 1))
const grownMiBMax = 160

let stage: Stage
const errors: string[] = []
before(async () => {
  stage = await doorStage((line) => {
    if (Number(/"level":(\d+)/.exec(line)?.[1]) >= 50) errors.push(line)
  })
})
after(() => stage.w.close())

/** Streams have no end, and a token that is revoked asks nothing more; both have tests of their own. */
const isAsked = ({ operation }: DoorRoute): boolean => !/stream|watch|revoke/i.test(operation)
const routes = everyRoute.filter(isAsked)

const collect = (): void => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void // there once the flag is set
  gc()
}
const heapMiB = (): number => {
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
}

describe('requests spoilt in their meaning', () => {
  it(`${requests} of them: each is answered in the door's own words, and nothing breaks`, async () => {
    const beforeMiB = heapMiB()
    const statuses = new Map<number, number>()
    let left = requests
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const { route, ask } = spoilt()
        try {
          const heard = await hear(stage.w.url, ask)
          statuses.set(heard.status, (statuses.get(heard.status) ?? 0) + 1)
          held(route, ask, heard)
        } catch (broken) {
          // The other lanes end as well: what comes next has the server for itself.
          left = 0
          throw broken
        }
      }
    }
    await Promise.all(Array.from({ length: 8 }, lane))
    assert.deepEqual(errors.slice(0, 3), [])
    assert.ok(!('polluted' in {}) && Object.keys(Object.prototype).length === 0)
    // Most are refused, or nothing was spoilt; some pass, or nothing but the first check was met.
    assert.ok(
      [...statuses.keys()].some((status) => status < 300),
      JSON.stringify([...statuses]),
    )
    const grownMiB = heapMiB() - beforeMiB
    assert.ok(grownMiB < grownMiBMax, `${grownMiB.toFixed(0)} MiB more than before`)
  })
})

function spoilt(): { readonly route: DoorRoute; readonly ask: Ask } {
  const { roll, pick } = dice
  const route = oneOf(routes)
  const { mary, rita, ada, otto } = stage.people
  // What an administrator puts in place changes what everybody else is answered.
  const who = route.operation.startsWith('put') ? mary : pick([mary, mary, ada, rita, otto, null])
  const sample = samples[route.operation]
  const params = Object.fromEntries(
    Object.entries({
      ...(route.operations ? actionParams(ecsIdOf(stage)) : sample?.params),
      ...(roll() < 0.3
        ? { [pick(['limit', 'marker', 'offset', 'sort_key', 'PageSize'])]: 'x' }
        : {}),
    }).map(([name, value]) => [name, roll() < 0.3 ? text(spoiltValue(value, dice)) : value]),
  )
  const [parameter] = roll() < 0.2 ? parametersOf(route) : []
  const target = targetOf(
    stage,
    route,
    parameter ? { [parameter]: encodeURIComponent(text(spoiltValue('', dice)).slice(0, 300)) } : {},
  )
  const body = sample?.body
    ? JSON.stringify(roll() < 0.9 ? spoiltValue(sample.body, dice) : sample.body)
    : undefined
  const action = route.operations && oneOf(route.operations).operation
  const ask = asked(stage, route, who, {
    target,
    params,
    ...(body === undefined || route.verb === 'GET'
      ? {}
      : { body: roll() < 0.15 ? spoiltBytes(Buffer.from(body), dice) : body }),
    ...(action === undefined ? {} : { action }),
    ...(roll() < 0.05 && route.path !== '/'
      ? { method: pick(['PUT', 'PATCH', 'DELETE', 'POST', 'OPTIONS']) }
      : {}),
  })
  const headers = roll() < 0.25 ? { ...ask.headers, ...strangeHeader(dice) } : ask.headers
  return { route, ask: { ...ask, headers } }
}

function strangeHeader({ pick }: Chance): Record<string, string> {
  const [name, ...values] = oneOf(strangeHeaders)
  return { [name]: pick(values as [string, ...string[]]) } // each has at least one
}

const text = (value: unknown): string => {
  const all = typeof value === 'string' ? value : JSON.stringify(value)
  // What goes into a URL is well formed: half a character cannot be escaped.
  return all.toWellFormed().slice(0, 4_000)
}

function oneOf<T>(all: readonly T[]): T {
  const one = all[dice.upTo(all.length - 1)]
  assert.ok(one !== undefined)
  return one
}

interface Said {
  readonly text: string
  readonly statuses: readonly number[]
}

/** Sends bytes on a connection of their own; hears what comes until it is closed, quiet for a moment, or enough. */
function say(bytes: Buffer | string, quietMs = 150, enough = Infinity): Promise<Said> {
  const { hostname, port } = new URL(stage.w.url)
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname)
    socket.setTimeout(quietMs, () => socket.destroy())
    let answers = 0
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      answers += chunk.toString('latin1').split('HTTP/1.1 ').length - 1
      if (answers >= enough) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      const all = Buffer.concat(chunks).toString('latin1')
      const statuses = [...all.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) =>
        Number(status),
      )
      resolve({ text: all, statuses })
    })
    socket.on('connect', () => socket.write(bytes))
  })
}

const lines = (...all: readonly string[]): string => all.map((line) => `${line}\r\n`).join('')

async function alive(): Promise<void> {
  const response = await fetch(`${stage.w.url}/healthz`)
  assert.equal(response.status, 200)
}

describe('requests spoilt in their bytes', () => {
  it(`${raw} of them: no answer is a 5xx, and the next caller is served`, async () => {
    const seeds = seedsOf()
    let left = raw
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const bytes = spoiltBytes(oneOf(seeds), dice)
        const { statuses, text: said } = await say(bytes, 60)
        const what = `${JSON.stringify(bytes.toString('latin1').slice(0, 300))} was answered ${said.slice(0, 200)}`
        for (const status of statuses) assert.ok(status < 500 || status === 505, what)
      }
    }
    await Promise.all(Array.from({ length: 16 }, lane))
    await alive()
    assert.deepEqual(errors.slice(0, 3), [])
  })

  /** One whole request for each door, as it goes on the wire. */
  function seedsOf(): readonly Buffer[] {
    return routes
      .filter(({ verb }) => verb !== 'HEAD')
      .map((route) => {
        const body = JSON.stringify(samples[route.operation]?.body ?? {})
        const sent = route.verb === 'GET' ? {} : { body }
        const ask = asked(stage, route, stage.people.mary, sent)
        const headers = Object.entries(ask.headers).map(([name, value]) => `${name}: ${value}`)
        const length = route.verb === 'GET' ? [] : [`content-length: ${Buffer.byteLength(body)}`]
        const head = lines(
          `${ask.method} ${ask.target} HTTP/1.1`,
          'host: h',
          ...headers,
          ...length,
          '',
        )
        return Buffer.from(head + (route.verb === 'GET' ? '' : body))
      })
  }
})

/** Two servers that disagree about where a request ends would take the rest for another one. */
const hidden = (id: string): string =>
  lines(`DELETE /api/v1/instances/${id} HTTP/1.1`, 'host: h', 'authorization: Bearer TOKEN', '', '')
const smuggled: Readonly<Record<string, (inner: string) => string>> = {
  'a length and chunks': (inner) =>
    lines(
      'POST /api/v1/instances HTTP/1.1',
      'host: h',
      'content-length: 4',
      'transfer-encoding: chunked',
      '',
      '0',
      '',
    ) + inner,
  'two lengths': (inner) =>
    lines(
      'POST /api/v1/instances HTTP/1.1',
      'host: h',
      'content-length: 0',
      `content-length: ${inner.length}`,
      '',
    ) + inner,
  'chunks in other words': (inner) =>
    lines(
      'POST /api/v1/instances HTTP/1.1',
      'host: h',
      'transfer-encoding: xchunked',
      `content-length: 0`,
      '',
    ) + inner,
  'chunks twice': (inner) =>
    lines(
      'POST /api/v1/instances HTTP/1.1',
      'host: h',
      'transfer-encoding: chunked, identity',
      '',
      '0',
      '',
    ) + inner,
  'a length with a sign': (inner) =>
    lines('POST /api/v1/instances HTTP/1.1', 'host: h', 'content-length: +0', '') + inner,
  'a header with a blank before its colon': (inner) =>
    lines('POST /api/v1/instances HTTP/1.1', 'host: h', `content-length : ${inner.length}`, '') +
    inner,
  'a header that goes on in the next line': (inner) =>
    lines('POST /api/v1/instances HTTP/1.1', 'host: h', 'x-a: b', ' content-length: 0', '') + inner,
  'a chunk whose size is none': (inner) =>
    lines(
      'POST /api/v1/instances HTTP/1.1',
      'host: h',
      'transfer-encoding: chunked',
      '',
      'zz',
      '',
    ) + inner,
  'line feeds alone': (inner) =>
    `POST /api/v1/instances HTTP/1.1\nhost: h\ncontent-length: 0\n\n${inner.replaceAll('\r', '')}`,
}

const stray: Readonly<Record<string, Buffer | string>> = {
  'HTTP of 1991': 'GET /\r\n',
  'another version': lines('GET / HTTP/3.7', 'host: h', ''),
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'the start of TLS': Buffer.from('16030100c8010000c40303', 'hex'),
  'no host': lines('GET /healthz HTTP/1.1', ''),
  'two hosts': lines('GET /healthz HTTP/1.1', 'host: a', 'host: b', ''),
  'a target with a host': lines('GET http://elsewhere/healthz HTTP/1.1', 'host: h', ''),
  'a NUL in the path': lines('GET /health\0z HTTP/1.1', 'host: h', ''),
  'a tunnel': lines('CONNECT 127.0.0.1:22 HTTP/1.1', 'host: h', ''),
  'a websocket where there is none': lines(
    'GET /api/v1/instances HTTP/1.1',
    'host: h',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
    '',
  ),
  'frames of a websocket that was never opened': Buffer.from('8185000000006868686868', 'hex'),
  'headers of 64 KiB': lines('GET /healthz HTTP/1.1', 'host: h', `x: ${'a'.repeat(65_536)}`, ''),
  'two thousand headers': lines(
    'GET /healthz HTTP/1.1',
    'host: h',
    ...Array.from({ length: 2_001 }, (_, n) => `a${n}: b`),
    '',
  ),
  'a path of 64 KiB': lines(`GET /${'a'.repeat(65_536)} HTTP/1.1`, 'host: h', ''),
}

describe('shapes of attacks', () => {
  it('nothing is smuggled past the end of a request', async () => {
    const { people, w } = stage
    // An administrator among those before may have taken both away.
    const kinds = ['server']
    await people.ada.native.change('PUT', '/images/sim', { kinds })
    const attributes = { createMs: 1, startMs: 1, stopMs: 1, hardStopMs: 1, removeMs: 1 }
    await people.ada.native.change('PUT', '/flavors/instant', {
      driver: 'simulated',
      kinds,
      attributes,
    })
    const server = await people.mary.native.server({ flavor: 'instant' })
    for (const [what, shape] of Object.entries(smuggled)) {
      const inner = hidden(server.id).replace('TOKEN', people.mary.token)
      const { statuses } = await say(shape(inner))
      for (const status of statuses) assert.ok(status < 500, `${what}: ${status}`)
      const row = await w.plane.read.get('instances', server.id)
      // A body of no length is followed by the next request in all openness: that is no smuggling.
      assert.ok(statuses.length <= 1 || !isAmbiguous(what), `${what}: ${statuses.join(' ')}`)
      assert.ok(row?.intent.want === 'up' || !isAmbiguous(what), `${what} removed it`)
    }
  })

  it('what is no request of ours is refused, and the next caller is served', async () => {
    for (const [what, bytes] of Object.entries(stray)) {
      const { statuses } = await say(bytes)
      for (const status of statuses) assert.ok(status < 500 || status === 505, `${what}: ${status}`)
      await alive()
    }
    assert.deepEqual(errors.slice(0, 3), [])
  })

  it('two hundred that never end their request keep nobody waiting', async () => {
    const { hostname, port } = new URL(stage.w.url)
    const open = Array.from({ length: 200 }, () => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      socket.write('POST /api/v1/instances HTTP/1.1\r\nhost: h\r\ncontent-length: 1000\r\n')
      return socket
    })
    try {
      for (let round = 0; round < 5; round++) {
        for (const socket of open) socket.write(`x-${round}: y\r\n`)
        const sinceMs = performance.now()
        await alive()
        assert.ok(performance.now() - sinceMs < 2_000, 'others wait')
      }
    } finally {
      for (const socket of open) socket.destroy()
    }
  })

  it('a hundred requests at once on one connection are answered in order', async () => {
    const one = lines('GET /healthz HTTP/1.1', 'host: h', '')
    const { statuses } = await say(one.repeat(100), 5_000, 100)
    assert.deepEqual(new Set(statuses), new Set([200]))
    assert.equal(statuses.length, 100)
  })
})

/** Whose end two readers may see in two places. */
const isAmbiguous = (what: string): boolean => what !== 'line feeds alone'
