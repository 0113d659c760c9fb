// The table of this door: every operation below `/identity` and below the bare origin.
//
// Operations are called as in Keystone's policy, which is how refusals name them.

import { ok } from '#kernel/errors.ts'
import type { House, Route } from '../shared/http.ts'
import {
  createAccessKey,
  createTemporaryKey,
  deleteAccessKey,
  listAccessKeys,
  showAccessKey,
  updateAccessKey,
} from './access-keys.ts'
import {
  createAppCredential,
  deleteAppCredential,
  listAppCredentials,
  showAppCredential,
} from './app-credentials.ts'
import {
  type Call,
  type Operation,
  type Prefix,
  type Reply,
  type Visit,
  handlerOf,
} from './call.ts'
import {
  endpointReads,
  listDomains,
  listProjects,
  listRegions,
  listUsers,
  ownDomains,
  ownProjects,
  roleReads,
  serviceReads,
  showCatalog,
  showDomain,
  showProject,
  showRegion,
  showUser,
  userProjects,
} from './directory.ts'
import type { KeystoneSettings } from './settings.ts'
import { issueToken, revokeToken, showToken } from './tokens.ts'
import { versionObject } from './wire.ts'

const contract = (section: string): string => `contracts/identity.md section ${section}`

type Row = readonly [path: string, operation: string, section: string]

const open = (
  method: 'GET' | 'POST',
  [path, operation, section]: Row,
  answer: (visit: Visit) => Promise<Reply> | Reply,
): Operation => ({ method, path, operation, source: contract(section), auth: 'none', answer })

const withToken = (
  method: Operation['method'],
  [path, operation, section]: Row,
  answer: (call: Call) => Promise<Reply> | Reply,
): Operation => ({ method, path, operation, source: contract(section), auth: 'token', answer })

/** By a token or by a signature. */
const withAny = (
  method: Operation['method'],
  [path, operation, section]: Row,
  answer: (call: Call) => Promise<Reply> | Reply,
): Operation => ({ method, path, operation, source: contract(section), auth: 'any', answer })

const read = (row: Row, answer: (call: Call) => Promise<Reply> | Reply): Operation =>
  withAny('GET', row, answer)

/** What is mounted here; the bare origin has another door's versions. */
const versions = open('GET', ['', 'list_versions', '3'], ({ self }) =>
  ok({
    status: 300,
    headers: { location: `${self}/` },
    body: { versions: { values: [versionObject(self)] } },
  }),
)

const version = open('GET', ['/v3', 'get_version', '3'], ({ self }) =>
  ok({ status: 200, body: { version: versionObject(self) } }),
)

const tokens = '/v3/auth/tokens'
const credentials = '/v3/users/:user_id/application_credentials'
const keys = '/v3.0/OS-CREDENTIAL/credentials'

const operations: readonly Operation[] = [
  version,
  open('POST', [tokens, 'issue_token', '4.1'], issueToken),
  withToken('GET', [tokens, 'validate_token', '4.4'], showToken),
  withToken('DELETE', [tokens, 'revoke_token', '4.4'], revokeToken),

  read(['/v3/auth/projects', 'get_auth_projects', '5.2'], ownProjects),
  read(['/v3/auth/domains', 'get_auth_domains', '5.2'], ownDomains),
  read(['/v3/auth/catalog', 'get_auth_catalog', '5.1'], showCatalog),

  read(['/v3/projects', 'list_projects', '5.2'], listProjects),
  read(['/v3/projects/:project_id', 'get_project', '5.2'], showProject),
  read(['/v3/users', 'list_users', '5.2'], listUsers),
  read(['/v3/users/:user_id', 'get_user', '5.2'], showUser),
  read(['/v3/users/:user_id/projects', 'list_user_projects', '5.2'], userProjects),
  read(['/v3/domains', 'list_domains', '5.2'], listDomains),
  read(['/v3/domains/:domain_id', 'get_domain', '5.2'], showDomain),
  read(['/v3/regions', 'list_regions', '5.2'], listRegions),
  read(['/v3/regions/:region_id', 'get_region', '5.2'], showRegion),
  read(['/v3/roles', 'list_roles', '5.2'], roleReads.list),
  read(['/v3/roles/:id', 'get_role', '5.2'], roleReads.show),
  read(['/v3/services', 'list_services', '5.2'], serviceReads.list),
  read(['/v3/services/:id', 'get_service', '5.2'], serviceReads.show),
  read(['/v3/endpoints', 'list_endpoints', '5.2'], endpointReads.list),
  read(['/v3/endpoints/:id', 'get_endpoint', '5.2'], endpointReads.show),

  withToken('POST', [credentials, 'create_application_credential', '5.3'], createAppCredential),
  withToken('GET', [credentials, 'list_application_credentials', '5.3'], listAppCredentials),
  withToken('GET', [`${credentials}/:id`, 'get_application_credential', '5.3'], showAppCredential),
  withToken(
    'DELETE',
    [`${credentials}/:id`, 'delete_application_credential', '5.3'],
    deleteAppCredential,
  ),

  withAny('POST', [keys, 'create_credential', '7'], createAccessKey),
  read([keys, 'list_credentials', '7'], listAccessKeys),
  read([`${keys}/:access_key`, 'get_credential', '7'], showAccessKey),
  withAny('PUT', [`${keys}/:access_key`, 'update_credential', '7'], updateAccessKey),
  withAny('DELETE', [`${keys}/:access_key`, 'delete_credential', '7'], deleteAccessKey),
  // It finds out itself who asks: the token may be in the body.
  open(
    'POST',
    ['/v3.0/OS-CREDENTIAL/securitytokens', 'create_temporary_credential', '7'],
    createTemporaryKey,
  ),
]

export const routesOf = (house: House<KeystoneSettings>): readonly Route[] => [
  routeOf(versions, house, '/identity'),
  ...(['/identity', ''] as const).flatMap((prefix) =>
    operations.map((operation) => routeOf(operation, house, prefix)),
  ),
]

/** Source: oslo.middleware, `max_request_body_size`, which Keystone leaves as it is. */
const bodyBytesMax = 114_688

function routeOf(operation: Operation, house: House<KeystoneSettings>, prefix: Prefix): Route {
  const { method, path, operation: name, source } = operation
  return {
    method: method === 'GET' ? ['GET', 'HEAD'] : method,
    path: `${prefix}${path}`,
    operation: name,
    source,
    orSlash: true,
    bodyLimit: bodyBytesMax,
    handle: handlerOf(operation, house, prefix),
  }
}
