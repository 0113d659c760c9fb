// Every route of this door. Fixed words come before parameters whatever the order, so `/services/specifications`
// is never a service's id.
// Whether a caller may change something is said once that was found, by the kernel.
// Source: edge inference contract, section 1.1.

import { err } from '#kernel/errors.ts'
import { StoreError } from '#kernel/ports/store.ts'
import type { Asked, ProjectRoute } from '../shared/project-route.ts'
import type { Fault } from '../shared/three-keys.ts'
import { setsStatus } from './decode.ts'
import { listEvents } from './events.ts'
import { unreadable } from './faults.ts'
import { listClusters, listServices, listSpecifications, showService } from './listing.ts'
import { showMonitor } from './monitor.ts'
import { createService, deleteServices, updateNodeStatus, updateService } from './services.ts'
import { listUpdates } from './updates.ts'

/** A read that the store cannot serve has a code of its own in some calls. */
const readOr =
  (faultFor: (asked: Asked) => Fault, answer: ProjectRoute['answer']): ProjectRoute['answer'] =>
  async (asked) => {
    try {
      return await answer(asked)
    } catch (thrown) {
      if (!(thrown instanceof StoreError)) throw thrown
      asked.exchange.log.error({ err: thrown }, 'the store could not be read')
      return err(faultFor(asked))
    }
  }

const source = (section: string) => `modelarts-edge.md §${section}`
const services = '/v1/:project_id/services'

export const routes: readonly ProjectRoute[] = [
  {
    method: 'PUT',
    path: `${services}/:service_id/nodes/:node_id/status`,
    operation: 'UpdateEdgeNodeStatus',
    source: source('1.2'),
    permission: 'modelarts:nodeservice:action',
    role: null,
    answer: updateNodeStatus,
  },
  {
    method: 'POST',
    path: services,
    operation: 'CreateService',
    source: source('1.3'),
    permission: 'modelarts:service:create',
    role: null,
    answer: createService,
  },
  {
    method: 'GET',
    path: services,
    operation: 'ListServices',
    source: source('1.4'),
    permission: 'modelarts:service:list',
    role: 'reader',
    answer: readOr(
      ({ query }) => (query.has('tags') ? unreadable.tags : unreadable.list),
      listServices,
    ),
  },
  {
    method: 'GET',
    path: `${services}/specifications`,
    operation: 'ListSpecifications',
    source: source('1.11'),
    permission: null,
    role: 'reader',
    answer: listSpecifications,
  },
  {
    method: 'GET',
    path: `${services}/:service_id`,
    operation: 'ShowService',
    source: source('1.5'),
    permission: 'modelarts:service:get',
    role: 'reader',
    answer: readOr(() => unreadable.nodes, showService),
  },
  {
    method: 'PUT',
    path: `${services}/:service_id`,
    operation: 'UpdateService',
    source: source('1.6'),
    permission: ({ body }) =>
      setsStatus(body) ? 'modelarts:service:action' : 'modelarts:service:update',
    role: null,
    answer: updateService,
  },
  {
    method: 'DELETE',
    path: `${services}/:service_id`,
    operation: 'DeleteService',
    source: source('1.7'),
    permission: 'modelarts:service:delete',
    role: null,
    answer: deleteServices,
  },
  {
    method: 'GET',
    path: `${services}/:service_id/events`,
    operation: 'ListServiceEvents',
    source: source('1.8'),
    permission: 'modelarts:service:getEvents',
    role: 'reader',
    answer: listEvents,
  },
  {
    method: 'GET',
    path: `${services}/:service_id/logs`,
    operation: 'ListServiceLogs',
    source: source('1.9'),
    permission: 'modelarts:service:getLogs',
    role: 'reader',
    answer: listUpdates,
  },
  {
    method: 'GET',
    path: `${services}/:service_id/monitor`,
    operation: 'ShowServiceMonitor',
    source: source('1.10'),
    permission: 'modelarts:service:getMonitor',
    role: 'reader',
    answer: readOr(() => unreadable.monitor, showMonitor),
  },
  {
    method: 'GET',
    path: '/v1/:project_id/clusters',
    operation: 'ListClusters',
    source: source('1.12'),
    permission: null,
    role: 'reader',
    answer: listClusters,
  },
]
