// Every route of this door. Each also answers below /registry/v3 without a project, which is `default` then.
// Source: contracts/cse-registry.md sections 1.1 and 3.1, whose numbers the operations carry.

import { type RegistryRoute } from './call.ts'
import { findInstances, findMany, getInstance, listInstances } from './discovery.ts'
import {
  heartbeat,
  heartbeats,
  registerInstance,
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
import { getSchema, listSchemas, putSchema } from './schemas.ts'
import { health, readiness, version } from './server.ts'

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
  ],
  [`${service}/schemas/:schemaId`]: [
    { method: 'PUT', operation: 'S8 put schema', section: '3.3', answer: putSchema },
    { method: 'GET', operation: 'S9 get schema', section: '3.3', answer: getSchema },
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
  ],
  '/heartbeats': [
    { method: 'PUT', operation: 'I4 heartbeats', section: '3.4', answer: heartbeats },
  ],
  '/instances': [
    { method: 'GET', operation: 'I5 find instances', section: '5', answer: findInstances },
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
  '/health': [{ method: 'GET', operation: 'H1 health', section: '3.6', answer: health }],
  '/health/readiness': [
    { method: 'GET', operation: 'H3 readiness', section: '3.6', answer: readiness },
  ],
}

const versionRow = { method: 'GET', operation: 'H2 version', section: '3.6' } as const

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

export const routes: readonly RegistryRoute[] = [
  ...below('/v4/:project/registry', '4.0.0'),
  ...v3,
  ...bare,
]
