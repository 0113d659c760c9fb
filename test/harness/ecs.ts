// Calls of APIs whose action is in the query, signed with the vendor's own signer, through real sockets. And the
// plane's own way in, for putting instances into conditions that no call of the vendor leads to.

import assert from 'node:assert/strict'
import { Signer } from '@volcengine/openapi'
import type { Caller, Role } from '#kernel/caller.ts'
import type { Instance } from '#kernel/instance.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { CallerRequest, InstanceRef, Receipt } from '#kernel/request.ts'
import { until, type World } from './world.ts'

export interface KeyPair {
  readonly accessKeyId: string
  readonly secretKey: string
  readonly sessionToken?: string
}

export interface EcsReply {
  readonly status: number
  readonly headers: Headers
  readonly metadata: Readonly<Record<string, unknown>>
  /** '' on success. */
  readonly code: string
  readonly error: Readonly<Record<string, unknown>> | undefined
  readonly result: Readonly<Record<string, unknown>> | undefined
  readonly text: string
}

type Texts = Readonly<Record<string, string | readonly string[]>>

export interface EcsOptions {
  readonly method?: string
  /** Sent as it is, and signed. */
  readonly body?: string | Buffer
  readonly type?: string
  readonly region?: string
  readonly service?: string
  readonly version?: string
  readonly date?: Date
  readonly keys?: KeyPair
  readonly presign?: true
}

export type Ecs = (action: string, query?: Texts, options?: EcsOptions) => Promise<EcsReply>

export const keysOf = ({ credentials }: Pick<World, 'credentials'>): KeyPair => ({
  accessKeyId: credentials['VOLCENGINE_ACCESS_KEY'] ?? '',
  secretKey: credentials['VOLCENGINE_SECRET_KEY'] ?? '',
})

const form = 'application/x-www-form-urlencoded; charset=utf-8'

/** A request as the vendor's signer makes it, not sent yet. */
export function signed(keys: KeyPair, action: string, query: Texts, options: EcsOptions = {}) {
  const { method = 'GET', body, region = 'cn-beijing', service = 'ecs' } = options
  const params = { Action: action, Version: options.version ?? '2020-04-01', ...query }
  const text = typeof body === 'string' ? body : body?.toString('latin1')
  const headers: Record<string, string> = {}
  const request = { region, method, params, headers, ...(text === undefined ? {} : { body: text }) }
  const signer = new Signer(request, service)
  if (options.presign) return { target: `/?${signer.getSignUrl(keys, options.date)}`, headers }
  signer.addAuthorization(keys, options.date)
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params))
    for (const one of [value].flat()) search.append(name, one)
  return { target: `/?${search.toString()}`, headers }
}

export function ecsOf(world: Pick<World, 'url' | 'credentials'>, own?: KeyPair): Ecs {
  return async (action, query = {}, options = {}) => {
    const { method = 'GET', body, type = form } = options
    const keys = options.keys ?? own ?? keysOf(world)
    const { target, headers } = signed(keys, action, query, options)
    const response = await fetch(world.url + target, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    })
    return await replyOf(response)
  }
}

export async function replyOf(response: Response): Promise<EcsReply> {
  const text = await response.text()
  const parsed = (text === '' ? {} : JSON.parse(text)) as Record<string, Record<string, unknown>> // the envelope, which the tests look into
  const metadata = parsed['ResponseMetadata'] ?? {}
  const error = metadata['Error'] as
    | { readonly Code: string; readonly [name: string]: unknown }
    | undefined // as above
  const { status, headers } = response
  return {
    status,
    headers,
    metadata,
    error,
    code: error?.Code ?? '',
    result: parsed['Result'],
    text,
  }
}

/** Every answer is one, whatever happened. */
export function isEnvelope(reply: EcsReply): void {
  const { RequestId, Action, Version, Service, Region } = reply.metadata
  assert.match(String(RequestId), /^\d{14}[0-9A-F]{20}$/)
  for (const text of [Action, Version, Service, Region]) assert.equal(typeof text, 'string')
  assert.equal(reply.headers.get('content-type'), 'application/json; charset=utf-8')
  assert.equal(reply.headers.get('x-tt-logid'), RequestId)
  if (reply.code === '') {
    assert.equal(reply.status, 200)
    assert.equal(typeof reply.result, 'object')
    return
  }
  assert.equal(reply.result, undefined)
  assert.notEqual(reply.error?.['Message'], '')
}

/** Declared in runstate.yaml as `{name, password, roles}`; makes the user a key for a project. */
export async function keyFor(
  world: World,
  user: string,
  projectName: string,
  lifeMs?: number,
): Promise<KeyPair> {
  const row = await world.server.identity.directory.userByName(user, 'default')
  const project = await world.identity.project({ name: projectName, domainId: 'default' })
  if (row === undefined || project === undefined)
    throw new Error(`no user ${user} or project ${projectName}`)
  const wanted = { userId: row.id, look: 'long', project: project.id, description: 'test' } as const
  const made = await world.identity.keys.create({
    ...wanted,
    ...(lifeMs === undefined ? {} : { lifeMs }),
  })
  const { id: accessKeyId, secret: secretKey } = made.pair
  return {
    accessKeyId,
    secretKey,
    ...(made.securityToken === null ? {} : { sessionToken: made.securityToken }),
  }
}

type ServerOptions = Partial<Extract<CallerRequest, { verb: 'create' }>> & {
  readonly scenario?: JsonObject
}

export interface Bench {
  readonly ecs: Ecs
  readonly owner: Caller
  /** Must be accepted. */
  submit(request: CallerRequest): Promise<Receipt>
  /** A server seen running, quickly; `scenario` is the simulated driver's. Resolves to its `i-…`. */
  server(options?: ServerOptions): Promise<string>
  ref(id: string): InstanceRef
  row(id: string): Promise<Instance>
  status(id: string): Promise<string>
  /** Waits until the instance shows it. */
  reach(id: string, status: string): Promise<void>
}

/** The administrator's own project, with its signed caller and its way past every door. */
export async function bench(world: World, role: Role = 'admin'): Promise<Bench> {
  const key = await world.identity.accessKey(keysOf(world).accessKeyId)
  if (!key.ok) throw new Error(`the first key is ${key.error.code}`)
  const caller = await world.identity.callerOf(key.value.key.userId, key.value.key.project)
  if (!caller.ok) throw new Error(`the first key's owner is ${caller.error.code}`)
  const owner: Caller = { ...caller.value, role }
  const ecs = ecsOf(world)
  const submit = async (request: CallerRequest): Promise<Receipt> => {
    const result = await world.plane.submit(request, {
      caller: owner,
      door: 'test',
      requestId: 'test',
    })
    if (!result.ok) throw new Error(`${request.verb}: ${JSON.stringify(result.error)}`)
    return result.value
  }
  const ref = (id: string): InstanceRef => ({ kind: 'server', scheme: 'ecs', id })
  const row = async (id: string): Promise<Instance> => {
    const seen = await world.plane.see(ref(id), owner)
    if (!seen.ok) throw new Error(`${id} is ${seen.error.code}`)
    return seen.value
  }
  const status = async (id: string): Promise<string> => {
    const { result } = await ecs('DescribeInstances', { 'InstanceIds.1': id })
    const [found] = (result?.['Instances'] ?? []) as readonly { Status: string }[] // what DescribeInstances answers
    return found?.Status ?? 'none'
  }
  const reach = async (id: string, wanted: string): Promise<void> => {
    await until(
      () => status(id),
      (now) => now === wanted,
    )
  }
  const server: Bench['server'] = async ({ scenario = {}, ...options } = {}) => {
    const made = { verb: 'create', kind: 'server', name: 'test' } as const
    const of = { flavorId: 'ecs.g3i.large', imageId: 'sim' }
    const launch = { scenario: { createMs: 0, startMs: 0, ...scenario } }
    const receipt = await submit({ ...made, ...of, launch, ...options })
    const found = await world.plane.read.get('instances', receipt.instanceIds[0] ?? '')
    const id = found?.aliases['ecs'] ?? ''
    await until(
      () => row(id),
      ({ state }) => state === 'running',
    )
    return id
  }
  return { ecs, owner, submit, server, ref, row, status, reach }
}
