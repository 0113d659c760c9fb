// The web servers: one listener that all doors share, and one more for each door that has a port of its own.
// Whatever matches no route is answered in the words of the door it was meant for.

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import websocket from '@fastify/websocket'
import {
  fastify,
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import {
  type Answer,
  causeOf,
  type Door,
  exchangeOf,
  mount,
  send,
  type Unrouted,
} from '#doors/shared/http.ts'
import { freshId } from './fresh-id.ts'
import { pathTable, type PathTable } from './path-table.ts'

const bodyLimit = 2 * 1024 * 1024
const headerBytesMax = 32 * 1024
const messageBytesMax = 64 * 1024

/** Calls that name their action in the query share `/` with the version document of another door. */
export function looksLikeQueryApi(
  request: Pick<IncomingMessage, 'url' | 'method' | 'headers'>,
): boolean {
  const url = request.url ?? ''
  if (url !== '/' && !url.startsWith('/?')) return false
  const authorization = request.headers.authorization ?? ''
  return (
    /[?&](Action|Version|X-Algorithm|X-Credential|X-Signature)=/.test(url) ||
    authorization.startsWith('HMAC-SHA256') ||
    (request.method !== 'GET' && request.method !== 'HEAD')
  )
}

/** How long a request may take to arrive, and how often it is looked whether one has taken longer. */
export interface Patience {
  readonly requestMs: number
  readonly checkEachMs: number
}
const standardPatience: Patience = { requestMs: 60_000, checkEachMs: 5_000 }

export function listener(
  doors: readonly Door[],
  log: FastifyBaseLogger,
  patience = standardPatience,
): FastifyInstance {
  const table = pathTable(doors)
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: freshId,
    requestIdHeader: false,
    bodyLimit,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    requestTimeout: patience.requestMs,
    keepAliveTimeout: 75_000,
    http: {
      connectionsCheckingInterval: patience.checkEachMs,
      headersTimeout: patience.requestMs,
      maxHeaderSize: headerBytesMax,
      // Java's client asks every plain-text server for HTTP/2: only what a door takes as a websocket is one.
      shouldUpgradeCallback: (request) =>
        request.headers.upgrade?.toLowerCase() === 'websocket' && table.upgrades(request.url ?? ''),
    },
    // Longer than any path may be in the strictest protocol: what an id may hold is for doors to say.
    // The web servers in front of the clouds merge slashes, and some clients count on it; signatures are over what came.
    routerOptions: {
      maxParamLength: 2_048,
      ignoreDuplicateSlashes: true,
      constraints: { queryApi: queryApiConstraint },
    },
    // Doors check what they are sent; Fastify's own compilers of schemas would be loaded for nothing.
    schemaController: {
      compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas },
    },
    frameworkErrors: (_error, request, reply) =>
      void refuse(doors, table, 'malformed', request, reply),
    clientErrorHandler: badRequest,
  })
  // Some clients sign and send a body with GET and DELETE; it must be read, whole, before anything else.
  for (const method of ['GET', 'DELETE'] as const)
    app.addHttpMethod(method, { hasBody: true, overrideExisting: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setErrorHandler((error: { statusCode?: number }, request, reply) =>
    refuse(doors, table, causeOf(error, request.log, null), request, reply),
  )
  app.setNotFoundHandler((request, reply) =>
    refuse(
      doors,
      table,
      table.methods(request.raw.url ?? '').length > 0 ? 'method-not-allowed' : 'not-found',
      request,
      reply,
    ),
  )
  app.register(websocket, {
    options: { maxPayload: messageBytesMax, perMessageDeflate: false },
    // Doors end their own connections, each in its own words.
    preClose: (done) => done(),
    errorHandler: (error, socket, request) => {
      request.log.debug({ err: error }, 'a websocket broke')
      socket.terminate()
    },
  })
  for (const door of doors) mount(app, door)
  countInFlight(app)
  app.addHook('onResponse', async (request, reply) => {
    // Reads are the bulk and say little; changes are what an operator looks for.
    const level = request.method === 'GET' || request.method === 'HEAD' ? 'debug' : 'info'
    request.log[level](
      {
        method: request.method,
        path: (request.raw.url ?? '').split('?')[0],
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'answered',
    )
  })
  return app
}

const noSchemas = (): never => {
  throw new Error('a route has a schema of its own')
}

const queryApiConstraint = {
  name: 'queryApi',
  deriveConstraint: (request: unknown) =>
    looksLikeQueryApi(request as IncomingMessage) ? 'yes' : undefined, // the router hands over what the listener got
  storage() {
    const handlers = new Map<unknown, unknown>()
    return {
      get: (key: unknown) => handlers.get(key) ?? null,
      set: (key: unknown, handler: unknown) => void handlers.set(key, handler),
    }
  },
} as unknown as NonNullable<NonNullable<Parameters<typeof fastify>[0]>['routerOptions']> extends {
  constraints?: infer C
}
  ? C extends Record<string, infer One> | undefined
    ? One
    : never
  : never // the router's own type is generic over its HTTP version

async function refuse(
  doors: readonly Door[],
  table: PathTable,
  why: Unrouted,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const exchange = exchangeOf(request)
  const door = doors.find((one) => one.claims(exchange))
  const allow = why === 'method-not-allowed' ? table.methods(exchange.rawPath) : []
  await send(reply, door ? door.refuse(why, exchange, allow) : plain(why, allow))
  return reply
}

const plainly = {
  'not-found': [404, 'not found'],
  'method-not-allowed': [405, 'method not allowed'],
  'too-large': [413, 'the body is too large'],
  malformed: [400, 'malformed request'],
  overloaded: [503, 'too busy, try again later'],
  unavailable: [503, 'the store cannot be read, try again later'],
  internal: [500, 'internal error'],
} as const satisfies Record<Unrouted, readonly [number, string]>

function plain(why: Unrouted, allow: readonly string[]): Answer {
  const [status, error] = plainly[why]
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...(allow.length > 0 ? { allow: allow.join(', ') } : {}),
    },
    body: { error },
  }
}

/** What is not HTTP, or has headers beyond all bounds, gets a bare answer: there is no request to belong to a door. */
function badRequest(this: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [status, text] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout']
        : [400, 'Bad Request']
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/**
 * Stops accepting, lets what is in flight end, and then cuts what is left: a connection that never asked for
 * anything (a browser's, a load balancer's probe) would hold the server up until it times out.
 */
export async function closeListener(app: FastifyInstance): Promise<void> {
  const closed = app.close()
  const cutting = setInterval(() => {
    if ((inFlight.get(app) ?? 0) === 0) app.server.closeAllConnections()
  }, cutEachMs)
  await closed
  clearInterval(cutting)
}

const cutEachMs = 50
/** Requests that each listener has not answered to the end. */
const inFlight = new WeakMap<FastifyInstance, number>()

function countInFlight(app: FastifyInstance): void {
  const count = (by: number): unknown => inFlight.set(app, (inFlight.get(app) ?? 0) + by)
  app.server.on('request', (_request, response) => {
    count(1)
    response.once('close', () => count(-1))
  })
}
