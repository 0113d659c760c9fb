// What every store promises (src/kernel/ports/store.ts). Each store's own test runs this; a new store answers
// here before anything else is built on it.

import { test, type TestContext } from 'node:test'
import type { Store } from '#kernel/ports/store.ts'
import type { Laws } from './laws.ts'
import { claimLaws } from './store-claims.ts'
import { commitLaws } from './store-commits.ts'
import { eventLaws } from './store-events.ts'
import { listLaws } from './store-lists.ts'
import { pageLaws } from './store-pages.ts'

/** A fresh, empty store; closed and removed when the test ends. */
type OpenStore = (t: TestContext) => Promise<Store>

export function storeContract(name: string, open: OpenStore): void {
  const laws: Laws = { ...commitLaws, ...listLaws, ...pageLaws, ...claimLaws, ...eventLaws }
  for (const [law, holds] of Object.entries(laws))
    test(`${name}: ${law}`, async (t) => holds(await open(t)))
}
