// Every route of this door. Each also answers below /registry/v3 without a project, which is `default` then.
// Source: contracts/cse-registry.md sections 1.1 and 3.1, whose numbers the operations carry.

import {
  changePassword,
  createAccount,
  createAccounts,
  createRole,
  deleteAccount,
  deleteRole,
  getAccount,
  getRole,
  listAccounts,
  listLocks,
  listRoles,
  login,
  selfPermissions,
  updateAccount,
  updateRole,
} from './accounts.ts'
import type { RegistryRoute } from './call.ts'
import { declare, listConsumers, listProviders } from './dependencies.ts'
import { findInstances, findMany, getInstance, listInstances } from './discovery.ts'
import {
  clusters,
  dump,
  getDetail,
  listApps,
  listDetails,
  relations,
  statistics,
} from './govern.ts'
import {
  heartbeat,
  heartbeats,
  registerInstance,
  setManyStatus,
  setStatus,
  unregisterInstance,
  updateInstanceProperties,
} from './instances.ts'
import {
  createService,
  deleteService,
  deleteServices,
  existence,
  getService,
  getServices,
  updateServiceProperties,
} from './microservices.ts'
import { deleteSchema, getSchema, listSchemas, putSchema, putSchemas } from './schemas.ts'
import { health, readiness, version } from './server.ts'
import { beatBySocket, notUpgraded, watch } from './sockets.ts'
import { deleteTags, getTags, putTag, putTags } from './tags.ts'

type Row = Omit<RegistryRoute, 'source' | 'path'> & { readonly section: string }

/** Bytes. Source: section 1.2. */
const instanceBody = 5 * 1024
const propertiesBody = 3 * 1024

const service = '/microservices/:serviceId'
const instance = `${service}/instances/:instanceId`

/** By path, below the base. */
const table: Readonly<Record<string, readonly Row[]>> = {
  '/existence': [{ method: 'GET', operation: 'S1 existence', section: '3.2', answer: existence }],
  '/microservices': [
    { method: 'POST', operation: 'S2 create service', section: '3.2', answer: createService },
    { method: 'GET', operation: 'S4 list services', section: '3.2', answer: getServices },
    { method: 'DELETE', operation: 'S7 delete services', section: '3.2', answer: deleteServices },
  ],
  [service]: [
    { method: 'GET', operation: 'S3 get service', section: '3.2', answer: getService },
    { method: 'DELETE', operation: 'S6 delete service', section: '3.2', answer: deleteService },
  ],
  [`${service}/properties`]: [
    {
      method: 'PUT',
      operation: 'S5 update service properties',
      section: '3.2',
      bodyLimit: propertiesBody,
      answer: updateServiceProperties,
    },
  ],
  [`${service}/schemas`]: [
    { method: 'GET', operation: 'S10 list schemas', section: '3.3', answer: listSchemas },
    { method: 'POST', operation: 'S11 put schemas', section: '3.3', answer: putSchemas },
  ],
  [`${service}/schemas/:schemaId`]: [
    { method: 'PUT', operation: 'S8 put schema', section: '3.3', answer: putSchema },
    { method: 'GET', operation: 'S9 get schema', section: '3.3', answer: getSchema },
    { method: 'DELETE', operation: 'S12 delete schema', section: '3.3', answer: deleteSchema },
  ],
  [`${service}/instances`]: [
    {
      method: 'POST',
      operation: 'I1 register instance',
      section: '3.4',
      bodyLimit: instanceBody,
      answer: registerInstance,
    },
    { method: 'GET', operation: 'I7 list instances', section: '3.4', answer: listInstances },
  ],
  [`${instance}/status`]: [
    { method: 'PUT', operation: 'I2 set status', section: '2', answer: setStatus },
  ],
  [`${instance}/heartbeat`]: [
    { method: 'PUT', operation: 'I3 heartbeat', section: '3.4', answer: heartbeat },
    {
      method: 'GET',
      operation: 'I11 heartbeat by websocket',
      section: '6.4',
      answer: notUpgraded,
      socket: beatBySocket,
    },
  ],
  '/heartbeats': [
    { method: 'PUT', operation: 'I4 heartbeats', section: '3.4', answer: heartbeats },
  ],
  '/instances': [
    { method: 'GET', operation: 'I5 find instances', section: '5', answer: findInstances },
  ],
  '/instances/status': [
    { method: 'PUT', operation: 'I12 set many statuses', section: '3.4', answer: setManyStatus },
  ],
  '/instances/action': [
    { method: 'POST', operation: 'I6 find many', section: '3.4', answer: findMany },
  ],
  [instance]: [
    { method: 'GET', operation: 'I8 get instance', section: '3.4', answer: getInstance },
    {
      method: 'DELETE',
      operation: 'I10 unregister instance',
      section: '3.4',
      answer: unregisterInstance,
    },
  ],
  [`${instance}/properties`]: [
    {
      method: 'PUT',
      operation: 'I9 update instance properties',
      section: '3.4',
      bodyLimit: propertiesBody,
      answer: updateInstanceProperties,
    },
  ],
  [`${service}/watcher`]: [
    { method: 'GET', operation: 'W1 watch', section: '6', answer: notUpgraded, socket: watch },
  ],
  [`${service}/tags`]: [
    { method: 'POST', operation: 'T1 put tags', section: '3.5', answer: putTags },
    { method: 'GET', operation: 'T2 get tags', section: '3.5', answer: getTags },
  ],
  [`${service}/tags/:key`]: [
    { method: 'PUT', operation: 'T3 put tag', section: '3.5', answer: putTag },
    { method: 'DELETE', operation: 'T4 delete tags', section: '3.5', answer: deleteTags },
  ],
  '/dependencies': [
    { method: 'POST', operation: 'D1 add dependencies', section: '3.5', answer: declare('add') },
    {
      method: 'PUT',
      operation: 'D1 replace dependencies',
      section: '3.5',
      answer: declare('replace'),
    },
  ],
  [`${service}/providers`]: [
    { method: 'GET', operation: 'D2 providers', section: '3.5', answer: listProviders },
  ],
  [`${service}/consumers`]: [
    { method: 'GET', operation: 'D2 consumers', section: '3.5', answer: listConsumers },
  ],
  '/health': [
    { method: 'GET', operation: 'H1 health', section: '3.6', guard: 'open', answer: health },
  ],
  '/health/readiness': [
    {
      method: 'GET',
      operation: 'H3 readiness',
      section: '3.6',
      guard: 'open',
      answer: readiness,
    },
  ],
}

const versionRow = {
  method: 'GET',
  operation: 'H2 version',
  section: '3.6',
  guard: 'open',
} as const

const below = (base: string, apiVersion: '3.0.0' | '4.0.0'): readonly RegistryRoute[] =>
  Object.entries({
    ...table,
    '/version': [{ ...versionRow, answer: version(apiVersion) }],
  }).flatMap(([path, rows]) =>
    rows.map(({ section, ...row }) => ({
      ...row,
      path: `${base}${path}`,
      source: `contracts/cse-registry.md §${section}`,
    })),
  )

const v3 = below('/registry/v3', '3.0.0')

/** The oldest clients probe these without any base. */
const bare = v3
  .filter((row) => row.path === '/registry/v3/health' || row.path === '/registry/v3/version')
  .map((row) => ({ ...row, path: row.path.slice('/registry/v3'.length) }))

const tenantWide = [
  { path: '/govern/microservices', operation: 'G1 details', answer: listDetails },
  { path: '/govern/microservices/:serviceId', operation: 'G1 detail', answer: getDetail },
  { path: '/govern/apps', operation: 'G1 apps', answer: listApps },
  { path: '/govern/statistics', operation: 'G1 statistics', answer: statistics },
  { path: '/govern/relations', operation: 'G1 relations', answer: relations },
  { path: '/admin/dump', operation: 'G2 dump', answer: dump },
  { path: '/admin/clusters', operation: 'G3 clusters', answer: clusters },
].map((row) => ({
  ...row,
  method: 'GET' as const,
  path: `/v4/:project${row.path}`,
  source: 'contracts/cse-registry.md §3.6',
}))

type AccountRow = Pick<RegistryRoute, 'method' | 'path' | 'operation' | 'answer' | 'guard'>

const signedIn = 'signed-in'
const accounts: readonly AccountRow[] = [
  { method: 'POST', path: '/token', operation: 'A1 login', guard: 'open', answer: login },
  {
    method: 'GET',
    path: '/self-perms',
    operation: 'A2 own permissions',
    guard: signedIn,
    answer: selfPermissions,
  },
  { method: 'POST', path: '/accounts', operation: 'A2 create account', answer: createAccount },
  { method: 'GET', path: '/accounts', operation: 'A2 list accounts', answer: listAccounts },
  {
    method: 'POST',
    path: '/accounts/batch-create',
    operation: 'A2 create accounts',
    answer: createAccounts,
  },
  { method: 'GET', path: '/accounts/:name', operation: 'A2 get account', answer: getAccount },
  { method: 'PUT', path: '/accounts/:name', operation: 'A2 update account', answer: updateAccount },
  {
    method: 'DELETE',
    path: '/accounts/:name',
    operation: 'A2 delete account',
    answer: deleteAccount,
  },
  {
    method: 'POST',
    path: '/accounts/:name/password',
    operation: 'A2 change password',
    guard: signedIn,
    answer: changePassword,
  },
  { method: 'GET', path: '/account-locks', operation: 'A2 list locks', answer: listLocks },
  { method: 'GET', path: '/roles', operation: 'A2 list roles', answer: listRoles },
  { method: 'POST', path: '/roles', operation: 'A2 create role', answer: createRole },
  { method: 'GET', path: '/roles/:name', operation: 'A2 get role', answer: getRole },
  { method: 'PUT', path: '/roles/:name', operation: 'A2 update role', answer: updateRole },
  { method: 'DELETE', path: '/roles/:name', operation: 'A2 delete role', answer: deleteRole },
]

export const routes: readonly RegistryRoute[] = [
  ...accounts.map((row) => ({
    ...row,
    path: `/v4${row.path}`,
    source: 'contracts/cse-registry.md §8',
    isOfAccounts: true as const,
  })),
  ...below('/v4/:project/registry', '4.0.0'),
  ...tenantWide,
  ...v3,
  ...bare,
]
