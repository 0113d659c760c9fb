// How each of the 19 errors of StopInstance is reached on purpose: one documented way per code. Every row is
// run by raw requests and by the vendor's own clients. Codes and texts are copied from the contract, not from
// the door.
// Source: contracts/volcengine-ecs.md section 6.4.

import { randomUUID } from 'node:crypto'
import type { Bench } from './ecs.ts'
import type { GatedStore } from './gated-store.ts'

export type Params = Readonly<Record<string, string | boolean>>

export interface Condition {
  readonly params: Params
  /** Asks while the condition lasts; default: just asks. */
  readonly around?: <T>(ask: () => Promise<T>) => Promise<T>
}

export interface StopFault {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly how: string
  readonly prepare: (b: Bench, gated: GatedStore) => Promise<Condition>
}

const of = (id: string, more: Params = {}): Condition => ({ params: { InstanceId: id, ...more } })

async function stopped(b: Bench, more: Record<string, string> = {}): Promise<string> {
  const id = await b.server()
  await b.ecs('StopInstance', { InstanceId: id, ForceStop: 'true', ...more })
  await b.reach(id, 'STOPPED')
  return id
}

async function conditioned(
  b: Bench,
  conditions: { createdByService?: string; scheduled?: boolean; hostUnsupported?: boolean },
): Promise<string> {
  const id = await b.server()
  await b.submit({ verb: 'update', target: b.ref(id), conditions })
  return id
}

export const stopFaults: readonly StopFault[] = [
  {
    status: 400,
    code: 'InvalidStoppedMode.Malformed',
    message: 'The specified StoppedMode is malformed.',
    how: 'a StoppedMode in lower case',
    prepare: async (b) => of(await b.server(), { StoppedMode: 'stopcharging' }),
  },
  {
    status: 400,
    code: 'InvalidStoppedModeForScheduledInstance.Unsupported',
    message: 'The specified scheduled instance does not support stop charging.',
    how: 'condition `scheduled`, StopCharging',
    prepare: async (b) =>
      of(await conditioned(b, { scheduled: true }), { StoppedMode: 'StopCharging' }),
  },
  {
    status: 400,
    code: 'InvalidDedicatedHostStatus.Unsupported',
    message: 'The status of the specified dedicated host does not support this request.',
    how: 'condition `hostUnsupported`',
    prepare: async (b) => of(await conditioned(b, { hostUnsupported: true })),
  },
  {
    status: 400,
    code: 'InvalidClientToken.Malformed',
    message: 'The specified ClientToken is malformed.',
    how: 'a ClientToken of 65 characters',
    prepare: async (b) => of(await b.server(), { ClientToken: 'a'.repeat(65) }),
  },
  {
    status: 400,
    code: 'InvalidArgument',
    message: 'The specified argument is invalid.',
    how: 'a ForceStop that is no boolean',
    prepare: async (b) => of(await b.server(), { ForceStop: 'perhaps' }),
  },
  {
    status: 400,
    code: 'IdempotentParameterMismatch',
    message:
      'The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical.',
    how: 'a ClientToken that another instance was stopped with',
    prepare: async (b) => {
      const ClientToken = randomUUID()
      await stopped(b, { ClientToken })
      return of(await b.server(), { ClientToken, ForceStop: true })
    },
  },
  {
    status: 400,
    code: 'MissingParameter.InstanceId',
    message: 'The required parameter InstanceId is not supplied.',
    how: 'no InstanceId',
    prepare: async () => ({ params: { ForceStop: true } }),
  },
  {
    status: 400,
    code: 'InvalidInstanceStatus',
    message: 'The status of the specified instance does not support this request.',
    how: 'an instance that is stopped',
    prepare: async (b) => of(await stopped(b)),
  },
  {
    status: 404,
    code: 'InvalidInstance.NotFound',
    message: 'The specified instance does not exist.',
    how: 'an id that no instance has',
    prepare: async () => of('i-00000000000000000000'),
  },
  {
    status: 409,
    code: 'InvalidStoppedMode.Conflict',
    message: 'The specified StoppedMode conflicts with instance status.',
    how: 'a stopped instance and the mode it has',
    prepare: async (b) => of(await stopped(b), { StoppedMode: 'KeepCharging' }),
  },
  {
    status: 412,
    code: 'OperationDenied.ResourceLocked',
    message: 'The specified operation is denied as your resource is locked for another operation.',
    how: 'a hold',
    prepare: async (b) => {
      const id = await b.server()
      await b.submit({ verb: 'hold', target: b.ref(id), kind: 'hold', why: 'in a test' })
      return of(id)
    },
  },
  {
    status: 412,
    code: 'OperationDenied.ResourceCreatedByOtherService',
    message:
      'The specified operation is denied as your resource is created by other service. You can check system tags to find the service.',
    how: 'condition `createdByService`',
    prepare: async (b) => of(await conditioned(b, { createdByService: 'vke' })),
  },
  {
    status: 412,
    code: 'OperationDenied.InstanceIsCreatingImage',
    message: 'The specified operation is denied as your instance is creating image.',
    how: 'an image is being captured',
    prepare: async (b) => {
      const id = await b.server({ scenario: { captureMs: 60_000 } })
      await b.submit({ verb: 'capture', target: b.ref(id), imageName: 'snap' })
      return of(id)
    },
  },
  {
    status: 412,
    code: 'InvalidStoppedMode.InstanceTypeMismatch',
    message: "The specified StopCharging mismatch instance's InstanceType.",
    how: 'bare metal, StopCharging',
    prepare: async (b) =>
      of(await b.server({ flavorId: 'ebmhpcpni2.31xlarge' }), { StoppedMode: 'StopCharging' }),
  },
  {
    status: 412,
    code: 'InvalidStoppedMode.ChargeTypeMismatch',
    message: "The specified StopCharging mismatch instance's ChargeType.",
    how: 'a prepaid instance, StopCharging; bare metal besides, for the charge comes first',
    prepare: async (b) => {
      const id = await b.server({ flavorId: 'ebmhpcpni2.31xlarge', charge: 'PrePaid' })
      return of(id, { StoppedMode: 'StopCharging' })
    },
  },
  {
    status: 412,
    code: 'DryRunOperation',
    message: 'Your request has been validated by the DryRunOperation.',
    how: 'DryRun, and nothing against it',
    prepare: async (b) => of(await b.server(), { DryRun: true }),
  },
  {
    status: 412,
    code: 'IdempotentProcessing',
    message: 'The request uses the same client token as a previous one that is still in process.',
    how: 'the same request while the first is being written',
    prepare: async (b, gated) => {
      const InstanceId = await b.server()
      const params = { InstanceId, ClientToken: randomUUID() }
      return {
        params,
        around: (ask) => gated.whileHeld(() => b.ecs('StopInstance', params), ask),
      }
    },
  },
  {
    status: 500,
    code: 'Insufficient.InstanceCapacity',
    message: 'There is not enough capacity to fulfill your request.',
    how: 'back to KeepCharging while the pool is sold out',
    prepare: async (b) => {
      const id = await stopped(b, { StoppedMode: 'StopCharging' })
      return { ...of(id, { StoppedMode: 'KeepCharging' }), around: (ask) => soldOut(b, ask) }
    },
  },
  {
    status: 500,
    code: 'InternalError',
    message: 'An internal error has occurred.',
    how: 'the driver is out of service',
    prepare: async (b) => {
      const id = await b.server()
      return { ...of(id), around: (ask) => outOfService(b, ask) }
    },
  },
]

export async function soldOut<T>(b: Bench, ask: () => Promise<T>): Promise<T> {
  const row = { id: 'ecs.g3i.large', capacity: 0 }
  await b.submit({ verb: 'put', table: 'pools', row })
  try {
    return await ask()
  } finally {
    await b.submit({ verb: 'put', table: 'pools', row: { ...row, capacity: 64 } })
  }
}

async function outOfService<T>(b: Bench, ask: () => Promise<T>): Promise<T> {
  const row = { id: 'simulated', available: false, reason: 'in a test' }
  await b.submit({ verb: 'put', table: 'drivers', row })
  try {
    return await ask()
  } finally {
    await b.submit({
      verb: 'put',
      table: 'drivers',
      row: { ...row, available: true, reason: null },
    })
  }
}
