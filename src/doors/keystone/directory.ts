// What can be read of projects, users, domains, roles and the catalogue.
//
// - Who may not read something gets the same 403 whether it exists or not.
// - A signed request lists its own projects; libraries find their project id that way.
//
// Source: contracts/identity.md section 5.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { User } from '#kernel/identity.ts'
import type { Project } from '#kernel/project.ts'
import type { Query, Where } from '#kernel/ports/store.ts'
import type { Call, Reply } from './call.ts'
import { catalogOf } from './catalog.ts'
import { type KeystoneFault, forbidden, invalidInput, notFound, unscopedCatalog } from './faults.ts'
import { roleWords } from './states.ts'
import {
  domainObject,
  endpointObjects,
  listObject,
  projectObject,
  regionObject,
  roleObject,
  serviceObject,
  userObject,
} from './wire.ts'

const isAdmin = ({ who }: Call): boolean => who.caller.role === 'admin'
const isSigned = ({ who }: Call): boolean => who.proved.by === 'sdk-hmac'

const shown = (body: object): Reply => ok({ status: 200, body })
const listed = (call: Call, plural: string, items: readonly object[]): Reply =>
  shown(listObject(call, plural, items))

/** Beside a field's own name, for texts. Source: api-ref, "Filtering"; keystone/server/flask/common.py. */
const comparisons = {
  contains: (value: string, part: string) => value.includes(part),
  startswith: (value: string, part: string) => value.startsWith(part),
  endswith: (value: string, part: string) => value.endsWith(part),
} as const

/** `name__contains` and the like, and `name__icontains`, which takes no heed of case. */
const isLike = (name: string, value: string, { query }: Call): boolean =>
  Object.entries(comparisons).every(([word, fits]) => {
    const part = query.get(`${name}__${word}`)
    const anyCase = query.get(`${name}__i${word}`)
    return (
      (part === undefined || fits(value, part)) &&
      (anyCase === undefined || fits(value.toLowerCase(), anyCase.toLowerCase()))
    )
  })

/** Fields that a query may name: a row stays when all of those named have that value. */
function filtered<Row extends object>(
  rows: readonly Row[],
  call: Call,
  names: readonly (keyof Row & string)[],
): readonly Row[] {
  return rows.filter((row) =>
    names.every((name) => {
      const wanted = call.query.get(name)
      const value = row[name]
      if (typeof value === 'string' && !isLike(name, value, call)) return false
      if (wanted === undefined) return true
      return typeof value === 'boolean' ? value === isTrue(wanted) : value === wanted
    }),
  )
}

/** Source: keystone/server/flask/common.py; a filter without a value is true as well. */
const isTrue = (text: string): boolean => !['0', 'false', 'False', 'no', 'off'].includes(text)

// Projects

export async function ownProjects(call: Call): Promise<Reply> {
  return listed(call, 'projects', await projectsOf(call, call.who.caller.userId))
}

export async function userProjects(call: Call): Promise<Reply> {
  const user = await readableUser(call, 'list_user_projects')
  if (!user.ok) return user
  const rows = await projectsOf(call, user.value.id)
  return listed(call, 'projects', filtered(rows, call, ['name', 'domain_id', 'enabled']))
}

async function projectsOf(call: Call, user: User['id']) {
  const rows = await call.house.identity.projectsOf(user)
  return rows.map(({ project }) => projectObject(call, project))
}

export async function listProjects(call: Call): Promise<Reply> {
  if (!isAdmin(call) && !isSigned(call)) return err(forbidden('list_projects'))
  const rows = isSigned(call)
    ? await projectsOf(call, call.who.caller.userId)
    : (await everyProject(call)).map((project) => projectObject(call, project))
  const kept = filtered(rows, call, ['name', 'domain_id', 'enabled', 'parent_id', 'is_domain'])
  const page = pageOf(kept, call)
  return page.ok ? listed(call, 'projects', page.value) : page
}

async function everyProject({ house, query }: Call): Promise<readonly Project[]> {
  const { read } = house.plane
  const name = query.get('name')
  return await whole((page) =>
    read.list('projects', {
      ...page,
      ...(name === undefined ? {} : { where: { name: names(house.identity.domains, name) } }),
    }),
  )
}

/** Names are stored with their domain. */
const names = (domains: readonly { readonly id: string }[], name: string): readonly string[] =>
  domains.map(({ id }) => `${id}/${name}`)

const pageSize = 1_000

/** All pages of a list: Keystone's lists have none. */
async function whole<Row extends { readonly id: string }>(
  read: (page: {
    readonly limit: number
    readonly after?: { readonly id: string }
  }) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (;;) {
    const last = rows.at(-1)
    const page = await read({ limit: pageSize, ...(last === undefined ? {} : { after: last }) })
    rows.push(...page)
    if (page.length < pageSize) return rows
  }
}

/** `page` from 1 and `per_page`, both or neither. Source: contracts/identity.md section 5.2. */
function pageOf<Row>(rows: readonly Row[], { query }: Call): Result<readonly Row[], KeystoneFault> {
  const page = query.get('page')
  const size = query.get('per_page')
  if (page === undefined && size === undefined) return ok(rows)
  if (page === undefined || !/^[1-9]\d{0,8}$/.test(page))
    return err(invalidInput('page', 'it is not a positive number'))
  if (size === undefined || !/^[1-9]\d{0,8}$/.test(size))
    return err(invalidInput('per_page', 'it is not a positive number'))
  const start = (Number(page) - 1) * Number(size)
  return ok(rows.slice(start, start + Number(size)))
}

export async function showProject(call: Call): Promise<Reply> {
  const id = call.exchange.params['project_id'] ?? ''
  const own = await call.house.identity.projectsOf(call.who.caller.userId)
  const mine = own.find(({ project }) => project.id === id)?.project
  if (mine === undefined && !isAdmin(call)) return err(forbidden('get_project'))
  const project = mine ?? (await call.house.identity.project({ id }))
  return project === undefined
    ? err(notFound('project', id))
    : shown({ project: projectObject(call, project) })
}

// Users

async function readableUser(call: Call, action: string): Promise<Result<User, KeystoneFault>> {
  const id = call.exchange.params['user_id'] ?? ''
  if (id !== call.who.caller.userId && !isAdmin(call)) return err(forbidden(action))
  const user = await call.house.identity.user(id)
  return user === undefined ? err(notFound('user', id)) : ok(user)
}

export async function showUser(call: Call): Promise<Reply> {
  const user = await readableUser(call, 'get_user')
  return user.ok ? shown({ user: userObject(call, user.value) }) : user
}

export async function listUsers(call: Call): Promise<Reply> {
  if (!isAdmin(call)) return err(forbidden('list_users'))
  const { read } = call.house.plane
  const name = call.query.get('name')
  const where: Where<'users'> | undefined =
    name === undefined ? undefined : { name: names(call.house.identity.domains, name) }
  const rows = await whole((page: Pick<Query<'users'>, 'limit' | 'after'>) =>
    read.list('users', { ...page, ...(where === undefined ? {} : { where }) }),
  )
  const users = rows.map((user) => userObject(call, user))
  return listed(call, 'users', filtered(users, call, ['name', 'domain_id', 'enabled']))
}

// Domains

export async function ownDomains(call: Call): Promise<Reply> {
  const { identity } = call.house
  const { userId, domainId } = call.who.caller
  const inDomain = await identity.callerOf(userId, { domainId })
  const own = identity.domains.filter(({ id }) => id === domainId)
  const mine = inDomain.ok || isSigned(call) ? own : []
  return listed(
    call,
    'domains',
    mine.map((domain) => domainObject(call, domain)),
  )
}

export function listDomains(call: Call): Reply {
  if (!isAdmin(call)) return err(forbidden('list_domains'))
  const rows = call.house.identity.domains.map((domain) => domainObject(call, domain))
  return listed(call, 'domains', filtered(rows, call, ['name', 'enabled']))
}

export function showDomain(call: Call): Reply {
  if (!isAdmin(call)) return err(forbidden('get_domain'))
  const id = call.exchange.params['domain_id'] ?? ''
  const domain = call.house.identity.domains.find((one) => one.id === id)
  return domain === undefined
    ? err(notFound('domain', id))
    : shown({ domain: domainObject(call, domain) })
}

// Regions, roles and the catalogue: tables, not rows

export const listRegions = (call: Call): Reply =>
  listed(call, 'regions', [regionObject(call, call.house.region)])

export function showRegion(call: Call): Reply {
  const id = call.exchange.params['region_id'] ?? ''
  const { region } = call.house
  return id === region ? shown({ region: regionObject(call, region) }) : err(notFound('region', id))
}

const catalog = ({ exchange, house }: Call) => catalogOf(exchange.baseUrl, house)

export function showCatalog(call: Call): Reply {
  if (call.who.scope === 'none' && !isSigned(call)) return err(unscopedCatalog)
  return shown({ catalog: catalog(call), links: { self: call.url } })
}

/** A list and each of its items, for admins. */
interface Table<Row> {
  readonly singular: string
  readonly rows: (call: Call) => readonly Row[]
  readonly filters: readonly (keyof Row & string)[]
}

function readsOf<Row extends { readonly id: string }>({ singular, rows, filters }: Table<Row>) {
  return {
    list: (call: Call): Reply => {
      if (!isAdmin(call)) return err(forbidden(`list_${singular}s`))
      return listed(call, `${singular}s`, filtered(rows(call), call, filters))
    },
    show: (call: Call): Reply => {
      if (!isAdmin(call)) return err(forbidden(`get_${singular}`))
      const id = call.exchange.params['id'] ?? ''
      const row = rows(call).find((one) => one.id === id)
      return row === undefined ? err(notFound(singular, id)) : shown({ [singular]: row })
    },
  }
}

export const roleReads = readsOf({
  singular: 'role',
  rows: (call: Call) => Object.values(roleWords).map((role) => roleObject(call, role)),
  filters: ['name', 'domain_id'],
})

export const serviceReads = readsOf({
  singular: 'service',
  rows: (call: Call) => catalog(call).map((entry) => serviceObject(call, entry)),
  filters: ['name', 'type'],
})

export const endpointReads = readsOf({
  singular: 'endpoint',
  rows: (call: Call) => catalog(call).flatMap((entry) => endpointObjects(call, entry)),
  filters: ['service_id', 'interface', 'region', 'region_id'],
})
