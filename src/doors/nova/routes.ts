// Every call of this door: method, path, policy rule, what answers it, and where that is written down.
//
// Each row is served four times: on two mounts, and with and without the project in its URL.
// Sources name sections of contracts/openstack-compute.md; rules are those of openstack/nova nova/policies/.

import type { House, Route } from '../shared/http.ts'
import { act, actionFault } from './actions.ts'
import { listAddresses, showAddresses } from './addresses.ts'
import { prove } from './auth.ts'
import { handlerOf, type Mount, type NovaRoute } from './call.ts'
import { createServer } from './create.ts'
import { listInterfaces, listVolumeAttachments } from './attachments.ts'
import { listExtensions, showExtension } from './extensions.ts'
import {
  addExtraSpecs,
  listExtraSpecs,
  removeExtraSpec,
  setExtraSpec,
  showExtraSpec,
} from './extra-specs.ts'
import { actOnFlavor, flavorActionFault, listFlavorAccess } from './flavor-access.ts'
import { createFlavor, deleteFlavor, updateFlavor } from './flavor-changes.ts'
import { listFlavors, listFlavorsDetail, showFlavor } from './flavors.ts'
import {
  imagesUntil,
  listProxyImages,
  listProxyImagesDetail,
  showProxyImage,
} from './image-proxy.ts'
import { deleteImage, imagePrefix, listImages, listImageVersions, showImage } from './images.ts'
import { listInstanceActions, showInstanceAction } from './instance-actions.ts'
import { createKeyPair, deleteKeyPair, listKeyPairs, showKeyPair } from './key-pairs.ts'
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
import type { NovaSettings } from './settings.ts'
import {
  listServices,
  listZones,
  listZonesDetail,
  showLimits,
  showQuotaSet,
} from './surroundings.ts'
import { addTag, checkTag, clearTags, listTags, removeTag, replaceTags, tagsSince } from './tags.ts'
import { listVersions, showVersion } from './versions.ts'
import { flavorTextSince } from './wire.ts'

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
  {
    method: 'GET',
    path: '/servers/:server_id/tags',
    operation: 'listTags',
    source: '6.7',
    rule: `${compute}:os-server-tags:index`,
    since: tagsSince,
    answer: listTags,
  },
  {
    method: 'PUT',
    path: '/servers/:server_id/tags',
    operation: 'replaceTags',
    source: '6.7',
    rule: `${compute}:os-server-tags:update_all`,
    since: tagsSince,
    answer: replaceTags,
  },
  {
    method: 'DELETE',
    path: '/servers/:server_id/tags',
    operation: 'deleteTags',
    source: '6.7',
    rule: `${compute}:os-server-tags:delete_all`,
    since: tagsSince,
    answer: clearTags,
  },
  {
    method: 'GET',
    path: '/servers/:server_id/tags/:tag',
    operation: 'checkTag',
    source: '6.7',
    rule: `${compute}:os-server-tags:show`,
    since: tagsSince,
    answer: checkTag,
  },
  {
    method: 'PUT',
    path: '/servers/:server_id/tags/:tag',
    operation: 'addTag',
    source: '6.7',
    rule: `${compute}:os-server-tags:update`,
    since: tagsSince,
    hasNoBody: true,
    answer: addTag,
  },
  {
    method: 'DELETE',
    path: '/servers/:server_id/tags/:tag',
    operation: 'deleteTag',
    source: '6.7',
    rule: `${compute}:os-server-tags:delete`,
    since: tagsSince,
    answer: removeTag,
  },
  {
    method: 'GET',
    path: '/servers/:server_id/ips',
    operation: 'listAddresses',
    source: '6.8',
    rule: `${compute}:ips:index`,
    answer: listAddresses,
  },
  {
    method: 'GET',
    path: '/servers/:server_id/ips/:network',
    operation: 'showAddresses',
    source: '6.8',
    rule: `${compute}:ips:show`,
    answer: showAddresses,
  },
  {
    method: 'GET',
    path: '/servers/:server_id/os-interface',
    operation: 'listInterfaces',
    source: '2.3',
    rule: `${compute}:os-attach-interfaces:list`,
    answer: listInterfaces,
  },
  {
    method: 'GET',
    path: '/servers/:server_id/os-volume_attachments',
    operation: 'listVolumeAttachments',
    source: '2.3',
    rule: `${compute}:os-volumes-attachments:index`,
    answer: listVolumeAttachments,
  },
  {
    method: 'POST',
    path: '/flavors',
    operation: 'createFlavor',
    source: '8.1',
    rule: `${compute}:os-flavor-manage:create`,
    answer: createFlavor,
  },
  {
    method: 'DELETE',
    path: '/flavors/:flavor_id',
    operation: 'deleteFlavor',
    source: '8.1',
    rule: `${compute}:os-flavor-manage:delete`,
    answer: deleteFlavor,
  },
  {
    method: 'PUT',
    path: '/flavors/:flavor_id',
    operation: 'updateFlavor',
    source: '8.1',
    rule: `${compute}:os-flavor-manage:update`,
    since: flavorTextSince,
    answer: updateFlavor,
  },
  {
    method: 'POST',
    path: '/flavors/:flavor_id/action',
    operation: 'actOnFlavor',
    source: '8.1',
    rule: `${compute}:os-flavor-access`,
    precheck: flavorActionFault,
    answer: actOnFlavor,
  },
  {
    method: 'GET',
    path: '/flavors/:flavor_id/os-flavor-access',
    operation: 'listFlavorAccess',
    source: '8.1',
    rule: `${compute}:os-flavor-access`,
    answer: listFlavorAccess,
  },
  {
    method: 'POST',
    path: '/flavors/:flavor_id/os-extra_specs',
    operation: 'addExtraSpecs',
    source: '8.1',
    rule: `${compute}:os-flavor-extra-specs:create`,
    answer: addExtraSpecs,
  },
  {
    method: 'GET',
    path: '/flavors/:flavor_id/os-extra_specs/:key',
    operation: 'showExtraSpec',
    source: '8.1',
    rule: `${compute}:os-flavor-extra-specs:show`,
    answer: showExtraSpec,
  },
  {
    method: 'PUT',
    path: '/flavors/:flavor_id/os-extra_specs/:key',
    operation: 'setExtraSpec',
    source: '8.1',
    rule: `${compute}:os-flavor-extra-specs:update`,
    answer: setExtraSpec,
  },
  {
    method: 'DELETE',
    path: '/flavors/:flavor_id/os-extra_specs/:key',
    operation: 'removeExtraSpec',
    source: '8.1',
    rule: `${compute}:os-flavor-extra-specs:delete`,
    answer: removeExtraSpec,
  },
  {
    method: 'GET',
    path: '/os-keypairs',
    operation: 'listKeyPairs',
    source: '8.3',
    rule: `${compute}:os-keypairs:index`,
    answer: listKeyPairs,
  },
  {
    method: 'POST',
    path: '/os-keypairs',
    operation: 'createKeyPair',
    source: '8.3',
    rule: `${compute}:os-keypairs:create`,
    answer: createKeyPair,
  },
  {
    method: 'GET',
    path: '/os-keypairs/:key_name',
    operation: 'showKeyPair',
    source: '8.3',
    rule: `${compute}:os-keypairs:show`,
    answer: showKeyPair,
  },
  {
    method: 'DELETE',
    path: '/os-keypairs/:key_name',
    operation: 'deleteKeyPair',
    source: '8.3',
    rule: `${compute}:os-keypairs:delete`,
    answer: deleteKeyPair,
  },
  {
    method: 'GET',
    path: '/os-quota-sets/:quota_project',
    operation: 'showQuotaSet',
    source: '8.3',
    rule: `${compute}:os-quota-sets:show`,
    answer: showQuotaSet,
  },
  {
    method: 'GET',
    path: '/os-quota-sets/:quota_project/defaults',
    operation: 'showQuotaDefaults',
    source: '8.3',
    rule: `${compute}:os-quota-sets:defaults`,
    answer: showQuotaSet,
  },
  {
    method: 'GET',
    path: '/os-services',
    operation: 'listServices',
    source: '8.3',
    rule: `${compute}:os-services:list`,
    answer: listServices,
  },
  {
    method: 'GET',
    path: '/extensions',
    operation: 'listExtensions',
    source: '8.3',
    rule: `${compute}:extensions`,
    answer: listExtensions,
  },
  {
    method: 'GET',
    path: '/extensions/:alias',
    operation: 'showExtension',
    source: '8.3',
    rule: `${compute}:extensions`,
    answer: showExtension,
  },
  {
    method: 'GET',
    path: '/images',
    operation: 'listProxyImages',
    source: '8.2',
    rule: `${compute}:images`,
    until: imagesUntil,
    answer: listProxyImages,
  },
  {
    method: 'GET',
    path: '/images/detail',
    operation: 'listProxyImagesDetail',
    source: '8.2',
    rule: `${compute}:images`,
    until: imagesUntil,
    answer: listProxyImagesDetail,
  },
  {
    method: 'GET',
    path: '/images/:image_id',
    operation: 'showProxyImage',
    source: '8.2',
    rule: `${compute}:images`,
    until: imagesUntil,
    answer: showProxyImage,
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
    {
      method: 'DELETE',
      path: `${imagePrefix}/v2/images/:image_id`,
      operation: 'deleteImage',
      source,
      handle: (exchange) => deleteImage(exchange, house),
    },
  ]
}
