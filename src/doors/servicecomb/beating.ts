// Instances that live by a websocket, so that one that leaves is told at once.
// Source: contracts/cse-registry.md section 6.4.

import type { InstanceId } from '#kernel/ids.ts'
import type { Commit } from '#kernel/ports/store.ts'
import type { Link } from './connections.ts'

export const deadCode = 4001
export const dead = 'heartbeat reporting failed because the instance does not exist'

export class Beating {
  readonly #links = new Map<InstanceId, Set<Link>>()

  get size(): number {
    return this.#links.size
  }

  add(id: InstanceId, link: Link): () => void {
    const known = this.#links.get(id) ?? new Set()
    this.#links.set(id, known)
    known.add(link)
    return () => {
      known.delete(link)
      if (known.size === 0 && this.#links.get(id) === known) this.#links.delete(id)
    }
  }

  follow({ writes }: Commit): void {
    if (this.#links.size === 0) return
    for (const write of writes) {
      if (!('remove' in write) || write.table !== 'instances') continue
      for (const { push } of this.#links.get(write.remove as InstanceId) ?? [])
        push.close(deadCode, dead) // the table's ids
    }
  }
}
