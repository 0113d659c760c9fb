// From the names that callers use to rows that they may see. What is another's, gone or of another
// kind is not told apart from what never was.

import { sees } from '#kernel/access.ts'
import { microserviceKey } from '#kernel/aliases.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { InstanceRef } from '#kernel/request.ts'
import type { Service } from '#kernel/service.ts'
import type { Asked } from './endpoint.ts'
import { type Fault, faultOf } from './faults.ts'

type Seeker = Pick<Asked, 'plane' | 'caller' | 'project'>

/** Every id that a cloud shapes is known here too, by its shape. */
export function refOf(id: string): InstanceRef {
  if (/^i-[0-9a-z]{20}$/.test(id)) return { kind: 'server', scheme: 'ecs', id }
  if (id.startsWith('DE-')) return { kind: 'notebook', scheme: 'devenv', id }
  return { kind: 'any', id }
}

export const targetOf = (asked: Pick<Asked, 'params'>): InstanceRef =>
  refOf(asked.params['id'] ?? '')

export async function seeInstance(
  asked: Seeker & Pick<Asked, 'params'>,
): Promise<Result<Instance, Fault>> {
  const seen = await asked.plane.see(targetOf(asked), asked.caller)
  return seen.ok ? seen : err(faultOf(seen.error))
}

/** The id under which an instance's history is kept, though the instance may be gone. */
export async function historyId({ plane, caller }: Seeker, name: string): Promise<string> {
  const seen = await plane.see(refOf(name), caller)
  return seen.ok ? seen.value.id : name
}

export async function seeService(asked: Seeker, id: string): Promise<Result<Service, Fault>> {
  const { plane, caller, project } = asked
  const service =
    (await plane.read.get('services', microserviceKey(project, id))) ??
    (await plane.read.get('services', id))
  if (service && service.status !== 'deleted' && sees(caller, service.project)) return ok(service)
  return err(faultOf({ code: 'NotFound', what: 'service', id }))
}

/**
 * The projects whose things a list shows: the caller's own, or all when an admin asks for all;
 * undefined: all.
 */
export function projectsOf(
  { caller, project }: Seeker,
  allProjects: boolean | undefined,
): Result<string | undefined, Fault> {
  if (!allProjects) return ok(project)
  return caller.role === 'admin'
    ? ok(undefined)
    : err(faultOf({ code: 'Forbidden', needs: 'admin, to see every project' }))
}
