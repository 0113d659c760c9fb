// What an instance may be asked for, as one route: each action's body becomes the kernel's request
// of the same meaning. Without `from` a request converges: it joins, does nothing, or pre-empts
// what is softer.

import { unreachable } from '#kernel/assert.ts'
import { ok, type Result } from '#kernel/errors.ts'
import type { InstanceRef, InstanceRequest } from '#kernel/request.ts'
import type { ActionBody } from './bodies.ts'
import { change } from './changes.ts'
import type { Asked, Reply } from './endpoint.ts'
import type { Fault } from './faults.ts'
import { ifGeneration } from './instances.ts'
import { seeInstance, targetOf } from './lookups.ts'
import { readMoment } from './reading.ts'

export async function actOnInstance(
  asked: Asked<undefined, ActionBody>,
): Promise<Result<Reply, Fault>> {
  const { body } = asked
  const target = targetOf(asked)
  const request = await requestOf(asked, body, {
    target,
    ...ifGeneration(asked),
    ...(body.from === undefined ? {} : { from: body.from }),
    ...(body.why === undefined ? {} : { why: body.why }),
  })
  return request.ok ? await change(asked, request.value, { why: body.why }) : request
}

interface Change {
  readonly target: InstanceRef
}

async function requestOf(
  asked: Asked<undefined, ActionBody>,
  body: ActionBody,
  to: Change,
): Promise<Result<InstanceRequest, Fault>> {
  switch (body.action) {
    case 'start':
      return ok({ ...to, verb: 'start', ...given({ autoStop: body.autoStop }) })
    case 'stop': {
      const { mode = 'soft', graceMs, stoppedMode } = body
      return ok({ ...to, verb: 'stop', rung: mode, ...given({ graceMs, stoppedMode }) })
    }
    case 'restart':
      return ok({
        ...to,
        verb: 'restart',
        rung: body.mode ?? 'soft',
        ...given({ graceMs: body.graceMs }),
      })
    case 'capture':
      return ok({ ...to, verb: 'capture', imageName: body.imageName })
    case 'pause':
    case 'unpause':
    case 'suspend':
    case 'resume':
    case 'queue':
    case 'dequeue':
      return ok({ ...to, verb: body.action })
    case 'rebuild':
      return ok({ ...to, verb: 'rebuild', imageId: body.image })
    case 'delete': {
      // A registered instance is not ours to delete: to be rid of it is to unregister it.
      const seen = await seeInstance(asked)
      if (!seen.ok) return seen
      return ok({ ...to, verb: seen.value.kind === 'service-instance' ? 'unregister' : 'delete' })
    }
    case 'reset':
      return ok({ ...to, verb: 'reset', to: body.to })
    case 'status': {
      const until = body.until === undefined ? ok(undefined) : readMoment('until', body.until)
      if (!until.ok) return until
      const untilMs = until.value
      return ok({
        ...to,
        verb: 'set-status',
        as: 'operator',
        status: body.status,
        ...given({ untilMs }),
      })
    }
    case 'bind':
    case 'unbind':
      return ok({ ...to, verb: body.action, service: body.service, instance: body.instance })
    case 'clear-status':
      return ok({ ...to, verb: 'clear-status' })
    default:
      return unreachable(body)
  }
}

type Given<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> }

/** Only what was said: the kernel tells "not said" from any value. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Given<T> // what is left is defined
}
