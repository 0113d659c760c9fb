// From the name a caller uses to the instance, or NotFound: another tenant's, a deleted one and one of another
// kind are not told apart from one that never was (law 10).

import { may, sees } from '../access.ts'
import { aliasKey, edgeAlias, microserviceKey, registryAlias } from '../aliases.ts'
import type { Caller } from '../caller.ts'
import { err, ok, type Result } from '../errors.ts'
import type { Instance } from '../instance.ts'
import { isA } from '../lifecycle.ts'
import { lifecycles } from '../kinds.ts'
import type { CallerRequest, Context, InstanceRef } from '../request.ts'
import type { Reader } from '../rows.ts'
import type { Service } from '../service.ts'
import { workspaceForbids, workspaceOf } from './conditions.ts'

export function findInstance(rows: Reader, ref: InstanceRef, caller: Caller): Result<Instance> {
  if ('service' in ref)
    return ref.kind === 'edge-instance'
      ? findOnNode(rows, ref, caller)
      : findRegistered(rows, ref, caller)
  const id =
    'scheme' in ref ? rows.get('aliases', aliasKey(ref.scheme, ref.id))?.instanceId : ref.id
  const instance = id === undefined ? undefined : rows.get('instances', id)
  const isWithin = !('within' in ref) || instance?.project === ref.within
  const fits = instance && isWithin && (ref.kind === 'any' || instance.kind === ref.kind)
  if (!fits || !sees(caller, instance.project) || isGone(instance))
    return err({ code: 'NotFound', what: 'instance', id: ref.id })
  return ok(instance)
}

export const isGone = (instance: Instance): boolean =>
  isA(lifecycles[instance.kind], instance.state, 'final')

function findOnNode(
  rows: Reader,
  ref: { readonly service: string; readonly node: string },
  caller: Caller,
): Result<Instance> {
  const service = findService(rows, ref.service, 'inference', caller)
  if (!service.ok) return service
  if (!service.value.onNodes) return err({ code: 'NotOnNodes', id: ref.service })
  const alias = rows.get('aliases', edgeAlias(ref.service, ref.node))
  const instance = alias && rows.get('instances', alias.instanceId)
  if (!instance || isGone(instance)) return err({ code: 'NotFound', what: 'node', id: ref.node })
  return ok(instance)
}

function findRegistered(
  rows: Reader,
  ref: { readonly service: string; readonly instance: string },
  caller: Caller,
): Result<Instance> {
  const service = microserviceKey(caller.projectId ?? '', ref.service)
  const alias = rows.get('aliases', registryAlias(service, ref.instance))
  const instance = alias && rows.get('instances', alias.instanceId)
  if (!instance || isGone(instance) || instance.project !== caller.projectId)
    return err({ code: 'NotFound', what: 'instance', id: ref.instance })
  return ok(instance)
}

export function findService(
  rows: Reader,
  id: string,
  kind: Service['kind'],
  caller: Caller,
): Result<Service> {
  const service = rows.get(
    'services',
    kind === 'microservice' ? microserviceKey(caller.projectId ?? '', id) : id,
  )
  if (
    !service ||
    service.kind !== kind ||
    service.status === 'deleted' ||
    !sees(caller, service.project)
  )
    return err({ code: 'NotFound', what: 'service', id })
  return ok(service)
}

/** An inference service that is there and that the caller may ask this of: exists, then may, then whose it is. */
export function ownedService(
  rows: Reader,
  { caller }: Pick<Context, 'caller'>,
  { id, verb }: { readonly id: string; readonly verb: CallerRequest['verb'] },
): Result<Service> {
  const found = findService(rows, id, 'inference', caller)
  if (!found.ok) return found
  if (!may(caller, verb)) return err({ code: 'Forbidden', needs: verb })
  const owned = ownService(found.value, caller)
  if (!owned.ok) return owned
  const { project, workspace } = owned.value
  const forbids = workspaceForbids(workspaceOf(rows, project, workspace), verb)
  return forbids ? err(forbids) : owned
}

/** Within a project a service is its owner's; an admin passes. */
export function ownService(service: Service, caller: Caller): Result<Service> {
  if (service.createdBy === caller.userId || caller.role === 'admin') return ok(service)
  return err({ code: 'NotOwner', what: 'service', id: service.id, name: service.name })
}
