// An immutable fact. The store numbers events in commit order without gaps in what is visible; the audit log,
// the watch stream and metering all read them.

import type { Cause } from './caller.ts'
import type { JsonObject } from './json.ts'
import type { ProjectId } from './ids.ts'

export const eventTypes = {
  'instance.created': 'An instance was accepted.',
  'instance.state': 'An instance changed its state; `from`, `to`, `reason`.',
  'instance.updated': 'A name, label, attribute or condition changed.',
  'instance.held': 'Somebody set a hold.',
  'instance.released': 'A hold ended.',
  'instance.reset': 'Somebody put its state right by hand.',
  'instance.stopped-mode': 'A stopped or stopping instance keeps or releases its capacity; `mode`.',
  'instance.charge': 'How an instance is paid for changed, or whether it is; `charge`.',
  'instance.observed': 'What a driver sees changed without changing the state.',
  'instance.status': "A registered instance's status was reported or set.",
  'instance.bound': 'An instance serves as a registered one from now on; `service`, `instance`.',
  'instance.unbound': 'An instance does not serve as a registered one any more.',
  'instance.registered': 'A microservice instance registered again with other content.',
  'operation.started': 'A request was accepted as an operation.',
  'operation.joined': 'A request joined an operation that was under way.',
  'operation.step': 'A step ended: done, retried or failed.',
  'operation.escalated': 'A stop climbed to a harder rung.',
  'operation.succeeded': 'An operation ended well.',
  'operation.failed': 'An operation ended badly; `message`.',
  'operation.cancelled': 'A harder or opposite request took its place.',
  'batch.accepted': 'Many requests were decided at once; `items`, `refused`.',
  'service.created': 'A service was accepted.',
  'service.deployed': 'A service was given a configuration; `nodes`, `placed`, `again`.',
  'service.state': "A service's derived status changed.",
  'service.updated': "A service's content changed.",
  'service.depends':
    'A microservice said which others it needs; `on`, and `replace` when no others any more.',
  'service.removed': 'A service is gone.',
  'guard.raised': 'Most leases of a circle fell silent together, and its expiries are held.',
  'guard.lifted': 'Most leases of a guarded circle are heard again, or gone.',
  'guard.released': 'Somebody let the held expiries of a circle take place.',
  'pool.changed': 'Capacity was taken, freed or resized.',
  'key-pair.changed': "One of a user's public keys was kept or dropped.",
  'catalogue.changed': 'A flavor, image, node, pool or driver was set.',
} as const

export type EventType = keyof typeof eventTypes

export interface EventDraft {
  readonly type: EventType
  readonly project: ProjectId | null
  /** What it is about: instance, operation, batch, service or catalogue id. */
  readonly subject: string
  readonly instanceId: string | null
  readonly atMs: number
  readonly cause: Cause
  readonly data: JsonObject
}

export interface Event extends EventDraft {
  /** Rises by commit order; the resume cursor of every stream. */
  readonly seq: number
}
