// Operations: what was accepted and how far it is. One that is asked for with `Prefer: wait`
// answers when it has ended, or as it is when the caller's patience has.

import { sees } from '#kernel/access.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Operation } from '#kernel/operation.ts'
import type { ListOperationsQuery } from './bodies.ts'
import { showOperation } from './encode.ts'
import type { Asked, Reply } from './endpoint.ts'
import { type Fault, faultOf } from './faults.ts'
import { historyId, projectsOf } from './lookups.ts'
import { pageOfRows } from './pages.ts'

type Replied = Promise<Result<Reply, Fault>>

export async function listOperations(asked: Asked<ListOperationsQuery>): Replied {
  const { query } = asked
  const project = projectsOf(asked, query.allProjects)
  if (!project.ok) return project
  const instance = query.instance === undefined ? undefined : await historyId(asked, query.instance)
  return await page(asked, { ...query, project: project.value, instance })
}

/** Of one instance, gone ones included: its history outlasts it. */
export async function listOperationsOf(
  asked: Asked<Omit<ListOperationsQuery, 'instance' | 'allProjects'>>,
): Replied {
  const instance = await historyId(asked, asked.params['id'] ?? '')
  const row = await asked.plane.read.get('instances', instance)
  const mine = row && sees(asked.caller, row.project)
  if (!mine) return err(faultOf({ code: 'NotFound', what: 'instance', id: instance }))
  return await page(asked, { ...asked.query, project: undefined, instance })
}

interface Filter extends Omit<ListOperationsQuery, 'allProjects' | 'instance'> {
  readonly project: string | undefined
  readonly instance: string | undefined
}

/** Newest first. */
async function page(asked: Asked<unknown>, filter: Filter): Replied {
  const { state, requestId, project, instance, limit, cursor } = filter
  const found = await pageOfRows(asked.plane.read, 'operations', {
    where: {
      ...(project === undefined ? {} : { project }),
      ...(instance === undefined ? {} : { instanceId: instance }),
      ...(state === undefined ? {} : { state }),
      ...(requestId === undefined ? {} : { requestId }),
    },
    order: { by: 'startedAtMs', dir: 'desc' },
    limit,
    cursor,
  })
  if (!found.ok) return found
  const { rows, nextCursor } = found.value
  return ok({ status: 200, body: { items: rows.map(showOperation), nextCursor } })
}

export async function getOperation(asked: Asked): Replied {
  const id = asked.params['id'] ?? ''
  const seen = await asked.plane.read.get('operations', id)
  if (!seen || !sees(asked.caller, seen.project))
    return err(faultOf({ code: 'NotFound', what: 'operation', id }))
  return ok({ status: 200, body: showOperation(await awaited(asked, seen)) })
}

async function awaited({ plane, waitMs, signal }: Asked, operation: Operation): Promise<Operation> {
  if (waitMs === 0 || operation.state !== 'running') return operation
  return (await plane.ended(operation.id, waitMs, signal)) ?? operation
}
