// A store whose commits can be held back, so that what happens between "decided" and "on disk" can be looked at.

import type { Store } from '#kernel/ports/store.ts'
import { memoryStore } from '#stores/memory/store.ts'
import { until } from './world.ts'

export interface GatedStore {
  readonly store: Store
  /** Runs `during` while no commit gets through; begins once one is held back. */
  /** How many commits were held back at once. */
  readonly heldMost: () => number
  readonly whileHeld: <T>(begin: () => Promise<unknown>, during: () => Promise<T>) => Promise<T>
}

export function gatedStore(inner: Store = memoryStore()): GatedStore {
  let gate: Promise<void> | null = null
  let held = 0
  let most = 0
  const commit: Store['commit'] = async (changes, after) => {
    if (gate !== null) {
      held += 1
      most = Math.max(most, held)
      await gate
    }
    return await inner.commit(changes, after)
  }
  const store = new Proxy(inner, {
    get: (target, name) => {
      if (name === 'commit') return commit
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return {
    store,
    heldMost: () => most,
    async whileHeld(begin, during) {
      held = 0
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      const begun = begin()
      try {
        await until(
          () => Promise.resolve(held),
          (count) => count > 0,
        )
        return await during()
      } finally {
        gate = null
        resolve()
        await begun
      }
    },
  }
}
