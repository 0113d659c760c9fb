// What the calls of the second family have in common: how a notebook is named, found, refused and shown.

import { err, type KernelError, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { InstanceRef, Receipt } from '#kernel/request.ts'
import { type Asked, seeInstance } from '../shared/project-route.ts'
import type { Fault } from '../shared/three-keys.ts'
import { factReader } from './facts.ts'
import { type Asks, labFault } from './faults.ts'
import { encodeNotebook } from './lab-wire.ts'
import { labRows, type LabStatus, type NotebookSituation } from './states.ts'

export type Answered = Promise<Result<object, Fault>>

export const refOf = (asked: Asked): InstanceRef & { readonly kind: 'notebook' } => ({
  kind: 'notebook',
  scheme: 'lab',
  id: asked.exchange.params['id'] ?? '',
})

export const faultsFor =
  ({ permission }: Asked, asks: Asks) =>
  (error: KernelError): Fault =>
    labFault(error, { ...asks, permission })

export async function see(asked: Asked, asks: Asks): Promise<Result<Instance, Fault>> {
  const seen = await seeInstance(asked, refOf(asked))
  return seen.ok ? seen : err(faultsFor(asked, asks)(seen.error))
}

/** The notebook as it was right after the request. */
export const shownAfter =
  (asked: Asked) =>
  async ({ instanceIds, after }: Receipt): Promise<object> => {
    const instance = await asked.plane.read.get('instances', instanceIds[0] ?? '')
    if (!instance) return {}
    const status = after && labRows[after as NotebookSituation].status // a notebook's, as its kind rules the others out
    return encodeOne(asked, instance, status)
  }

export async function encodeOne(
  asked: Asked,
  instance: Instance,
  status?: LabStatus,
): Promise<object> {
  const facts = await factReader(asked).of(instance)
  return encodeNotebook({ instance, facts, ...(status === undefined ? {} : { status }) })
}
