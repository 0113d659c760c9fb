// Users, projects and who has which role where. Every change of a user is made here, because a change must void
// the user's tokens in the same commit and whatever is remembered of the user at once.
//
// - A grant's role is the strongest; weaker ones are implied.
// - A domain is granted like a project, under its id. Source: Keystone, where a domain is a project that acts
//   as a domain.

import { randomUUID } from 'node:crypto'
import type { Caller, Role } from '#kernel/caller.ts'
import { type Result, err, ok } from '#kernel/errors.ts'
import type { Grant, User } from '#kernel/identity.ts'
import { type ProjectId, type UserId, compact, projectId, userId } from '#kernel/ids.ts'
import type { AuthFailure, Domain, DomainRef, Scope, UserName } from '#kernel/ports/identity.ts'
import type { Store, Write } from '#kernel/ports/store.ts'
import type { Project } from '#kernel/project.ts'
import { type Epoch, ShortCache } from './cache.ts'

/** One domain: accounts of the clouds are projects here. */
export const theDomain: Domain = { id: 'default', name: 'Default' }
export const domains: readonly Domain[] = [theDomain]

export const domainOf = ({ id, name }: DomainRef): Domain | undefined =>
  domains.find((domain) =>
    id === undefined ? domain.name.toLowerCase() === name?.toLowerCase() : domain.id === id,
  )

type Roles = ReadonlyMap<ProjectId, Role>

export const grantOf = (user: UserId, project: ProjectId, role: Role): Grant => ({
  id: `${user}/${project}`,
  userId: user,
  project,
  role,
})

export const newProject = (name: string): Project => ({
  id: projectId(compact(randomUUID())),
  name,
  domainId: theDomain.id,
  enabled: true,
  description: '',
  frozen: false,
  lacksBalance: false,
  releasesByDefault: false,
  deniedFlavors: [],
})

export const newUser = (name: string, passwordHash: string): User => ({
  id: userId(compact(randomUUID())),
  name,
  domainId: theDomain.id,
  enabled: true,
  passwordHash,
  defaultProject: null,
  tokensSinceMs: 0,
})

export class Directory {
  readonly #store: Store
  readonly #nowMs: () => number
  readonly #epoch: Epoch
  readonly #callers: ShortCache<Caller>

  constructor(store: Store, nowMs: () => number, epoch: Epoch) {
    this.#store = store
    this.#nowMs = nowMs
    this.#epoch = epoch
    this.#callers = new ShortCache(epoch, nowMs)
  }

  user(id: string): Promise<User | undefined> {
    return this.#store.get('users', id)
  }

  async userNamed(wanted: UserName): Promise<User | undefined> {
    if ('id' in wanted) return await this.user(wanted.id)
    const domain = domainOf(wanted.domain)
    return domain === undefined ? undefined : await this.userByName(wanted.name, domain.id)
  }

  async userByName(name: string, domainId: string): Promise<User | undefined> {
    const [user] = await this.#store.find('users', 'name', `${domainId}/${name}`)
    return user
  }

  async project(
    wanted: { readonly id: string } | { readonly name: string; readonly domainId: string },
  ): Promise<Project | undefined> {
    if ('id' in wanted) return await this.#store.get('projects', wanted.id)
    const { name, domainId } = wanted
    const [project] = await this.#store.find('projects', 'name', `${domainId}/${name}`)
    return project
  }

  async projectsOf(
    user: UserId,
  ): Promise<readonly { readonly project: Project; readonly role: Role }[]> {
    const grants = await this.#store.find('grants', 'userId', user)
    const rows = await Promise.all(
      grants.map(async ({ project, role }) => ({
        project: await this.#store.get('projects', project),
        role,
      })),
    )
    return rows.flatMap(({ project, role }) => (project?.enabled ? [{ project, role }] : []))
  }

  async callerOf(user: UserId, scope: Scope): Promise<Result<Caller, AuthFailure>> {
    const key = `${user}/${typeof scope === 'object' ? (scope?.domainId ?? '') : scope}`
    const known = this.#callers.get(key)
    if (known !== undefined) return ok(known)
    return await this.#callers.fill(key, () => this.#readCaller(user, scope))
  }

  async #readCaller(id: UserId, scope: Scope): Promise<Result<Caller, AuthFailure>> {
    const user = await this.user(id)
    if (user === undefined) return err({ code: 'unknown' })
    if (!user.enabled) return err({ code: 'disabled' })
    if (scope === null) return await this.#callerAtHome(user)
    if (typeof scope === 'object') {
      const role = await this.#role(user, projectId(scope.domainId))
      return role === undefined ? err({ code: 'no-role' }) : ok({ ...callerWithout(user), role })
    }
    // The role comes first: without one, a project that exists looks like one that does not.
    const role = await this.#role(user, scope)
    const project = await this.#store.get('projects', scope)
    if (role === undefined || project === undefined) return err({ code: 'no-role' })
    return project.enabled
      ? ok({ ...callerWithout(user), projectId: scope, projectName: project.name, role })
      : err({ code: 'disabled' })
  }

  async #callerAtHome(user: User): Promise<Result<Caller, AuthFailure>> {
    const homes = await this.projectsOf(user.id)
    const home =
      homes.find(({ project }) => project.id === user.defaultProject) ??
      (homes.length === 1 ? homes[0] : undefined)
    if (home === undefined) return ok(callerWithout(user))
    const { project, role } = home
    return ok({ ...callerWithout(user), projectId: project.id, projectName: project.name, role })
  }

  async #role(user: User, project: ProjectId): Promise<Role | undefined> {
    return (await this.#store.get('grants', `${user.id}/${project}`))?.role
  }

  // Changes

  /** Adds rows that no token depends on yet. */
  async add(writes: readonly Write[]): Promise<void> {
    await this.#commit(writes)
  }

  async setPasswordHash(user: User, passwordHash: string): Promise<void> {
    await this.#commit([{ table: 'users', row: { ...this.withoutTokens(user), passwordHash } }])
  }

  async setEnabled(user: User, enabled: boolean): Promise<void> {
    await this.#commit([{ table: 'users', row: { ...this.withoutTokens(user), enabled } }])
  }

  /** Makes these all the roles that the user has, in projects and domains. */
  async setRoles(user: User, roles: Roles): Promise<void> {
    const writes = await this.roleWrites(user.id, roles)
    if (writes.length === 0) return
    await this.#commit([{ table: 'users', row: this.withoutTokens(user) }, ...writes])
  }

  /** What must be written to make these all the user's roles; nothing when they are. */
  async roleWrites(user: UserId, roles: Roles): Promise<readonly Write[]> {
    const had = await this.rolesOf(user)
    const lost = [...had].filter(([project]) => !roles.has(project))
    const won = [...roles].filter(([project, role]) => had.get(project) !== role)
    return [
      ...lost.map(
        ([project, role]): Write => ({ table: 'grants', remove: grantOf(user, project, role).id }),
      ),
      ...won.map(
        ([project, role]): Write => ({ table: 'grants', row: grantOf(user, project, role) }),
      ),
    ]
  }

  /** By project; a role on a domain under the domain's id. */
  async rolesOf(user: UserId): Promise<Roles> {
    const grants = await this.#store.find('grants', 'userId', user)
    return new Map(grants.map(({ project, role }) => [project, role]))
  }

  async removeUser(user: User): Promise<void> {
    const [grants, keys, credentials] = await Promise.all([
      this.#store.find('grants', 'userId', user.id),
      this.#store.find('accessKeys', 'userId', user.id),
      this.#store.find('appCredentials', 'userId', user.id),
    ])
    await this.#commit([
      { table: 'users', remove: user.id },
      ...grants.map(({ id }): Write => ({ table: 'grants', remove: id })),
      ...keys.map(({ id }): Write => ({ table: 'accessKeys', remove: id })),
      ...credentials.map(({ id }): Write => ({ table: 'appCredentials', remove: id })),
    ])
  }

  /** The user's row from now on, with every token issued so far void. */
  withoutTokens(user: User): User {
    // One later, so that a token of this very millisecond is void as well; see Tokens.issue.
    return { ...user, tokensSinceMs: Math.max(this.#nowMs(), user.tokensSinceMs) + 1 }
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    await this.#store.commit({ writes, events: [] })
    this.#epoch.moveOn()
  }
}

/** The user, acting nowhere. */
export const callerWithout = (user: User): Caller => ({
  userId: user.id,
  userName: user.name,
  projectId: null,
  projectName: null,
  domainId: user.domainId,
  role: null,
})
