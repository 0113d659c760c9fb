// Laws of the scheme: what the vendor's own signers signed verifies, nothing else does, and each
// failure is the one that the gateway reports first.
// Source: ECS contract, sections 4.6 and 5; the constants were computed by the official signers.

import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { SignedRequest } from '#doors/shared/signature.ts'
import { checkService, checkWindow, parse, verify } from './signature.ts'

const secret = 'c2VjcmV0RXhhbXBsZQ=='
const date = '20240521T102355Z'
const signedAtMs = Date.UTC(2024, 4, 21, 10, 23, 55)
const minuteMs = 60_000
const scope = '20240521/cn-beijing/ecs/request'
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const instance = 'InstanceId=i-3tiefmkskq3vj0x0abcd'
const stop = [
  'Action=StopInstance&ClientToken=tok-1&ForceStop=true',
  instance,
  'StoppedMode=KeepCharging&Version=2020-04-01',
].join('&')
const allHeaders = 'content-type;host;x-content-sha256;x-date'

type Headers = Record<string, string>
type Wire = SignedRequest & { readonly headers: Headers }

const authorizationOf = (
  signedHeaders: string,
  signature: string,
  credential = `AKLTEXAMPLE/${scope}`,
) => `HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`

function inHeader(
  rawQuery: string,
  signedHeaders: string,
  signature: string,
  { body = '', ...headers }: Headers = {},
): Wire {
  return {
    method: body === '' ? 'GET' : 'POST',
    rawPath: '/',
    rawQuery,
    headers: {
      host: '127.0.0.1:8080',
      'content-type': 'text/plain',
      'x-date': date,
      ...headers,
      authorization: authorizationOf(signedHeaders, signature),
    },
    body: Buffer.from(body),
  }
}

const ownQueries = [
  'Action',
  'InstanceId',
  'Version',
  'X-Algorithm',
  'X-Credential',
  'X-Date',
  'X-NotSignBody',
  'X-SignedHeaders',
]

function presigned(signedHeaders: string, queries: readonly string[], signature: string): Wire {
  const credential = encodeURIComponent(`AKLTEXAMPLE/${scope}`)
  const list = encodeURIComponent(queries.join(';'))
  return {
    method: 'GET',
    rawPath: '/',
    rawQuery: [
      `Action=StopInstance&${instance}&Version=2020-04-01`,
      `X-Algorithm=HMAC-SHA256&X-Credential=${credential}&X-Date=${date}&X-NotSignBody=`,
      `X-SignedHeaders=${signedHeaders}&X-SignedQueries=${list}&X-Signature=${signature}`,
    ].join('&'),
    headers: { host: '127.0.0.1:8080' },
    body: Buffer.alloc(0),
  }
}

const torture = [
  'Action=ModifyInstanceAttribute',
  'Version=2020-04-01',
  instance,
  "Description=a+b%2Bc%2Fd%3D%C3%A9*~(x)'!",
  'InstanceName=',
  'InstanceIds.10=x',
  'InstanceIds.2=y',
].join('&')

const v1 = inHeader(
  stop,
  'host;x-date',
  '218c1286a613517883c7be2d54943dca05bc8b4d1f00411a759e45974295e47d',
)
const v4 = inHeader(
  'Action=StopInstance&Version=2020-04-01',
  'x-content-sha256;x-date',
  'c0d5271f06c14975856ec9054e9d72b0771d39c5f69ad93a9ded01f3e5f39530',
  {
    body: '{"InstanceId":"i-3tiefmkskq3vj0x0abcd","ForceStop":true}',
    'content-type': 'application/json',
    'x-content-sha256': '98044e04b6d03fe177ceb613b4a09888783e9c9ab7c2e9744a00c32bc19bbcc0',
  },
)
const v6 = presigned(
  'host',
  ownQueries,
  'd35462add1dafb3cea1fe184d4095d9ad1a916124c76b0c574a9f3aab744b661',
)
const v8 = presigned(
  'host',
  [...ownQueries, 'X-SignedQueries'],
  '2fc4302117cebca31e44605e1b1e6a9e98adcebc4e80b58633f9a514b91ac05d',
)

const vectors: Record<string, Wire> = {
  V1: v1,
  V2: inHeader(
    stop,
    allHeaders,
    'e5b05e0b8f1cc39a26897996a44892507bbc94af85b5a54465bdbd74e02d8475',
    { 'x-content-sha256': emptyHash },
  ),
  V3: inHeader(stop, 'x-date', 'e2c1cba301f0be4286bde41366c8b92ad2a9dba64a8e7530d163f80c9d931e42'),
  V4: v4,
  V5: inHeader(
    torture,
    `${allHeaders};x-security-token`,
    'e5020a197ff16444d7257116d6678b8270e4b42e2dee5ce6c4de716d1cc6aeb7',
    { 'x-content-sha256': emptyHash, 'x-security-token': 'STSTOKEN' },
  ),
  V6: v6,
  V7: presigned('', ownQueries, 'd09e6af96cefdbeda10e9503dfd513375e24f6d5bbd95371ef464531ca5bba4d'),
  V8: v8,
}

/**
 * 'ok', or the code of the first refusal; no refusal may tell the secret or the right signature.
 */
function outcome(request: SignedRequest, atMs = signedAtMs, key = secret): string {
  const parsed = parse(request)
  const result = parsed.ok ? verify(request, parsed.value, key, atMs) : parsed
  if (result.ok) return 'ok'
  const told = JSON.stringify(result.error)
  assert.ok(!told.includes(key), 'a refusal told the secret')
  assert.doesNotMatch(told, /[0-9a-f]{64}/)
  return 'because' in result.error
    ? `${result.error.code} ${result.error.because}`
    : result.error.code
}

const withHeaders = (request: Wire, headers: Headers): Wire => ({
  ...request,
  headers: { ...request.headers, ...headers },
})
const without = (request: Wire, name: string): Wire => {
  const { [name]: _, ...headers } = request.headers
  return { ...request, headers }
}
const asking = (request: Wire, from: string | RegExp, to: string): Wire => {
  const rawQuery = request.rawQuery.replace(from, to)
  assert.notEqual(rawQuery, request.rawQuery, 'the planted change changes nothing')
  return { ...request, rawQuery }
}

const encode = (text: string) =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

interface Signing {
  readonly region?: string
  readonly method: string
  readonly pairs: readonly (readonly [string, string])[]
  readonly lines: string
  readonly signedHeaders: string
  readonly payload: string
}

/**
 * The scheme as its vendor's signers write it, on its own: nothing of it comes from what is tested.
 */
function signatureOf(signing: Signing): string {
  const { region = 'cn-beijing', method, pairs, lines, signedHeaders, payload } = signing
  const query = pairs
    .map(([name, value]) => ({ name: encode(name), value: encode(value) }))
    .sort(
      (a, b) =>
        Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) ||
        Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)),
    )
    .map(({ name, value }) => `${name}=${value}`)
    .join('&')
  const canonical = [method, '/', query, lines, signedHeaders, payload].join('\n')
  const digest = createHash('sha256').update(canonical).digest('hex')
  const mac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text)
  let key: string | Buffer = secret
  const elements = ['20240521', region, 'ecs', 'request']
  for (const element of elements) key = mac(key, element).digest()
  return mac(key, `HMAC-SHA256\n${date}\n${elements.join('/')}\n${digest}`).digest('hex')
}

/**
 * Signs a presigned request anew over the queries it names, so that only the rules can refuse it.
 */
function presignAnew(request: Wire, names: readonly string[]): Wire {
  const query = new URLSearchParams(request.rawQuery)
  query.set('X-SignedQueries', names.join(';'))
  query.delete('X-Signature')
  const pairs = [...query].filter(([name]) => names.includes(name))
  const lines = `host:${request.headers['host']}\n`
  const signing = { method: request.method, pairs, lines, signedHeaders: 'host' }
  query.set('X-Signature', signatureOf({ ...signing, payload: emptyHash }))
  return { ...request, rawQuery: query.toString() }
}

/** Every text that differs from this one in one bit. */
function* flipsOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 1) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      const flipped = String.fromCharCode(text.charCodeAt(at) ^ bit)
      yield text.slice(0, at) + flipped + text.slice(at + 1)
    }
  }
}

suite('vectors', () => {
  for (const [name, request] of Object.entries(vectors)) {
    test(`${name} verifies, again and again`, () => {
      assert.equal(outcome(request), 'ok')
      assert.equal(outcome(request), 'ok')
    })
    test(`${name} under another secret does not`, () => {
      assert.equal(outcome(request, signedAtMs, `${secret}x`), 'SignatureDoesNotMatch signature')
    })
  }

  test('the wire form of a query does not matter, its meaning does', () => {
    const { V5 } = vectors
    assert.ok(V5)
    assert.equal(outcome(asking(V5, 'a+b%2Bc%2Fd%3D', 'a%20b%2bc/d=')), 'ok')
    assert.equal(outcome(asking(V5, 'InstanceName=', 'InstanceName&')), 'ok')
    assert.match(outcome(asking(V5, 'a+b%2Bc', 'a+b+c')), /^SignatureDoesNotMatch/)
  })

  test('the owner, the scope and the security token are read from either form', () => {
    for (const request of [vectors['V5'], asking(v6, /$/, '&X-Security-Token=STSTOKEN')]) {
      assert.ok(request)
      const parsed = parse(request)
      assert.ok(parsed.ok)
      const { accessKeyId, region, service, securityToken } = parsed.value
      assert.deepEqual([accessKeyId, region, service], ['AKLTEXAMPLE', 'cn-beijing', 'ecs'])
      assert.equal(securityToken, 'STSTOKEN')
      assert.equal(outcome(request), 'ok')
    }
  })
})

suite('what is signed cannot change', () => {
  test('no bit of query, method or signature in the header form', () => {
    for (const rawQuery of flipsOf(v1.rawQuery)) {
      assert.equal(outcome({ ...v1, rawQuery }), 'SignatureDoesNotMatch signature', rawQuery)
    }
    for (const signature of flipsOf(String(v1.headers['authorization']).slice(-64))) {
      const authorization = authorizationOf('host;x-date', signature)
      assert.notEqual(outcome(withHeaders(v1, { authorization })), 'ok')
    }
    assert.equal(outcome({ ...v1, method: 'POST' }), 'SignatureDoesNotMatch signature')
    assert.equal(outcome({ ...v1, rawPath: '/x' }), 'SignatureDoesNotMatch signature')
  })

  test('no bit of a signed header or of the body', () => {
    for (const name of ['host', 'x-date']) {
      for (const value of flipsOf(String(v1.headers[name]))) {
        assert.notEqual(outcome(withHeaders(v1, { [name]: value })), 'ok', value)
      }
    }
    for (const body of flipsOf(v4.body.toString('latin1'))) {
      const changed = { ...v4, body: Buffer.from(body, 'latin1') }
      assert.equal(outcome(changed), 'SignatureDoesNotMatch body-hash')
      const hash = createHash('sha256').update(changed.body).digest('hex')
      const rehashed = withHeaders(changed, { 'x-content-sha256': hash })
      assert.equal(outcome(rehashed), 'SignatureDoesNotMatch signature')
    }
    assert.equal(outcome(without(v1, 'host')), 'SignatureDoesNotMatch header-absent')
  })

  test('no bit of a presigned query, unless it means the same', () => {
    const meaning = (rawQuery: string) => new URLSearchParams(rawQuery).toString()
    for (const request of [v6, v8]) {
      for (const rawQuery of flipsOf(request.rawQuery)) {
        const isSame = meaning(rawQuery) === meaning(request.rawQuery)
        assert.equal(outcome({ ...request, rawQuery }) === 'ok', isSame, rawQuery)
      }
    }
  })
})

suite('host', () => {
  const signing = {
    method: 'GET',
    pairs: [...new URLSearchParams(stop)],
    signedHeaders: 'host;x-date',
    payload: emptyHash,
  }
  const signedFor = (host: string, sent: string) => {
    const signature = signatureOf({ ...signing, lines: `host:${host}\nx-date:${date}\n` })
    return outcome(withHeaders(inHeader(stop, signing.signedHeaders, signature), { host: sent }))
  }

  test('may be signed without a default port, and only without that', () => {
    assert.equal(signedFor('h', 'h'), 'ok')
    for (const port of ['80', '443']) {
      assert.equal(signedFor('h', `h:${port}`), 'ok')
      assert.equal(signedFor(`h:${port}`, `h:${port}`), 'ok')
      assert.match(signedFor(`h:${port}`, 'h'), /^SignatureDoesNotMatch/)
    }
    assert.match(signedFor('h', 'h:8080'), /^SignatureDoesNotMatch/)
    assert.match(signedFor('h', 'h:8443'), /^SignatureDoesNotMatch/)
  })

  test('and other headers are compared with their blanks tidied', () => {
    const lines = `x-date:${date}\nx-note:a b\n`
    const signature = signatureOf({ ...signing, signedHeaders: 'x-date;x-note', lines })
    const request = inHeader(stop, 'x-date;x-note', signature, { 'x-note': ' a \t b ' })
    assert.equal(outcome(request), 'ok')
  })
})

suite('validity', () => {
  test('is 15 minutes, either way', () => {
    for (const request of Object.values(vectors)) {
      assert.equal(outcome(request, signedAtMs + 15 * minuteMs), 'ok')
      assert.equal(outcome(request, signedAtMs + 15 * minuteMs + 1), 'InvalidTimestamp')
      assert.equal(outcome(request, signedAtMs + 16 * minuteMs), 'InvalidTimestamp')
      assert.equal(outcome(request, signedAtMs - 15 * minuteMs), 'ok')
      assert.equal(outcome(request, signedAtMs - 15 * minuteMs - 1), 'InvalidTimestamp')
    }
  })

  test('is what X-Expires says, when that is signed', () => {
    for (const [expires, lastMs] of [
      ['60', 60_000],
      ['3600', 3_600_000],
      ['', 900_000],
    ] as const) {
      const request = asking(v6, /$/, `&X-Expires=${expires}`)
      const signed = presignAnew(request, [...ownQueries, 'X-Expires'])
      assert.equal(outcome(signed, signedAtMs + lastMs), 'ok')
      assert.equal(outcome(signed, signedAtMs + lastMs + 1), 'InvalidTimestamp')
      // Otherwise written, it must not fall back to the longer default.
      const disguised = asking(signed, /X-Expires=/, 'X%2DExpires=')
      assert.equal(outcome(disguised, signedAtMs + lastMs + 1), 'InvalidTimestamp')
      const unsigned = presignAnew(request, ownQueries)
      assert.equal(outcome(unsigned), 'SignatureDoesNotMatch unsigned')
      assert.equal(outcome(unsigned, signedAtMs + 15 * minuteMs + 1), 'InvalidTimestamp')
    }
    for (const expires of ['-1', '1e3', '60s', '1234567890']) {
      const request = asking(v6, /$/, `&X-Expires=${expires}`)
      const signed = presignAnew(request, [...ownQueries, 'X-Expires'])
      assert.equal(outcome(signed), 'InvalidTimestamp', expires)
    }
    const pairs = [...new URLSearchParams(`${stop}&X-Expires=60`)]
    const lines = `x-date:${date}\n`
    const signing = { method: 'GET', pairs, lines, signedHeaders: 'x-date', payload: emptyHash }
    const request = inHeader(`${stop}&X-Expires=60`, 'x-date', signatureOf(signing))
    assert.equal(outcome(request, signedAtMs + minuteMs), 'ok')
    assert.equal(outcome(request, signedAtMs + minuteMs + 1), 'InvalidTimestamp')
  })

  test('is known before the secret is', () => {
    for (const text of ['20240521T102360Z', '20240521', 'now']) {
      const parsed = parse(withHeaders(v1, { 'x-date': text }))
      assert.ok(parsed.ok, 'an unreadable moment is reported after the access key is known')
      const result = checkWindow(parsed.value, signedAtMs)
      assert.deepEqual(result, { ok: false, error: { code: 'InvalidTimestamp' } })
    }
  })
})

suite('a presigned request is refused whole', () => {
  test('when its own generator would not have made it', () => {
    assert.equal(outcome(presignAnew(v6, ownQueries)), 'ok')
    const itself = [...ownQueries, 'X-SignedQueries', 'X-Signature']
    assert.equal(outcome(presignAnew(v6, itself)), 'ok', 'a signature cannot cover itself')
    for (const name of ['Action', 'Version', 'InstanceId']) {
      const names = ownQueries.filter((other) => other !== name)
      assert.equal(outcome(presignAnew(v6, names)), 'SignatureDoesNotMatch unsigned', name)
    }
    const names = ownQueries.filter((name) => name !== 'X-Date')
    assert.equal(outcome(presignAnew(v6, names)), 'SignatureDoesNotMatch date-not-signed')
    for (const parameter of ['Action=StopInstance&', 'Version=2020-04-01&']) {
      const request = presignAnew(asking(v6, parameter, ''), ownQueries)
      assert.equal(outcome(request), 'SignatureDoesNotMatch unsigned', parameter)
    }
  })

  test('when anything was added to it', () => {
    assert.equal(outcome(asking(v6, /$/, '&ForceStop=true')), 'SignatureDoesNotMatch unsigned')
    assert.equal(outcome(asking(v6, /$/, '&x-expires=1')), 'SignatureDoesNotMatch unsigned')
    assert.equal(outcome(asking(v6, /^/, `${instance}&`)), 'SignatureDoesNotMatch signature')
    assert.equal(outcome({ ...v6, body: Buffer.from('a=b') }), 'SignatureDoesNotMatch unsigned')
    assert.equal(
      outcome(asking(v6, /$/, '&X-Other=1')),
      'ok',
      'the gateway reads no such parameter',
    )
  })
})

suite('the first failure is the one reported', () => {
  const signature = '0'.repeat(64)
  const authorization = (text: string) => withHeaders(v1, { authorization: text })
  const credential = (text: string) =>
    authorization(authorizationOf('host;x-date', signature, text))
  const query = (rawQuery: string): Wire => ({ ...without(v1, 'authorization'), rawQuery })
  const rows: readonly (readonly [string, Wire, string])[] = [
    ['nothing', query(stop), 'MissingAuthenticationToken'],
    ['an empty header', authorization(''), 'MissingAuthenticationToken'],
    ['another scheme', authorization('AWS4-HMAC-SHA256 Credential=a'), 'InvalidAuthorization'],
    ['a bearer', authorization('Bearer abc'), 'InvalidAuthorization'],
    ['the scheme alone', authorization('HMAC-SHA256'), 'MissingSignature'],
    [
      'no signature',
      authorization(`HMAC-SHA256 Credential=A/${scope}, SignedHeaders=host`),
      'MissingSignature',
    ],
    ['no form', authorization('HMAC-SHA256 Credential'), 'InvalidAuthorization'],
    [
      'no credential',
      authorization('HMAC-SHA256 SignedHeaders=host, Signature=0'),
      'InvalidAuthorization',
    ],
    [
      'no header list',
      authorization(`HMAC-SHA256 Credential=A/${scope}, Signature=0`),
      'InvalidAuthorization',
    ],
    [
      'a header twice',
      authorization(authorizationOf('host;host', signature)),
      'InvalidAuthorization',
    ],
    ['four parts', credential('AKLTEXAMPLE/20240521/cn-beijing/ecs'), 'InvalidCredential'],
    ['six parts', credential(`AKLTEXAMPLE/${scope}/x`), 'InvalidCredential'],
    ['an empty part', credential('AKLTEXAMPLE/20240521//ecs/request'), 'InvalidCredential'],
    [
      'another end',
      credential('AKLTEXAMPLE/20240521/cn-beijing/ecs/aws4_request'),
      'InvalidCredential',
    ],
    ['another day', credential('AKLTEXAMPLE/20240520/cn-beijing/ecs/request'), 'InvalidCredential'],
    [
      'a part of bytes',
      credential('AKLTEXAMPLE/20240521/cn beijing/ecs/request'),
      'InvalidCredential',
    ],
    ['no date', without(v1, 'x-date'), 'MissingRequestInfo'],
    ['no date, wrong scope', without(credential('A/b'), 'x-date'), 'InvalidCredential'],
    [
      'a date unsigned',
      authorization(authorizationOf('host', signature)),
      'SignatureDoesNotMatch date-not-signed',
    ],
    [
      'a header that is no header',
      authorization(authorizationOf('constructor;x-date', signature)),
      'SignatureDoesNotMatch header-absent',
    ],
    ['a presigned one unsigned', asking(v6, /&X-Signature=.*/, ''), 'MissingSignature'],
    ['a presigned one of nobody', asking(v6, /&X-Credential=[^&]*/, ''), 'InvalidCredential'],
    [
      'a presigned one of another scheme',
      asking(v6, 'HMAC-SHA256', 'HMAC-SM3'),
      'InvalidAuthorization',
    ],
    ['a presigned one without date', asking(v6, /&X-Date=[^&]*/, ''), 'MissingRequestInfo'],
    [
      'a presigned one of no list',
      asking(v6, /&X-SignedQueries=[^&]*/, ''),
      'SignatureDoesNotMatch date-not-signed',
    ],
  ]
  for (const [name, request, code] of rows) {
    test(`${name}: ${code}`, () => {
      assert.equal(outcome(request), code)
    })
  }

  test('a header is tolerated without the blanks between its parts', () => {
    const text = String(v1.headers['authorization']).replaceAll(', ', ',')
    assert.equal(outcome(authorization(text)), 'ok')
  })

  test('a service that is not served is named after all else', () => {
    const parsed = parse(v1)
    assert.ok(parsed.ok)
    assert.ok(checkService(parsed.value, new Set(['ecs'])).ok)
    const error = { code: 'ServiceNotFound', service: 'ecs' }
    assert.deepEqual(checkService(parsed.value, new Set(['vpc'])), { ok: false, error })
  })
})

suite('any request', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => value.isWellFormed()),
    // Names that begin or repeat each other, and characters on either side of what joins them.
    fc.string({ unit: fc.constantFrom('a', '-', ':', '+', '%', ' '), maxLength: 2 }),
  )
  const pair = fc.tuple(
    text.filter((name) => name !== ''),
    text,
  )
  const plus = (value: string) => encodeURIComponent(value).replaceAll('%20', '+')

  test('verifies as it was signed and not otherwise', () => {
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 5 }), text, pair, (pairs, body, extra) => {
        const method = body === '' ? 'GET' : 'POST'
        const payload = createHash('sha256').update(body).digest('hex')
        const lines = `x-date:${date}\n`
        const signature = signatureOf({ method, pairs, lines, signedHeaders: 'x-date', payload })
        const raw = (all: typeof pairs) => all.map((each) => each.map(plus).join('=')).join('&')
        const request = inHeader(raw(pairs), 'x-date', signature, { body })
        assert.equal(outcome(request), 'ok')
        const longer = { ...request, rawQuery: raw([...pairs, extra]) }
        assert.equal(outcome(longer), 'SignatureDoesNotMatch signature')
        const other = { ...request, body: Buffer.from(`${body}x`) }
        assert.equal(outcome(other), 'SignatureDoesNotMatch signature')
      }),
    )
  })

  test('that is nonsense is refused, not thrown at', () => {
    const anything = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(anything, anything, anything, anything, (a, b, c, d) => {
        const request = { method: a, rawPath: b, rawQuery: c, body: Buffer.from(d) }
        for (const text of [d, authorizationOf(a, b), authorizationOf('x-date', b, c)]) {
          const headers = { [a]: b, 'x-date': date, authorization: text }
          assert.notEqual(outcome({ ...request, headers }), 'ok')
        }
        assert.notEqual(
          outcome({ ...request, rawQuery: v6.rawQuery + c, headers: { host: a } }),
          'ok',
        )
      }),
    )
  })

  test('of more scopes than are remembered verifies', () => {
    const pairs = [...new URLSearchParams(stop)]
    const signing = { method: 'GET', pairs, lines: `x-date:${date}\n`, payload: emptyHash }
    for (let call = 0; call < 900; call += 1) {
      const region = `r${call % 300}`
      const signature = signatureOf({ ...signing, region, signedHeaders: 'x-date' })
      const credential = `AKLTEXAMPLE/20240521/${region}/ecs/request`
      const authorization = authorizationOf('x-date', signature, credential)
      assert.equal(outcome(withHeaders(v1, { authorization })), 'ok')
      assert.equal(outcome(v1), 'ok')
    }
  })
})
