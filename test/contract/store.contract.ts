// What every store promises (src/kernel/ports/store.ts). Each store's own test runs this; a new store answers
// here before anything else is built on it.

import { type TestContext } from 'node:test'
import { type Store } from '#kernel/ports/store.ts'
import { storeClaims } from './store-claims.ts'
import { storeCommits } from './store-commits.ts'
import { storeEvents } from './store-events.ts'
import { storeLists } from './store-lists.ts'

/** A fresh, empty store; closed and removed when the test ends. */
export type OpenStore = (t: TestContext) => Promise<Store>

export function storeContract(name: string, open: OpenStore): void {
  storeCommits(name, open)
  storeLists(name, open)
  storeClaims(name, open)
  storeEvents(name, open)
}
