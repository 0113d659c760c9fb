import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type Bench, bench } from '#test/harness/ecs.ts'
import { soldOut } from '#test/harness/stop-faults.ts'
import { world, type World } from '#test/harness/world.ts'

let w: World
let b: Bench

before(async () => {
  w = await world()
  b = await bench(w)
})
after(() => w.close())

suite('RunInstances', () => {
  const base = {
    ZoneId: 'cn-beijing-b',
    ImageId: 'sim',
    InstanceName: 'web',
    InstanceType: 'ecs.g3i.large',
    'NetworkInterfaces.1.SubnetId': 'subnet-1',
    'NetworkInterfaces.1.SecurityGroupIds.1': 'sg-1',
  }
  const ids = (reply: { result: Readonly<Record<string, unknown>> | undefined }) =>
    (reply.result?.['InstanceIds'] ?? []) as readonly string[] // what RunInstances answers
  const entry = async (id: string) => {
    const { result } = await b.ecs('DescribeInstances', { 'InstanceIds.1': id })
    const [found] = (result?.['Instances'] ?? []) as readonly Record<string, unknown>[] // what DescribeInstances answers
    return found
  }

  test('one instance, seen at once, and shown as it was asked for', async () => {
    const reply = await b.ecs('RunInstances', {
      ...base,
      Description: 'front',
      HostName: 'web-1',
      KeyPairName: 'kp',
      Password: 'Secret-123',
      UserData: 'IyEvYmluL3No',
      DeletionProtection: 'true',
      InstanceChargeType: 'PrePaid',
      Period: '2',
      'NetworkInterfaces.1.PrimaryIpAddress': '10.0.0.7',
      'NetworkInterfaces.2.SubnetId': 'subnet-2',
      'Volumes.1.VolumeType': 'ESSD_PL0',
      'Volumes.1.Size': '40',
      'Volumes.2.Size': '100',
      'Tags.1.Key': 'team',
      'Tags.1.Value': 'blue',
      'Placement.Tenancy': 'Default',
      NoSuchThing: 'ignored',
    })
    const [id = ''] = ids(reply)
    assert.match(id, /^i-[0-9a-z]{20}$/)
    const shown = await entry(id)
    assert.match(String(shown?.['Status']), /^(CREATING|RUNNING)$/)
    const {
      Hostname,
      HostName,
      ZoneId,
      Description,
      KeyPairName,
      InstanceChargeType,
      DeletionProtection,
      Tags,
      InstanceTypeId,
      Cpus,
      MemorySize,
      Volumes,
    } = shown ?? {}
    assert.deepEqual(
      [
        Hostname,
        HostName,
        ZoneId,
        Description,
        KeyPairName,
        InstanceChargeType,
        DeletionProtection,
        Tags,
        InstanceTypeId,
        Cpus,
        MemorySize,
        Volumes,
      ],
      [
        'web-1',
        'web-1',
        'cn-beijing-b',
        'front',
        'kp',
        'PrePaid',
        true,
        [{ Key: 'team', Value: 'blue' }],
        'ecs.g3i.large',
        2,
        8192,
        [],
      ],
    )
    assert.match(String(shown?.['ExpiredAt']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/)
    const [first, second] = (shown?.['NetworkInterfaces'] ?? []) as readonly Record<
      string,
      unknown
    >[] // what DescribeInstances answers
    assert.deepEqual(
      [first?.['PrimaryIpAddress'], first?.['Type'], first?.['SecurityGroupIds']],
      ['10.0.0.7', 'primary', ['sg-1']],
    )
    assert.deepEqual([second?.['SubnetId'], second?.['Type']], ['subnet-2', 'secondary'])
    assert.doesNotMatch(JSON.stringify(await b.row(id)), /Secret-123/)
    await b.reach(id, 'RUNNING')
  })

  test('several, named as asked; the same token makes no more', async () => {
    const params = { ...base, InstanceName: 'web[8,3]', Count: '3', ClientToken: randomUUID() }
    const made = ids(await b.ecs('RunInstances', params))
    const names = await Promise.all(made.map(async (id) => (await b.row(id)).name))
    assert.deepEqual(names.toSorted(), ['web008', 'web009', 'web010'])
    assert.deepEqual(ids(await b.ecs('RunInstances', params)), made)
    const same = ids(await b.ecs('RunInstances', { ...base, InstanceName: 'twin', Count: '2' }))
    assert.deepEqual(await Promise.all(same.map(async (id) => (await b.row(id)).name)), [
      'twin',
      'twin',
    ])
  })

  test('as many as there is room for, or none', async () => {
    const pool = await w.plane.read.get('pools', 'ecs.g3i.large')
    await b.submit({
      verb: 'put',
      table: 'pools',
      row: { id: 'ecs.g3i.large', capacity: (pool?.taken ?? 0) + 2 },
    })
    const refused = await b.ecs('RunInstances', { ...base, Count: '3' })
    assert.deepEqual([refused.status, refused.code], [500, 'Insufficient.InstanceCapacity'])
    assert.equal(ids(await b.ecs('RunInstances', { ...base, Count: '3', MinCount: '1' })).length, 2)
    const full = await soldOut(b, () => b.ecs('RunInstances', { ...base, DryRun: 'true' }))
    assert.equal(full.code, 'Insufficient.InstanceCapacity')
    assert.equal((await b.ecs('RunInstances', { ...base, DryRun: 'true' })).code, 'DryRunOperation')
  })

  const without = (name: keyof typeof base) =>
    Object.fromEntries(Object.entries(base).filter(([key]) => key !== name))
  const wrong: readonly (readonly [string, Record<string, string>, number, string])[] = [
    ['no zone', without('ZoneId'), 400, 'MissingParameter.ZoneId'],
    ['no image', without('ImageId'), 400, 'MissingParameter.ImageId'],
    ['no name', without('InstanceName'), 400, 'MissingParameter.InstanceName'],
    ['no type', without('InstanceType'), 400, 'MissingParameter.InstanceType'],
    ['no subnet', without('NetworkInterfaces.1.SubnetId'), 400, 'MissingParameter.SubnetId'],
    ['an unknown zone', { ...base, ZoneId: 'cn-mars-a' }, 404, 'InvalidZone.NotFound'],
    ['an unknown image', { ...base, ImageId: 'none' }, 404, 'InvalidImage.NotFound'],
    [
      'an image for notebooks',
      { ...base, ImageId: 'Multi-Engine 2.0 (python3)' },
      404,
      'InvalidImage.NotFound',
    ],
    ['an unknown type', { ...base, InstanceType: 'none' }, 404, 'InvalidInstanceType.NotFound'],
    [
      'a name that begins with a digit',
      { ...base, InstanceName: '1web' },
      400,
      'InvalidInstanceName.Malformed',
    ],
    ['a count of none', { ...base, Count: '0' }, 400, 'InvalidArgument'],
    ['a count beyond 100', { ...base, Count: '101' }, 400, 'InvalidArgument'],
    ['a minimum above the count', { ...base, Count: '1', MinCount: '2' }, 400, 'InvalidArgument'],
    ['a dry run of two', { ...base, Count: '2', DryRun: 'true' }, 400, 'InvalidArgument'],
    [
      'a strange charge type',
      { ...base, InstanceChargeType: 'Free' },
      400,
      'InvalidInstanceChargeType',
    ],
    ['a weak password', { ...base, Password: 'aaaaaaaa' }, 400, 'InvalidPassword.Malformed'],
    [
      'user data that is not Base64',
      { ...base, UserData: '#!/bin/sh' },
      400,
      'InvalidUserData.Malformed',
    ],
    [
      'a data disk without a size',
      { ...base, 'Volumes.1.Size': '40', 'Volumes.2.VolumeType': 'ESSD_PL0' },
      400,
      'LimitExceeded.DataVolumeSize',
    ],
    ['a reserved tag key', { ...base, 'Tags.1.Key': 'VOLC:x' }, 400, 'InvalidTagKey.Malformed'],
    ['a tag without a key', { ...base, 'Tags.1.Value': 'x' }, 400, 'MissingParameter.Key'],
    [
      '21 tags',
      {
        ...base,
        ...Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`Tags.${n}.Key`, `k${n}`])),
      },
      400,
      'LimitExceeded.MaximumTags',
    ],
    [
      'too long a token',
      { ...base, ClientToken: 'x'.repeat(65) },
      400,
      'InvalidClientToken.Malformed',
    ],
  ]
  for (const [what, params, status, code] of wrong) {
    test(`${what}: ${status} ${code}`, async () => {
      const count = await w.plane.read.count('instances', {})
      const reply = await b.ecs('RunInstances', params)
      assert.deepEqual([reply.status, reply.code], [status, code])
      assert.equal(await w.plane.read.count('instances', {}), count)
    })
  }

  test('an account without balance runs and starts nothing', async () => {
    const id = await b.server()
    await b.ecs('StopInstance', { InstanceId: id, ForceStop: 'true' })
    await b.reach(id, 'STOPPED')
    const row = await w.plane.read.get('projects', b.owner.projectId ?? '')
    assert(row)
    await b.submit({ verb: 'put', table: 'projects', row: { ...row, lacksBalance: true } })
    const [run, start] = [
      await b.ecs('RunInstances', base),
      await b.ecs('StartInstance', { InstanceId: id }),
    ]
    assert.deepEqual([run.status, run.code], [400, 'Insufficient.Balance'])
    assert.deepEqual([start.status, start.code], [400, 'Insufficient.Balance'])
    await b.submit({ verb: 'put', table: 'projects', row })
  })
})
