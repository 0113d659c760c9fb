// Keystone's objects: decode and encode. Its names live only here and in the two decoders beside (login.ts,
// app-credential-body.ts).
//
// Source: contracts/identity.md sections 3 to 5.

import type { Caller } from '#kernel/caller.ts'
import type { AccessKey, AppCredential, Token, User } from '#kernel/identity.ts'
import type { Domain } from '#kernel/ports/identity.ts'
import type { Project } from '#kernel/project.ts'
import type { Call, Visit } from './call.ts'
import type { CatalogEntry } from './catalog.ts'
import { type RoleWords, effectiveRoles } from './states.ts'

/** Microseconds and `Z`. */
const timeText = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')

/** Without a zone: Keystone prints this one date so, and Go's clients read it no other way. */
function endText(ms: number): string {
  const wholeMs = Math.floor(ms)
  const micros = String(Math.round((ms - wholeMs) * 1000)).padStart(3, '0')
  return new Date(wholeMs).toISOString().replace('Z', micros)
}

/** Clients compare this with now, so a token that never ends needs a date as well. */
const never = '9999-12-31T23:59:59.999999Z'

export const versionObject = (self: string) => ({
  id: 'v3.14',
  status: 'stable',
  updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${self}/` }],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
})

interface TokenFacts {
  readonly token: Token
  readonly caller: Caller
  readonly user: User
  readonly project: Project | null
  readonly domainOf: (id: string) => Domain
  /** Absent: not wanted. Tokens without a scope have none either way. */
  readonly catalog?: readonly CatalogEntry[]
}

export function tokenObject(facts: TokenFacts): object {
  const { token, caller, user, project, domainOf, catalog } = facts
  const scope =
    project !== null
      ? {
          project: { domain: domainOf(project.domainId), id: project.id, name: project.name },
          is_domain: false,
        }
      : token.domainId !== null
        ? { domain: domainOf(token.domainId) }
        : null
  return {
    methods: token.methods,
    user: {
      domain: domainOf(user.domainId),
      id: user.id,
      name: user.name,
      password_expires_at: null,
    },
    audit_ids: token.auditIds,
    issued_at: timeText(token.issuedAtMs),
    expires_at: token.expiresAtMs === null ? never : timeText(token.expiresAtMs),
    ...(scope === null
      ? {}
      : {
          ...scope,
          roles: effectiveRoles(caller.role).map(({ id, name }) => ({ id, name })),
          ...(catalog === undefined ? {} : { catalog }),
        }),
  }
}

const linked = ({ self }: Visit, path: string) => ({ links: { self: `${self}/${path}` } })

export const projectObject = (visit: Visit, project: Project) => ({
  id: project.id,
  name: project.name,
  domain_id: project.domainId,
  description: project.description,
  enabled: project.enabled,
  parent_id: project.domainId,
  is_domain: false,
  tags: [],
  options: {},
  ...linked(visit, `projects/${project.id}`),
})

export const userObject = (visit: Visit, user: User) => ({
  id: user.id,
  name: user.name,
  domain_id: user.domainId,
  enabled: user.enabled,
  password_expires_at: null,
  options: {},
  ...(user.defaultProject === null ? {} : { default_project_id: user.defaultProject }),
  ...linked(visit, `users/${user.id}`),
})

export const domainObject = (visit: Visit, { id, name }: Domain) => ({
  id,
  name,
  description: '',
  enabled: true,
  tags: [],
  options: {},
  ...linked(visit, `domains/${id}`),
})

export const regionObject = (visit: Visit, region: string) => ({
  id: region,
  description: '',
  parent_region_id: null,
  type: 'public',
  locales: { 'zh-cn': region, 'en-us': region },
  ...linked(visit, `regions/${encodeURIComponent(region)}`),
})

export const roleObject = (visit: Visit, role: RoleWords) => ({
  id: role.id,
  name: role.name,
  domain_id: null,
  description: role.description,
  options: {},
  ...linked(visit, `roles/${role.id}`),
})

export const serviceObject = (visit: Visit, { id, name, type }: CatalogEntry) => ({
  id,
  name,
  type,
  enabled: true,
  ...linked(visit, `services/${id}`),
})

export const endpointObjects = (visit: Visit, entry: CatalogEntry) =>
  entry.endpoints.map((endpoint) => ({
    id: endpoint.id,
    interface: endpoint.interface,
    region: endpoint.region,
    region_id: endpoint.region_id,
    service_id: entry.id,
    url: endpoint.url,
    enabled: true,
    ...linked(visit, `endpoints/${endpoint.id}`),
  }))

/** @param secret  only in the answer to its creation. */
export const appCredentialObject = (call: Call, credential: AppCredential, secret?: string) => ({
  id: credential.id,
  name: credential.name,
  description: credential.description === '' ? null : credential.description,
  user_id: credential.userId,
  project_id: credential.project,
  system: null,
  expires_at: credential.expiresAtMs === null ? null : endText(credential.expiresAtMs),
  unrestricted: credential.unrestricted,
  roles: effectiveRoles(credential.role).map(({ id, name, description }) => ({
    id,
    name,
    domain_id: null,
    description,
    options: {},
  })),
  ...(secret === undefined ? {} : { secret }),
  ...linked(call, `users/${credential.userId}/application_credentials/${credential.id}`),
})

/** @param secret  only in the answer to its creation. */
export const accessKeyObject = (key: AccessKey, secret?: string) => ({
  access: key.id,
  ...(secret === undefined ? {} : { secret }),
  user_id: key.userId,
  create_time: timeText(key.createdAtMs),
  status: key.active ? 'active' : 'inactive',
  description: key.description,
})

interface TemporaryKey {
  readonly key: AccessKey
  readonly secret: string
  readonly securityToken: string
}

export const temporaryKeyObject = ({ key, secret, securityToken }: TemporaryKey) => ({
  access: key.id,
  secret,
  securitytoken: securityToken,
  expires_at: timeText(key.expiresAtMs ?? key.createdAtMs),
})

export const listObject = (visit: Visit, plural: string, items: readonly object[]) => ({
  [plural]: items,
  links: { self: visit.url, next: null, previous: null },
})
