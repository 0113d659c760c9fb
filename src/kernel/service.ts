// A named set of instances: an inference service over edge nodes, or a microservice with registered instances.

import type { ProjectId, ServiceId, UserId } from './ids.ts'
import type { JsonObject } from './json.ts'

export interface Service {
  readonly id: ServiceId
  readonly project: ProjectId
  readonly kind: 'inference' | 'microservice'
  /** Unique text within (project, kind): a name, or the whole identity of a microservice version. */
  readonly key: string
  readonly name: string
  readonly description: string
  /** Its instances run on named edge nodes. */
  readonly onNodes: boolean
  /** Those nodes, as they were last named; empty when it runs on none. */
  readonly nodes: readonly string[]
  /** The part of its project that it is in. */
  readonly workspace: string
  /** Others use it as it is, so it must not be changed. */
  readonly shared: boolean
  /** Name of something that needs it, so it must not be removed; null: nothing does. */
  readonly usedBy: string | null
  readonly createdBy: UserId
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /**
   * Inference: what is under way for the whole service; `settled` lets the status follow from the nodes.
   * A microservice is always `settled`.
   */
  readonly phase: 'deploying' | 'stopping' | 'deleting' | 'settled'
  /** Inference: derived from its nodes (see inference.ts), stored so that its changes have a time. */
  readonly status: ServiceState
  readonly statusSinceMs: number
  /** When it was last brought up as a whole: deployed, deployed again or started. */
  readonly deployedAtMs: number
  /** When its configuration was last set. */
  readonly configuredAtMs: number
  readonly failure: string | null
  /** Rises with every change of the matched instances; revisions of finds are made from it. */
  readonly revision: number
  readonly labels: Readonly<Record<string, string>>
  readonly attributes: Readonly<Record<string, JsonObject>>
}

/** That a microservice needs another by its name, whatever versions of it there are or will be. */
export interface Dependency {
  /** `${serviceId} ${provider}` */
  readonly id: string
  readonly project: ProjectId
  /** Who needs. */
  readonly serviceId: ServiceId
  /** What is needed: see `providerKey`. It may not exist yet. */
  readonly provider: string
}

/** Names all versions of a microservice of one project: the key of each without its last part. */
export const providerKey = (project: string, name: string): string => `${project} ${name}`
export const providerOf = ({ project, key }: Pick<Service, 'project' | 'key'>): string =>
  providerKey(project, key.slice(0, key.lastIndexOf('/')))

/** One user's services on nodes are counted by this; null: it is not counted. */
export const serviceOwnerKey = (
  service: Pick<Service, 'project' | 'createdBy' | 'kind' | 'onNodes' | 'status'>,
): string | null =>
  service.kind === 'inference' && service.onNodes && service.status !== 'deleted'
    ? `${service.project}/${service.createdBy}`
    : null

export const serviceStates = {
  deploying: 'Its instances are being brought up.',
  running: 'Every instance that is not stopped on purpose runs.',
  concerning: 'Some run, some that should do not.',
  failed: 'None runs and at least one failed.',
  stopping: 'All are being stopped.',
  stopped: 'All are stopped.',
  deleting: 'Being removed.',
  deleted: 'Gone.',
} as const
export type ServiceState = keyof typeof serviceStates
