// Rows of one tenant's registry, for calls that show whole rows. What finds need is in memory: see mirror.ts.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { Service } from '#kernel/service.ts'
import type { Asked } from './call.ts'
import { type Fault, fault } from './faults.ts'
import { serviceRowId } from './wire.ts'

type Tenancy = Pick<Asked, 'plane' | 'project'>

const pageRows = 1_000

export async function readService(asked: Tenancy, id: string): Promise<Service | undefined> {
  const row = await asked.plane.read.get('services', serviceRowId(asked, id))
  return row?.kind === 'microservice' && row.project === asked.project ? row : undefined
}

export async function serviceOf(asked: Tenancy, id: string): Promise<Result<Service, Fault>> {
  const service = await readService(asked, id)
  return service ? ok(service) : err(fault('400012', 'Service does not exist.'))
}

/** Every microservice of the tenant. */
export async function listServices({ plane, project }: Tenancy): Promise<readonly Service[]> {
  const rows: Service[] = []
  for (;;) {
    const last = rows.at(-1)
    const page = await plane.read.list('services', {
      where: { project, kind: 'microservice' },
      order: { by: 'createdAtMs', dir: 'asc' },
      limit: pageRows,
      ...(last ? { after: { id: last.id, value: last.createdAtMs } } : {}),
    })
    rows.push(...page)
    if (page.length < pageRows) return rows
  }
}
