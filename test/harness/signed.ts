// A caller that signs with SDK-HMAC-SHA256, written from the scheme's description and not from our verifier.
// Through node:http, because such clients send bodies with GET.

import { createHash, createHmac } from 'node:crypto'
import { request } from 'node:http'

export interface SignedRequest {
  readonly method: string
  /** With its query, plainly written: this signer escapes nothing. */
  readonly path: string
  readonly body?: string
  /** All of them are signed. */
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as well, after signing. */
  readonly unsigned?: Readonly<Record<string, string>>
  readonly nowMs?: number
}

export interface KeyPair {
  readonly id: string
  readonly secret: string
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The headers to send, `Authorization` included. */
export function signed(
  origin: string,
  key: KeyPair,
  wanted: SignedRequest,
): Record<string, string> {
  const { method, path, body = '', headers = {}, nowMs = Date.now() } = wanted
  const [rawPath = '', query = ''] = path.split('?')
  const date = `${new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`
  const all: Record<string, string> = {
    ...headers,
    'content-type': 'application/json',
    host: new URL(origin).host,
    'x-sdk-date': date,
  }
  const names = Object.keys(all).toSorted()
  const canonical = [
    method,
    rawPath.endsWith('/') ? rawPath : `${rawPath}/`,
    query.split('&').toSorted().join('&'),
    ...names.map((name) => `${name}:${all[name]}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n')
  const text = `SDK-HMAC-SHA256\n${date}\n${sha256(canonical)}`
  const signature = createHmac('sha256', key.secret).update(text).digest('hex')
  const authorization = `SDK-HMAC-SHA256 Access=${key.id}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { ...all, authorization }
}

export interface SignedAnswer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly json: unknown
}

export function signedCall(
  origin: string,
  key: KeyPair,
  wanted: SignedRequest,
): Promise<SignedAnswer> {
  const { method, path, body = '', unsigned = {} } = wanted
  const headers = {
    ...signed(origin, key, wanted),
    ...unsigned,
    'content-length': String(Buffer.byteLength(body)),
  }
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8')
        const json: unknown = text === '' ? undefined : JSON.parse(text)
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, json })
      })
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
