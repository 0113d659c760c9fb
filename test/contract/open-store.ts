import { type TestContext } from 'node:test'
import { type Store } from '#kernel/ports/store.ts'

/** A fresh, empty store; closed and removed when the test ends. */
export type OpenStore = (t: TestContext) => Promise<Store>
