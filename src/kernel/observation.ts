// What a driver last saw. `unknown` is not `absent`: nothing destructive ever follows from `unknown`.

import type { JsonObject } from './json.ts'

export interface Observation {
  /**
   * up: runs; paused: held still in memory; suspended: put away with all that it was doing; down: exists and does
   * not run; absent: the thing itself is gone; unknown: could not be seen.
   */
  readonly seen: 'up' | 'paused' | 'suspended' | 'down' | 'absent' | 'unknown'
  /** Meaningful while up: false until its readiness probe has passed. */
  readonly ready: boolean
  readonly atMs: number
  /** One sentence for a person: "process 4711 exited with code 3". Null when there is nothing to say. */
  readonly reason: string | null
  /** What the driver saw, for a machine: pid, exitCode, signal, address, … */
  readonly evidence: JsonObject
}
