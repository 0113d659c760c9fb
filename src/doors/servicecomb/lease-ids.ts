// Which instance a (tenant, service, instance) triple names, remembered so that a heartbeat reads nothing. An
// instance's id never changes and is never used again, so what is remembered is either right or names an instance
// that is gone, whose lease then no longer lives; then the store is asked.

import type { Caller } from '#kernel/caller.ts'
import type { InstanceId } from '#kernel/ids.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { Pair } from './decode.ts'
import { rowPart } from './wire.ts'

const rememberedMax = 200_000

export class LeaseIds {
  readonly #plane: Plane
  readonly #known = new Map<string, InstanceId>()

  constructor(plane: Plane) {
    this.#plane = plane
  }

  /** @returns whether the lease lives, and so was renewed. */
  async beat(caller: Caller, pair: Pair): Promise<boolean> {
    const key = `${caller.projectId}\n${pair.serviceId}\n${pair.instanceId}`
    const known = this.#known.get(key)
    if (known !== undefined) {
      const [lives = false] = await this.#plane.beat([known])
      if (lives) return true
      this.#known.delete(key)
    }
    const id = await this.find(caller, pair)
    if (id === undefined) return false
    const [lives = false] = await this.#plane.beat([id])
    if (!lives) return false
    if (this.#known.size >= rememberedMax) this.#known.clear()
    this.#known.set(key, id)
    return true
  }

  /** Looks without renewing. */
  async find(caller: Caller, { serviceId, instanceId }: Pair): Promise<InstanceId | undefined> {
    const ref = {
      kind: 'service-instance',
      service: rowPart(serviceId),
      instance: instanceId,
    } as const
    const seen = await this.#plane.see(ref, caller)
    return seen.ok ? seen.value.id : undefined
  }
}
