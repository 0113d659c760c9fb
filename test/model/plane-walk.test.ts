// Random walks over the whole plane: every door, batches, engine and simulated drivers, on a disk that fails, lies
// and is slow, with drivers that are late and lie, processes that die between any two steps, and a clock that jumps.
// After every step the laws hold; when it is left in peace, all comes to rest.
//
// A seed that fails tells its story; RUNSTATE_TEST_SEED=<seed> walks it alone, RUNSTATE_TEST_WALKS=<n> walks more.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { scaled } from '#test/harness/scale.ts'
import { type Walk, walk } from '#test/harness/plane-walker.ts'

const walks = scaled('RUNSTATE_TEST_WALKS', 30, 2_000)
const only = process.env['RUNSTATE_TEST_SEED']
const seeds = only === undefined ? Array.from({ length: walks }, (_, n) => n + 1) : [Number(only)]

it('the laws hold after every step of a plane that fails and dies, and all comes to rest', async () => {
  const total: Walk = { accepted: 0, refused: 0, deaths: 0, operations: 0, asked: 0 }
  for (const seed of seeds) {
    const one = await walk(seed)
    for (const name of Object.keys(total) as (keyof Walk)[]) total[name] += one[name] // its own keys
  }
  // A walk that nothing is accepted in, or nobody dies in, shows nothing.
  assert.ok(
    Object.values(total).every((count) => count >= seeds.length),
    JSON.stringify(total),
  )
})
