// Whose servers a request is about: the caller's project, or every project's when an admin says so.
// Source: contract, sections 6.3 and 9.

import { sees } from '#kernel/access.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Call } from './call.ts'
import { isTrue, isWordForFlag } from './bodies.ts'
import { badRequest, type NovaFault, policy } from './faults.ts'
import { firstOf } from './query-parameters.ts'

export const visibleTo = (call: Call, row: Instance): boolean =>
  row.kind === 'server' && sees(call.caller, row.project)

export type Scope = { readonly project?: string }

/** `all_tenants` without a value means yes. `tenant_id` counts only together with it. */
export function scopeOf(params: URLSearchParams, call: Call): Result<Scope, NovaFault> {
  const everywhere = params.get('all_tenants')
  if (everywhere !== null && everywhere !== '' && !isWordForFlag(everywhere)) {
    return err(badRequest(`Unrecognized value '${everywhere}' for all_tenants`))
  }
  if (everywhere === null || (everywhere !== '' && !isTrue(everywhere)))
    return ok({ project: call.project })
  if (call.caller.role !== 'admin') return err(policy(`${call.rule}:get_all_tenants`))
  const project = firstOf(params, 'project_id') ?? firstOf(params, 'tenant_id')
  return ok(project === undefined ? {} : { project })
}
