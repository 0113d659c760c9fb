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

const list = (name: string, ids: readonly string[]) =>
  Object.fromEntries(ids.map((id, index) => [`${name}.${index + 1}`, id]))

const unknown = 'i-00000000000000000000'

const details = (reply: { result: Readonly<Record<string, unknown>> | undefined }) =>
  (reply.result?.['OperationDetails'] ?? []) as readonly {
    InstanceId: string
    Error?: { Code: string; Message: string }
  }[] // what a batch answers

suite('start, reboot, delete', () => {
  test('a stopped instance starts, a running one does not', async () => {
    const id = await b.server()
    const running = await b.ecs('StartInstance', { InstanceId: id })
    assert.deepEqual([running.status, running.code], [400, 'InvalidInstanceStatus'])
    await b.ecs('StopInstance', { InstanceId: id, ForceStop: 'true' })
    await b.reach(id, 'STOPPED')
    assert.equal(
      (await b.ecs('StartInstance', { InstanceId: id, DryRun: 'true' })).code,
      'DryRunOperation',
    )
    assert.deepEqual((await b.ecs('StartInstance', { InstanceId: id })).result, {})
    await b.reach(id, 'RUNNING')
  })

  test('a running instance reboots, softly or not, a stopped one does not', async () => {
    const id = await b.server({ scenario: { startMs: 50 } })
    assert.deepEqual((await b.ecs('RebootInstance', { InstanceId: id })).result, {})
    assert.equal(await b.status(id), 'REBOOTING')
    assert.equal((await b.row(id)).task?.rung, 'soft')
    assert.equal(
      (await b.ecs('RebootInstance', { InstanceId: id, ForceStop: 'true' })).code,
      'InvalidInstanceStatus',
    )
    await b.reach(id, 'RUNNING')
    await b.ecs('RebootInstance', { InstanceId: id, ForceStop: 'true' })
    assert.equal((await b.row(id)).task?.rung, 'hard')
    await b.reach(id, 'RUNNING')
    await b.ecs('StopInstance', { InstanceId: id, ForceStop: 'true' })
    await b.reach(id, 'STOPPED')
    assert.equal((await b.ecs('RebootInstance', { InstanceId: id })).code, 'InvalidInstanceStatus')
  })

  test('a running, a stopped and a failed instance are deleted; one on its way is not', async () => {
    const scenario = { removeMs: 20, stopMs: 300 }
    const ids = await Promise.all([
      b.server({ scenario }),
      b.server({ scenario }),
      b.server({ scenario }),
      b.server({ scenario }),
    ])
    const [running, stopped, failed, stopping] = ids
    await b.ecs('StopInstance', { InstanceId: stopped, ForceStop: 'true' })
    await b.reach(stopped, 'STOPPED')
    await b.submit({ verb: 'reset', target: b.ref(failed), to: 'failed' })
    await b.ecs('StopInstance', { InstanceId: stopping })
    assert.equal(
      (await b.ecs('DeleteInstance', { InstanceId: stopping })).code,
      'InvalidInstanceStatus',
    )
    for (const id of [running, stopped, failed]) {
      assert.deepEqual((await b.ecs('DeleteInstance', { InstanceId: id })).result, {})
      await b.reach(id, 'none')
      assert.equal(
        (await b.ecs('DeleteInstance', { InstanceId: id })).code,
        'InvalidInstance.NotFound',
      )
    }
  })

  test('protection and an unfinished term keep an instance; a running capture too', async () => {
    const kept = await b.server({ conditions: { deletionProtected: true } })
    const prepaid = await b.server({ charge: 'PrePaid' })
    const imaging = await b.server({ scenario: { captureMs: 60_000 } })
    await b.submit({ verb: 'capture', target: b.ref(imaging), imageName: 'snap' })
    const remove = (InstanceId: string) => b.ecs('DeleteInstance', { InstanceId })
    const codes = []
    for (const id of [kept, prepaid, imaging]) {
      const { status, code } = await remove(id)
      codes.push([status, code])
    }
    assert.deepEqual(codes, [
      [412, 'OperationDenied.DeletionProtection'],
      [400, 'InvalidChargeType'],
      [412, 'OperationDenied.InstanceIsCreatingImage'],
    ])
  })

  for (const action of ['StartInstance', 'RebootInstance', 'DeleteInstance']) {
    test(`${action} checks its parameters like StopInstance`, async () => {
      assert.equal(
        (await b.ecs(action, { ClientToken: 'a'.repeat(65) })).code,
        'InvalidClientToken.Malformed',
      )
      assert.equal((await b.ecs(action)).code, 'MissingParameter.InstanceId')
      assert.equal(
        (await b.ecs(action, { InstanceId: unknown, DryRun: '2' })).code,
        'InvalidArgument',
      )
      assert.equal((await b.ecs(action, { InstanceId: unknown })).code, 'InvalidInstance.NotFound')
    })
  }
})

suite('batches', () => {
  test('each instance has its own result, in request order, each named once', async () => {
    const [one, other] = await Promise.all([b.server(), b.server()])
    await b.submit({ verb: 'hold', target: b.ref(other), kind: 'hold' })
    const reply = await b.ecs('StopInstances', {
      ...list('InstanceIds', [unknown, one, other, one]),
      ForceStop: 'true',
    })
    assert.equal(reply.status, 200)
    assert.deepEqual(details(reply), [
      {
        InstanceId: unknown,
        Error: {
          Code: 'InvalidInstance.NotFound',
          Message: 'The specified instance does not exist.',
        },
      },
      { InstanceId: one },
      {
        InstanceId: other,
        Error: {
          Code: 'OperationDenied.ResourceLocked',
          Message:
            'The specified operation is denied as your resource is locked for another operation.',
        },
      },
    ])
    await b.reach(one, 'STOPPED')
    assert.equal(await b.status(other), 'RUNNING')
  })

  test('it succeeds though every instance failed, and has no dry run', async () => {
    const reply = await b.ecs('StopInstances', { 'InstanceIds.1': unknown, DryRun: 'true' })
    assert.equal(reply.status, 200)
    assert.equal(details(reply)[0]?.Error?.Code, 'InvalidInstance.NotFound')
  })

  test('stop, start, reboot, delete, and lists however they are written', async () => {
    const ids = await Promise.all([b.server(), b.server()])
    const body = JSON.stringify({ InstanceIds: ids, ForceStop: true })
    const stop = await b.ecs(
      'StopInstances',
      {},
      { method: 'POST', body, type: 'application/json' },
    )
    assert.deepEqual(
      details(stop),
      ids.map((InstanceId) => ({ InstanceId })),
    )
    for (const id of ids) await b.reach(id, 'STOPPED')
    assert.deepEqual(
      details(await b.ecs('StartInstances', { InstanceIds: ids })),
      ids.map((InstanceId) => ({ InstanceId })),
    )
    for (const id of ids) await b.reach(id, 'RUNNING')
    await b.ecs('RebootInstances', { ...list('InstanceIds', ids), ForceStop: 'true' })
    assert.equal((await b.row(ids[0])).task?.rung, 'hard')
    for (const id of ids) await b.reach(id, 'RUNNING')
    assert.deepEqual(
      details(await b.ecs('DeleteInstances', list('InstanceIds', ids))),
      ids.map((InstanceId) => ({ InstanceId })),
    )
    for (const id of ids) await b.reach(id, 'none')
  })

  test('the request itself may be wrong', async () => {
    const many = list(
      'InstanceIds',
      Array.from({ length: 101 }, (_, n) => `i-${n}`),
    )
    const cases: readonly (readonly [Record<string, string>, string])[] = [
      [{}, 'MissingParameter.InstanceIds'],
      [{ InstanceIds: '' }, 'MissingParameter.InstanceIds'],
      [many, 'LimitExceeded.MaximumInstanceIds'],
      [{ 'InstanceIds.1': unknown, StoppedMode: 'Keep' }, 'InvalidStoppedMode.Malformed'],
      [{ 'InstanceIds.1': unknown, ForceStop: '1' }, 'InvalidArgument'],
      [{ 'InstanceIds.1.Id': unknown }, 'InvalidArgument'],
      [{ ClientToken: 'é' }, 'InvalidClientToken.Malformed'],
    ]
    for (const [params, code] of cases) {
      const reply = await b.ecs('StopInstances', params)
      assert.deepEqual([reply.status, reply.code], [400, code])
    }
    const { error } = await b.ecs('StopInstances', many)
    assert.equal(
      error?.['Message'],
      "You've reached the limit on the number of InstanceIds that you can set.",
    )
  })

  test('a replay returns the details as they were', async () => {
    const id = await b.server()
    const params = { ...list('InstanceIds', [id, unknown]), ClientToken: randomUUID() }
    const first = await b.ecs('RebootInstances', params)
    await b.reach(id, 'RUNNING')
    const { generation } = (await b.row(id)).intent
    const again = await b.ecs('RebootInstances', params)
    assert.deepEqual(details(again), details(first))
    assert.equal((await b.row(id)).intent.generation, generation)
    const other = await b.ecs('RebootInstances', {
      ...params,
      ...list('InstanceIds', [unknown, id]),
    })
    assert.equal(other.code, 'IdempotentParameterMismatch')
  })
})

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
