// Compares the projects and users that runstate.yaml declares with those that are stored, and says what to
// write. Writes nothing itself, so a declaration that contradicts itself changes nothing.
//
// - What is not declared stays: a project or user left out is not removed.
// - A declared user's roles are all of that user's roles in projects; roles on a domain stay.
// - The built-in admin keeps its role in the built-in project, whatever is declared: nobody locks himself out.

import type { Role } from '#kernel/caller.ts'
import { type Result, err, ok } from '#kernel/errors.ts'
import type { User } from '#kernel/identity.ts'
import { type ProjectId, projectId } from '#kernel/ids.ts'
import type { Write } from '#kernel/ports/store.ts'
import { type Directory, newProject, newUser, theDomain } from './directory.ts'
import { type ScryptCost, hashPassword, passwordFits } from './secrets.ts'

/** The `identity` part of runstate.yaml. */
export interface IdentitySettings {
  readonly projects?: readonly { readonly name: string }[]
  readonly users?: readonly DeclaredUser[]
  /** See IdentityParts. */
  readonly lockKeysAfter?: number
}

interface DeclaredUser {
  readonly name: string
  readonly password: string
  /** Role by project name. Absent: the roles stay as they are. */
  readonly roles?: Readonly<Record<string, Role>>
}

/** One line, naming the setting. */
export interface DeclarationFault {
  readonly code: 'BadSettings'
  readonly line: string
}

interface Merged {
  readonly writes: Write[]
  /** Users that are known and whose tokens these writes void. */
  readonly users: readonly User[]
}

export const adminName = 'admin'
export const projectName = 'default'
export const domainProject = projectId(theDomain.id)

type ProjectIds = ReadonlyMap<string, ProjectId>

export async function mergeDeclared(
  directory: Directory,
  { projects = [], users = [] }: IdentitySettings,
  cost: ScryptCost,
): Promise<Result<Merged, DeclarationFault>> {
  const repeated = repeatedIn('identity.projects', projects) ?? repeatedIn('identity.users', users)
  if (repeated !== undefined) return err(repeated)
  const fresh: Write[] = []
  const ids = new Map<string, ProjectId>()
  for (const { name } of [{ name: projectName }, ...projects]) {
    const known = await directory.project({ name, domainId: theDomain.id })
    const row = known ?? newProject(name)
    if (known === undefined) fresh.push({ table: 'projects', row })
    ids.set(name, row.id)
  }
  for (const { name, roles = {} } of users) {
    for (const project of Object.keys(roles)) {
      const id =
        ids.get(project) ?? (await directory.project({ name: project, domainId: theDomain.id }))?.id
      if (id === undefined)
        return err(bad(`identity.users: "${name}" has a role in "${project}", which is no project`))
      ids.set(project, id)
    }
  }
  // Hashing takes longest; all users at once keep every core busy.
  const changes = await Promise.all(users.map((user) => mergeUser(directory, user, ids, cost)))
  return ok({
    writes: [...fresh, ...changes.flatMap(({ writes }) => writes)],
    users: changes.flatMap(({ changed }) => (changed === undefined ? [] : [changed])),
  })
}

const bad = (line: string): DeclarationFault => ({ code: 'BadSettings', line })

function repeatedIn(
  setting: string,
  rows: readonly { readonly name: string }[],
): DeclarationFault | undefined {
  const names = rows.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  return twice === undefined ? undefined : bad(`${setting}: "${twice}" is there twice`)
}

async function mergeUser(
  directory: Directory,
  declared: DeclaredUser,
  ids: ProjectIds,
  cost: ScryptCost,
): Promise<{ readonly writes: readonly Write[]; readonly changed?: User }> {
  const { name, password } = declared
  const known = await directory.userByName(name, theDomain.id)
  const isPasswordKept = known !== undefined && (await passwordFits(password, known.passwordHash))
  const passwordHash = isPasswordKept ? known.passwordHash : await hashPassword(password, cost)
  const user = known ?? newUser(name, passwordHash)
  const grants = await grantWrites(directory, declared, user, ids)
  if (known === undefined) return { writes: [{ table: 'users', row: user }, ...grants] }
  if (isPasswordKept && grants.length === 0) return { writes: [] }
  const changed = { ...directory.withoutTokens(known), passwordHash }
  return { writes: [{ table: 'users', row: changed }, ...grants], changed }
}

async function grantWrites(
  directory: Directory,
  { name, roles }: DeclaredUser,
  user: User,
  ids: ProjectIds,
): Promise<readonly Write[]> {
  if (roles === undefined) return []
  const wanted = new Map<ProjectId, Role>()
  for (const [project, role] of Object.entries(roles)) {
    const id = ids.get(project)
    if (id !== undefined) wanted.set(id, role)
  }
  const onDomain = (await directory.rolesOf(user.id)).get(domainProject)
  if (onDomain !== undefined) wanted.set(domainProject, onDomain)
  const home = ids.get(projectName)
  if (name === adminName && home !== undefined) wanted.set(home, 'admin')
  return await directory.roleWrites(user.id, wanted)
}
