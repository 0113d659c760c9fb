// `POST /servers/{id}/action`: one body, one key, one action. Each row says what the action asks the kernel for.
//
// - Nothing is looked up here before the kernel decides: its order of checks is Nova's.
// - Nothing is idempotent but lock and unlock: a repeated stop is refused, as Nova refuses it.
// Source: contract, sections 3.4, 3.5, 4.3 and 5.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { InstanceRef, InstanceRequest, Receipt } from '#kernel/request.ts'
import { isObject } from '../shared/http.ts'
import { planOf } from '../shared/lent-headers.ts'
import { lockBody, lockReasonSince, rebootBody, resetStateBody } from './bodies.ts'
import type { Call, Mount, Reply } from './call.ts'
import {
  type Asked,
  badRequest,
  faultOf,
  malformedBody,
  noSuchRoute,
  type NovaFault,
} from './faults.ts'
import { createImage, imageCreated, rebuild, rebuilt } from './image-actions.ts'
import type { Negotiated } from './microversion.ts'
import type { NovaSettings } from './settings.ts'
import { preconditions, situationsFor } from './states.ts'

interface Plan {
  readonly request: InstanceRequest
  readonly asked: Asked
}
type Planned = Result<Plan, NovaFault>

interface Action {
  /** Answers with the mount's own success status; the others always with 202. */
  readonly isPower?: true
  readonly plan: (target: InstanceRef, body: Body, call: Call) => Planned | Promise<Planned>
  /** What an accepted one answers beyond its status. */
  readonly answer?: (call: Call, receipt: Receipt) => Promise<Result<Partial<Reply>, NovaFault>>
}

type Body = Readonly<Record<string, unknown>>

const policies = 'os_compute_api'

const actions: Readonly<Record<string, Action>> = {
  'os-stop': {
    isPower: true,
    plan: (target, body) =>
      ok({
        request: {
          verb: 'stop',
          target,
          rung: isHard(body['os-stop']) ? 'hard' : 'soft',
          from: situationsFor('stop'),
        },
        asked: {
          verb: 'stop',
          rule: `${policies}:servers:stop`,
          precondition: preconditions.stop,
        },
      }),
  },
  'os-start': {
    isPower: true,
    plan: (target) =>
      ok({
        request: { verb: 'start', target, from: situationsFor('start') },
        asked: {
          verb: 'start',
          rule: `${policies}:servers:start`,
          precondition: preconditions.start,
        },
      }),
  },
  reboot: { isPower: true, plan: reboot },
  pause: still('pause', 'os-pause-server'),
  unpause: still('unpause', 'os-pause-server'),
  suspend: still('suspend', 'os-suspend-server'),
  resume: still('resume', 'os-suspend-server'),
  lock: { plan: lock },
  unlock: {
    plan: (target) =>
      ok({
        request: { verb: 'release', hold: { kind: 'lock' }, target },
        asked: { verb: 'unlock', rule: `${policies}:os-lock-server:unlock` },
      }),
  },
  'os-resetState': { plan: resetState },
  rebuild: { plan: rebuild, answer: rebuilt },
  createImage: { plan: createImage, answer: imageCreated },
  forceDelete: {
    plan: (target) =>
      ok({
        request: { verb: 'delete', target },
        asked: { verb: 'delete', rule: `${policies}:os-deferred-delete:force` },
      }),
  },
}

function still(verb: 'pause' | 'unpause' | 'suspend' | 'resume', rule: string): Action {
  return {
    plan: (target) =>
      ok({
        request: { verb, target, from: situationsFor(verb) },
        asked: {
          verb,
          rule: `${policies}:${rule}:${verb}`,
          precondition: preconditions[verb],
        },
      }),
  }
}

function lock(target: InstanceRef, body: Body, { negotiated }: Call): Planned {
  const checked = negotiated.version >= lockReasonSince ? lockBody(body) : ok({ lock: null })
  if (!checked.ok) return checked
  const why = checked.value.lock?.locked_reason
  return ok({
    request: { verb: 'hold', kind: 'lock', target, ...(why === undefined ? {} : { why }) },
    asked: { verb: 'lock', rule: `${policies}:os-lock-server:lock` },
  })
}

function reboot(target: InstanceRef, body: Body): Planned {
  const checked = rebootBody(body)
  if (!checked.ok) return checked
  const rung = checked.value.reboot.type.toUpperCase() === 'HARD' ? 'hard' : 'soft'
  const name = `reboot ${rung}` as const
  return ok({
    request: { verb: 'restart', target, rung, from: situationsFor(name) },
    asked: {
      verb: 'reboot',
      rule: `${policies}:servers:reboot`,
      precondition: preconditions[name],
    },
  })
}

function resetState(target: InstanceRef, body: Body): Planned {
  const checked = resetStateBody(body)
  if (!checked.ok) return checked
  const to = checked.value['os-resetState'].state === 'active' ? 'running' : 'failed'
  return ok({
    request: { verb: 'reset', target, to },
    asked: { verb: 'reset', rule: `${policies}:os-admin-actions:reset_state` },
  })
}

/** Nova takes anything here. Only an object with a text in `type` says how hard; bare metal is forced anyway. */
function isHard(value: unknown): boolean {
  const type = isObject(value) ? value['type'] : undefined
  return typeof type === 'string' && type.toUpperCase() === 'HARD'
}

/** Which action is meant. Before the project of the URL is looked at, so it is a check of its own. */
export const actionFault = (body: unknown): NovaFault | undefined => actionFaultIn(actions, body)

export function actionFaultIn(
  known: Readonly<Record<string, unknown>>,
  body: unknown,
): NovaFault | undefined {
  // Source: Nova takes the first member of a list for the name of an action, and finds no such method.
  if (Array.isArray(body)) {
    return body.length === 1 && typeof body[0] === 'string' ? noSuchRoute : malformedBody
  }
  const names = isObject(body) ? Object.keys(body) : []
  const [name] = names
  if (name === undefined || names.length > 1) return malformedBody
  return Object.hasOwn(known, name) ? undefined : badRequest(`There is no such action: ${name}`)
}

export async function act(call: Call): Promise<Result<Reply, NovaFault>> {
  const body = isObject(call.body) ? call.body : {}
  const action = actions[Object.keys(body)[0] ?? '']
  if (action === undefined) return err(malformedBody)
  const target = { kind: 'server', id: call.exchange.params['server_id'] ?? '' } as const
  const plan = await action.plan(target, body, call)
  if (!plan.ok) return plan
  const { request, asked } = plan.value
  const receipt = await call.house.plane.submit(request, call.submission)
  if (!receipt.ok) return err(faultOf(receipt.error, lockedByAdmin(asked, call)))
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  const { settings } = call.house
  const status = action.isPower ? powerStatus(call.mount, call.negotiated, settings) : 202
  const answer = await action.answer?.(call, receipt.value)
  if (answer === undefined) return ok({ status })
  return answer.ok ? ok({ ...answer.value, status }) : answer
}

/** A member may unlock; when it is refused all the same, what it lacks is the right to undo an admin's lock. */
const lockedByAdmin = (asked: Asked, { caller }: Call): Asked =>
  asked.verb === 'unlock' && caller.role === 'member'
    ? { ...asked, rule: `${asked.rule}:unlock_override` }
    : asked

/** Source: contract, section 1.1. */
export function powerStatus(
  { dialect }: Pick<Mount, 'dialect'>,
  { isAsked }: Pick<Negotiated, 'isAsked'>,
  { actionSuccessStatus = {} }: NovaSettings,
): 202 | 204 {
  const forced = actionSuccessStatus[dialect]
  if (forced !== undefined) return forced
  return dialect === 'huawei' && !isAsked ? 204 : 202
}
