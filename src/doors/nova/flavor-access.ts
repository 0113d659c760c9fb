// Which projects have a flavor that is not everybody's. Admins only.
// Source: openstack/nova nova/api/openstack/compute/flavor_access.py.

import { may } from '#kernel/access.ts'
import type { Flavor } from '#kernel/catalogue.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { projectId } from '#kernel/ids.ts'
import { Type } from '#schema/type.ts'
import { isObject } from '../shared/http.ts'
import { planOf } from '../shared/lent-headers.ts'
import { actionFaultIn } from './actions.ts'
import type { Call, Reply } from './call.ts'
import { badRequest, conflict, faultOf, type NovaFault, policy } from './faults.ts'
import { flavorIn } from './flavors.ts'
import { checks } from './schema.ts'

type Answered = Promise<Result<Reply, NovaFault>>

const closed = { additionalProperties: false } as const
const tenant = Type.Object({ tenant: Type.String({ minLength: 1, maxLength: 255 }) }, closed)

const actions = {
  addTenantAccess: {
    isGranted: true,
    rule: 'os_compute_api:os-flavor-access:add_tenant_access',
    bodyOf: checks(Type.Object({ addTenantAccess: tenant }, closed)),
  },
  removeTenantAccess: {
    isGranted: false,
    rule: 'os_compute_api:os-flavor-access:remove_tenant_access',
    bodyOf: checks(Type.Object({ removeTenantAccess: tenant }, closed)),
  },
} as const

/** From which version on nobody is told that a project got what everybody has. */
const refusesPublicSince = 7

export const flavorActionFault = (body: unknown): NovaFault | undefined =>
  actionFaultIn(actions, body)

export async function listFlavorAccess(call: Call): Answered {
  if (!may(call.caller, 'edit-flavor')) return err(policy(call.rule))
  const flavor = await flavorIn(call)
  if (!flavor.ok) return flavor
  return flavor.value.projects === undefined
    ? err({ status: 404, message: 'Access list not available for public flavors.' })
    : ok({ status: 200, body: accessOf(flavor.value) })
}

export async function actOnFlavor(call: Call): Answered {
  const body = isObject(call.body) ? call.body : {}
  const name = 'addTenantAccess' in body ? 'addTenantAccess' : 'removeTenantAccess'
  const { isGranted, rule, bodyOf } = actions[name]
  const checked = bodyOf(body)
  if (!checked.ok) return checked
  if (!may(call.caller, 'edit-flavor')) return err(policy(rule))
  const flavor = await flavorIn(call)
  if (!flavor.ok) return flavor
  const { id, projects } = flavor.value
  const [said] = Object.values(checked.value)
  const project = projectId(said?.tenant ?? '')
  if (isGranted && projects === undefined && call.negotiated.version >= refusesPublicSince)
    return err(conflict('Can not add access to a public flavor.'))
  const receipt = await call.house.plane.submit(
    { verb: 'edit-flavor', id, access: { project, isGranted } },
    call.submission,
  )
  if (!receipt.ok && receipt.error.code === 'NotFound' && receipt.error.what === 'project')
    return err(badRequest(`Project ID ${project} is not a valid project.`))
  if (!receipt.ok) return err(faultOf(receipt.error, { verb: 'update', rule }))
  if (receipt.value.unchanged) return err(isGranted ? has(id, project) : lacks(id, project))
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  const after = await flavorIn(call)
  return after.ok ? ok({ status: 200, body: accessOf(after.value) }) : after
}

const has = (id: string, project: string): NovaFault =>
  conflict(`Flavor access already exists for flavor ${id} and project ${project} combination.`)

const lacks = (id: string, project: string): NovaFault => ({
  status: 404,
  message: `Flavor access not found for ${id} / ${project} combination.`,
})

const accessOf = ({ id, projects = [] }: Flavor): object => ({
  flavor_access: projects.map((project) => ({ flavor_id: id, tenant_id: project })),
})
