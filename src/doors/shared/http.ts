// What every door is made of: a table of routes whose handlers turn an exchange into an answer. The web
// server below (Fastify) is known to this file alone; a door never touches a socket.
//
// - The body arrives as the bytes that were sent: signatures hash them, and each cloud has its own parse errors.
// - A handler that throws is a bug of ours: it is logged once, whole, and answered in the door's own words.

import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HTTPMethods,
} from 'fastify'
import type { WebSocket } from '@fastify/websocket'
import type { Static, TSchema } from 'typebox'
import type { Identity } from '#kernel/ports/identity.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import { StoreError } from '#kernel/ports/store.ts'

export interface Exchange {
  readonly method: string
  /** As sent, before any decoding: starts with `/`, without the query. */
  readonly rawPath: string
  /** As sent, without `?`; '' when there is none. */
  readonly rawQuery: string
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** UUID; each door shapes it as its cloud does. */
  readonly requestId: string
  /** `http://host:port` as the caller addressed us. */
  readonly baseUrl: string
  readonly remoteAddress: string
  readonly log: FastifyBaseLogger
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Text is sent as it is, an object as compact JSON, a stream until it ends. */
  readonly body?: string | Buffer | object | Readable
}

/** What is done with a connection once it is a websocket. */
export type Takes = (socket: WebSocket) => void

export type Handler = (exchange: Exchange) => Promise<Answer>

export interface Route {
  readonly method: HTTPMethods | readonly HTTPMethods[]
  /** With `:name` for parameters. */
  readonly path: string
  /** The vendor's name of the operation. */
  readonly operation: string
  /** Where its behaviour is written down. */
  readonly source: string
  /** What is behind it, where one route stands for many operations that a request names elsewhere. */
  readonly operations?: readonly { readonly operation: string; readonly source: string }[]
  /** Bytes; default 2 MiB. */
  readonly bodyLimit?: number
  /** Only for requests that look like a call with `Action` in its query: two doors share `/`. */
  readonly queryApi?: true
  /** The path with a slash behind it is the same route: some clients sign it so and send it so. */
  readonly orSlash?: true
  readonly handle: Handler
  /** For a GET that asks to become a websocket: an answer refuses it. */
  readonly upgrade?: (exchange: Exchange) => Promise<Answer | Takes>
}

/** Refusals that no handler gives; each door says them in its own words. */
export type Unrouted =
  | 'not-found'
  | 'method-not-allowed'
  | 'too-large'
  | 'malformed'
  | 'overloaded'
  /** The store could not be read: as the door answers a change that the store could not write. */
  | 'unavailable'
  | 'internal'

/** A call that its cloud documents and a door does not answer. */
export interface AbsentCall {
  /** Method and path, or the name that the vendor gives it. */
  readonly call: string
  readonly why: string
}

export interface Door {
  readonly name: string
  readonly routes: readonly Route[]
  /** Listed beside the routes, so that nobody has to find out by trying. */
  readonly absent?: readonly AbsentCall[]
  /** Whether an exchange that matched no route was meant for this door. */
  readonly claims: (exchange: Exchange) => boolean
  readonly refuse: (why: Unrouted, exchange: Exchange, allow: readonly string[]) => Answer
  /** Ends what the door keeps open (streams, long waits), when the listener is about to close. */
  readonly close?: () => void
}

export interface Offer {
  readonly type: string
  readonly name: string
  /** On its listener. */
  readonly path: string
  /** Of its own listener; null: the one that all share. */
  readonly port: number | null
}

/** What a door is made from. `settings` is its own part of runstate.yaml, already checked. */
export interface House<Settings = unknown> {
  readonly plane: Plane
  readonly identity: Identity
  readonly settings: Settings
  readonly region: string
  /** What all open doors are in a service catalogue. */
  readonly offers: readonly Offer[]
  readonly log: FastifyBaseLogger
}

/** How the app opens a door. `settings` checks the door's part of runstate.yaml and documents it. */
export interface DoorKind<Settings extends TSchema = TSchema> {
  readonly name: string
  readonly settings: Settings
  open(house: House<Static<Settings>>): Door
}

/** Where a request keeps its exchange: a WeakMap of all requests is work for every collection of garbage. */
const made = Symbol('exchange')

export function exchangeOf(request: FastifyRequest & { [made]?: Exchange }): Exchange {
  const known = request[made]
  if (known) return known
  const url = request.raw.url ?? '/'
  const mark = url.indexOf('?')
  const exchange: Exchange = {
    method: request.method,
    rawPath: mark === -1 ? url : url.slice(0, mark),
    rawQuery: mark === -1 ? '' : url.slice(mark + 1),
    params: (request.params ?? {}) as Record<string, string>, // find-my-way fills it with decoded texts only
    headers: request.headers,
    body: Buffer.isBuffer(request.body) ? request.body : empty,
    requestId: request.id,
    // Few ask for it.
    get baseUrl() {
      return `${request.protocol}://${hostOf(request.headers.host)}`
    },
    remoteAddress: request.ip,
    log: request.log,
    signal: goneSignal(request.raw.socket),
  }
  request[made] = exchange
  return exchange
}

const empty = Buffer.alloc(0)

const host = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i

/** What a caller calls this server goes into links and headers: what is no name of a host is not repeated. */
export const hostOf = (named: string | undefined): string =>
  named !== undefined && host.test(named) && URL.canParse(`http://${named}`) ? named : 'localhost'

const sockets = new WeakMap<Socket, AbortSignal>()

/** One signal for all requests of a connection: a listener for each would pile up on one that is kept alive. */
function goneSignal(socket: Socket): AbortSignal {
  const known = sockets.get(socket)
  if (known) return known
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  if (socket.destroyed) gone.abort()
  sockets.set(socket, gone.signal)
  return gone.signal
}

export async function send(reply: FastifyReply, answer: Answer): Promise<void> {
  reply.code(answer.status)
  for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value)
  const { body } = answer
  if (body === undefined) await reply.send()
  else if (typeof body === 'string' || Buffer.isBuffer(body) || isStream(body))
    await reply.send(body)
  else {
    if (!reply.hasHeader('content-type')) reply.header('content-type', 'application/json')
    await reply.send(JSON.stringify(body))
  }
}

interface Thrown {
  readonly statusCode?: number
}

/** What a request failed of, from what was thrown on its way; what an operator must know of is logged. */
export function causeOf(error: Thrown, log: FastifyBaseLogger, door: string | null): Unrouted {
  if (error instanceof StoreError) {
    // A disk that is away is no bug, and the operator looks for another line then.
    log.error({ err: error, door }, 'the store could not be read')
    return 'unavailable'
  }
  if (error.statusCode === 413) return 'too-large'
  if ((error.statusCode ?? 500) < 500) return 'malformed'
  log.error({ err: error, door }, 'a handler threw: this is a bug')
  return 'internal'
}

const isStream = (body: object): body is Readable => 'pipe' in body

const mediaType = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+ *(;|$)/
const anyBytes = 'application/octet-stream'

/** Mounts one door's routes. All doors share one listener, or each has its own: the caller decides. */
export function mount(app: FastifyInstance, door: Door): void {
  // A plugin scope of its own keeps the door's error voice apart from the others'.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    // Bodies are bytes here, so a Content-Type that names no media type must not stop them: doors judge it.
    scope.addHook('onRequest', (request, _reply, done) => {
      const { headers } = request.raw
      const named = headers['content-type']
      if (named !== undefined && !mediaType.test(named)) headers['content-type'] = anyBytes
      done()
    })
    scope.setErrorHandler(async (error: Thrown, request, reply) => {
      const why = causeOf(error, request.log, door.name)
      await send(reply, door.refuse(why, exchangeOf(request), []))
    })
    const { close } = door
    if (close) scope.addHook('preClose', async () => close())
    const urls = (route: Route) => (route.orSlash ? [route.path, `${route.path}/`] : [route.path])
    for (const [route, url] of door.routes.flatMap((one) =>
      urls(one).map((url) => [one, url] as const),
    )) {
      scope.route({
        method: route.method as HTTPMethods | HTTPMethods[], // Fastify's own type is mutable; it does not change it
        url,
        exposeHeadRoute: false,
        ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
        ...(route.queryApi ? { constraints: { queryApi: 'yes' } } : {}),
        ...(route.upgrade ? upgrading(route.upgrade) : {}),
        handler: async (request, reply) => {
          await send(reply, await route.handle(exchangeOf(request)))
          return reply
        },
      })
    }
  })
}

/** Whether to let it in is decided before the upgrade, by the door. */
function upgrading(upgrade: NonNullable<Route['upgrade']>) {
  const admitted = new WeakMap<FastifyRequest, Takes>()
  return {
    preHandler: async (request: FastifyRequest, reply: FastifyReply) => {
      if (!request.ws) return undefined
      const decided = await upgrade(exchangeOf(request))
      if (typeof decided === 'function') {
        admitted.set(request, decided)
        return undefined
      }
      await send(reply, decided)
      return reply
    },
    wsHandler: (socket: WebSocket, request: FastifyRequest) => admitted.get(request)?.(socket),
  }
}

/** The query as it was meant: `+` and `%20` are blanks, the first value of a repeated name wins. */
export function firstValues(rawQuery: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(rawQuery))
    if (!values.has(name)) values.set(name, value)
  return values
}

/** One header as one text; repeated headers are joined as HTTP says. */
export function header(exchange: Pick<Exchange, 'headers'>, name: string): string | undefined {
  const value = exchange.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

export type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false }

/** Strict UTF-8 and JSON, nested no deeper than any call needs; drops keys that would reach an object's prototype. */
export function parseJson(body: Buffer): Parsed {
  try {
    const text = utf8.decode(body)
    if (isTooDeep(text)) return { ok: false }
    const value: unknown = JSON.parse(text)
    return text.includes('"__proto__"')
      ? { ok: true, value: withoutPrototypeKeys(value) }
      : { ok: true, value }
  } catch {
    // Both decode and parse throw for nothing but malformed input.
    return { ok: false }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * JSON.parse reads any depth, but what is nested thousands of times over can be neither copied, compared nor
 * written: kept in a row it would fail the whole batch of commits that it is in, of whoever else asks just then.
 */
const nestingMax = 100

function isTooDeep(text: string): boolean {
  // Each level takes two brackets: almost every body is too short to be looked through.
  if (text.length <= 2 * nestingMax) return false
  let depth = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (isQuoted) {
      if (char === '\\') at++
      else if (char === '"') isQuoted = false
    } else if (char === '"') isQuoted = true
    else if (char === '{' || char === '[') {
      depth++
      if (depth > nestingMax) return true
    } else if (char === '}' || char === ']') depth--
  }
  return false
}

function withoutPrototypeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPrototypeKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__proto__')
      .map(([key, inner]) => [key, withoutPrototypeKeys(inner)]),
  )
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const freshRequestId = (): string => randomUUID()
