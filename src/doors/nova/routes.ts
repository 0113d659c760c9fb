// Every call of this door: method, path, policy rule, what answers it, and where that is written down.
//
// Each row is served four times: on two mounts, and with and without the project in its URL.
// Sources name sections of contracts/openstack-compute.md; rules are those of openstack/nova nova/policies/.

import { type House, type Route } from '../shared/http.ts'
import { act, actionFault } from './actions.ts'
import { prove } from './auth.ts'
import { handlerOf, type Mount, type NovaRoute } from './call.ts'
import { createServer } from './create.ts'
import { listExtraSpecs, listFlavors, listFlavorsDetail, showFlavor } from './flavors.ts'
import { imagePrefix, listImages, listImageVersions, showImage } from './images.ts'
import { listInstanceActions, showInstanceAction } from './instance-actions.ts'
import {
  deleteMetadataItem,
  listMetadata,
  mergeMetadata,
  replaceMetadata,
  showMetadataItem,
  writeMetadataItem,
} from './metadata.ts'
import {
  deleteServer,
  listServers,
  listServersDetail,
  showServer,
  updateServer,
} from './servers.ts'
import { type NovaSettings } from './settings.ts'
import { listZones, listZonesDetail, showLimits } from './surroundings.ts'
import { listVersions, showVersion } from './versions.ts'

const compute = 'os_compute_api'

const novaRoutes: readonly NovaRoute[] = [
  {
    method: 'POST',
    path: '/servers',
    operation: 'createServer',
    source: '6.1',
    rule: `${compute}:servers:create`,
    answer: createServer,
  },
  {
    method: 'GET',
    path: '/servers',
    operation: 'listServers',
    source: '6.3',
    rule: `${compute}:servers:index`,
    answer: listServers,
  },
  {
    method: 'GET',
    path: '/servers/detail',
    operation: 'listServersDetail',
    source: '6.3',
    rule: `${compute}:servers:detail`,
    answer: listServersDetail,
  },
  {
    method: 'GET',
    path: '/servers/:server_id',
    operation: 'showServer',
    source: '6.2',
    rule: `${compute}:servers:show`,
    answer: showServer,
  },
  {
    method: 'PUT',
    path: '/servers/:server_id',
    operation: 'updateServer',
    source: '6.4',
    rule: `${compute}:servers:update`,
    answer: updateServer,
  },
  {
    method: 'DELETE',
    path: '/servers/:server_id',
    operation: 'deleteServer',
    source: '6.5',
    rule: `${compute}:servers:delete`,
    answer: deleteServer,
  },
  {
    method: 'POST',
    path: '/servers/:server_id/action',
    operation: 'actOnServer',
    source: '5',
    rule: `${compute}:servers:show`,
    precheck: actionFault,
    answer: act,
  },
  {
    method: 'GET',
    path: '/servers/:server_id/os-instance-actions',
    operation: 'listInstanceActions',
    source: '7',
    rule: `${compute}:os-instance-actions:list`,
    answer: listInstanceActions,
  },
  {
    method: 'GET',
    path: '/servers/:server_id/os-instance-actions/:request_id',
    operation: 'showInstanceAction',
    source: '7',
    rule: `${compute}:os-instance-actions:show`,
    answer: showInstanceAction,
  },
  {
    method: 'GET',
    path: '/servers/:server_id/metadata',
    operation: 'listMetadata',
    source: '6.6',
    rule: `${compute}:server-metadata:index`,
    answer: listMetadata,
  },
  {
    method: 'POST',
    path: '/servers/:server_id/metadata',
    operation: 'mergeMetadata',
    source: '6.6',
    rule: `${compute}:server-metadata:create`,
    answer: mergeMetadata,
  },
  {
    method: 'PUT',
    path: '/servers/:server_id/metadata',
    operation: 'replaceMetadata',
    source: '6.6',
    rule: `${compute}:server-metadata:update_all`,
    answer: replaceMetadata,
  },
  {
    method: 'GET',
    path: '/servers/:server_id/metadata/:key',
    operation: 'showMetadataItem',
    source: '6.6',
    rule: `${compute}:server-metadata:show`,
    answer: showMetadataItem,
  },
  {
    method: 'PUT',
    path: '/servers/:server_id/metadata/:key',
    operation: 'writeMetadataItem',
    source: '6.6',
    rule: `${compute}:server-metadata:update`,
    answer: writeMetadataItem,
  },
  {
    method: 'DELETE',
    path: '/servers/:server_id/metadata/:key',
    operation: 'deleteMetadataItem',
    source: '6.6',
    rule: `${compute}:server-metadata:delete`,
    answer: deleteMetadataItem,
  },
  {
    method: 'GET',
    path: '/flavors',
    operation: 'listFlavors',
    source: '8.1',
    rule: `${compute}:flavors`,
    answer: listFlavors,
  },
  {
    method: 'GET',
    path: '/flavors/detail',
    operation: 'listFlavorsDetail',
    source: '8.1',
    rule: `${compute}:flavors`,
    answer: listFlavorsDetail,
  },
  {
    method: 'GET',
    path: '/flavors/:flavor_id',
    operation: 'showFlavor',
    source: '8.1',
    rule: `${compute}:flavors`,
    answer: showFlavor,
  },
  {
    method: 'GET',
    path: '/flavors/:flavor_id/os-extra_specs',
    operation: 'listExtraSpecs',
    source: '8.1',
    rule: `${compute}:os-flavor-extra-specs:index`,
    answer: listExtraSpecs,
  },
  {
    method: 'GET',
    path: '/limits',
    operation: 'showLimits',
    source: '8.3',
    rule: `${compute}:limits`,
    answer: showLimits,
  },
  {
    method: 'GET',
    path: '/os-availability-zone',
    operation: 'listAvailabilityZones',
    source: '8.3',
    rule: `${compute}:os-availability-zone:list`,
    answer: listZones,
  },
  {
    method: 'GET',
    path: '/os-availability-zone/detail',
    operation: 'listAvailabilityZonesDetail',
    source: '8.3',
    rule: `${compute}:os-availability-zone:detail`,
    answer: listZonesDetail,
  },
]

/** The catalogue names the first; people who follow the vendor's page reach the second. */
export const mounts: readonly Mount[] = [
  { dialect: 'nova', prefix: '/compute' },
  { dialect: 'huawei', prefix: '' },
]

export const routesOf = (house: House<NovaSettings>): readonly Route[] => [
  ...mounts.flatMap((mount) => [
    ...versionRoutes(mount),
    projectRoot(house, mount),
    ...novaRoutes.flatMap((route) => {
      const { method, path, operation, source } = route
      const handle = handlerOf(route, { house, mount })
      return ['/v2.1', '/v2.1/:project_id'].map((form) => ({
        method,
        path: `${mount.prefix}${form}${path}`,
        operation,
        source: `contracts/openstack-compute.md section ${source}`,
        // Signed requests are sent with a slash behind them by some of the vendor's clients.
        ...(mount.dialect === 'huawei' ? { orSlash: true as const } : {}),
        handle,
      }))
    }),
  ]),
  ...imageRoutes(house),
]

const documents = 'contracts/openstack-compute.md section 8.4'

/** Version documents need no credentials and have no version. */
function versionRoutes(mount: Mount): readonly Route[] {
  const { prefix } = mount
  const paths = (path: string) =>
    path === ''
      ? prefix === ''
        ? ['/']
        : [prefix, `${prefix}/`]
      : [`${prefix}${path}`, `${prefix}${path}/`]
  return [
    ...paths('').map((path) => ({
      method: 'GET' as const,
      path,
      operation: 'listVersions',
      source: documents,
      handle: async (exchange: Parameters<Route['handle']>[0]) => listVersions(exchange, mount),
    })),
    ...(['v2.0', 'v2.1'] as const).flatMap((api) =>
      paths(api === 'v2.0' ? '/v2' : '/v2.1').map((path) => ({
        method: 'GET' as const,
        path,
        operation: 'showVersion',
        source: documents,
        handle: async (exchange: Parameters<Route['handle']>[0]) =>
          showVersion(api, exchange, mount),
      })),
    ),
  ]
}

/** The version document once more, for clients that ask for the catalogue's URL with their project behind it. */
const projectRoot = (house: House<NovaSettings>, mount: Mount): Route => ({
  method: 'GET',
  path: `${mount.prefix}/v2.1/:project_id/`,
  operation: 'showVersion',
  source: documents,
  handle: async (exchange) => {
    const caller = await prove(exchange, house, mount.dialect)
    return caller.ok ? showVersion('v2.1', exchange, mount) : caller.error
  },
})

function imageRoutes(house: House<NovaSettings>): readonly Route[] {
  const source = 'contracts/openstack-compute.md section 8.2'
  const method = 'GET' as const
  const roots = [imagePrefix, `${imagePrefix}/`, `${imagePrefix}/versions`]
  return [
    ...roots.map((path) => ({
      method,
      path,
      operation: 'listImageVersions',
      source,
      handle: async (exchange: Parameters<Route['handle']>[0]) => listImageVersions(exchange),
    })),
    {
      method,
      path: `${imagePrefix}/v2/images`,
      operation: 'listImages',
      source,
      handle: (exchange) => listImages(exchange, house),
    },
    {
      method,
      path: `${imagePrefix}/v2/images/:image_id`,
      operation: 'showImage',
      source,
      handle: (exchange) => showImage(exchange, house),
    },
  ]
}
