// Stop, start, reboot and delete, one instance or up to a hundred. Parameters are read in the order in which
// the contract reports their faults; everything after that is decided by the kernel.
// Source: contracts/volcengine-ecs.md sections 6.3, 7.1 to 7.4 and 8.

import { assert } from '#kernel/assert.ts'
import { err, ok } from '#kernel/errors.ts'
import type { InstanceRef, InstanceRequest } from '#kernel/request.ts'
import { type Call, type Outcome, submit, targetOf } from './call.ts'
import { business, faultOf, missing } from './faults.ts'
import type { Reading } from './reading.ts'
import { acceptedFrom, modeNames, modes } from './states.ts'
import { errorEntry } from './wire.ts'

type Make = (target: InstanceRef) => InstanceRequest
export type Power = keyof typeof makers

const rungOf = (reading: Reading) => (reading.flag('ForceStop') === true ? 'hard' : 'soft')

/** What each call asks of one instance, read from its parameters. */
const makers = {
  stop: (reading: Reading): Make => {
    const rung = rungOf(reading)
    const mode = reading.choice('StoppedMode', modeNames, business.stoppedModeMalformed)
    const asked = mode === undefined ? {} : { stoppedMode: modes[mode] }
    return (target) => ({ verb: 'stop', target, rung, from: acceptedFrom.stop, ...asked })
  },
  start: (): Make => (target) => ({ verb: 'start', target, from: acceptedFrom.start }),
  restart: (reading: Reading): Make => {
    const rung = rungOf(reading)
    return (target) => ({ verb: 'restart', target, rung, from: acceptedFrom.restart })
  },
  delete: (): Make => (target) => ({ verb: 'delete', target, from: acceptedFrom.delete }),
} as const

const idsMax = 100

export const powerOne =
  (verb: Power) =>
  async (call: Call): Promise<Outcome> => {
    const { reading } = call
    const token = reading.clientToken()
    const id = reading.required('InstanceId')
    const dryRun = reading.dryRun()
    const make = makers[verb](reading)
    if (reading.fault) return err(reading.fault)
    const receipt = await submit(call, make(targetOf(call, id)), { token, dryRun })
    return receipt.ok ? ok({}) : receipt
  }

/** Instances are independent: each has its own result, and the call succeeds though all of them failed. */
export const powerMany =
  (verb: Power) =>
  async (call: Call): Promise<Outcome> => {
    const { reading } = call
    const token = reading.clientToken()
    const ids = [...new Set(reading.list('InstanceIds', { max: idsMax }))]
    if (ids.length === 0) reading.fail(missing('InstanceIds'))
    const make = makers[verb](reading)
    if (reading.fault) return err(reading.fault)
    const items = ids.map((id) => make(targetOf(call, id)))
    const receipt = await submit(call, { verb: 'batch', items }, { token, dryRun: false })
    if (!receipt.ok) return receipt
    const results = receipt.value.items ?? []
    assert(results.length === ids.length, 'a batch has one result per item')
    const OperationDetails = ids.map((InstanceId, index) => {
      const result = results[index]
      return result === undefined || result.ok
        ? { InstanceId }
        : { InstanceId, Error: errorEntry(faultOf(result.error, call.action)) }
    })
    return ok({ OperationDetails })
  }
