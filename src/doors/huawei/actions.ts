// `POST …/baremetalservers/action` and `POST …/cloudservers/action`: one request, many servers, one job.
//
// What concerns the request as a whole is answered at once; what concerns one server stands in its part of the
// job, and sinks no other.
// Source: contract, sections 11.1 to 11.4.

import { may } from '#kernel/access.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { compact } from '#kernel/ids.ts'
import type { InstanceRequest, Receipt } from '#kernel/request.ts'
import { decodeBatch, type Wanted } from './batch-body.ts'
import type { Call } from './call.ts'
import { type Asked, type Fault, faultFor, speeches, wordsFor } from './faults.ts'
import { type Action, type Family, powerActionOf } from './states.ts'

export const askedOf = {
  'os-start': 'start',
  'os-stop': 'stop',
  reboot: 'reboot',
} as const satisfies Record<Action, Asked>

/** The vendor's names of the rights to these actions. */
const policies = { bms: 'bms:servers', ecs: 'ecs:cloudServers' } as const satisfies Record<
  Family,
  string
>

export async function actOnServers(call: Call): Promise<Result<object, Fault>> {
  const { exchange, family, caller, house, submission } = call
  const wanted = decodeBatch(exchange.body, family)
  if (!wanted.ok) return wanted
  const { action, ids } = wanted.value
  const asked = askedOf[action]
  if (!may(caller, 'batch')) return err(speeches[family].denied(`${policies[family]}:${asked}`))
  const items = ids.map((id) => requestFor(call, wanted.value, id))
  const kept = { family, action }
  const receipt = await house.plane.submit({ verb: 'batch', items, kept }, submission)
  if (!receipt.ok) return err(faultFor(family, receipt.error, asked))
  if (submission.dryRun) return ok(planOf(receipt.value, { ids, family, asked }))
  return ok({ job_id: compact(receipt.value.batchId ?? '') })
}

function requestFor(
  { family, servers }: Call,
  { action, type }: Wanted,
  id: string,
): InstanceRequest {
  const target = { kind: 'server', id } as const
  const from = servers.accepts(powerActionOf(action, type))
  if (action === 'os-start') return { verb: 'start', target, from }
  const rung = type === 'HARD' ? 'hard' : 'soft'
  if (action === 'reboot') return { verb: 'restart', target, rung, from }
  // The bare-metal service takes SOFT, and says that it has no effect.
  return { verb: 'stop', target, rung: family === 'bms' ? 'hard' : rung, from }
}

/** What a dry run answers: what would have come of each server. */
function planOf(
  { items = [] }: Receipt,
  {
    ids,
    family,
    asked,
  }: { readonly ids: readonly string[]; readonly family: Family; readonly asked: Asked },
): object {
  const servers = ids.map((id, index) => {
    const item = items[index]
    if (item?.ok !== false) return { id, from: item?.value.before, to: item?.value.after }
    const { code, message } = wordsFor(family, item.error, asked)
    return { id, error_code: code, fail_reason: message }
  })
  return { dry_run: true, plan: { servers } }
}
