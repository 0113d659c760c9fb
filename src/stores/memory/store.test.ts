import { storeContract } from '#test/contract/store.contract.ts'
import { memoryStore } from './store.ts'

storeContract('memory', async (t) => {
  const store = memoryStore()
  t.after(() => store.close())
  return store
})
