// The facts that forbid a request whatever the state, in the order in which they are checked. The order is that
// of the strictest contract that names one (ECS StopInstance, section 6.3); the others name fewer of them.

import type { ErrorOf, KernelError, Unusable } from '../errors.ts'
import { type Hold, type Instance, situationOf } from '../instance.ts'
import type { Workspace } from '../project.ts'
import type { Context } from '../request.ts'
import type { Draft, Reader } from '../rows.ts'
import type { RequestVerb } from '../errors.ts'

interface Subject {
  readonly draft: Draft
  readonly context: Context
  readonly instance: Instance
  readonly verb: RequestVerb
}

type Condition = {
  readonly name: string
  readonly doc: string
  readonly forbids: (subject: Subject) => KernelError | undefined
}

export const conditions: readonly Condition[] = [
  {
    name: 'workspace',
    doc: 'Its workspace is abnormal, or its policy forbids it.',
    forbids: ({ draft, instance, verb }) =>
      workspaceForbids(workspaceOf(draft, instance.project, instance.workspaceId), verb),
  },
  {
    name: 'frozen',
    doc: "The project's account is frozen.",
    forbids: ({ draft, instance }) =>
      draft.get('projects', instance.project)?.frozen
        ? { code: 'ProjectFrozen', project: instance.project }
        : undefined,
  },
  {
    name: 'owned-by-service',
    doc: 'Another service owns the instance.',
    forbids: ({ instance }) => {
      const service = instance.conditions.createdByService
      return service === null ? undefined : { code: 'OwnedByService', id: instance.id, service }
    },
  },
  {
    name: 'held',
    doc: 'Somebody holds or locked it.',
    // An image changes nothing of what it is taken from, so a lock does not stand in its way.
    forbids: ({ instance, context, verb }) => {
      const error = heldBy(instance, context)
      return verb === 'capture' && error?.hold.kind === 'lock' ? undefined : error
    },
  },
  {
    name: 'imaging',
    doc: 'An image is being captured from it. A deletion waits for nobody.',
    forbids: ({ instance, verb }) => {
      const { underway } = instance
      if (underway?.verb !== 'capture' || verb === 'delete') return undefined
      return {
        code: 'Busy',
        id: instance.id,
        verb,
        operation: underway.operationId,
        running: 'capture',
        situation: situationOf(instance),
        from: underway.from,
        asked: underway.asked,
      }
    },
  },
  {
    name: 'host',
    doc: 'Its dedicated host cannot serve requests.',
    forbids: ({ instance }) =>
      instance.conditions.hostUnsupported
        ? { code: 'HostUnsupported', id: instance.id }
        : undefined,
  },
]

/** An admin passes locks; nobody passes a hold. */
export function heldBy(instance: Instance, context: Context): ErrorOf<'Held'> | undefined {
  const hold = activeHolds(instance, context.nowMs).find(
    (one) => one.kind === 'hold' || context.caller.role !== 'admin',
  )
  return hold && { code: 'Held', id: instance.id, hold }
}

export const activeHolds = (instance: Instance, nowMs: number): readonly Hold[] =>
  instance.holds.filter((hold) => hold.untilMs === null || hold.untilMs > nowMs)

export function forbidden(subject: Subject): KernelError | undefined {
  for (const condition of conditions) {
    const error = condition.forbids(subject)
    if (error) return error
  }
  return undefined
}

const adminsConditions = ['createdByService', 'scheduled', 'hostUnsupported'] as const

/** What is to hold until then must have a then. */
export const isOver = (
  untilMs: number | undefined,
  { nowMs }: Pick<Context, 'nowMs'>,
): ErrorOf<'BadField'> | undefined =>
  untilMs === undefined || untilMs > nowMs
    ? undefined
    : { code: 'BadField', field: 'until', fault: 'value', expected: 'a moment that is yet to come' }

/** Some conditions say what the platform did, so its administrators alone say them. */
export function adminsOwn(
  { caller }: Context,
  conditions: Partial<Instance['conditions']> | undefined,
): KernelError | undefined {
  const tells = conditions && adminsConditions.some((name) => conditions[name] !== undefined)
  return tells && caller.role !== 'admin' ? { code: 'Forbidden', needs: 'admin' } : undefined
}

export const unusable = (
  what: ErrorOf<'Unusable'>['what'],
  { id, name }: { readonly id: string; readonly name: string },
  because: Unusable,
): KernelError => ({ code: 'Unusable', what, id, name, because })

/** Undefined for the default one that nobody gave rules, and for one that is no more. */
export const workspaceOf = (
  rows: Reader,
  project: string,
  id: string | undefined,
): Workspace | undefined =>
  id === undefined
    ? undefined
    : rows.get('projects', project)?.workspaces?.find((one) => one.id === id)

/** It is out of order, or its policy forbids this. */
export function workspaceForbids(
  workspace: Workspace | undefined,
  verb: string,
): KernelError | undefined {
  if (workspace?.isAbnormal) return unusable('workspace', workspace, 'abnormal')
  return workspace?.denies.includes(verb) ? unusable('workspace', workspace, 'denied') : undefined
}

/** A driver that is out of service does nothing; asked last, when the request is right in itself. */
export function driverDown(draft: Draft, name: string): KernelError | undefined {
  const driver = draft.get('drivers', name)
  if (driver?.available) return undefined
  const reason = driver ? driver.reason : 'it is not configured'
  const fault = driver?.fault === undefined ? {} : { fault: driver.fault }
  return { code: 'DriverUnavailable', driver: name, reason, part: driver?.part ?? null, ...fault }
}

export const storageDown = (draft: Draft, name: string | undefined): KernelError | undefined =>
  name !== undefined && draft.get('drivers', name) ? driverDown(draft, name) : undefined

/** What forbids a start, whatever the state: its node is out of contact, or its project owes. */
export function cannotStart(draft: Draft, instance: Instance): KernelError | undefined {
  const { nodeId, charge, project } = instance
  const node = nodeId === null ? undefined : draft.get('nodes', nodeId)
  if (node && node.state !== 'ready')
    return { code: 'NodeNotReady', node: node.id, state: node.state }
  const owes = charge !== 'free' && draft.get('projects', project)?.lacksBalance
  return owes ? { code: 'BalanceLacking', project } : undefined
}
