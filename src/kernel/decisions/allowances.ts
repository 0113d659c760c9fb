// What a project's account and what a request names allow of a service on nodes: quotas, workspaces, whether the
// model is published, and whether each node has what is needed. State plays no part here.

import type { Flavor, Image, Node } from '../catalogue.ts'
import type { KernelError } from '../errors.ts'
import type { Context, Needs } from '../request.ts'
import type { Draft } from '../rows.ts'
import type { Quotas } from '../project.ts'
import { type Service, serviceOwnerKey } from '../service.ts'
import { unusable } from './conditions.ts'

/** Somebody else counts on it as it is. */
export const sharedService = (service: Service): KernelError | undefined =>
  service.shared ? unusable('service', service, 'shared') : undefined

export const usedService = (service: Service): KernelError | undefined =>
  service.usedBy === null
    ? undefined
    : unusable('service', { id: service.id, name: service.usedBy }, 'associated')

interface Wanted {
  readonly flavor: Flavor
  readonly image: Image
  readonly needs: Needs
  /** The service whose instances are replaced; null for a new one. */
  readonly replaces: Service | null
}

/** What keeps an instance of this flavor and image from being put on a node. */
export function unfitNode(
  draft: Draft,
  node: Node,
  { flavor, image, needs, replaces }: Wanted,
): KernelError | undefined {
  const has = (accelerator: 'GPU' | 'ASCEND') => node.accelerators?.includes(accelerator) === true
  if ((needs.gpus > 0 || flavor.hardware === 'GPU') && !has('GPU'))
    return unusable('node', node, 'no-gpu')
  if ((needs.npus > 0 || flavor.hardware === 'ASCEND') && !has('ASCEND'))
    return unusable('node', node, 'no-npu')
  const port = image.hostPort ?? null
  if (port === null) return undefined
  const taken = draft
    .find('instances', 'nodeId', node.id)
    .filter((one) => one.serviceId !== replaces?.id)
    .some((one) => {
      const other = one.refit?.imageId ?? one.imageId
      return other !== null && draft.get('images', other)?.hostPort === port
    })
  return taken ? unusable('node', node, 'port-taken') : undefined
}

export const unpublished = (image: Image): KernelError | undefined =>
  image.publishing ? unusable('image', image, 'publishing') : undefined

/** How many services on nodes one user may have where a project says nothing else. */
const servicesMax = 1000
const up: ReadonlySet<Service['status']> = new Set(['deploying', 'running', 'concerning'])

/**
 * Whether one user's services on nodes, with this one as it is to be, are more than the project allows.
 * Source: edge inference contract, section 3: the vendor's own default counts by user.
 */
export function overQuota(
  draft: Draft,
  { nowMs }: Pick<Context, 'nowMs'>,
  wanted: Service,
): KernelError | undefined {
  const quotas: Quotas = draft.get('projects', wanted.project)?.quotas ?? {}
  const others = draft
    .find('services', 'ownerKey', serviceOwnerKey(wanted))
    .filter((one) => one.id !== wanted.id)
  const all = [...others, wanted]
  const counts = {
    services: wanted.createdAtMs === nowMs ? all.length : 0,
    runningServices: all.filter(({ status }) => up.has(status)).length,
    serviceInstances: all.reduce((sum, { nodes }) => sum + nodes.length, 0),
    nodes: new Set(all.flatMap(({ nodes }) => nodes)).size,
  } as const satisfies Record<keyof Quotas, number>
  const limits = { services: servicesMax, ...quotas }
  for (const { quota, what } of quotaNouns) {
    const limit = limits[quota]
    if (limit !== undefined && counts[quota] > limit)
      return { code: 'QuotaExceeded', what, limit, quota }
  }
  return undefined
}

const quotaNouns = [
  { quota: 'services', what: 'service' },
  { quota: 'runningServices', what: 'service' },
  { quota: 'serviceInstances', what: 'instance' },
  { quota: 'nodes', what: 'node' },
] as const
