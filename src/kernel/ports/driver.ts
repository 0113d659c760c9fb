// What makes things happen. Each act is idempotent: it may run twice, and a second run with a higher `attempt`
// fences off the first. A driver keeps nothing but its handle; the kernel stores that unread.

import type { Flavor, Image } from '../catalogue.ts'
import type { Result } from '../errors.ts'
import type { InstanceId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Rung } from '../ladder.ts'
import type { Observation } from '../observation.ts'
import type { Act } from '../operation.ts'
import type { DriverError } from '../request.ts'

/** What a driver is told of an instance: enough to make it again from nothing. */
export interface Thing {
  readonly id: InstanceId
  readonly name: string
  readonly handle: JsonObject | null
  readonly launch: JsonObject
  readonly flavor: Pick<Flavor, 'id' | 'vcpus' | 'memoryMiB' | 'attributes'> | null
  readonly image: Pick<Image, 'id' | 'launch'> | null
}

export interface ActOptions {
  /** Fencing number: rises with every operation of the instance and every retry; an older one must have no effect any more. */
  readonly attempt: number
  readonly signal: AbortSignal
}

export interface Capabilities {
  readonly acts: readonly Act[]
  readonly rungs: readonly Rung[]
}

/** What is used of a host. */
export interface Usage {
  readonly cpuCores: number
  readonly memoryMiB: number
  readonly gpus: number
}

/** Resolves with the handle to keep from now on. */
type Acted = Promise<Result<{ readonly handle: JsonObject }, DriverError>>

export interface Driver {
  readonly name: string
  readonly capabilities: Capabilities
  /** Makes the thing, not running. Making what exists changes nothing. */
  create(thing: Thing, options: ActOptions): Acted
  /** Starts it, and returns without waiting until it is ready. Starting what runs changes nothing. */
  start(thing: Thing, options: ActOptions): Acted
  /** Asks (drain, soft) or forces (hard); returns without waiting until it is down. Stopping what is down changes nothing. */
  stop(thing: Thing, options: ActOptions & { readonly rung: Rung; readonly graceMs: number }): Acted
  /** Holds it still, with all that it has in memory. Pausing what is paused changes nothing. */
  pause(thing: Thing, options: ActOptions): Acted
  /** Lets what is paused go on; what runs changes nothing. */
  unpause(thing: Thing, options: ActOptions): Acted
  /** Puts it away with all that it was doing; it uses nothing meanwhile. */
  suspend(thing: Thing, options: ActOptions): Acted
  resume(thing: Thing, options: ActOptions): Acted
  capture(thing: Thing, options: ActOptions & { readonly imageName: string }): Acted
  /** Removes the thing and all that belongs to it. It is down by then. Removing what is gone changes nothing. */
  remove(thing: Thing, options: ActOptions): Acted
  /** Looks, and changes nothing. A look that fails is an observation of `unknown`, not an error. */
  observe(thing: Thing, signal: AbortSignal): Promise<Observation>
  /** The last lines that a thing wrote, oldest first, while there is something of it; absent: none is kept. */
  output?(thing: Thing, lines: number): Promise<readonly string[]>
  /** What a thing uses now; null when nothing runs or nobody can tell. Absent: it never can be told. */
  usage?(thing: Thing, signal: AbortSignal): Promise<Usage | null>
  /** After a restart of the server: take up again what belongs to a living thing (watching it, bounding its logs). */
  adopt(thing: Thing): Promise<void>
  /** Calls back when a thing may have changed; a hint, never the truth. Returns how to stop. */
  watch(hint: (id: InstanceId) => void): () => void
  /** Lets go of things without touching them. */
  close(): Promise<void>
}
