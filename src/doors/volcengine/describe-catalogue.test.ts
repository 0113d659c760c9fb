import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { type Bench, bench, type Ecs, ecsOf, keyFor } from '#test/harness/ecs.ts'
import { until, world, type World } from '#test/harness/world.ts'

type Entry = Readonly<Record<string, unknown>>

/** What an image may say of itself, besides what is the same of all. */
const fullFacts = {
  OsType: 'Windows',
  Platform: 'Windows Server',
  ProjectName: 'mine',
  Status: 'error',
  Visibility: 'shared',
  IsSupportCloudInit: true,
  IsLTS: true,
  Tags: [{ Key: 'team', Value: 'blue' }, 'no tag'],
}

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
      catalogue: {
        flavors: [{ id: 'gpu.large', driver: 'simulated', hardware: 'GPU', kinds: ['server'] }],
        images: [
          { id: 'told', kinds: ['server'], attributes: { ecs: facts } },
          { id: 'bare', kinds: ['server'], hardware: 'GPU', attributes: { ecs: fullFacts } },
        ],
      },
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

  test('of another account are not there, whatever is asked of them', async () => {
    const id = await b.server()
    const { imageId = '' } = await b.submit({
      verb: 'capture',
      target: b.ref(id),
      imageName: 'secret',
    })
    const types = async (ask: Ecs, ImageId: string) =>
      (await ask('DescribeInstanceTypes', { ImageId })).result?.['TotalCount']
    assert.notEqual(await types(b.ecs, imageId), 0)
    assert.equal(await types(olaf, imageId), await types(olaf, 'no-such-image'))
  })
})

suite('the filters of images', () => {
  const ids = async (query: Readonly<Record<string, string>>) =>
    (await images({ MaxResults: '100', ...query })).map(([id]) => id)

  for (const query of [
    { ImageName: 'bare' },
    { ImageStatus: 'error' },
    { 'Status.1': 'error', 'Status.2': 'deleted' },
    { OsType: 'Windows' },
    { Platform: 'Windows Server' },
    { ProjectName: 'mine' },
    { Visibility: 'shared' },
    { IsSupportCloudInit: 'true' },
    { IsLTS: 'True' },
    { InstanceTypeId: 'gpu.large' },
    { 'TagFilters.1.Key': 'team' },
    { 'TagFilters.1.Key': 'team', 'TagFilters.1.Values.1': 'red', 'TagFilters.1.Values.2': 'blue' },
  ]) {
    test(JSON.stringify(query), async () => assert.deepEqual(await ids(query), ['bare']))
  }

  test('leave out what does not fit, and all that given ones are about must fit', async () => {
    const others = await ids({ IsSupportCloudInit: 'false' })
    assert(others.includes('told') && !others.includes('bare'))
    assert.deepEqual(await ids({ OsType: 'Windows', Visibility: 'public' }), [])
    assert.deepEqual(await ids({ 'TagFilters.1.Key': 'team', 'TagFilters.1.Values.1': 'red' }), [])
    assert.deepEqual(await ids({ InstanceTypeId: 'no-such-type' }), [])
    assert(!(await ids({ InstanceTypeId: 'ecs.g3i.large' })).includes('bare'))
  })

  test('that are wrong are refused', async () => {
    for (const query of [{ IsLTS: 'perhaps' }, { IsSupportCloudInit: '1' }])
      assert.equal((await b.ecs('DescribeImages', query)).code, 'InvalidArgument')
  })
})

test('a catalogue is read to its end', async () => {
  const many = Array.from({ length: 1_001 }, (_, n) => `a-${n}`)
  const like = { driver: 'simulated', kinds: ['server'] }
  const large = await world({
    config: {
      catalogue: {
        flavors: [...many, 'z'].map((id) => ({ ...like, id, family: id === 'z' ? 'late' : 'a' })),
        images: [...many, 'z'].map((id) => ({ id, kinds: ['server'] })),
      },
    },
  })
  try {
    const desk = await bench(large)
    const { ecs } = desk
    const id = await desk.server({ flavorId: 'z', imageId: 'z' })
    const found = await Promise.all([
      ecs('DescribeImages', { 'ImageIds.1': 'z' }),
      ecs('DescribeInstanceTypes', { 'InstanceTypeIds.1': 'z' }),
      ecs('DescribeInstances', { 'InstanceIds.1': id, 'InstanceTypeFamilies.1': 'late' }),
    ])
    assert.deepEqual(
      found.map(({ result }) => result?.['TotalCount']),
      [1, 1, 1],
    )
  } finally {
    await large.close()
  }
})
