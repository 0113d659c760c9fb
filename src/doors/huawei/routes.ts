// The table of this door: two services that act on the same servers, and the jobs that both of them answer with.

import type { Route } from '../shared/http.ts'
import { actOnServers } from './actions.ts'
import { type Desk, handlerOf, type HuaweiRoute } from './call.ts'
import { showJob } from './jobs.ts'
import { listServers, renameServer, showServer } from './servers.ts'
import { listFlavors, showLimits } from './surroundings.ts'

const huaweiRoutes: readonly HuaweiRoute[] = [
  {
    method: 'POST',
    path: '/baremetalservers/action',
    operation: 'BatchOperateBaremetalServers',
    source: '11.1',
    family: 'bms',
    answer: actOnServers,
  },
  {
    method: 'POST',
    path: '/cloudservers/action',
    operation: 'BatchOperateServers',
    source: '11.1',
    family: 'ecs',
    answer: actOnServers,
  },
  {
    method: 'GET',
    path: '/jobs/:job_id',
    operation: 'ShowJob',
    source: '11.3',
    family: null,
    answer: showJob,
  },
  {
    method: 'GET',
    path: '/baremetalservers/detail',
    operation: 'ListBareMetalServers',
    source: '10',
    family: 'bms',
    answer: listServers,
  },
  {
    method: 'GET',
    path: '/baremetalservers/flavors',
    operation: 'ListBaremetalFlavorDetailExtends',
    source: '10',
    family: 'bms',
    answer: listFlavors,
  },
  {
    method: 'GET',
    path: '/baremetalservers/limits',
    operation: 'ShowTenantQuota',
    source: '10',
    family: 'bms',
    answer: showLimits,
  },
  {
    method: 'GET',
    path: '/baremetalservers/:server_id',
    operation: 'ListBareMetalServerDetails',
    source: '10',
    family: 'bms',
    answer: showServer,
  },
  {
    method: 'PUT',
    path: '/baremetalservers/:server_id',
    operation: 'ChangeBaremetalServerName',
    source: '10',
    family: 'bms',
    answer: renameServer,
  },
  {
    method: 'GET',
    path: '/cloudservers/detail',
    operation: 'ListServersDetails',
    source: '10',
    family: 'ecs',
    answer: listServers,
  },
  {
    method: 'GET',
    path: '/cloudservers/:server_id',
    operation: 'ShowServer',
    source: '10',
    family: 'ecs',
    answer: showServer,
  },
]

export const routesOf = (desk: Desk): readonly Route[] =>
  huaweiRoutes.map((route) => ({
    method: route.method,
    path: `/v1/:project_id${route.path}`,
    operation: route.operation,
    source: `contracts/openstack-compute.md section ${route.source}`,
    // Signed requests are sent with a slash behind them by some of the vendor's clients.
    orSlash: true as const,
    handle: handlerOf(route, desk),
  }))
