import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { type Bench, bench, type Ecs, ecsOf, keyFor } from '#test/harness/ecs.ts'
import { until, world, type World } from '#test/harness/world.ts'

type Entry = Readonly<Record<string, unknown>>

let w: World
let b: Bench
let olaf: Ecs

before(async () => {
  const facts = { Status: 'available', Visibility: 'public' }
  w = await world({
    config: {
      identity: {
        projects: [{ name: 'other' }],
        users: [{ name: 'olaf', password: 'of-another', roles: { other: 'member' } }],
      },
      catalogue: { images: [{ id: 'told', kinds: ['server'], attributes: { ecs: facts } }] },
    },
  })
  b = await bench(w)
  olaf = ecsOf(w, await keyFor(w, 'olaf', 'other'))
})
after(() => w.close())

const images = async (query: Readonly<Record<string, string>> = {}, ask: Ecs = b.ecs) => {
  const { result } = await ask('DescribeImages', query)
  const found = (result?.['Images'] ?? []) as readonly Entry[] // what DescribeImages answers
  return found.map((one) => [one['ImageId'], one['Status'], one['Visibility']])
}

suite('captured images', () => {
  test("are the account's own, and being made until they can be used", async () => {
    const id = await b.server({ imageId: 'told', scenario: { captureMs: 300 } })
    const made = await b.submit({ verb: 'capture', target: b.ref(id), imageName: 'snap' })
    const imageId = made.imageId ?? ''
    const named = { 'ImageIds.1': imageId }
    assert.deepEqual(await images(named), [[imageId, 'creating', 'private']])
    const whole = await until(
      () => images(named),
      ([found]) => found?.[1] !== 'creating',
    )
    assert.deepEqual(whole, [[imageId, 'available', 'private']])
    assert.deepEqual(await images(named, olaf), [])
  })
})
