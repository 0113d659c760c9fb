// Our own door through real sockets. Every answer is held against what the table of routes says of
// it: a status that is not documented, a field too many or too few, a problem of the wrong shape
// fails the test that got it.

import assert from 'node:assert/strict'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { endpoints } from '#doors/native/routes.ts'
import { problemHeads } from '#doors/native/faults.ts'
import {
  type InstanceShown,
  type OperationShown,
  problem,
  type ProblemShown,
  type ReceiptShown,
} from '#doors/native/wire.ts'
import type { World } from './world.ts'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

export interface Sent {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface NativeApi {
  readonly url: string
  readonly token: string
  call(method: string, path: string, sent?: Sent): Promise<Reply>
  /** The answer's body when all is well; anything else fails the test. */
  get<T>(path: string): Promise<T>
  change(
    method: string,
    path: string,
    body?: object,
    headers?: Sent['headers'],
  ): Promise<ReceiptShown>
  act(id: string, body: object, headers?: Sent['headers']): Promise<ReceiptShown>
  /** The problem's code; an answer without one fails the test. */
  refused(method: string, path: string, sent?: Sent): Promise<ProblemShown>
  /** Creates a server and waits until it runs. */
  server(change?: object): Promise<InstanceShown>
  ended(operation: string | null): Promise<OperationShown>
}

export function nativeApi(world: Pick<World, 'url'>, token: string): NativeApi {
  const base = `${world.url}/api/v1`
  const api: NativeApi = {
    url: base,
    token,
    async call(method, path, { body, headers = {} } = {}) {
      const response = await fetch(base + path, {
        method,
        headers: {
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const reply = {
        status: response.status,
        headers: response.headers,
        body: (await response.json()) as unknown,
      } // held against its schema on the next line
      holdAgainstTable(method, path, reply)
      return reply
    },
    async get<T>(path: string) {
      const reply = await api.call('GET', path)
      assert.equal(reply.status, 200, JSON.stringify(reply.body))
      return reply.body as T // held against its schema
    },
    async change(method, path, body, headers) {
      const reply = await api.call(method, path, { body, ...(headers ? { headers } : {}) })
      assert.ok(reply.status < 300, `${reply.status} ${JSON.stringify(reply.body)}`)
      return reply.body as ReceiptShown // held against its schema
    },
    act: (id, body, headers) => api.change('POST', `/instances/${id}/actions`, body, headers),
    async refused(method, path, sent) {
      const reply = await api.call(method, path, sent)
      assert.ok(reply.status >= 400, `not refused: ${reply.status} ${JSON.stringify(reply.body)}`)
      return reply.body as ProblemShown // held against its schema
    },
    async server(change = {}) {
      const body = { kind: 'server', name: 'one', flavor: 'sim.small', image: 'sim', ...change }
      const made = await api.change('POST', '/instances', body, { prefer: 'wait=20' })
      assert.equal(made.results?.[0]?.state, 'succeeded')
      return await api.get<InstanceShown>(`/instances/${made.instances[0]}`)
    },
    async ended(operation) {
      const reply = await api.call('GET', `/operations/${operation}`, {
        headers: { prefer: 'wait=20' },
      })
      return reply.body as OperationShown // held against its schema
    },
  }
  return api
}

/** The administrator that the first start made. */
export const adminOf = (world: World): NativeApi =>
  nativeApi(world, world.credentials['RUNSTATE_TOKEN'] ?? '')

/** Somebody that runstate.yaml declares, with a token for one project. */
export async function tokenOf(
  { identity }: World,
  who: {
    readonly user: string
    readonly password: string
    readonly project: string
    readonly lifeMs?: number
  },
): Promise<string> {
  const user = await identity.password({ name: who.user, domain: { id: 'default' } }, who.password)
  const project = await identity.project({ name: who.project, domainId: 'default' })
  if (!user.ok || !project) throw new Error(`no such user or project: ${JSON.stringify(who)}`)
  const lifeMs = who.lifeMs === undefined ? {} : { lifeMs: who.lifeMs }
  const granted = await identity.issue({
    user: user.value,
    project: project.id,
    methods: ['password'],
    ...lifeMs,
  })
  if (!granted.ok) throw new Error(`no token: ${granted.error.code}`)
  return granted.value.text
}

function holdAgainstTable(method: string, path: string, reply: Reply): void {
  const where = `${method} ${path} answered ${reply.status}`
  if (reply.status >= 400) {
    assert.match(reply.headers.get('content-type') ?? '', /^application\/problem\+json/, where)
    hold(problem, reply.body, where)
    const { code, status } = reply.body as ProblemShown // held on the line before
    assert.equal(status, reply.status, where)
    assert.equal(problemHeads[code].status, reply.status, `${where} ${code}`)
    return
  }
  const row = endpoints.find((one) => one.method === method && matches(one.path, path))
  if (!row && path === '/openapi.json') return
  assert.ok(row, `${where}, which no route in the table does`)
  const schema = row.answers[reply.status]
  assert.ok(schema, `${where}, which the table does not say`)
  hold(schema, reply.body, where)
}

/**
 * A literal segment is more than a parameter: the table lists such rows of one method never twice.
 */
const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/:\w+/g, '[^/?]+')}(\\?|$)`).test(path)

function hold(schema: TSchema, value: unknown, where: string): void {
  if (Value.Check(schema, value)) return
  const faults = Value.Errors(schema, value).map(
    ({ instancePath, message }) => `${instancePath} ${message}`,
  )
  assert.fail(`${where}: ${faults.slice(0, 3).join('; ')}`)
}
