// One request of this door, from its raw exchange to its answer: what holds for every route is checked here, in
// this order: length of the target, shape of the path, tenant, lent headers, then the route's own code.
//
// - A store that cannot be read or written is answered in the registry's words; any other throw is a bug.
// Source: contracts/cse-registry.md sections 1.1 to 1.3.

import type { Account } from '#kernel/account.ts'
import type { Caller } from '#kernel/caller.ts'
import { err, type KernelError, ok, type Result } from '#kernel/errors.ts'
import type { ProjectId } from '#kernel/ids.ts'
import type { Plane, Submission } from '#kernel/ports/plane.ts'
import type { CallerRequest, Receipt } from '#kernel/request.ts'
import {
  type Answer,
  type Exchange,
  header,
  type House,
  type Route,
  type Takes,
} from '../shared/http.ts'
import { lentHeaders, type Lent, planOf } from '../shared/lent-headers.ts'
import { type Tenant, type Tenants, tenantOf } from './auth.ts'
import type { Connections } from './connections.ts'
import { type Asks, type Fault, fault, faultOf } from './faults.ts'
import type { LeaseIds } from './lease-ids.ts'
import type { Mirror } from './mirror.ts'
import { type Labels, permitted, signedIn } from './permissions.ts'
import { readQuery } from './query.ts'
import type { Quotas } from './quota.ts'
import type { Settings } from './settings.ts'
import type { Beating } from './beating.ts'
import type { Watchers } from './watch.ts'
import { doorName, json, protocolVersion, refusal, text } from './wire.ts'

/** What all requests of this door share; none of it is truth, all of it can be forgotten. */
export interface Desk {
  readonly house: House
  readonly settings: Settings
  readonly tenants: Tenants
  readonly quotas: Quotas
  readonly leaseIds: LeaseIds
  readonly mirror: Mirror
  readonly connections: Connections
  readonly watchers: Watchers
  readonly beating: Beating
  readonly openedAtMs: number
  /** Where accounts are asked for: resolves once there is one that can make others. */
  readonly ready: Promise<void>
}

export interface Asked {
  readonly exchange: Exchange
  readonly desk: Desk
  readonly plane: Plane
  readonly settings: Settings
  readonly caller: Caller
  readonly tenant: Tenant
  readonly project: ProjectId
  readonly query: ReadonlyMap<string, string>
  readonly lent: Lent
  /** Null where accounts are not asked for. */
  readonly account: Account | null
  /** Which services the account may touch; null: all. */
  readonly labels: readonly Labels[] | null
}

export type Answered = Promise<Result<Answer, Fault>>
export interface RegistryRoute extends Omit<Route, 'handle' | 'upgrade'> {
  readonly answer: (asked: Asked) => Answered
  /** Where accounts are asked for. Default: who has a permission. */
  readonly guard?: 'open' | 'signed-in'
  /** There only where accounts are asked for. */
  readonly isOfAccounts?: true
  /** What is done with the connection when it asks to become a websocket. */
  readonly socket?: (asked: Asked) => Promise<Result<Takes, Fault>>
}

export function mounted(row: RegistryRoute, desk: Desk): Route {
  const { answer, socket, guard: _guard, isOfAccounts, ...route } = row
  const handle: Route['handle'] = async (exchange) => {
    const stray = strayTarget(exchange)
    if (stray) return dressed(stray, exchange, desk.settings)
    if (isOfAccounts && !desk.settings.rbac) return dressed(notFoundPage, exchange, desk.settings)
    const answered = await answerOf(exchange, { desk, row }, answer)
    return answered.ok
      ? dressed(answered.value, exchange, desk.settings)
      : refused(answered.error, exchange, desk)
  }
  if (!socket) return { ...route, handle }
  const upgrade: Route['upgrade'] = async (exchange) => {
    const stray = strayTarget(exchange)
    if (stray) return dressed(stray, exchange, desk.settings)
    const taken = await answerOf(exchange, { desk, row }, socket)
    return taken.ok ? taken.value : refused(taken.error, exchange, desk)
  }
  return { ...route, handle, upgrade }
}

const refused = (error: Fault, exchange: Exchange, { settings }: Desk): Answer =>
  dressed(refusal(error, settings.errorBody), exchange, settings)

async function answerOf<T>(
  exchange: Exchange,
  at: { readonly desk: Desk; readonly row: RegistryRoute },
  answer: (asked: Asked) => Promise<Result<T, Fault>>,
): Promise<Result<T, Fault>> {
  const asked = await askedOf(exchange, at)
  return asked.ok ? answer(asked.value) : asked
}

async function askedOf(
  exchange: Exchange,
  { desk, row }: { readonly desk: Desk; readonly row: RegistryRoute },
): Promise<Result<Asked, Fault>> {
  const isGuarded = desk.settings.rbac && row.guard !== 'open'
  if (desk.settings.rbac) await desk.ready
  const account = isGuarded ? await signedIn(exchange, desk) : ok(null)
  if (!account.ok) return account
  const tenant = tenantOf(exchange, desk.settings)
  if (!tenant.ok) return tenant
  const lent = lentHeaders(exchange)
  if (!lent.ok) return err(faultOf(lent.error))
  const caller = await desk.tenants.callerOf(tenant.value, account.value)
  const project = caller.projectId
  if (project === null) return err(fault('403001'))
  const { plane } = desk.house
  const { settings } = desk
  const asked: Asked = {
    exchange,
    desk,
    plane,
    settings,
    caller,
    tenant: tenant.value,
    project,
    query: readQuery(exchange.rawQuery),
    lent: scoped(lent.value, project),
    account: account.value,
    labels: null,
  }
  if (account.value === null || row.guard === 'signed-in') return ok(asked)
  const labels = await permitted(asked, account.value, row)
  return labels.ok ? ok({ ...asked, labels: labels.value }) : labels
}

/** Tenants of one project segment send the same paths, so a key must be the tenant's own. */
const scoped = (lent: Lent, project: ProjectId): Lent =>
  lent.idempotency === undefined
    ? lent
    : {
        ...lent,
        idempotency: {
          ...lent.idempotency,
          token: `${doorName}/${project}/${lent.idempotency.token}`,
        },
      }

const targetMax = 2048

/** Targets that no handler may see, whether or not they match a route. */
export function strayTarget({ rawPath, rawQuery }: Exchange): Answer | undefined {
  const query = rawQuery === '' ? '' : `?${rawQuery}`
  if (rawPath.length + query.length >= targetMax)
    return text(400, `Invalid Request URI: it has ${targetMax} characters or more`)
  if (rawPath.includes('//'))
    return {
      status: 301,
      headers: { location: `${rawPath.replaceAll(/\/{2,}/g, '/')}${query}` },
      body: '',
    }
  // A router would take these for an id with a slash in it, or for an empty one.
  if (/%2f/i.test(rawPath) || rawPath.endsWith('/')) return notFoundPage
  return undefined
}

export const notFoundPage = text(404, '404 page not found', 'text/plain; charset=utf-8')

/** Headers of every answer. */
export function dressed(answer: Answer, exchange: Exchange, { cors }: Settings): Answer {
  const fromPage = cors && header(exchange, 'origin') !== undefined
  return {
    ...answer,
    headers: {
      server: `SERVICECENTER/${protocolVersion}`,
      vary: 'Accept-Encoding, Origin',
      ...(fromPage ? { 'access-control-allow-origin': '*' } : {}),
      ...answer.headers,
    },
  }
}

/** Tells who is shown something apart from others: a drain waits for those who asked lately. */
export const viewerOf = ({ exchange }: Pick<Asked, 'exchange'>, consumer: string): string =>
  `${consumer}@${exchange.remoteAddress}`

export interface ChangeOptions {
  readonly asks?: Asks
  /** What a success answers; not called for a dry run. */
  readonly show: (receipt: Receipt) => Answered | Answer
}

/** Submits one change and answers what it came to, or the plan of a dry run. */
export async function change(
  asked: Asked,
  request: CallerRequest,
  { asks = {}, show }: ChangeOptions,
): Answered {
  const receipt = await submit(asked, request)
  if (!receipt.ok) return err(faultOf(receipt.error, asks))
  if (asked.lent.dryRun) return ok(json(planOf(receipt.value)))
  const shown = await show(receipt.value)
  return 'ok' in shown ? shown : ok(shown)
}

/** @param part  tells apart the requests that one call of a client makes; '' for the first. */
export function submit(
  asked: Asked,
  request: CallerRequest,
  part = '',
): Promise<Result<Receipt, KernelError>> {
  const { caller, lent, exchange, plane } = asked
  const submission: Submission = {
    caller,
    door: doorName,
    requestId: exchange.requestId,
    ...lent,
    ...(lent.idempotency === undefined || part === ''
      ? {}
      : { idempotency: { ...lent.idempotency, token: `${lent.idempotency.token}#${part}` } }),
  }
  return plane.submit(request, submission)
}
