import type { Store } from '#kernel/ports/store.ts'

/** What every store keeps, each by its name; each is asked of a fresh, empty store. */
export type Laws = Readonly<Record<string, (store: Store) => Promise<void>>>
