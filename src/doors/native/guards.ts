// Guards: circles of leases in which a mass loss holds expiries. An administrator sees all of them and may
// release one; everybody else sees those of the own project.

import { ok, type Result } from '#kernel/errors.ts'
import type { GuardActionBody, ListGuardsQuery } from './bodies.ts'
import { change } from './changes.ts'
import { showGuard } from './encode.ts'
import type { Asked, Reply } from './endpoint.ts'
import type { Fault } from './faults.ts'
import { pageOfRows } from './pages.ts'

type Replied = Promise<Result<Reply, Fault>>

export async function listGuards(asked: Asked<ListGuardsQuery>): Replied {
  const { plane, caller, project, query } = asked
  const page = await pageOfRows(plane.read, 'guards', {
    ...query,
    ...(caller.role === 'admin' ? {} : { where: { project } }),
  })
  if (!page.ok) return page
  const { rows, nextCursor } = page.value
  return ok({ status: 200, body: { items: rows.map(showGuard), nextCursor } })
}

export const actOnGuard = async (asked: Asked<undefined, GuardActionBody>): Replied => {
  const { why } = asked.body
  const guard = asked.params['guard'] ?? ''
  const told = why === undefined ? {} : { why }
  return await change(asked, { verb: 'release-guard', guard, ...told }, { why })
}
