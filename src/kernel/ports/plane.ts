// What doors see of the plane: submit a request, read rows, follow events. The one way to change anything.

import type { Caller } from '../caller.ts'
import type { Event } from '../event.ts'
import type { Result } from '../errors.ts'
import type { InstanceId, OperationId, ServiceId } from '../ids.ts'
import type { Instance } from '../instance.ts'
import type { Operation } from '../operation.ts'
import type { CallerRequest, Idempotency, InstanceRef, Receipt } from '../request.ts'
import type { Usage } from './driver.ts'
import type { Commit, Store } from './store.ts'

export interface Submission {
  readonly caller: Caller
  readonly door: string
  readonly requestId: string
  readonly why?: string
  readonly idempotency?: Idempotency
  /** Check everything, change nothing; the receipt is what would have come of it. */
  readonly dryRun?: boolean
}

/** Reads never go through decisions. Rows of other projects are the doors' to withhold: see `scope`. */
export type Reads = Pick<Store, 'get' | 'find' | 'list' | 'count' | 'events' | 'lastEvent'>

export interface LeaseNow {
  /** When it was heard last. */
  readonly renewedAtMs: number
  /** When its term ends: a restart gave every lease a full one. */
  readonly expiresAtMs: number
  /** Its term is over and a guard keeps it from expiring. */
  readonly isHeld: boolean
}

export interface LeaseCounts {
  readonly living: number
  /** Of those, kept from expiring by a guard. */
  readonly held: number
}

export interface Plane {
  readonly read: Reads
  nowMs(): number
  /** Resolves once what was accepted is on disk; a refusal resolves at once and changed nothing. */
  submit(request: CallerRequest, submission: Submission): Promise<Result<Receipt>>
  /**
   * Keeps what an accepted submission with an idempotency token is about to be answered, so that whoever repeats it
   * is told the same. Resolves with what is kept, which another one may have been quicker with.
   */
  keep(answer: string, submission: Submission): Promise<string>
  /** The instance that a caller may see under this name, else NotFound. Deleted ones are not found. */
  see(ref: InstanceRef, caller: Caller): Promise<Result<Instance>>
  /** Renews registry leases. Resolves per lease with whether it still lives. Durable within a window. */
  beat(instances: readonly InstanceId[]): Promise<readonly boolean[]>
  /** A registered instance's lease as it stands now, which may be newer than the row's. */
  lease(instance: Instance): LeaseNow
  leases(): LeaseCounts
  /**
   * Somebody was shown a service as of this revision, by a find, an answer that nothing changed, or a push. `by`
   * tells viewers apart: who asks, and from where. A drain waits until all recent ones have seen it.
   */
  shown(service: ServiceId, by: string, revision: number): void
  /** Resolves when the operation has ended or the time is over, with its row as it is then. */
  ended(
    operation: OperationId,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Operation | undefined>
  /** The last lines that an instance wrote, oldest first; none where its driver keeps none. */
  output(instance: Instance, lines: number): Promise<readonly string[]>
  /** What it uses now; null when nothing runs or nobody can tell. */
  usage(instance: Instance, signal: AbortSignal): Promise<Usage | null>
  /** Called after each commit, before its requests are answered, with its events in order. Returns how to stop. */
  follow(listener: (events: readonly Event[], commit: Commit) => void): () => void
}
