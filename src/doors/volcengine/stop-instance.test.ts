import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type Bench, bench } from '#test/harness/ecs.ts'
import { type GatedStore, gatedStore } from '#test/harness/gated-store.ts'
import { soldOut, stopFaults } from '#test/harness/stop-faults.ts'
import { world, type World } from '#test/harness/world.ts'

let w: World
let b: Bench
let gated: GatedStore

before(async () => {
  gated = gatedStore()
  w = await world({ store: gated.store })
  b = await bench(w)
})
after(() => w.close())

const texts = (params: Readonly<Record<string, string | boolean>>) =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]))

const stoppedMode = async (id: string): Promise<unknown> => {
  const { result } = await b.ecs('DescribeInstances', { 'InstanceIds.1': id })
  const [found] = (result?.['Instances'] ?? []) as readonly { StoppedMode: string }[] // what DescribeInstances answers
  return found?.StoppedMode
}

const taken = async (): Promise<number | undefined> =>
  (await w.plane.read.get('pools', 'ecs.g3i.large'))?.taken

suite('StopInstance: every error of its table', () => {
  test('there are nineteen', () => {
    assert.equal(new Set(stopFaults.map(({ code }) => code)).size, 19)
  })

  for (const { status, code, message, how, prepare } of stopFaults) {
    test(`${status} ${code}: ${how}`, async () => {
      const { params, around = (ask) => ask() } = await prepare(b, gated)
      const id = String(params['InstanceId'])
      const before = await shown(id)
      const reply = await around(() => b.ecs('StopInstance', texts(params)))
      assert.equal(reply.status, status)
      assert.deepEqual(reply.error, { Code: code, Message: message })
      if (code === 'IdempotentProcessing') return // the first request did what it asked for
      assert.deepEqual(await shown(id), before, 'a refusal changes nothing')
    })
  }
})

/** All that a caller could have changed. */
async function shown(id: string): Promise<object> {
  const seen = await w.plane.see(b.ref(id), b.owner)
  if (!seen.ok) return seen.error
  const { state, underway, intent, stoppedMode, place, holds, conditions, charge } = seen.value
  return { state, underway, intent, stoppedMode, place, holds, conditions, charge }
}

suite('StopInstance', () => {
  test('stops, softly by default, and shows it', async () => {
    const id = await b.server()
    assert.equal(await stoppedMode(id), '')
    const reply = await b.ecs('StopInstance', { InstanceId: id })
    assert.equal(reply.status, 200)
    assert.deepEqual(reply.result, {})
    const { state, underway } = await b.row(id)
    assert.deepEqual([state, underway?.rung], ['stopping', 'soft'])
    assert.equal(await b.status(id), 'STOPPING')
    assert.equal(await stoppedMode(id), 'KeepCharging')
    await b.reach(id, 'STOPPED')
    assert.equal(await stoppedMode(id), 'KeepCharging')
    assert.equal((await b.ecs('StartInstance', { InstanceId: id })).status, 200)
    await b.reach(id, 'RUNNING')
    assert.equal(await stoppedMode(id), '')
  })

  test('ForceStop cuts the power; bare metal is forced whatever was said', async () => {
    const id = await b.server()
    await b.ecs('StopInstance', { InstanceId: id, ForceStop: 'TRUE' })
    assert.equal((await b.row(id)).underway?.rung, 'hard')
    const metal = await b.server({ flavorId: 'ebmhpcpni2.31xlarge' })
    const reply = await b.ecs('StopInstance', { InstanceId: metal, ForceStop: 'false' })
    assert.equal(reply.status, 200)
    assert.equal((await b.row(metal)).underway?.rung, 'hard')
    await b.reach(metal, 'STOPPED')
  })

  test('while it stops, no other stop is taken, forced or not', async () => {
    const id = await b.server({ scenario: { stopMs: 60_000 } })
    await b.ecs('StopInstance', { InstanceId: id })
    for (const more of [{}, { ForceStop: 'true' }, { StoppedMode: 'StopCharging' }] as const) {
      const reply = await b.ecs('StopInstance', { InstanceId: id, ...more })
      assert.deepEqual([reply.status, reply.code], [400, 'InvalidInstanceStatus'])
    }
  })

  test('of many at once without a token, one stops it and the rest come too late', async () => {
    const id = await b.server()
    const ask = () => b.ecs('StopInstance', { InstanceId: id })
    const replies = await Promise.all(Array.from({ length: 100 }, ask))
    const codes = replies.map(({ code }) => code).filter((code) => code !== '')
    assert.equal(codes.length, 99)
    assert.deepEqual([...new Set(codes)], ['InvalidInstanceStatus'])
    assert.equal((await b.row(id)).intent.generation, 2)
  })

  test('a failed instance is not stopped', async () => {
    const id = await b.server()
    await b.submit({ verb: 'reset', target: b.ref(id), to: 'failed' })
    assert.equal(await b.status(id), 'ERROR')
    const reply = await b.ecs('StopInstance', { InstanceId: id })
    assert.deepEqual([reply.status, reply.code], [400, 'InvalidInstanceStatus'])
  })

  test('StopCharging gives capacity back, and the next start takes it again or fails', async () => {
    const id = await b.server()
    const held = await taken()
    await b.ecs('StopInstance', { InstanceId: id, StoppedMode: 'StopCharging' })
    await b.reach(id, 'STOPPED')
    assert.equal(await stoppedMode(id), 'StopCharging')
    assert.equal(await taken(), (held ?? 0) - 1)
    const start = () => b.ecs('StartInstance', { InstanceId: id })
    const refused = await soldOut(b, start)
    assert.deepEqual([refused.status, refused.code], [500, 'Insufficient.InstanceCapacity'])
    assert.equal(await b.status(id), 'STOPPED')
    assert.equal((await start()).status, 200)
    assert.equal(await taken(), held)
  })

  test('on a stopped instance another mode is only a change of mode', async () => {
    const id = await b.server()
    const held = await taken()
    await b.ecs('StopInstance', { InstanceId: id })
    await b.reach(id, 'STOPPED')
    const to = (StoppedMode: string) => b.ecs('StopInstance', { InstanceId: id, StoppedMode })
    assert.deepEqual((await to('StopCharging')).result, {})
    assert.deepEqual(
      [await b.status(id), await stoppedMode(id), await taken()],
      ['STOPPED', 'StopCharging', (held ?? 0) - 1],
    )
    assert.equal((await to('StopCharging')).code, 'InvalidStoppedMode.Conflict')
    assert.deepEqual((await to('KeepCharging')).result, {})
    assert.deepEqual([await stoppedMode(id), await taken()], ['KeepCharging', held])
    assert.equal((await b.ecs('StopInstance', { InstanceId: id })).code, 'InvalidInstanceStatus')
  })

  test('an account that releases by default does so where it can, silently', async () => {
    const row = await w.plane.read.get('projects', b.owner.projectId ?? '')
    assert(row)
    await b.submit({ verb: 'put', table: 'projects', row: { ...row, releasesByDefault: true } })
    const [plain, prepaid, explicit] = [
      await b.server(),
      await b.server({ charge: 'PrePaid' }),
      await b.server(),
    ]
    for (const id of [plain, prepaid])
      await b.ecs('StopInstance', { InstanceId: id, StoppedMode: '' })
    await b.ecs('StopInstance', { InstanceId: explicit, StoppedMode: 'KeepCharging' })
    for (const id of [plain, prepaid, explicit]) await b.reach(id, 'STOPPED')
    assert.deepEqual(await Promise.all([plain, prepaid, explicit].map(stoppedMode)), [
      'StopCharging',
      'KeepCharging',
      'KeepCharging',
    ])
    await b.submit({ verb: 'put', table: 'projects', row })
  })

  test("what is wrong is reported in the contract's order", async () => {
    const id = await b.server()
    const bad = { ClientToken: 'é', InstanceId: '', ForceStop: 'x', StoppedMode: 'x' }
    const fixes: readonly (readonly [Record<string, string>, string])[] = [
      [{}, 'InvalidClientToken.Malformed'],
      [{ ClientToken: '' }, 'MissingParameter.InstanceId'],
      [{ InstanceId: 'i-unknown' }, 'InvalidArgument'],
      [{ ForceStop: 'false', DryRun: 'x' }, 'InvalidArgument'],
      [{ DryRun: 'false' }, 'InvalidStoppedMode.Malformed'],
      [{ StoppedMode: 'StopCharging' }, 'InvalidInstance.NotFound'],
      [{ InstanceId: id, DryRun: 'true' }, 'DryRunOperation'],
    ]
    let params: Record<string, string> = bad
    for (const [fix, code] of fixes) {
      params = { ...params, ...fix }
      assert.equal((await b.ecs('StopInstance', params)).code, code)
    }
  })

  test('owned, held, imaging, host, status, charge: the first that forbids is named', async () => {
    const id = await b.server({ charge: 'PrePaid', scenario: { captureMs: 60_000 } })
    await b.submit({ verb: 'capture', target: b.ref(id), imageName: 'snap' })
    const set = { verb: 'update', target: b.ref(id) } as const
    await b.submit({
      ...set,
      conditions: { createdByService: 'vke', hostUnsupported: true, scheduled: true },
    })
    await b.submit({ verb: 'hold', target: b.ref(id), kind: 'hold' })
    const ask = async () =>
      (await b.ecs('StopInstance', { InstanceId: id, StoppedMode: 'StopCharging' })).code
    assert.equal(await ask(), 'OperationDenied.ResourceCreatedByOtherService')
    await b.submit({ ...set, conditions: { createdByService: null } })
    assert.equal(await ask(), 'OperationDenied.ResourceLocked')
    await b.submit({ verb: 'release', target: b.ref(id), hold: { kind: 'hold' } })
    assert.equal(await ask(), 'OperationDenied.InstanceIsCreatingImage')
    await b.submit({ verb: 'reset', target: b.ref(id), to: 'running' })
    assert.equal(await ask(), 'InvalidDedicatedHostStatus.Unsupported')
    await b.submit({ ...set, conditions: { hostUnsupported: false } })
    assert.equal(await ask(), 'InvalidStoppedMode.ChargeTypeMismatch')
    await b.submit({ ...set, charge: 'PostPaid' })
    assert.equal(await ask(), 'InvalidStoppedModeForScheduledInstance.Unsupported')
  })
})

suite('DryRun', () => {
  test('checks everything, stock too, and changes nothing; it neither uses nor keeps a token', async () => {
    const id = await b.server()
    const ClientToken = randomUUID()
    const before = await b.row(id)
    const ask = (more: Record<string, string> = {}) =>
      b.ecs('StopInstance', { InstanceId: id, DryRun: 'true', ClientToken, ...more })
    for (const reply of [await ask(), await ask({ ForceStop: 'true' })]) {
      assert.deepEqual([reply.status, reply.code], [412, 'DryRunOperation'])
    }
    assert.deepEqual(await b.row(id), before)
    assert.equal(
      (await b.ecs('StopInstance', { InstanceId: id, ClientToken, StoppedMode: 'StopCharging' }))
        .status,
      200,
    )
    assert.equal((await ask({ ForceStop: 'true' })).code, 'InvalidInstanceStatus')
    await b.reach(id, 'STOPPED')
    const soldOutNow = await soldOut(b, () => ask({ StoppedMode: 'KeepCharging' }))
    assert.equal(soldOutNow.code, 'Insufficient.InstanceCapacity')
    assert.equal((await ask({ StoppedMode: 'KeepCharging' })).code, 'DryRunOperation')
    assert.equal(await stoppedMode(id), 'StopCharging')
  })
})

suite('ClientToken', () => {
  test('a replay is answered as before, has no effect, and has a request id of its own', async () => {
    const id = await b.server()
    const params = { InstanceId: id, ClientToken: randomUUID() }
    const first = await b.ecs('StopInstance', params)
    await b.reach(id, 'STOPPED')
    await b.ecs('StartInstance', { InstanceId: id })
    await b.reach(id, 'RUNNING')
    const again = await b.ecs('StopInstance', { ...params, StoppedMode: '', Unknown: 'x' })
    assert.deepEqual([again.status, again.result], [200, first.result])
    assert.notEqual(again.metadata['RequestId'], first.metadata['RequestId'])
    assert.equal(await b.status(id), 'RUNNING')
    const other = await b.ecs('StopInstance', { ...params, ForceStop: 'true' })
    assert.deepEqual([other.status, other.code], [400, 'IdempotentParameterMismatch'])
  })

  test('a token belongs to its action and region', async () => {
    const id = await b.server()
    const params = { InstanceId: id, ClientToken: randomUUID() }
    assert.equal((await b.ecs('RebootInstance', params)).status, 200)
    await b.reach(id, 'RUNNING')
    assert.equal((await b.ecs('StopInstance', params, { region: 'cn-shanghai' })).status, 404)
    assert.equal((await b.ecs('StopInstance', params)).status, 200)
  })

  test('a refused request keeps no token: the retry is looked at anew', async () => {
    const id = await b.server()
    const params = { InstanceId: id, ClientToken: randomUUID() }
    await b.submit({ verb: 'hold', target: b.ref(id), kind: 'hold' })
    assert.equal((await b.ecs('StopInstance', params)).status, 412)
    await b.submit({ verb: 'release', target: b.ref(id), hold: { kind: 'hold' } })
    assert.equal((await b.ecs('StopInstance', params)).status, 200)
  })

  test('of many at once, one stops, and the rest are told that it is in process', async () => {
    const InstanceId = await b.server()
    const params = { InstanceId, ClientToken: randomUUID() }
    const rest = await gated.whileHeld(
      () => b.ecs('StopInstance', params),
      () => Promise.all(Array.from({ length: 20 }, () => b.ecs('StopInstance', params))),
    )
    assert.deepEqual([...new Set(rest.map(({ code }) => code))], ['IdempotentProcessing'])
    const other = { ...params, ForceStop: 'true' }
    const mismatch = await b.ecs('StopInstance', other)
    assert.equal(mismatch.code, 'IdempotentParameterMismatch')
    assert.equal((await b.row(InstanceId)).intent.generation, 2)
  })
})
