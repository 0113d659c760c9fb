// Laws of the scheme: what the vendor's own libraries signed verifies, and nothing else does.
// Source: identity contract, section 6.3; the constants there were produced by the Node library
// 3.1.211. The secret printed there has 25 digits; all seven signatures are those of the one with
// 22, which stands here.

import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { parse, verify } from './sdk-hmac.ts'
import type { SignedRequest } from './signature.ts'

const accessKeyId = 'TESTACCESSKEY0000001'
const secret = 'test-secret-key-0000000000000000000001'
const date = '20261121T000000Z'
const nowMs = Date.UTC(2026, 10, 21)
const minuteMs = 60_000
const project = '0123456789abcdef0123456789abcdef'
const server = '11111111-2222-4333-8444-555555555555'
const usual = 'content-type;host;x-project-id;x-sdk-date'

interface Vector {
  readonly method: string
  readonly path: string
  readonly query?: string
  readonly body?: string
  readonly headers?: Record<string, string>
  readonly signedHeaders?: string
  readonly signature: string
}

const vectors = {
  V1: {
    method: 'POST',
    path: `/v1/${project}/baremetalservers/action`,
    body: `{"os-stop":{"type":"HARD","servers":[{"id":"${server}"}]}}`,
    signature: '5530e59efaeb358689c65de99b8cb28c56b5c4e3657e941369612bcc6650773d',
  },
  V2: {
    method: 'GET',
    path: '/v3/projects',
    query: 'name=cn-north-4',
    body: '{}',
    signedHeaders: 'content-type;host;x-sdk-date',
    signature: '6f9aa056a6b65c00a3982ca4b38abc6729f6ec553deca6611891cdadc65e0d57',
  },
  V3: {
    method: 'GET',
    path: `/v1/${project}/cloudservers/detail`,
    query: 'limit=2&name=a%20b*~&tags=k%3Dv',
    headers: { 'x-security-token': 'ststoken' },
    signedHeaders: `${usual};x-security-token`,
    signature: '1c2810c45ae025f9de3a50e9513f3559e0b69917d65b41982ce9099571725da3',
  },
  V4: {
    method: 'POST',
    path: `/v2.1/${project}/servers/${server}/action`,
    body: '{"os-stop":{}}',
    signature: '8583856e101462769a8a4e9dc818499be05771889f6cfefd12413113247d2614',
  },
  V5: {
    method: 'GET',
    path: `/v2.1/${project}/os-keypairs/my%20key`,
    signature: 'bd1a1342454e343224f9e3309d0b5dad816c6a264bb3be3d003b6b5f771917e7',
  },
  V6: {
    method: 'PUT',
    path: `/v1/${project}/blob`,
    body: 'any bytes',
    headers: {
      'content-type': 'application/octet-stream',
      'x-sdk-content-sha256': 'UNSIGNED-PAYLOAD',
    },
    signedHeaders: 'content-type;host;x-project-id;x-sdk-content-sha256;x-sdk-date',
    signature: '0c5c3bebab30e9ac90d8d5356b30ec6e5fabf8916f8da64d2b89c11913cae3ce',
  },
  V7: {
    method: 'GET',
    path: `/v1/${project}/jobs/${server}`,
    signedHeaders: 'x-project-id;x-sdk-date',
    signature: 'a532d672a28a51a602eb1a309f8e0babd3f0a3cb8cffac387f197e017f4367d5',
  },
} as const satisfies Record<string, Vector>

const authorizationOf = (signedHeaders: string, signature: string) =>
  `SDK-HMAC-SHA256 Access=${accessKeyId}, SignedHeaders=${signedHeaders}, Signature=${signature}`

function requestOf(vector: Vector): SignedRequest & { headers: Record<string, string> } {
  return {
    method: vector.method,
    rawPath: vector.path,
    rawQuery: vector.query ?? '',
    headers: {
      'content-type': 'application/json',
      host: '127.0.0.1:8774',
      'x-project-id': project,
      'x-sdk-date': date,
      ...vector.headers,
      authorization: authorizationOf(vector.signedHeaders ?? usual, vector.signature),
    },
    body: Buffer.from(vector.body ?? ''),
  }
}

/**
 * 'ok', or the code of the first refusal; no refusal may tell the secret or the right signature.
 */
function outcome(request: SignedRequest, atMs = nowMs, key = secret): string {
  const parsed = parse(request)
  const result = parsed.ok ? verify(request, parsed.value, key, atMs) : parsed
  if (result.ok) return 'ok'
  const told = JSON.stringify(result.error)
  assert.ok(!told.includes(key), 'a refusal told the secret')
  assert.doesNotMatch(told, /[0-9a-f]{64}/)
  return result.error.code
}

/**
 * The scheme as its vendor's libraries write it, on its own: nothing of it comes from what is
 * tested.
 */
function sign(
  request: SignedRequest,
  signedHeaders: readonly string[],
  canonicalUri: string,
  canonicalQuery: string,
): SignedRequest {
  const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
  const lines = signedHeaders.map((name) =>
    Buffer.from(`${name}:${String(request.headers[name])}\n`, 'latin1'),
  )
  const canonical = Buffer.concat([
    Buffer.from(`${request.method}\n${canonicalUri}\n${canonicalQuery}\n`),
    ...lines,
    Buffer.from(`\n${signedHeaders.join(';')}\n`),
    Buffer.from(String(request.headers['x-sdk-content-sha256'] ?? sha256(request.body))),
  ])
  const text = `SDK-HMAC-SHA256\n${String(request.headers['x-sdk-date'])}\n${sha256(canonical)}`
  const signature = createHmac('sha256', secret).update(text).digest('hex')
  const authorization = authorizationOf(signedHeaders.join(';'), signature)
  return { ...request, headers: { ...request.headers, authorization } }
}

const encode = (text: string) =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other))

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
  for (const [name, vector] of Object.entries<Vector>(vectors)) {
    test(`${name} verifies`, () => {
      assert.equal(outcome(requestOf(vector)), 'ok')
    })
    test(`${name} under another secret does not`, () => {
      assert.equal(outcome(requestOf(vector), nowMs, `${secret}x`), 'Mismatch')
    })
  }
})

suite('what is signed cannot change', () => {
  const base = requestOf(vectors.V1)

  test('no bit of method, path, query, body or signature', () => {
    for (const rawPath of flipsOf(base.rawPath))
      assert.notEqual(outcome({ ...base, rawPath }), 'ok')
    const body = base.body.toString('latin1')
    for (const flipped of flipsOf(body)) {
      assert.equal(outcome({ ...base, body: Buffer.from(flipped, 'latin1') }), 'Mismatch')
    }
    for (const signature of flipsOf(vectors.V1.signature)) {
      const authorization = authorizationOf(usual, signature)
      assert.notEqual(outcome({ ...base, headers: { ...base.headers, authorization } }), 'ok')
    }
    assert.equal(outcome({ ...base, method: 'PUT' }), 'Mismatch')
    assert.equal(outcome({ ...base, method: 'post' }), 'ok', 'the same method, otherwise written')
    assert.equal(outcome({ ...base, rawQuery: 'a' }), 'Mismatch')
    const withQuery = requestOf(vectors.V3)
    const accepted = [...flipsOf(withQuery.rawQuery)].filter(
      (rawQuery) => outcome({ ...withQuery, rawQuery }) === 'ok',
    )
    assert.deepEqual(
      accepted,
      ['limit=2&name=a%20b*~&tags=k%3dv'],
      'the same query, otherwise written',
    )
  })

  test('no bit of a signed header, nor the list of them', () => {
    for (const name of usual.split(';')) {
      for (const value of flipsOf(base.headers[name] ?? '')) {
        assert.notEqual(outcome({ ...base, headers: { ...base.headers, [name]: value } }), 'ok')
      }
      const { [name]: _, ...others } = base.headers
      assert.notEqual(outcome({ ...base, headers: others }), 'ok')
    }
    for (const list of flipsOf(usual)) {
      const authorization = authorizationOf(list, vectors.V1.signature)
      assert.notEqual(outcome({ ...base, headers: { ...base.headers, authorization } }), 'ok')
    }
  })

  test('no byte of a header, even one that JavaScript takes for a blank', () => {
    const names = usual.split(';')
    const headers = { ...base.headers, 'x-project-id': 'Ã\u00a0' }
    const request = sign({ ...base, headers }, names, `${base.rawPath}/`, '')
    assert.equal(outcome(request), 'ok')
    const cut = { ...request.headers, 'x-project-id': 'Ã' }
    assert.equal(outcome({ ...request, headers: cut }), 'Mismatch')
  })

  test('what is not signed may', () => {
    const headers = { ...base.headers, 'user-agent': 'another', 'content-length': '1' }
    assert.equal(outcome({ ...base, headers }), 'ok')
  })
})

suite('the moment of signing', () => {
  const base = requestOf(vectors.V4)

  test('is within 15 minutes either way', () => {
    for (const sign of [1, -1]) {
      assert.equal(outcome(base, nowMs + sign * 15 * minuteMs), 'ok')
      assert.equal(outcome(base, nowMs + sign * (15 * minuteMs + 1)), 'DateExpired')
      assert.equal(outcome(base, nowMs + sign * 16 * minuteMs), 'DateExpired')
    }
  })

  test('is there, is signed, is a moment', () => {
    const dated = (text: string) => ({
      ...base,
      headers: { ...base.headers, 'x-sdk-date': text },
    })
    const authorization = authorizationOf('content-type;host;x-project-id', vectors.V4.signature)
    assert.equal(outcome({ ...base, headers: { ...base.headers, authorization } }), 'DateNotSigned')
    assert.equal(outcome(dated('')), 'DateMissing')
    for (const text of ['20261131T000000Z', '20261121T240000Z', '2026-11-21T00:00:00Z', 'now']) {
      assert.equal(outcome(dated(text)), 'DateMalformed', text)
    }
    const { 'x-sdk-date': _, ...headers } = base.headers
    assert.equal(outcome({ ...base, headers }), 'DateMissing')
  })
})

suite('Authorization', () => {
  const base = requestOf(vectors.V4)
  const { signature } = vectors.V4
  const withAuthorization = (authorization: string) =>
    outcome({ ...base, headers: { ...base.headers, authorization } })

  test('is read tolerantly where nothing is lost by it', () => {
    const parts = [`Access=${accessKeyId}`, `SignedHeaders=${usual}`, `Signature=${signature}`]
    for (const separator of [', ', ',', ' ,\t']) {
      assert.equal(withAuthorization(`SDK-HMAC-SHA256 ${parts.join(separator)}`), 'ok')
      assert.equal(
        withAuthorization(`SDK-HMAC-SHA256  ${parts.toReversed().join(separator)} `),
        'ok',
      )
    }
  })

  const refusals: readonly (readonly [string, string])[] = [
    ['', 'Missing'],
    ['Bearer abc', 'UnknownScheme'],
    ['V11-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00', 'UnknownScheme'],
    ['SDK-HMAC-SM3 Access=a, SignedHeaders=x-sdk-date, Signature=00', 'UnknownScheme'],
    ['SDK-ECDSA-P256-SHA256 Access=a, SignedHeaders=x-sdk-date, Signature=00', 'UnknownScheme'],
    ['sdk-hmac-sha256 Access=a, SignedHeaders=x-sdk-date, Signature=00', 'UnknownScheme'],
    ['SDK-HMAC-SHA256', 'Malformed'],
    ['SDK-HMAC-SHA256 Access', 'Malformed'],
    ['SDK-HMAC-SHA256 Access=a, Access=b, SignedHeaders=x-sdk-date, Signature=00', 'Malformed'],
    ['SDK-HMAC-SHA256 Access=, SignedHeaders=x-sdk-date, Signature=00', 'Malformed'],
    ['SDK-HMAC-SHA256 Access=a b, SignedHeaders=x-sdk-date, Signature=00', 'Malformed'],
    ['SDK-HMAC-SHA256 Access=a, Signature=00', 'Malformed'],
    ['SDK-HMAC-SHA256 Access=a, SignedHeaders=host;;x-sdk-date, Signature=00', 'Malformed'],
    ['SDK-HMAC-SHA256 Access=a, SignedHeaders=Host;host, Signature=00', 'Malformed'],
    ['SDK-HMAC-SHA256 Access=a, SignedHeaders=x-sdk-date', 'Malformed'],
    ['SDK-HMAC-SHA256 Access=a, SignedHeaders=x-sdk-date, Signature=00', 'Mismatch'],
    ['SDK-HMAC-SHA256 Access=a, SignedHeaders=constructor;x-sdk-date, Signature=00', 'Mismatch'],
  ]
  for (const [authorization, code] of refusals) {
    test(`'${authorization}' is ${code}`, () => {
      assert.equal(withAuthorization(authorization), code)
    })
  }

  test('in the query does not count', () => {
    const { authorization, ...headers } = base.headers
    const rawQuery = `X-Sdk-Date=${date}&Authorization=${encode(authorization ?? '')}`
    assert.equal(outcome({ ...base, rawQuery, headers }), 'Missing')
  })

  test('comes with project, domain and security token, when they say something', () => {
    const headers = { ...base.headers, 'x-domain-id': 'd1', 'x-security-token': '' }
    const parsed = parse({ ...base, headers })
    assert.ok(parsed.ok)
    assert.equal(parsed.value.accessKeyId, accessKeyId)
    assert.equal(parsed.value.projectId, project)
    assert.equal(parsed.value.domainId, 'd1')
    assert.equal(parsed.value.securityToken, undefined)
  })

  test('must cover the host only when asked to', () => {
    for (const [vector, code] of [
      [vectors.V1, 'ok'],
      [vectors.V7, 'HostNotSigned'],
    ] as const) {
      const request = requestOf(vector)
      const parsed = parse(request)
      assert.ok(parsed.ok)
      const result = verify(request, parsed.value, secret, nowMs, { hostMustBeSigned: true })
      assert.equal(result.ok ? 'ok' : result.error.code, code)
    }
  })
})

suite('the payload', () => {
  const blob = requestOf(vectors.V6)
  const withoutHash = 'content-type;host;x-project-id;x-sdk-date'.split(';')
  const withHash = vectors.V6.signedHeaders.split(';')
  const signed = (change: Partial<SignedRequest>, names = withHash) => {
    const request = { ...blob, ...change }
    return sign(request, names, `${request.rawPath}/`, '')
  }
  const typed = (type: string) => ({ headers: { ...blob.headers, 'content-type': type } })
  const hashed = (text: string) => ({ headers: { ...blob.headers, 'x-sdk-content-sha256': text } })
  const realHash = createHash('sha256').update(blob.body).digest('hex')

  test('may be unsigned when that is signed and it is not JSON, and the door is told', () => {
    const request = signed({})
    assert.equal(request.headers['authorization'], blob.headers['authorization'])
    const parsed = parse(request)
    assert.ok(parsed.ok)
    const result = verify(request, parsed.value, secret, nowMs)
    assert.deepEqual(result, { ok: true, value: { isBodySigned: false } })
    assert.equal(outcome({ ...request, body: Buffer.from('other bytes') }), 'ok')
    assert.equal(outcome(signed({}, withoutHash)), 'BodyNotSigned')
    const { 'content-type': _, ...untyped } = blob.headers
    const names = withHash.slice(1)
    assert.equal(outcome(signed({ headers: untyped }, names)), 'BodyNotSigned')
    assert.equal(outcome(signed({ headers: untyped, body: Buffer.alloc(0) }, names)), 'ok')
    for (const type of ['application/json', 'Application/JSON;charset=utf-8', 'a/b+json']) {
      assert.equal(outcome(signed(typed(type))), 'BodyNotSigned', type)
    }
  })

  test('without a body may be signed as empty although declared unsigned', () => {
    const names = withHash
    const empty = createHash('sha256').digest('hex')
    const { headers } = sign({ ...blob, body: Buffer.alloc(0) }, names, `${blob.rawPath}/`, '')
    assert.equal(outcome({ ...blob, headers, body: Buffer.alloc(0) }), 'ok')
    // The header line says one thing and the payload line another, so this one is written out.
    const lines = names.map((name) => `${name}:${blob.headers[name]}\n`).join('')
    const canonical = `PUT\n${blob.rawPath}/\n\n${lines}\n${names.join(';')}\n${empty}`
    const digest = createHash('sha256').update(canonical).digest('hex')
    const text = `SDK-HMAC-SHA256\n${date}\n${digest}`
    const signature = createHmac('sha256', secret).update(text).digest('hex')
    const authorization = authorizationOf(names.join(';'), signature)
    const odd = { ...blob, headers: { ...blob.headers, authorization } }
    assert.equal(outcome({ ...odd, body: Buffer.alloc(0) }), 'ok')
    assert.equal(outcome(odd), 'Mismatch')
  })

  test('is the one whose hash is declared', () => {
    assert.equal(outcome(signed(hashed(realHash))), 'ok')
    assert.equal(outcome(signed(hashed(realHash.toUpperCase()))), 'ok')
    assert.equal(outcome(signed(hashed(realHash), withoutHash)), 'ok')
    const other = { ...signed(hashed(realHash)), body: Buffer.from('other bytes') }
    assert.equal(outcome(other), 'BodyMismatch')
    assert.equal(outcome(signed(hashed('unsigned-payload'))), 'HashMalformed')
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
  const note = fc.string({
    unit: fc.integer({ min: 0x21, max: 0xff }).map((byte) => String.fromCharCode(byte)),
    minLength: 1,
  })
  const requests = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD'),
    segments: fc.array(text, { maxLength: 4 }),
    pairs: fc.array(pair, { maxLength: 4 }),
    note,
    body: fc.uint8Array({ maxLength: 40 }),
  })
  const names = ['host', 'x-note', 'x-sdk-date']
  type Shape = typeof requests extends fc.Arbitrary<infer Value> ? Value : never

  const wire = ({ method, segments, pairs, note, body }: Shape) => ({
    method,
    rawPath: `/${segments.map(encodeURIComponent).join('/')}`,
    rawQuery: pairs.map((pair) => pair.map((part) => encodeURIComponent(part)).join('=')).join('&'),
    headers: { host: 'h', 'x-note': note, 'x-sdk-date': date },
    body: Buffer.from(body),
  })
  const canonicalQuery = ({ pairs }: Shape) =>
    pairs
      .toSorted((a, b) => byBytes(a[0], b[0]) || byBytes(a[1], b[1]))
      .map((pair) => pair.map(encode).join('='))
      .join('&')
  const slashed = (path: string) => (path.endsWith('/') ? path : `${path}/`)

  test('verifies as it was signed, whichever way its path was written', () => {
    const once = (segment: string) => encode(segment)
    const twice = (segment: string) => encode(encodeURIComponent(segment))
    const twiceButAscii = (segment: string) =>
      encode(segment.replaceAll(/[\0-\x7f]/g, (character) => encodeURIComponent(character)))
    fc.assert(
      fc.property(requests, fc.constantFrom(once, twice, twiceButAscii), (shape, write) => {
        const uri = slashed(`/${shape.segments.map(write).join('/')}`)
        assert.equal(outcome(sign(wire(shape), names, uri, canonicalQuery(shape))), 'ok')
      }),
    )
  })

  test('has its query read as it stands: plus is plus, and an escape that is none is text', () => {
    const request = { ...requestOf(vectors.V4), rawQuery: 'b=1+1&a-=2&&a=%%41%4&c&b=1' }
    const canonical = 'a=%25A%254&a-=2&b=1&b=1%2B1&c='
    const uri = `${request.rawPath}/`
    assert.equal(outcome(sign(request, usual.split(';'), uri, canonical)), 'ok')
  })

  test('verifies although one URL parser wrote its wire and another its signature', () => {
    const request = { ...requestOf(vectors.V4), rawPath: "/keys/%E4%BD%A0%20it's|x" }
    const uri = '/keys/%E4%BD%A0%2520it%2527s%257Cx/'
    assert.equal(outcome(sign(request, usual.split(';'), uri, '')), 'ok')
  })

  test('changed anywhere does not verify', () => {
    const plain = fc.record({
      path: fc.stringMatching(/^\/[a-z0-9/]{1,20}$/),
      body: fc.string({ minLength: 1 }),
    })
    const parts = fc.constantFrom('rawPath', 'body', 'x-note', 'signature')
    fc.assert(
      fc.property(
        plain,
        parts,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (shape, part, at, by) => {
          const change = (value: string) => {
            const place = at % value.length
            const changed = String.fromCharCode(value.charCodeAt(place) ^ by)
            return value.slice(0, place) + changed + value.slice(place + 1)
          }
          const headers = { host: 'h', 'x-note': 'note', 'x-sdk-date': date }
          const body = Buffer.from(shape.body)
          const request = { method: 'PUT', rawPath: shape.path, rawQuery: '', headers, body }
          const signed = sign(request, names, slashed(shape.path), '')
          assert.equal(outcome(signed), 'ok')
          const signature = String(signed.headers['authorization']).slice(-64)
          const changed = {
            rawPath: { rawPath: change(signed.rawPath) },
            body: { body: Buffer.from(change(body.toString('latin1')), 'latin1') },
            'x-note': { headers: { ...signed.headers, 'x-note': change('note') } },
            signature: {
              headers: {
                ...signed.headers,
                authorization: authorizationOf(names.join(';'), change(signature)),
              },
            },
          }[part]
          assert.notEqual(outcome({ ...signed, ...changed }), 'ok')
        },
      ),
    )
  })

  test('that is nonsense is refused, not thrown at', () => {
    const anything = fc.string({ unit: 'binary' })
    const list = fc.oneof(anything, fc.constant('__proto__;x-sdk-date'))
    fc.assert(
      fc.property(anything, anything, anything, list, anything, (a, b, c, d, e) => {
        const headers = { [a]: b, host: c, 'x-sdk-date': date, 'x-sdk-content-sha256': e }
        const rest = { rawPath: b, rawQuery: c, body: Buffer.from(e) }
        for (const authorization of [d, authorizationOf(d, e)]) {
          const request = { method: a, ...rest, headers: { ...headers, authorization } }
          assert.notEqual(outcome(request), 'ok')
        }
      }),
    )
  })
})
