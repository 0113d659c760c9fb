// Random walks over the whole plane: batches, engine and simulated drivers on a store that fails and processes
// that die, with time moved by hand. After every step the laws hold; when it is left in peace, all comes to rest.
//
// A seed that fails says so; RUNSTATE_TEST_SEED=<seed> walks it alone, RUNSTATE_TEST_WALKS=<n> walks more.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Walk, walk } from '#test/harness/plane-walker.ts'

const walks = Number(process.env['RUNSTATE_TEST_WALKS'] ?? 60)
const only = process.env['RUNSTATE_TEST_SEED']
const seeds = only === undefined ? Array.from({ length: walks }, (_, n) => n + 1) : [Number(only)]

it('the laws hold after every step of a plane that fails and dies, and all comes to rest', async () => {
  const total: Walk = { accepted: 0, refused: 0, deaths: 0, operations: 0 }
  for (const seed of seeds) {
    try {
      const one = await walk(seed)
      for (const name of Object.keys(total) as (keyof Walk)[]) total[name] += one[name] // its own keys
    } catch (thrown) {
      throw new Error(`seed ${seed} (RUNSTATE_TEST_SEED=${seed} walks it alone)`, { cause: thrown })
    }
  }
  // A walk that nothing is accepted in, or nobody dies in, shows nothing.
  assert.ok(
    Object.values(total).every((count) => count >= seeds.length),
    JSON.stringify(total),
  )
})
