// A store that breaks on demand, so that what a door says of it can be heard.

import { type Store, StoreError } from '#kernel/ports/store.ts'
import { memoryStore } from '#stores/memory/store.ts'

type Call = 'get' | 'find' | 'list' | 'count' | 'events' | 'commit'

export interface BrittleStore {
  readonly store: Store
  /** While `during` runs, these calls fail: as a broken disk does, or with something that no store may throw. */
  whileBroken<T>(
    calls: readonly { readonly call: Call; readonly table?: string }[],
    during: () => Promise<T>,
    thrown?: unknown,
  ): Promise<T>
}

export function brittleStore(inner: Store = memoryStore()): BrittleStore {
  let broken: readonly { readonly call: string; readonly table?: string }[] = []
  let thrown: unknown
  const store = new Proxy(inner, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: readonly unknown[]): unknown => {
        const isBroken = broken.some(
          ({ call, table }) =>
            call === (name === 'kept' ? 'get' : name) && (table === undefined || table === args[0]),
        )
        if (isBroken && name === 'kept') return undefined
        return isBroken ? Promise.reject(thrown as Error) : Reflect.apply(value, target, args) // what a test throws is its own to choose
      }
    },
  })
  return {
    store,
    async whileBroken(calls, during, failure = new StoreError('io', 'the disk is gone')) {
      broken = calls
      thrown = failure
      try {
        return await during()
      } finally {
        broken = []
      }
    },
  }
}
