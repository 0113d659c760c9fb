// What every operation of this door goes through before its own code, and what is put on every answer.
//
// The order of checks is Nova's: who asks, which version, the content type, the shape of the body, the project in
// the URL; then the operation's own schema, the lookup, the policy. Clients and conformance suites tell them apart.
// Source: contract, sections 3.1 and 3.4.

import type { Caller } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { ProjectId } from '#kernel/ids.ts'
import type { Submission } from '#kernel/ports/plane.ts'
import {
  type Answer,
  type Exchange,
  type Handler,
  header,
  type House,
  parseJson,
  type Route,
} from '../shared/http.ts'
import { type Lent, lentHeaders } from '../shared/lent-headers.ts'
import { type Dialect, prove } from './auth.ts'
import {
  badRequest,
  faultOf,
  malformedBody,
  noSuchRoute,
  type NovaFault,
  policy,
  refusal,
} from './faults.ts'
import {
  type Microversion,
  negotiate,
  type Negotiated,
  versionHeaders,
  versionMax,
  versionText,
} from './microversion.ts'
import type { NovaSettings } from './settings.ts'

/** One of the two places where the same operations are served. */
export interface Mount {
  readonly dialect: Dialect
  /** Before `/v2.1`. */
  readonly prefix: '' | '/compute'
}

/** Where links of this request's answer start: they repeat the form of URL that the caller used. */
export interface Links {
  readonly self: string
  /** Without the version, as Nova's "bookmark" links are. */
  readonly bookmark: string
}

/** One request that has passed the gate. */
export interface Call {
  readonly exchange: Exchange
  readonly house: House<NovaSettings>
  readonly mount: Mount
  readonly negotiated: Negotiated
  readonly caller: Caller
  /** The caller's own; also that of the URL when it names one. */
  readonly project: ProjectId
  readonly links: Links
  /** The policy rule of this operation, for refusals. */
  readonly rule: string
  /** Parsed; undefined when the method carries none. */
  readonly body: unknown
  readonly submission: Submission
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

export interface NovaRoute extends Pick<Route, 'operation' | 'source'> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below `/v2.1` or `/v2.1/{project}`. */
  readonly path: string
  readonly rule: string
  /** First and last version that has it; default: all. */
  readonly since?: Microversion | Readonly<Record<Dialect, Microversion>>
  readonly until?: Microversion
  /** A PUT that says all in its URL. */
  readonly hasNoBody?: true
  /** Looks at the body before the project of the URL is: an action's name. */
  readonly precheck?: (body: unknown) => NovaFault | undefined
  readonly answer: (call: Call) => Promise<Result<Reply, NovaFault>>
}

export const requestIdOf = (exchange: Pick<Exchange, 'requestId'>): string =>
  `req-${exchange.requestId}`

export function handlerOf(
  route: NovaRoute,
  { house, mount }: { readonly house: House<NovaSettings>; readonly mount: Mount },
): Handler {
  return async (exchange) => {
    const caller = await prove(exchange, house, mount.dialect)
    if (!caller.ok) return caller.error
    const negotiated = negotiate(exchange)
    if (!negotiated.ok) {
      const { echo, fault } = negotiated.error
      return finished(exchange, refusal(fault), echo)
    }
    const version = versionText(negotiated.value.version)
    const call = callOf(route, { exchange, house, mount }, caller.value, negotiated.value)
    if (!call.ok) return finished(exchange, refusal(call.error), version)
    const reply = await route.answer(call.value)
    return finished(exchange, reply.ok ? reply.value : refusal(reply.error), version)
  }
}

interface Place {
  readonly exchange: Exchange
  readonly house: House<NovaSettings>
  readonly mount: Mount
}

function callOf(
  route: NovaRoute,
  place: Place,
  caller: Caller,
  negotiated: Negotiated,
): Result<Call, NovaFault> {
  const { until = versionMax } = route
  const since =
    typeof route.since === 'object' ? route.since[place.mount.dialect] : (route.since ?? 0)
  if (negotiated.version < since || negotiated.version > until) return err(noSuchRoute)
  const body = bodyOf(route, place.exchange)
  if (!body.ok) return body
  const early = route.precheck?.(body.value)
  if (early) return err(early)
  const project = projectOf(route, place.exchange, caller)
  if (!project.ok) return project
  const lent = lentOf(route, place.exchange)
  if (!lent.ok) return lent
  return ok({
    ...place,
    negotiated,
    caller,
    project: project.value,
    links: linksOf(place),
    rule: route.rule,
    body: body.value,
    submission: { caller, door: 'nova', requestId: requestIdOf(place.exchange), ...lent.value },
  })
}

const jsonTypes = /^(application\/json|application\/vnd\.openstack\.compute\+json|text\/plain)$/i

function bodyOf(route: NovaRoute, exchange: Exchange): Result<unknown, NovaFault> {
  if (route.method === 'GET' || route.method === 'DELETE') return ok(undefined)
  if (route.hasNoBody && exchange.body.length === 0) return ok(undefined)
  const type = header(exchange, 'content-type')?.split(';')[0]?.trim() ?? ''
  if (type !== '' && !jsonTypes.test(type))
    return err({ status: 415, message: 'Unsupported Content-Type' })
  const parsed = parseJson(exchange.body)
  if (!parsed.ok || (route.hasNoBody && parsed.value !== null)) return err(malformedBody)
  return ok(parsed.value)
}

function projectOf(
  { rule }: NovaRoute,
  exchange: Exchange,
  caller: Caller,
): Result<ProjectId, NovaFault> {
  const inUrl = exchange.params['project_id']
  if (inUrl !== undefined && inUrl !== caller.projectId) {
    const sentence = `Malformed request URL: URL's project_id '${inUrl}' doesn't match Context's project_id '${caller.projectId ?? 'None'}'`
    return err(badRequest(sentence))
  }
  // Somebody without a project, or without a role in it, may do nothing here.
  if (caller.projectId === null || caller.role === null) return err(policy(rule))
  return ok(caller.projectId)
}

const noLoan: Lent = {}

function lentOf(route: NovaRoute, exchange: Exchange): Result<Lent, NovaFault> {
  if (route.method === 'GET') return ok(noLoan)
  const lent = lentHeaders(exchange)
  return lent.ok ? lent : err(faultOf(lent.error, { verb: 'read', rule: route.rule }))
}

function linksOf({ exchange, mount }: Place): Links {
  const project = exchange.params['project_id']
  const scope = project === undefined ? '' : `/${project}`
  const bookmark = `${exchange.baseUrl}${mount.prefix}${scope}`
  return { self: `${exchange.baseUrl}${mount.prefix}/v2.1${scope}`, bookmark }
}

const vary = ['OpenStack-API-Version', 'X-OpenStack-Nova-API-Version'] as const

/** @param version  as the version headers say it; null: no version was settled. */
export function finished(exchange: Exchange, answer: Answer, version: string | null): Answer {
  const requestId = requestIdOf(exchange)
  return {
    ...answer,
    headers: {
      ...answer.headers,
      'x-compute-request-id': requestId,
      'x-openstack-request-id': requestId,
      ...(version === null ? {} : versionHeaders(version)),
      vary,
    },
  }
}
