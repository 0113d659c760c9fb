import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { err, type KernelError } from '#kernel/errors.ts'
import { operationId, userId } from '#kernel/ids.ts'
import type { Hold } from '#kernel/instance.ts'
import { situationsFor } from '#kernel/decisions/power.ts'
import { business, faultOf, gateway } from './faults.ts'
import { envelope, localTime, requestIdOf } from './wire.ts'
import { acceptedFrom, statesShownAs, statuses, statusOf } from './states.ts'

const hold: Hold = {
  id: 'h',
  kind: 'hold',
  owner: userId('u'),
  byAdmin: false,
  reason: null,
  sinceMs: 0,
  untilMs: null,
}
const busy = {
  code: 'Busy',
  id: 'x',
  verb: 'stop',
  operation: operationId('o'),
  from: null,
  asked: null,
} as const

suite('faults', () => {
  const table: readonly (readonly [KernelError, string])[] = [
    [{ code: 'NotFound', what: 'instance', id: 'x' }, 'InvalidInstance.NotFound'],
    [{ code: 'NotFound', what: 'flavor', id: 'x' }, 'InvalidInstanceType.NotFound'],
    [{ code: 'NotFound', what: 'image', id: 'x' }, 'InvalidImage.NotFound'],
    [
      { code: 'WrongState', id: 'x', verb: 'stop', situation: 'stopped', allowed: [] },
      'InvalidInstanceStatus',
    ],
    [
      { code: 'WrongState', id: 'x', verb: 'stop', situation: 'imaging', allowed: [] },
      'OperationDenied.InstanceIsCreatingImage',
    ],
    [
      { ...busy, running: 'capture', situation: 'imaging' },
      'OperationDenied.InstanceIsCreatingImage',
    ],
    [{ ...busy, running: 'start', situation: 'starting' }, 'InvalidInstanceStatus'],
    [{ code: 'Held', id: 'x', hold }, 'OperationDenied.ResourceLocked'],
    [{ code: 'NoCapacity', pool: 'p', units: 1 }, 'Insufficient.InstanceCapacity'],
    [{ code: 'StoppedModeSame', id: 'x', mode: 'keep' }, 'InvalidStoppedMode.Conflict'],
    [
      { code: 'CannotRelease', id: 'x', because: 'charge' },
      'InvalidStoppedMode.ChargeTypeMismatch',
    ],
    [
      { code: 'CannotRelease', id: 'x', because: 'flavor' },
      'InvalidStoppedMode.InstanceTypeMismatch',
    ],
    [
      { code: 'CannotRelease', id: 'x', because: 'scheduled' },
      'InvalidStoppedModeForScheduledInstance.Unsupported',
    ],
    [
      { code: 'OwnedByService', id: 'x', service: 's' },
      'OperationDenied.ResourceCreatedByOtherService',
    ],
    [{ code: 'HostUnsupported', id: 'x' }, 'InvalidDedicatedHostStatus.Unsupported'],
    [{ code: 'DeletionProtected', id: 'x' }, 'OperationDenied.DeletionProtection'],
    [{ code: 'TermUnfinished', id: 'x' }, 'InvalidChargeType'],
    [{ code: 'BalanceLacking', project: 'p' }, 'Insufficient.Balance'],
    [{ code: 'TokenReused', token: 't' }, 'IdempotentParameterMismatch'],
    [{ code: 'TokenInProcess', token: 't' }, 'IdempotentProcessing'],
    [{ code: 'DriverUnavailable', driver: 'd', reason: null }, 'InternalError'],
    [{ code: 'StoreUnavailable' }, 'InternalError'],
    [{ code: 'Overloaded', retryAfterMs: 9 }, 'FlowLimitExceeded'],
    [{ code: 'Forbidden', needs: 'stop' }, 'AccessDenied'],
  ]
  for (const [error, code] of table) {
    const { because, what, situation } = { because: '', what: '', situation: '', ...error }
    test(`${error.code} ${because}${what}${situation} is ${code}`, () => {
      assert.equal(faultOf(error, 'StopInstance').code, code)
    })
  }

  test('business errors have no number, gateway errors do', () => {
    for (const one of Object.values(business)) assert(!('codeN' in one), one.code)
    assert.equal(gateway.accessDenied('StopInstance').codeN, 100_013)
    assert.match(gateway.accessDenied('StopInstance').message, /ecs:StopInstance on resource: \.$/)
  })
})

suite('envelope', () => {
  const asked = { requestId: 'r', action: 'A', version: 'v', service: 'ecs', region: 'x' }

  test('who shall come back later is told when', () => {
    const answer = envelope(asked, err(faultOf({ code: 'Overloaded', retryAfterMs: 1500 }, 'A')))
    assert.equal(answer.status, 429)
    assert.equal(answer.headers?.['retry-after'], '2')
  })

  test("a request id is local time and the end of the exchange's own", () => {
    const id = requestIdOf('4a9b1d1e-93c4-4c0f-8a5d-77e0c5a1b2c3', Date.UTC(2026, 10, 21, 18, 0, 1))
    assert.equal(id, '202611220200014C0F8A5D77E0C5A1B2C3')
    assert.equal(id.length, 34)
  })

  test('times have an offset, never a Z', () => {
    assert.equal(localTime(Date.UTC(2024, 4, 21, 2, 23, 55)), '2024-05-21T10:23:55+08:00')
  })
})

suite('states', () => {
  test('every status that is shown can be filtered by, and only by its own states', () => {
    for (const status of statuses) {
      for (const state of statesShownAs(status)) {
        if (state === 'imaging') continue
        assert.equal(statusOf({ state, underway: null, stoppedMode: null }), status)
      }
    }
  })

  test('while an image is taken, the instance shows what it was before', () => {
    const underway = {
      operationId: operationId('o'),
      verb: 'capture',
      rung: null,
      asked: null,
      sinceMs: 0,
    } as const
    const imaging = { state: 'imaging', stoppedMode: null } as const
    assert.equal(statusOf({ ...imaging, underway: { ...underway, from: 'stopped' } }), 'STOPPED')
    assert.equal(statusOf({ ...imaging, underway: { ...underway, from: 'running' } }), 'RUNNING')
  })

  test('what a call accepts, the lifecycle allows', () => {
    const { describe: _, reach: __, ...verbs } = acceptedFrom
    for (const [verb, from] of Object.entries(verbs)) {
      const allowed = situationsFor({ kind: 'server' }, verb)
      for (const situation of from) assert(allowed.includes(situation), `${verb} from ${situation}`)
    }
  })
})
