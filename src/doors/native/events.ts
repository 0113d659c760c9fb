// Events by their numbers: what happened, in the order in which it was committed, as often as
// somebody asks.

import { err, ok, type Result } from '#kernel/errors.ts'
import type { ListEventsQuery } from './bodies.ts'
import { showEvent } from './encode.ts'
import type { Asked, Reply } from './endpoint.ts'
import { type Fault, faultOf } from './faults.ts'
import { historyId, projectsOf, refOf } from './lookups.ts'

const pageDefault = 100

export async function listEvents(asked: Asked<ListEventsQuery>): Promise<Result<Reply, Fault>> {
  const { query, plane } = asked
  const project = projectsOf(asked, query.allProjects)
  if (!project.ok) return project
  const { after = 0, newest = false, before, type, limit = pageDefault } = query
  const found = await plane.read.events({
    after,
    limit,
    ...(project.value === undefined ? {} : { project: project.value }),
    ...(query.instance === undefined ? {} : { instanceId: await historyId(asked, query.instance) }),
    ...(type === undefined ? {} : { types: type }),
    ...(newest ? { newestFirst: true, ...(before === undefined ? {} : { before }) } : {}),
  })
  // Upwards there is always a next page, of what is yet to come; downwards the first event is the
  // end.
  const last = found.at(-1)?.seq
  const next = newest ? (found.length < limit ? null : (last ?? null)) : (last ?? after)
  return ok({ status: 200, body: { items: found.map(showEvent), next } })
}

/** Of one instance; what is gone has no events here, but still below `/events?instance=`. */
export const listEventsOf = async (
  asked: Asked<Omit<ListEventsQuery, 'instance' | 'allProjects'>>,
): Promise<Result<Reply, Fault>> => {
  const { id = '' } = asked.params
  const seen = await asked.plane.see(refOf(id), asked.caller)
  if (!seen.ok) return err(faultOf(seen.error))
  return await listEvents({ ...asked, query: { ...asked.query, instance: seen.value.id } })
}
