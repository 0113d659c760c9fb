// What every store promises (src/kernel/ports/store.ts). Each store's own test runs this; a new store answers
// here before anything else is built on it.

import { type OpenStore } from './open-store.ts'
import { storeClaims } from './store-claims.ts'
import { storeCommits } from './store-commits.ts'
import { storeEvents } from './store-events.ts'
import { storeLists } from './store-lists.ts'
import { storePages } from './store-pages.ts'

export function storeContract(name: string, open: OpenStore): void {
  storeCommits(name, open)
  storeLists(name, open)
  storePages(name, open)
  storeClaims(name, open)
  storeEvents(name, open)
}
