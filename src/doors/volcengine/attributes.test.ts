import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type Bench, bench } from '#test/harness/ecs.ts'
import { world, type World } from '#test/harness/world.ts'

let w: World
let b: Bench
let id: string

before(async () => {
  w = await world()
  b = await bench(w)
})
after(() => w.close())

type Entry = Readonly<Record<string, unknown>>

const unknown = 'i-00000000000000000000'
const seen = async (one = id): Promise<Entry> => {
  const { result } = await b.ecs('DescribeInstances', { 'InstanceIds.1': one })
  const [found = {}] = (result?.['Instances'] ?? []) as readonly Entry[] // what DescribeInstances answers
  return found
}

suite('ModifyInstanceAttribute', () => {
  before(async () => {
    id = await b.server({ name: 'before', description: 'Old' })
  })
  const modify = (params: Record<string, string>, one = id) =>
    b.ecs('ModifyInstanceAttribute', { InstanceId: one, ...params })
  const userData = async () => (await b.ecs('DescribeUserData', { InstanceId: id })).result

  test('changes what is named, and keeps the rest', async () => {
    assert.deepEqual(
      (await modify({ InstanceName: 'web', Hostname: 'web-1', UserData: 'IyEvYmluL3No' })).result,
      {},
    )
    assert.deepEqual(
      (await modify({ DeletionProtection: 'true', EnableJumboFrame: 'true' })).result,
      {},
    )
    const { InstanceName, Description, Hostname, HostName, DeletionProtection, EnableJumboFrame } =
      await seen()
    assert.deepEqual(
      [InstanceName, Description, Hostname, HostName, DeletionProtection, EnableJumboFrame],
      ['web', 'Old', 'web-1', 'web-1', true, true],
    )
    assert.deepEqual(await userData(), { InstanceId: id, UserData: 'IyEvYmluL3No' })
  })

  test('an empty description or user data is cleared, an empty name is none', async () => {
    assert.deepEqual((await modify({ InstanceName: '', Description: '', UserData: '' })).result, {})
    assert.deepEqual([(await seen())['InstanceName'], (await seen())['Description']], ['web', ''])
    assert.deepEqual(await userData(), { InstanceId: id, UserData: '' })
    assert.deepEqual((await modify({})).result, {})
  })

  test('a token makes it once', async () => {
    const ClientToken = randomUUID()
    await modify({ InstanceName: 'one', ClientToken })
    await modify({ InstanceName: 'two' })
    assert.equal((await modify({ InstanceName: 'one', ClientToken })).status, 200)
    assert.equal((await seen())['InstanceName'], 'two')
    assert.equal(
      (await modify({ InstanceName: 'three', ClientToken })).code,
      'IdempotentParameterMismatch',
    )
  })

  test('what is wrong is refused, and changes nothing', async () => {
    const before = await b.row(id)
    const wrong: readonly (readonly [Record<string, string>, string])[] = [
      [{ InstanceName: '1' }, 'InvalidInstanceName.Malformed'],
      [{ Description: '1' }, 'InvalidDescription.Malformed'],
      [{ Hostname: '-' }, 'InvalidHostname.Malformed'],
      [{ Password: 'short' }, 'InvalidPassword.Malformed'],
      [{ UserData: '%' }, 'InvalidUserData.Malformed'],
      [{ DeletionProtection: 'yes' }, 'InvalidArgument'],
      [{ InstanceId: '' }, 'MissingParameter.InstanceId'],
      [{ InstanceId: unknown }, 'InvalidInstance.NotFound'],
    ]
    for (const [params, code] of wrong) assert.equal((await modify(params)).code, code)
    assert.deepEqual(await b.row(id), before)
    assert.equal(
      (await b.ecs('DescribeUserData', { InstanceId: unknown })).code,
      'InvalidInstance.NotFound',
    )
  })

  test('a host name or password needs a machine at rest; a name only one that stays', async () => {
    const slow = await b.server({ scenario: { stopMs: 60_000 } })
    await b.ecs('StopInstance', { InstanceId: slow })
    assert.equal((await modify({ Hostname: 'x' }, slow)).code, 'InvalidInstanceStatus')
    assert.equal((await modify({ Password: 'Secret-123' }, slow)).code, 'InvalidInstanceStatus')
    assert.equal((await modify({ InstanceName: 'named' }, slow)).status, 200)
    const leaving = await b.server({ scenario: { removeMs: 60_000 } })
    await b.ecs('DeleteInstance', { InstanceId: leaving })
    assert.equal((await modify({ InstanceName: 'named' }, leaving)).code, 'InvalidInstanceStatus')
  })
})

suite('tags', () => {
  let one: string
  let other: string
  before(async () => {
    one = await b.server({ name: 'one' })
    other = await b.server({ name: 'other' })
  })
  const of = (...ids: readonly string[]) => ({
    ResourceType: 'instance',
    ...Object.fromEntries(ids.map((each, n) => [`ResourceIds.${n + 1}`, each])),
  })
  const set = (tags: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(tags).flatMap(([key, value], n) => [
        [`Tags.${n + 1}.Key`, key],
        [`Tags.${n + 1}.Value`, value],
      ]),
    )
  const rows = (reply: { result: Entry | undefined }) =>
    (reply.result?.['TagResources'] ?? []) as readonly Entry[] // what DescribeTags answers

  test('are set, overwritten, shown, listed and removed', async () => {
    const reply = await b.ecs('TagResources', {
      ...of(one, other),
      ...set({ team: 'blue', tier: '' }),
    })
    assert.deepEqual(reply.result, { RequestId: reply.metadata['RequestId'] })
    await b.ecs('TagResources', { ...of(one), ...set({ team: 'red' }) })
    assert.deepEqual((await seen(one))['Tags'], [
      { Key: 'team', Value: 'red' },
      { Key: 'tier', Value: '' },
    ])
    const listed = rows(await b.ecs('ListTagsForResources', of(one, other)))
    const row = (ResourceId: string, TagKey: string, TagValue: string) => ({
      ResourceId,
      ResourceType: 'instance',
      TagKey,
      TagValue,
    })
    assert.deepEqual(listed, [
      row(other, 'team', 'blue'),
      row(other, 'tier', ''),
      row(one, 'team', 'red'),
      row(one, 'tier', ''),
    ])
    const red = await b.ecs('DescribeTags', {
      ResourceType: 'instance',
      'TagFilters.1.Key': 'team',
      'TagFilters.1.Values.1': 'red',
    })
    assert.deepEqual(
      rows(red).map((each) => each['ResourceId']),
      [one, one],
    )
    const untag = await b.ecs('UntagResources', {
      ...of(one),
      'TagKeys.1': 'tier',
      'TagKeys.2': 'never',
    })
    assert.equal(untag.status, 200)
    assert.deepEqual((await seen(one))['Tags'], [{ Key: 'team', Value: 'red' }])
  })

  test('are listed in pages, one tag after the other', async () => {
    const all = rows(await b.ecs('DescribeTags', { ResourceType: 'instance' }))
    const paged: Entry[] = []
    let NextToken = ''
    do {
      const page = await b.ecs('DescribeTags', {
        ResourceType: 'instance',
        MaxResults: '1',
        NextToken,
      })
      assert.equal(rows(page).length, 1)
      paged.push(...rows(page))
      NextToken = String(page.result?.['NextToken'])
    } while (NextToken !== '')
    assert.deepEqual(paged, all)
    assert.equal(all.length, 3)
  })

  test('all or none, and the older calls each for itself', async () => {
    const both = { ...of(one, unknown), ...set({ late: 'x' }) }
    const refused = await b.ecs('TagResources', both)
    assert.deepEqual(
      [refused.status, refused.code, refused.error?.['Message']],
      [404, 'InvalidResourceId.NotFound', 'The specified ResourceId does not exist.'],
    )
    assert.doesNotMatch(JSON.stringify((await seen(one))['Tags']), /late/)
    const each = await b.ecs('CreateTags', both)
    assert.deepEqual(each.result?.['OperationDetails'], [
      { ResourceId: one },
      {
        ResourceId: unknown,
        Error: {
          Code: 'InvalidResourceId.NotFound',
          Message: 'The specified ResourceId does not exist.',
        },
      },
    ])
    const removed = await b.ecs('DeleteTags', { ...of(one), 'TagKeys.1': 'late' })
    assert.deepEqual(removed.result?.['OperationDetails'], [{ ResourceId: one }])
    assert.doesNotMatch(JSON.stringify((await seen(one))['Tags']), /late/)
  })

  test('fifty on one instance, and no more', async () => {
    const full = await b.server({
      labels: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`k${n}`, ''])),
    })
    assert.equal(
      (await b.ecs('TagResources', { ...of(full), ...set({ k0: 'again' }) })).status,
      200,
    )
    const reply = await b.ecs('TagResources', { ...of(full), ...set({ more: 'x' }) })
    assert.deepEqual([reply.status, reply.code], [400, 'LimitExceeded.Resource'])
    const each = await b.ecs('CreateTags', { ...of(full), ...set({ more: 'x' }) })
    assert.match(JSON.stringify(each.result), /LimitExceeded\.Resource/)
  })

  test('what is wrong is refused', async () => {
    const wrong: readonly (readonly [string, Record<string, string>, string])[] = [
      ['TagResources', { ...set({ a: '' }) }, 'MissingParameter.ResourceType'],
      [
        'TagResources',
        { ...of(one), ResourceType: 'planet', ...set({ a: '' }) },
        'InvalidResourceType.Malformed',
      ],
      ['TagResources', { ...of(), ...set({ a: '' }) }, 'MissingParameter.ResourceIds'],
      ['TagResources', of(one), 'MissingParameter.Tags'],
      [
        'TagResources',
        { ...of(...Array.from({ length: 51 }, (_, n) => `i-${n}`)), ...set({ a: '' }) },
        'LimitExceeded.MaximumResourceIds',
      ],
      ['TagResources', { ...of(one), ...set({ 'sys:a': '' }) }, 'InvalidTagKey.Malformed'],
      [
        'TagResources',
        { ...of(one), ...set({ ['k'.repeat(129)]: '' }) },
        'InvalidTagKey.Malformed',
      ],
      ['TagResources', { ...of(one), ...set({ a: 'v'.repeat(257) }) }, 'InvalidTagValue.Malformed'],
      ['UntagResources', of(one), 'MissingParameter.TagKeys'],
      ['UntagResources', { ...of(one), 'TagKeys.1': 'volc:a' }, 'InvalidTagKey.Malformed'],
      ['DescribeTags', { ResourceType: 'instance', MaxResults: '101' }, 'InvalidArgument'],
      ['DescribeTags', { ResourceType: 'instance', NextToken: 'x' }, 'InvalidArgument'],
    ]
    for (const [action, params, code] of wrong) {
      const reply = await b.ecs(action, params)
      assert.deepEqual([reply.status, reply.code], [400, code], JSON.stringify(params))
    }
  })
})
