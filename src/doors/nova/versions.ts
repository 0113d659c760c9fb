// Which versions are served where: what clients read before they know anything, and without credentials.
//
// A version's `self` link is the same text in the list and in its own document: clients compare the two.
// Source: contract, sections 2.1 and 8.4; openstack/nova nova/api/openstack/compute/{versions,versionsV21}.py.

import type { Answer, Exchange } from '../shared/http.ts'
import { requestIdOf, type Mount } from './call.ts'
import { versionMax, versionMin, versionText } from './microversion.ts'

type Api = 'v2.0' | 'v2.1'

const versionOf = (api: Api, exchange: Exchange, { prefix }: Mount): object => {
  const isCurrent = api === 'v2.1'
  const root = `${exchange.baseUrl}${prefix}`
  return {
    id: api,
    status: isCurrent ? 'CURRENT' : 'SUPPORTED',
    version: isCurrent ? versionText(versionMax) : '',
    min_version: isCurrent ? versionText(versionMin) : '',
    updated: isCurrent ? '2013-07-23T11:33:21Z' : '2011-01-21T11:33:21Z',
    links: [{ rel: 'self', href: `${root}/${isCurrent ? 'v2.1' : 'v2'}/` }],
  }
}

const mediaTypesOf = (api: Api): readonly object[] => {
  const version = api === 'v2.1' ? '2.1' : '2'
  const type = `application/vnd.openstack.compute+json;version=${version}`
  return [{ base: 'application/json', type }]
}

export const listVersions = (exchange: Exchange, mount: Mount): Answer =>
  unversioned(exchange, 200, {
    versions: [versionOf('v2.0', exchange, mount), versionOf('v2.1', exchange, mount)],
  })

export function showVersion(api: Api, exchange: Exchange, mount: Mount): Answer {
  const version = versionOf(api, exchange, mount) as { readonly links: readonly object[] } // made above
  const describedBy = {
    rel: 'describedby',
    type: 'text/html',
    href: 'https://docs.openstack.org/api-ref/compute/',
  }
  return unversioned(exchange, 200, {
    version: {
      ...version,
      links: [...version.links, describedBy],
      'media-types': mediaTypesOf(api),
    },
  })
}

/** For a path that names no version we serve. */
export const choices = (exchange: Exchange, mount: Mount): Answer =>
  unversioned(exchange, 300, {
    choices: (['v2.0', 'v2.1'] as const).map((api) => ({
      id: api,
      status: api === 'v2.1' ? 'CURRENT' : 'SUPPORTED',
      links: [
        {
          rel: 'self',
          href: `${exchange.baseUrl}${mount.prefix}/${api === 'v2.1' ? 'v2.1' : 'v2'}${exchange.rawPath.slice(mount.prefix.length)}`,
        },
      ],
      'media-types': mediaTypesOf(api),
    })),
  })

const unversioned = (exchange: Exchange, status: number, body: object): Answer => {
  const requestId = requestIdOf(exchange)
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-compute-request-id': requestId,
      'x-openstack-request-id': requestId,
    },
    body,
  }
}
