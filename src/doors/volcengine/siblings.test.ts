import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { type Bench, bench } from '#test/harness/ecs.ts'
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
    assert.equal((await b.row(id)).underway?.rung, 'soft')
    assert.equal(
      (await b.ecs('RebootInstance', { InstanceId: id, ForceStop: 'true' })).code,
      'InvalidInstanceStatus',
    )
    await b.reach(id, 'RUNNING')
    await b.ecs('RebootInstance', { InstanceId: id, ForceStop: 'true' })
    assert.equal((await b.row(id)).underway?.rung, 'hard')
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
    assert.equal((await b.row(ids[0])).underway?.rung, 'hard')
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
