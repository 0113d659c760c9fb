// One request of one route, as raw as it may be: path and bytes are sent as they are, with any method, and every
// answer is held against what no answer may be, whatever was asked.

import assert from 'node:assert/strict'
import { Agent, request as open } from 'node:http'
import type { DoorName, DoorRoute, Somebody, Stage } from './door-stage.ts'
import { at } from './api.ts'
import { signed } from './ecs.ts'

export interface Ask {
  readonly method: string
  /** With its query, as it goes on the wire. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

export interface Heard {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Name, value, name, value, as they came. */
  readonly rawHeaders: readonly string[]
  readonly reason: string
  readonly text: string
}

const answerWithinMs = 5_000
const agent = new Agent({ keepAlive: true, maxSockets: 8 })

/** What was sent and must never be read again: collected here, looked for in logs and answers. */
export const secretsSent = new Set<string>()

export function hear(url: string, { method, target, headers, body }: Ask): Promise<Heard> {
  for (const [name, value] of Object.entries(headers))
    if (/^(x-auth-token|x-subject-token|authorization)$/i.test(name)) noteSecret(value)
  const { promise, resolve, reject } = Promise.withResolvers<Heard>()
  const { hostname: host, port } = new URL(url)
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const sent = { host, port, method, path: target, headers: { ...headers, ...length }, agent }
  const asking = open(sent, (response) => {
    const chunks: Buffer[] = []
    const tell = () => {
      const { statusCode: status = 0, headers, rawHeaders, statusMessage: reason = '' } = response
      resolve({ status, reason, headers, rawHeaders, text: Buffer.concat(chunks).toString() })
    }
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', tell)
    // A stream of events has no end; its head is its answer.
    if (response.headers['content-type']?.startsWith('text/event-stream')) {
      tell()
      response.destroy()
    }
  })
  asking.setTimeout(answerWithinMs, () =>
    asking.destroy(new Error(`no answer within ${answerWithinMs} ms`)),
  )
  asking.on('error', (cause) => reject(new Error(`${method} ${target.slice(0, 200)}`, { cause })))
  asking.end(body)
  return promise
}

function noteSecret(header: string): void {
  secretsSent.add(header)
  const [, part] = /(?:Signature=|Bearer )(\S{16,})/.exec(header) ?? []
  if (part !== undefined) secretsSent.add(part)
}

/** The path of a route with these in place of its parameters; by default with what is there. */
export function targetOf(
  stage: Pick<Stage, 'idFor'>,
  route: DoorRoute,
  other: Readonly<Record<string, string>> = {},
): string {
  return route.path.replaceAll(
    /:(\w+)/g,
    (_, name: string) => other[name] ?? stage.idFor(route, name),
  )
}

export const parametersOf = ({ path }: DoorRoute): readonly string[] =>
  [...path.matchAll(/:(\w+)/g)].flatMap(([, name]) => (name === undefined ? [] : [name]))

type Params = Readonly<Record<string, string>>

export interface Asking {
  readonly target?: string
  readonly body?: Buffer | string
  /** Of the actions that are named in the query. */
  readonly action?: string
  readonly params?: Params
  readonly method?: string
  /** When it is signed; default: now. */
  readonly date?: Date
}

/** Bears the credentials in the way that the door of the route reads. */
export function asked(
  stage: Pick<Stage, 'idFor'>,
  route: DoorRoute,
  who: Pick<Somebody, 'token' | 'keys'> | null,
  {
    target,
    body,
    action = 'DescribeInstances',
    params = {},
    method = route.verb,
    date,
  }: Asking = {},
): Ask {
  const sent = body === undefined ? {} : { body }
  const when = date === undefined ? {} : { date }
  if (route.door === 'volcengine') {
    const search = new URLSearchParams({ Action: action, Version: '2020-04-01', ...params })
    if (who === null)
      return { method, target: `/?${search.toString()}`, headers: json(body), ...sent }
    return { method, ...signed(who.keys, action, params, { method, ...sent, ...when }), ...sent }
  }
  const path = target ?? targetOf(stage, route)
  const query = new URLSearchParams(params).toString()
  const credentials = who === null || who.token === '' ? {} : credentialsFor(route.door, who.token)
  return {
    method,
    target: query === '' ? path : `${path}?${query}`,
    headers: { ...json(body), ...credentials },
    ...sent,
  }
}

const json = (body: Asking['body']): Record<string, string> =>
  body === undefined ? {} : { 'content-type': 'application/json' }

const credentialsFor = (door: DoorName, token: string): Record<string, string> => {
  if (door === 'native') return { authorization: `Bearer ${token}` }
  return door === 'servicecomb' ? {} : { 'x-auth-token': token }
}

const inside = /node_modules|file:\/\/|\/src\/|\.ts:\d+|\n\s+at |\bat [\w.<>]+ \(|SQLITE_|ENOENT/

/** What every answer of every door is. */
export function held(route: DoorRoute, { method, target }: Ask, heard: Heard): void {
  const { status, text } = heard
  const where = `${route.door}: ${method} ${target.slice(0, 160)} answered ${status} ${text.slice(0, 200)}`
  assert.ok(status >= 200 && status < 500, where)
  if (status < 400) return
  assert.doesNotMatch(text, inside, where)
  if (method !== 'HEAD') shapes[route.door](heard, where)
}

type Shape = (heard: Heard, where: string) => void

const parsed = ({ text }: Heard, where: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new assert.AssertionError({ message: `not JSON: ${where} ${String(cause)}` })
  }
}

const texts = (value: unknown, where: string, ...names: readonly string[]): void => {
  for (const name of names) assert.equal(typeof at(value, name), 'string', `${name} in ${where}`)
}

const threeKeys: Shape = (heard, where) =>
  texts(parsed(heard, where), where, 'error_code', 'error_msg', 'error_message')

/** How each door says no. */
const shapes: Readonly<Record<DoorName, Shape>> = {
  native: (heard, where) => {
    assert.match(String(heard.headers['content-type']), /^application\/problem\+json(;|$)/, where)
    texts(parsed(heard, where), where, 'code', 'title', 'detail')
  },
  volcengine: (heard, where) => {
    const metadata = at(parsed(heard, where), 'ResponseMetadata')
    texts(metadata, where, 'RequestId', 'Action', 'Version', 'Service', 'Region')
    texts(at(metadata, 'Error'), where, 'Code', 'Message')
  },
  keystone: (heard, where) => {
    const error = at(parsed(heard, where), 'error')
    assert.equal(at(error, 'code'), heard.status, where)
    texts(error, where, 'message', 'title')
  },
  'modelarts-service': threeKeys,
  'modelarts-notebook': threeKeys,
  servicecomb: (heard, where) => {
    if (heard.headers['content-type']?.includes('text/plain')) return
    texts(parsed(heard, where), where, 'errorCode', 'errorMessage')
  },
  // The service's own, or the gateway's.
  huawei: (heard, where) => {
    const value = parsed(heard, where)
    const error = at(value, 'error')
    if (error === undefined) texts(value, where, 'error_code', 'error_msg', 'request_id')
    else texts(error, where, 'code', 'message')
  },
  // The one fault under the name of its kind, the identity middleware's, the gateway's, or the image service's.
  nova: (heard, where) => {
    const value = parsed(heard, where)
    const faults: readonly unknown[] = Object.values(value ?? {})
    const [fault] = faults
    const message = at(fault, 'message') ?? at(value, 'error_msg') ?? at(value, 'message')
    assert.equal(typeof message, 'string', where)
  },
}
