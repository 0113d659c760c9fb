// Every route of this door. Fixed words come before parameters whatever the order, so `/services/specifications`
// is never a service's id.
// TODO(#5): E8, E9 and E11.
// Source: edge inference contract, section 1.1.

import { type ProjectRoute } from '../shared/project-route.ts'
import { setsStatus } from './decode.ts'
import { listEvents } from './events.ts'
import {
  createService,
  deleteServices,
  listServices,
  listSpecifications,
  showService,
  updateNodeStatus,
  updateService,
} from './services.ts'

const source = (section: string) => `modelarts-edge.md §${section}`
const services = '/v1/:project_id/services'

export const routes: readonly ProjectRoute[] = [
  {
    method: 'PUT',
    path: `${services}/:service_id/nodes/:node_id/status`,
    operation: 'UpdateEdgeNodeStatus',
    source: source('1.2'),
    permission: 'modelarts:nodeservice:action',
    role: 'member',
    answer: updateNodeStatus,
  },
  {
    method: 'POST',
    path: services,
    operation: 'CreateService',
    source: source('1.3'),
    permission: 'modelarts:service:create',
    role: 'member',
    answer: createService,
  },
  {
    method: 'GET',
    path: services,
    operation: 'ListServices',
    source: source('1.4'),
    permission: 'modelarts:service:list',
    role: 'reader',
    answer: listServices,
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
    answer: showService,
  },
  {
    method: 'PUT',
    path: `${services}/:service_id`,
    operation: 'UpdateService',
    source: source('1.6'),
    permission: ({ body }) =>
      setsStatus(body) ? 'modelarts:service:action' : 'modelarts:service:update',
    role: 'member',
    answer: updateService,
  },
  {
    method: 'DELETE',
    path: `${services}/:service_id`,
    operation: 'DeleteService',
    source: source('1.7'),
    permission: 'modelarts:service:delete',
    role: 'member',
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
]
