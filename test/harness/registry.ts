// A registry client in a few lines: plain requests through real sockets, as one tenant, and the objects that most
// tests register.

import { at } from './api.ts'
import type { World } from './world.ts'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Undefined when the text is not JSON. */
  readonly body: unknown
}

export interface Client {
  /** `{r}` is the registry's base for the client's project. A string body is sent as it is. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Reply>
}

export const client = (
  world: Pick<World, 'url'>,
  { domain, project = 'default' }: { readonly domain?: string; readonly project?: string } = {},
): Client => ({
  async call(method, path, body, headers = {}) {
    const url = world.url + path.replace('{r}', `/v4/${project}/registry`)
    const response = await fetch(url, {
      method,
      headers: { ...(domain === undefined ? {} : { 'x-domain-name': domain }), ...headers },
      redirect: 'manual',
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: parsed(text) }
  },
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not every answer is JSON.
    return undefined
  }
}

export const service = {
  serviceId: 'svc1',
  appId: 'shop',
  serviceName: 'provider',
  version: '1.0.0',
} as const

export const instance = {
  instanceId: 'i1',
  hostName: 'h1',
  endpoints: ['rest://10.0.0.1:80'],
} as const

export const one = '{r}/microservices/svc1/instances/i1'
export const find = '{r}/instances?appId=shop&serviceName=provider&version=0%2B'

/** Registers `svc1`, and on it `i1` as given. */
export async function stage(
  registry: Client,
  given: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await made(registry.call('POST', '{r}/microservices', { service }))
  await registered(registry, given)
}

export const registered = (
  registry: Client,
  given: Readonly<Record<string, unknown>> = {},
): Promise<Reply> =>
  made(
    registry.call('POST', '{r}/microservices/svc1/instances', {
      instance: { ...instance, ...given },
    }),
  )

export async function made(asked: Promise<Reply>): Promise<Reply> {
  const reply = await asked
  if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`)
  return reply
}

export const revisionOf = (reply: Reply): string => reply.headers.get('x-resource-revision') ?? ''

/** Status and code, as `400 400017`. */
export const codeOf = (reply: Reply): string =>
  `${reply.status} ${String(at(reply.body, 'errorCode'))}`

export async function shownStatus(registry: Client, path: string = one): Promise<unknown> {
  return at((await registry.call('GET', path)).body, 'instance', 'status')
}
