import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { type Bench, bench } from '#test/harness/ecs.ts'
import { world, type World } from '#test/harness/world.ts'

type Entry = Readonly<Record<string, unknown>>
type Query = Readonly<Record<string, string | readonly string[]>>

for (const store of ['memory', 'sqlite'] as const) {
  suite(`describe, ${store} store`, () => {
    let w: World
    let b: Bench
    const ids: string[] = []

    before(async () => {
      const ecs = { LocalVolumes: [{ VolumeType: 'LOCAL_SSD', Count: 1, Size: 100 }] }
      const local = { id: 'ecs.i3.large', driver: 'simulated', attributes: { ecs }, gpus: 1 }
      w = await world({ store, config: { catalogue: { flavors: [local] } } })
      b = await bench(w)
      for (let n = 0; n < 25; n += 1) ids.push(await b.server({ name: `web-${n}` }))
    })
    after(() => w.close())

    const ask = async (query: Query = {}) => {
      const { result, code } = await b.ecs('DescribeInstances', query)
      const found = (result?.['Instances'] ?? []) as readonly Entry[] // what DescribeInstances answers
      return {
        code,
        found,
        ids: found.map((one) => one['InstanceId']),
        next: result?.['NextToken'],
        total: result?.['TotalCount'],
      }
    }
    const told = (name: string, facts: Record<string, string>) =>
      b.server({ name, attributes: { ecs: facts } })
    const newestFirst = () => ids.toReversed()

    test('25 instances come in pages of 10, newest first, and the last page has no token', async () => {
      const [one, seen] = [await ask(), [] as unknown[]]
      assert.deepEqual([one.ids.length, one.total], [10, 25])
      seen.push(...one.ids)
      const two = await ask({ NextToken: String(one.next), MaxResults: '10' })
      seen.push(...two.ids)
      const three = await ask({ NextToken: String(two.next), MaxResults: '10' })
      seen.push(...three.ids)
      assert.deepEqual([two.ids.length, three.ids.length, three.next, three.total], [10, 5, '', 25])
      assert.deepEqual(seen, newestFirst())
    })

    test('pages neither repeat nor miss a row while one is made and one is deleted', async () => {
      const one = await ask({ MaxResults: '20' })
      const made = await b.server({ name: 'meanwhile' })
      await b.ecs('DeleteInstance', { InstanceId: made })
      await b.reach(made, 'none')
      const late = await b.server({ name: 'late' })
      const two = await ask({ MaxResults: '20', NextToken: String(one.next) })
      assert.deepEqual([...one.ids, ...two.ids], newestFirst())
      await b.ecs('DeleteInstance', { InstanceId: late })
      await b.reach(late, 'none')
    })

    test('numbered pages, as Terraform asks for them', async () => {
      const page = (PageNumber: string, PageSize = '10') => ask({ PageNumber, PageSize })
      const [one, three, four] = [await page('1'), await page('3'), await page('4')]
      assert.deepEqual(one.ids, newestFirst().slice(0, 10))
      assert.deepEqual([three.ids, three.total, three.next], [newestFirst().slice(20), 25, ''])
      assert.deepEqual([four.ids, four.total], [[], 25])
      assert.deepEqual((await page('2', '7')).ids, newestFirst().slice(7, 14))
    })

    test('wrong pages are refused', async () => {
      const next = String((await ask()).next)
      const wrong: readonly Query[] = [
        { MaxResults: '0' },
        { MaxResults: '101' },
        { MaxResults: 'ten' },
        { NextToken: 'x' },
        { NextToken: `${next}${next}` },
        { PageNumber: '0' },
        { PageSize: '101' },
        { PageNumber: '1', MaxResults: '10' },
        { PageSize: '10', NextToken: next },
        { Status: 'running' },
        { InstanceChargeType: 'Free' },
      ]
      for (const query of wrong)
        assert.equal((await ask(query)).code, 'InvalidArgument', JSON.stringify(query))
      const many = Object.fromEntries(
        Array.from({ length: 101 }, (_, n) => [`InstanceIds.${n}`, 'i']),
      )
      assert.equal((await ask(many)).code, 'LimitExceeded.MaximumInstanceIds')
    })

    test("ids: those there are, in the list's order; unknown ones are passed over", async () => {
      const [first = '', , third = ''] = ids
      const one = await ask({
        'InstanceIds.1': first,
        'InstanceIds.2': 'i-00000000000000000000',
        'InstanceIds.3': third,
        'InstanceIds.4': first,
      })
      assert.deepEqual([one.ids, one.total, one.next], [[third, first], 2, ''])
      const none = await ask({ 'InstanceIds.1': 'i-00000000000000000000' })
      assert.deepEqual([none.code, none.found, none.total, none.next], ['', [], 0, ''])
      assert.deepEqual((await ask({ InstanceIds: '' })).total, 25)
      assert.equal((await ask({ 'InstanceIds.1': first, InstanceName: 'web-2' })).total, 0)
      const paged = await ask({ InstanceIds: ids.slice(0, 12), MaxResults: '7' })
      const rest = await ask({
        InstanceIds: ids.slice(0, 12),
        MaxResults: '7',
        NextToken: String(paged.next),
      })
      assert.deepEqual([...paged.ids, ...rest.ids], ids.slice(0, 12).toReversed())
    })

    test('filters that the store knows, and all of them together', async () => {
      const odd = await b.server({
        name: 'Odd',
        flavorId: 'ecs.i3.large',
        charge: 'PrePaid',
        labels: { team: 'blue', empty: '' },
      })
      const total = async (query: Query) => (await ask(query)).total
      assert.equal(await total({ InstanceName: 'web-1' }), 11)
      assert.equal(await total({ InstanceName: 'Web' }), 0)
      assert.equal(await total({ Status: 'RUNNING' }), 26)
      assert.equal(await total({ Status: 'STOPPED' }), 0)
      assert.equal(await total({ Status: 'MODIFYING_VPC' }), 0)
      assert.equal(
        await total({ 'InstanceTypes.1': 'ecs.g3i.large', 'InstanceTypeIds.1': 'ecs.i3.large' }),
        26,
      )
      assert.equal(await total({ 'InstanceTypeFamilies.1': 'ecs.i3' }), 1)
      assert.equal(
        await total({ 'InstanceTypeFamilies.1': 'ecs.i3', 'InstanceTypes.1': 'ecs.g3i.large' }),
        0,
      )
      assert.equal(await total({ 'InstanceTypeFamilies.1': 'none' }), 0)
      assert.equal(await total({ InstanceChargeType: 'PrePaid' }), 1)
      assert.equal(await total({ 'TagFilters.1.Key': 'team' }), 1)
      assert.equal(
        await total({
          'TagFilters.1.Key': 'team',
          'TagFilters.1.Values.1': 'red',
          'TagFilters.1.Values.2': 'blue',
        }),
        1,
      )
      assert.equal(await total({ 'TagFilters.1.Key': 'team', 'TagFilters.1.Values.1': 'red' }), 0)
      assert.equal(await total({ 'TagFilters.1.Key': 'empty', 'TagFilters.1.Values.1': '' }), 1)
      assert.equal(await total({ 'TagFilters.1.Key': 'team', 'TagFilters.1.Values.1': '' }), 0)
      assert.equal(await total({ 'TagFilters.1.Key': 'team', 'TagFilters.2.Key': 'no' }), 0)
      const all = {
        InstanceName: 'O',
        Status: 'RUNNING',
        InstanceChargeType: 'PrePaid',
        ZoneId: 'cn-beijing-a',
        'TagFilters.1.Key': 'team',
      }
      assert.deepEqual((await ask(all)).ids, [odd])
      const [shown] = (await ask(all)).found
      assert.deepEqual(shown?.['LocalVolumes'], [{ VolumeType: 'LOCAL_SSD', Count: 1, Size: 100 }])
      await b.submit({ verb: 'update', target: b.ref(odd), charge: 'PostPaid' })
      await b.ecs('DeleteInstance', { InstanceId: odd })
      await b.reach(odd, 'none')
    })

    test('filters that only an instance as shown knows, paged the same way', async () => {
      const facts = {
        zoneId: 'cn-beijing-b',
        vpcId: 'vpc-1',
        keyPairName: 'kp',
        projectName: 'p',
        hpcClusterId: 'h',
        deploymentSetId: 'd',
        eipAddress: '1.2.3.4',
        dedicatedHostId: 'dh',
      }
      const three = [
        await told('x-1', facts),
        await told('x-2', facts),
        await told('x-3', facts),
      ].toReversed()
      for (const query of [
        { ZoneId: 'cn-beijing-b' },
        { VpcId: 'vpc-1', ProjectName: 'p' },
        { KeyPairName: 'kp' },
        { HpcClusterId: 'h', DedicatedHostId: 'dh' },
        { 'DeploymentSetIds.1': 'd' },
        { 'EipAddresses.1': '1.2.3.4', 'EipAddresses.2': '9.9.9.9' },
      ] as readonly Query[]) {
        assert.deepEqual((await ask(query)).ids, three, JSON.stringify(query))
      }
      const one = await ask({ ZoneId: 'cn-beijing-b', MaxResults: '2' })
      assert.deepEqual([one.ids, one.total], [three.slice(0, 2), 3])
      const two = await ask({
        ZoneId: 'cn-beijing-b',
        MaxResults: '2',
        NextToken: String(one.next),
      })
      assert.deepEqual([two.ids, two.total, two.next], [three.slice(2), 3, ''])
      assert.deepEqual(
        (await ask({ ZoneId: 'cn-beijing-b', PageNumber: '2', PageSize: '2' })).ids,
        three.slice(2),
      )
      assert.equal((await ask({ ZoneId: 'cn-beijing-a' })).total, 25)
      await b.ecs('DeleteInstances', { InstanceIds: three })
      for (const id of three) await b.reach(id, 'none')
    })

    test('while an image is taken of it, an instance is found by the status it shows', async () => {
      const [id = ''] = ids
      const row = await b.row(id)
      await b.submit({
        verb: 'update',
        target: b.ref(id),
        launch: { ...row.launch, scenario: { captureMs: 400 } },
      })
      await b.submit({ verb: 'capture', target: b.ref(id), imageName: 'snap' })
      const shown = await ask({ 'InstanceIds.1': id })
      assert.equal(shown.found[0]?.['Status'], 'RUNNING')
      assert.deepEqual(
        [(await ask({ Status: 'RUNNING' })).total, (await ask({ Status: 'STOPPED' })).total],
        [25, 0],
      )
      await b.reach(id, 'RUNNING')
    })

    test('an instance of another door, and one that this door shall not show', async () => {
      const hidden = await b.submit({
        verb: 'create',
        kind: 'server',
        name: 'hidden',
        flavorId: 'sim.small',
        imageId: 'sim',
        schemes: [],
      })
      assert.equal((await ask()).total, 25)
      const row = await w.plane.read.get('instances', hidden.instanceIds[0] ?? '')
      assert.deepEqual(row?.aliases, {})
    })

    test('every field is there, of the type that clients decode it into', async () => {
      const [shown] = (await ask()).found
      const types = Object.fromEntries(
        Object.entries(shown ?? {}).map(([name, value]) => [
          name,
          Array.isArray(value) ? 'array' : typeof value,
        ]),
      )
      const texts =
        'InstanceId InstanceName Description Hostname HostName Status StoppedMode InstanceTypeId InstanceChargeType SpotStrategy ElasticScheduledInstanceType OsType OsName ImageId ZoneId VpcId ProjectName CreatedAt UpdatedAt ExpiredAt KeyPairId KeyPairName HpcClusterId DeploymentSetId AffinityGroupId ScheduledInstanceId Uuid'
      const expected = [
        ...texts.split(' ').map((name) => [name, 'string']),
        ...'SpotPriceLimit Cpus MemorySize DeploymentSetGroupNumber'
          .split(' ')
          .map((name) => [name, 'number']),
        ...'DeletionProtection EnableJumboFrame'.split(' ').map((name) => [name, 'boolean']),
        ...'NetworkInterfaces Volumes LocalVolumes RdmaIpAddresses RdmaNetworkInterfaceDetails Tags'
          .split(' ')
          .map((name) => [name, 'array']),
        ...'EipAddress CpuOptions MetadataOptions Placement'
          .split(' ')
          .map((name) => [name, 'object']),
      ]
      assert.deepEqual(types, Object.fromEntries(expected))
      for (const name of ['CreatedAt', 'UpdatedAt'])
        assert.match(String(shown?.[name]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/)
      assert.deepEqual(
        [shown?.['ExpiredAt'], shown?.['InstanceChargeType'], shown?.['ZoneId']],
        ['', 'PostPaid', 'cn-beijing-a'],
      )
    })

    test('regions and zones', async () => {
      assert.deepEqual((await b.ecs('DescribeRegions')).result, {
        Regions: [{ RegionId: 'cn-beijing' }],
        NextToken: '',
      })
      assert.deepEqual((await b.ecs('DescribeRegions', { 'RegionIds.1': 'cn-x' })).result, {
        Regions: [],
        NextToken: '',
      })
      assert.equal((await b.ecs('DescribeRegions', { MaxResults: '21' })).code, 'InvalidArgument')
      const many = (name: string) =>
        Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`${name}.${n}`, 'x']))
      const regions = await b.ecs('DescribeRegions', many('RegionIds'))
      assert.deepEqual(
        [regions.code, regions.error?.['Message']],
        [
          'LimitExceeded.MaximumRegionIds',
          'The number of specified RegionIds exceeds the maximum limit.',
        ],
      )
      const zones = await b.ecs('DescribeZones', many('ZoneIds'))
      assert.deepEqual(
        [zones.code, zones.error?.['Message']],
        [
          'LimitExceeded.MaximumZoneIds',
          "You've reached the limit on the number of ZoneIds that you can set.",
        ],
      )
      assert.deepEqual((await b.ecs('DescribeZones', { 'ZoneIds.1': 'cn-beijing-b' })).result, {
        Zones: [{ ZoneId: 'cn-beijing-b' }],
      })
      const unknown = await b.ecs('DescribeZones', { 'ZoneIds.1': 'cn-mars-a' })
      assert.deepEqual([unknown.status, unknown.code], [404, 'InvalidZone.NotFound'])
    })

    test('instance types: what servers can be made of, in pages', async () => {
      const types = async (query: Query = {}) =>
        (await b.ecs('DescribeInstanceTypes', query)).result
      const all = await types({ MaxResults: '1000' })
      const entries = (all?.['InstanceTypes'] ?? []) as readonly Entry[] // what DescribeInstanceTypes answers
      const names = entries.map((one) => one['InstanceTypeId'])
      assert(
        names.includes('ecs.g3i.large') &&
          names.includes('ebmhpcpni2.31xlarge') &&
          !names.includes('modelarts.vm.cpu.free'),
      )
      assert.deepEqual([all?.['NextToken'], all?.['TotalCount']], ['', names.length])
      const paged: unknown[] = []
      let token = ''
      do {
        const page = await types({ MaxResults: '2', ...(token === '' ? {} : { NextToken: token }) })
        paged.push(
          ...((page?.['InstanceTypes'] ?? []) as readonly Entry[]).map(
            (one) => one['InstanceTypeId'],
          ),
        ) // as above
        token = String(page?.['NextToken'])
      } while (token !== '')
      assert.deepEqual(paged, names)
      const named = await types({ 'InstanceTypes.1': 'ecs.g3i.large', 'InstanceTypeIds.1': 'none' })
      const [one, ...more] = (named?.['InstanceTypes'] ?? []) as readonly Entry[] // as above
      assert.deepEqual(more, [])
      assert.deepEqual(
        [one?.['InstanceTypeFamily'], one?.['Memory'], one?.['Gpu']],
        ['ecs.g3i', { Size: 8192, EncryptedSize: 0 }, undefined],
      )
      const local = entries.find((entry) => entry['InstanceTypeId'] === 'ecs.i3.large')
      assert.deepEqual(local?.['LocalVolumes'], [{ VolumeType: 'LOCAL_SSD', Count: 1, Size: 100 }])
      assert(local?.['Gpu'])
      assert.equal(
        (await b.ecs('DescribeInstanceTypes', { MaxResults: '1001' })).code,
        'InvalidArgument',
      )
      assert.equal(
        (await b.ecs('DescribeInstanceTypes', { NextToken: '*' })).code,
        'InvalidArgument',
      )
    })

    test('images that servers can be made of', async () => {
      const reply = await b.ecs('DescribeImages', {
        'ImageIds.1': 'sim',
        'ImageIds.2': 'Multi-Engine 2.0 (python3)',
      })
      const images = (reply.result?.['Images'] ?? []) as readonly Entry[] // what DescribeImages answers
      assert.deepEqual(
        images.map((one) => [one['ImageId'], one['Status'], one['OsType']]),
        [['sim', 'available', 'Linux']],
      )
      assert.deepEqual([reply.result?.['TotalCount'], reply.result?.['NextToken']], [1, ''])
    })
  })
}
