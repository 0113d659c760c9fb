// A named set of instances: an inference service over edge nodes, or a microservice with registered instances.

import { type ProjectId, type ServiceId, type UserId } from './ids.ts'
import { type JsonObject } from './json.ts'

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
