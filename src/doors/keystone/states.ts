// Our words to Keystone's. This door shows no instance, so its states are the roles.

import { type Role, roles } from '#kernel/caller.ts'
import { stableId } from './stable-id.ts'

export interface RoleWords {
  readonly id: string
  readonly name: string
  readonly description: string
}

/** The standard roles, which every client knows by name. Their ids are the same on every server. */
export const roleWords = {
  admin: {
    id: stableId('role admin'),
    name: 'admin',
    description: 'Everything, in every project.',
  },
  member: { id: stableId('role member'), name: 'member', description: 'Make and change.' },
  reader: { id: stableId('role reader'), name: 'reader', description: 'Look, and change nothing.' },
} as const satisfies Record<Role, RoleWords>

/** The role and those that it implies, strongest first. Source: contracts/identity.md section 1. */
export const effectiveRoles = (role: Role | null): readonly RoleWords[] =>
  role === null ? [] : roles.slice(roles.indexOf(role)).map((name) => roleWords[name])

export const roleNamed = (wanted: {
  readonly id?: string
  readonly name?: string
}): Role | undefined =>
  roles.find((role) =>
    wanted.id === undefined ? role === wanted.name : roleWords[role].id === wanted.id,
  )
