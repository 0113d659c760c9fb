// What an account of the registry may, when accounts are asked for. Roles hold permissions: verbs on types of
// resources, those of services narrowed to an environment, app or name where labels say so.
//
// - What a call is about is read from its path, query or body before the call itself is judged; a service that is
//   not there is nobody's to refuse.
// - A list shows what its caller may read.
// Source: contracts/cse-registry.md section 8.

import type { Account } from '#kernel/account.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { ProjectId } from '#kernel/ids.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { Identity } from '#kernel/ports/identity.ts'
import { type Exchange, header, isObject, parseJson } from '../shared/http.ts'
import { listIn, objectIn, textIn, textsIn } from '../shared/json-facts.ts'
import type { Book, Version } from './book.ts'
import { type Fault, fault } from './faults.ts'
import type { Mirror } from './mirror.ts'
import { serviceRowId } from './wire.ts'

interface Desk {
  readonly house: { readonly identity: Pick<Identity, 'accounts'> }
  readonly mirror: Mirror
}

/** A call, before it is judged. */
interface Asked {
  readonly exchange: Exchange
  readonly query: ReadonlyMap<string, string>
  readonly project: ProjectId
  readonly desk: Desk
}

/** Absent: any. */
export type Labels = Readonly<Record<string, string>>

export const adminRole = 'admin'
const developerRole = 'developer'

const everyVerb = ['*']
const resources = (...types: readonly string[]): JsonObject => ({
  resources: types.map((type) => ({ type })),
  verbs: everyVerb,
})
const ofServices = ['service', 'service/schema', 'governance', 'config', 'ops'] as const

/** Cannot be changed or removed. */
export const builtInRoles: Readonly<Record<string, readonly JsonObject[]>> = {
  [adminRole]: [resources('account', 'role', ...ofServices)],
  [developerRole]: [resources(...ofServices)],
}

const tokenFaults = {
  'wrong-token': '401201',
  'expired-token': '401205',
  'owner-gone': '401206',
  inactive: '403201',
} as const

/** Who signed in, by the header. */
export async function signedIn(
  exchange: Exchange,
  { house }: Pick<Desk, 'house'>,
): Promise<Result<Account, Fault>> {
  const sent = header(exchange, 'authorization') ?? ''
  if (sent === '') return err(fault('401204'))
  const [, token, ...more] = sent.split(' ')
  if (token === undefined || token === '' || more.length > 0) return err(fault('401201'))
  const account = await house.identity.accounts.byToken(token)
  if (account.ok) return account
  const code = account.error in tokenFaults ? account.error : 'wrong-token'
  return err(fault(tokenFaults[code as keyof typeof tokenFaults])) // one of its keys, by the line before
}

export async function permissionsOf(
  { house }: Pick<Desk, 'house'>,
  { roles }: Account,
): Promise<readonly JsonObject[]> {
  const found = await Promise.all(
    roles.map(
      async (name) =>
        builtInRoles[name] ?? (await house.identity.accounts.role(name))?.permissions ?? [],
    ),
  )
  return found.flat()
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  DELETE: 'delete',
}

function resourceOf(path: string): string {
  if (path.startsWith('/v4/account')) return 'account'
  if (path.startsWith('/v4/roles')) return 'role'
  if (path.includes('/admin/')) return 'ops'
  return path.includes('/schemas') ? 'service/schema' : 'service'
}

/** Null: all of that type; else any of these. Undefined: none. */
function granted(
  permissions: readonly JsonObject[],
  type: string,
  verb: string,
): readonly Labels[] | null | undefined {
  const narrowed: Labels[] = []
  for (const permission of permissions) {
    const may = textsIn(permission, 'verbs')
    if (!may.includes('*') && !may.includes(verb)) continue
    for (const resource of objectsIn(permission, 'resources')) {
      if (textIn(resource, 'type') !== type) continue
      const labels = objectIn(resource, 'labels') ?? {}
      if (Object.keys(labels).length === 0) return null
      narrowed.push(labels as Labels) // checked to be texts when the role was made
    }
  }
  return narrowed.length === 0 ? undefined : narrowed
}

/** Which services the call may touch: null for all. */
export async function permitted(
  asked: Asked,
  account: Account,
  route: { readonly path: string },
): Promise<Result<readonly Labels[] | null, Fault>> {
  if (account.roles.includes(adminRole)) return ok(null)
  const type = resourceOf(route.path)
  const verb = verbs[asked.exchange.method] ?? ''
  const labels = granted(await permissionsOf(asked.desk, account), type, verb)
  const none = fault('403205', `role has no permissions[${type}:${verb}]`)
  if (labels === undefined) return err(none)
  if (labels === null) return ok(null)
  const book = await asked.desk.mirror.book(asked.project)
  const isIn = (one: Labels): boolean => labels.some((label) => fits(one, label))
  return targetsOf(asked, route.path, book).every(isIn) ? ok(labels) : err(none)
}

const fits = (one: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([name, value]) => (one[name] ?? '') === value)

/** Whether the caller may see it in a list. */
export const isVisible = (
  { labels }: { readonly labels: readonly Labels[] | null },
  { environment, appId, serviceName }: Pick<Version, 'environment' | 'appId' | 'serviceName'>,
): boolean =>
  labels === null || labels.some((label) => fits({ environment, appId, serviceName }, label))

/**
 * The services that a call is about, as far as they are there or named. Each is read where the call itself reads
 * it and nowhere else: a caller who names one of his own in another place must not get at others by that.
 */
function targetsOf(asked: Asked, path: string, book: Book): readonly Labels[] {
  const { exchange, query } = asked
  const byId = (id: string): readonly Labels[] => {
    const version = book.version(serviceRowId(asked, id))
    return version ? [labelsOf(version)] : []
  }
  const own = exchange.params['serviceId']
  if (own !== undefined) return byId(own)
  if (path.endsWith('/existence') && query.get('type') === 'schema')
    return byId(query.get('serviceId') ?? '')
  const environment = consumerEnvironment(asked, book)
  if (path.endsWith('/existence')) return [queryLabels(asked, undefined)]
  if (path.endsWith('/registry/instances') || path === v3Find)
    return [queryLabels(asked, environment)]
  const body = bodyOf(exchange)
  const inList = (key: string): readonly JsonObject[] => objectsIn(body, key)
  const created = objectIn(body, 'service')
  return [
    ...(created ? [keyLabels({ ...created, appId: textIn(created, 'appId') || 'default' })] : []),
    ...textsIn(body, 'serviceIds').flatMap(byId),
    ...inList('services').map((one) => ({
      ...keyLabels(objectIn(one, 'service') ?? {}),
      ...(environment === undefined ? {} : { environment }),
    })),
    ...inList('dependencies').map((one) => keyLabels(objectIn(one, 'consumer') ?? {})),
    // A heartbeat's entry is a pair, a find's holds one.
    ...inList('instances').flatMap((one) =>
      [one, objectIn(one, 'instance') ?? {}].flatMap((pair) =>
        byId(textIn(pair, 'serviceId') ?? ''),
      ),
    ),
  ]
}

const v3Find = '/registry/v3/instances'

const labelsOf = ({ environment, appId, serviceName }: Version): Labels => ({
  environment,
  appId,
  serviceName,
})

const keyLabels = (key: JsonObject): Labels => ({
  environment: textIn(key, 'environment') ?? '',
  appId: textIn(key, 'appId') ?? '',
  serviceName: textIn(key, 'serviceName') ?? '',
})

/** A consumer looks in its own environment, whatever it asks for. */
const consumerEnvironment = (asked: Asked, book: Book): string | undefined =>
  book.version(serviceRowId(asked, header(asked.exchange, 'x-consumerid') ?? ''))?.environment

const queryLabels = ({ query }: Asked, environment: string | undefined): Labels => ({
  environment: environment ?? query.get('env') ?? '',
  appId: query.get('appId') ?? '',
  serviceName: query.get('serviceName') ?? '',
})

function bodyOf({ body }: Exchange): JsonObject {
  if (body.length === 0) return {}
  const parsed = parseJson(body)
  return parsed.ok && isObject(parsed.value) ? (parsed.value as JsonObject) : {} // JSON, by its parser
}

const objectsIn = (facts: JsonObject, key: string): readonly JsonObject[] =>
  (listIn(facts, key) ?? []).filter(
    (one): one is JsonObject => typeof one === 'object' && one !== null && !Array.isArray(one),
  )
