// Services: inference services over nodes, which can be deployed, started, stopped and removed here
// as a whole, and microservices, which register themselves at their own door and are only shown
// here.

import { ok, type Result } from '#kernel/errors.ts'
import type {
  DeployServiceBody,
  ListServicesQuery,
  PatchServiceBody,
  ServiceActionBody,
} from './bodies.ts'
import { change } from './changes.ts'
import { showService } from './encode.ts'
import { type Asked, base, type Reply } from './endpoint.ts'
import type { Fault } from './faults.ts'
import { projectsOf, seeService } from './lookups.ts'
import { pageOfRows } from './pages.ts'
import { liveServiceStates } from './states.ts'

type Replied = Promise<Result<Reply, Fault>>

export async function listServices(asked: Asked<ListServicesQuery>): Replied {
  const { query, plane } = asked
  const project = projectsOf(asked, query.allProjects)
  if (!project.ok) return project
  const { kind, status, nameContains, limit, cursor } = query
  const page = await pageOfRows(plane.read, 'services', {
    where: {
      status: status ?? liveServiceStates,
      ...(project.value === undefined ? {} : { project: project.value }),
      ...(kind === undefined ? {} : { kind }),
    },
    ...(nameContains === undefined ? {} : { contains: { column: 'name', text: nameContains } }),
    limit,
    cursor,
  })
  if (!page.ok) return page
  const { rows, nextCursor } = page.value
  return ok({ status: 200, body: { items: rows.map(showService), nextCursor } })
}

const idOf = (asked: Pick<Asked, 'params'>): string => asked.params['id'] ?? ''

export async function getService(asked: Asked): Replied {
  const seen = await seeService(asked, idOf(asked))
  return seen.ok ? ok({ status: 200, body: showService(seen.value) }) : seen
}

export async function deployService(asked: Asked<undefined, DeployServiceBody>): Replied {
  const { flavor, image, ...rest } = asked.body
  return await change(
    asked,
    {
      verb: 'deploy',
      ...rest,
      onNodes: rest.nodes.length > 0,
      flavorId: flavor,
      imageId: image,
    },
    { madeAt: ({ serviceId }) => serviceId && `${base}/services/${serviceId}` },
  )
}

export async function actOnService(asked: Asked<undefined, ServiceActionBody>): Replied {
  const { action, why } = asked.body
  const verb = action === 'start' ? 'start-service' : 'stop-service'
  const request = { verb, service: idOf(asked), ...(why === undefined ? {} : { why }) } as const
  return await change(asked, request, { why })
}

export async function patchService(asked: Asked<undefined, PatchServiceBody>): Replied {
  const request = { verb: 'update-service', kind: 'inference', service: idOf(asked) } as const
  return await change(asked, { ...request, ...asked.body })
}

export async function removeService(asked: Asked): Replied {
  const seen = await seeService(asked, idOf(asked))
  if (!seen.ok) return seen
  return seen.value.kind === 'microservice'
    ? await change(asked, { verb: 'unregister-service', service: idOf(asked), force: false })
    : await change(asked, { verb: 'remove-services', services: [idOf(asked)] })
}
