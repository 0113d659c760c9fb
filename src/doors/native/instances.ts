// Instances of every kind: list, see, create, change what is said of them, remove, and their holds.

import { microserviceKey } from '#kernel/aliases.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { ColumnName } from '#kernel/tables.ts'
import type {
  CreateInstanceBody,
  HoldInstanceBody,
  InstanceLogsQuery,
  ListInstancesQuery,
  PatchInstanceBody,
} from './bodies.ts'
import { change } from './changes.ts'
import { showHold, showInstance } from './encode.ts'
import { type Asked, base, type Reply } from './endpoint.ts'
import { type Fault, faultOf } from './faults.ts'
import { projectsOf, seeInstance, targetOf } from './lookups.ts'
import { pageOfRows } from './pages.ts'
import { readMoment } from './reading.ts'
import { liveStates } from './states.ts'

type Replied = Promise<Result<Reply, Fault>>

export async function listInstances(asked: Asked<ListInstancesQuery>): Replied {
  const { query, plane } = asked
  const project = projectsOf(asked, query.allProjects)
  if (!project.ok) return project
  const { kind, state, name, nameContains, label, service, node, flavor, sort, limit, cursor } =
    query
  const page = await pageOfRows(plane.read, 'instances', {
    where: {
      state: state ?? liveStates,
      ...(project.value === undefined ? {} : { project: project.value }),
      ...(kind === undefined ? {} : { kind }),
      ...(name === undefined ? {} : { name }),
      ...(service === undefined
        ? {}
        : { serviceId: [service, microserviceKey(asked.project, service)] }),
      ...(node === undefined ? {} : { nodeId: node }),
      ...(flavor === undefined ? {} : { flavorId: flavor }),
    },
    ...(nameContains === undefined ? {} : { contains: { column: 'name', text: nameContains } }),
    ...orderOf(sort),
    limit,
    cursor,
    ...(label === undefined
      ? {}
      : { keep: (row: Instance) => label.every((one) => hasLabel(row, one)) }),
  })
  if (!page.ok) return page
  const items = await Promise.all(page.value.rows.map((row) => showInstance(plane, row)))
  return ok({ status: 200, body: { items, nextCursor: page.value.nextCursor } })
}

export async function getInstanceLogs(asked: Asked<InstanceLogsQuery>): Replied {
  const seen = await seeInstance(asked)
  if (!seen.ok) return seen
  const { id, name } = seen.value
  const lines = await asked.plane.output(seen.value, asked.query.lines ?? 100)
  return ok({ status: 200, body: { id, name, lines } })
}

const columns = {
  name: 'name',
  createdAt: 'createdAtMs',
  updatedAt: 'updatedAtMs',
} as const satisfies Record<string, ColumnName<'instances'>>

function orderOf(sort: ListInstancesQuery['sort']): {
  readonly order?: { readonly by: ColumnName<'instances'>; readonly dir: 'asc' | 'desc' }
} {
  if (sort === undefined || sort === 'id') return {}
  const name = sort.replace(/^-/, '') as keyof typeof columns // the schema allows these alone
  return { order: { by: columns[name], dir: sort.startsWith('-') ? 'desc' : 'asc' } }
}

function hasLabel({ labels }: Instance, wanted: string): boolean {
  const at = wanted.indexOf('=')
  if (at === -1) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, at)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(at + 1)
}

/**
 * The entity tag is the generation: it counts what was asked for, which is what `If-Match` is
 * about.
 */
export async function getInstance(asked: Asked): Replied {
  const seen = await seeInstance(asked)
  if (!seen.ok) return seen
  const headers = { etag: `"${seen.value.intent.generation}"` }
  return ok({ status: 200, headers, body: await showInstance(asked.plane, seen.value) })
}

export async function createInstance(asked: Asked<undefined, CreateInstanceBody>): Replied {
  const { flavor, image, ...rest } = asked.body
  return await change(
    asked,
    { verb: 'create', ...rest, flavorId: flavor, imageId: image },
    { madeAt: ({ instanceIds: [first] }) => first && `${base}/instances/${first}` },
  )
}

export const patchInstance = async (asked: Asked<undefined, PatchInstanceBody>): Replied =>
  await change(asked, {
    verb: 'update',
    target: targetOf(asked),
    ...ifGeneration(asked),
    ...asked.body,
  })

export async function removeInstance(asked: Asked): Replied {
  const seen = await seeInstance(asked)
  if (!seen.ok) return seen
  const verb = seen.value.kind === 'service-instance' ? 'unregister' : 'delete'
  return await change(asked, { verb, target: targetOf(asked), ...ifGeneration(asked) })
}

export const ifGeneration = (asked: Pick<Asked, 'ifGeneration'>) =>
  asked.ifGeneration === undefined ? {} : { ifGeneration: asked.ifGeneration }

export async function listHolds(asked: Asked): Replied {
  const seen = await seeInstance(asked)
  if (!seen.ok) return seen
  return ok({ status: 200, body: { items: seen.value.holds.map(showHold), nextCursor: null } })
}

export async function getHold(asked: Asked): Replied {
  const seen = await seeInstance(asked)
  if (!seen.ok) return seen
  const id = asked.params['hold'] ?? ''
  const hold = seen.value.holds.find((one) => one.id === id)
  return hold
    ? ok({ status: 200, body: showHold(hold) })
    : err(faultOf({ code: 'NotFound', what: 'hold', id }))
}

export async function holdInstance(asked: Asked<undefined, HoldInstanceBody>): Replied {
  const { kind = 'hold', why, until } = asked.body
  const given = why === undefined ? {} : { why }
  const untilMs = until === undefined ? undefined : readMoment('until', until)
  if (untilMs && !untilMs.ok) return untilMs
  return await change(
    asked,
    {
      verb: 'hold',
      target: targetOf(asked),
      kind,
      ...given,
      ...(untilMs === undefined ? {} : { untilMs: untilMs.value }),
      ...ifGeneration(asked),
    },
    {
      why,
      madeAt: ({ holdId, unchanged }) =>
        holdId && !unchanged
          ? `${base}/instances/${asked.params['id']}/holds/${holdId}`
          : undefined,
    },
  )
}

export const releaseHold = async (asked: Asked): Replied =>
  await change(asked, {
    verb: 'release',
    target: targetOf(asked),
    hold: { id: asked.params['hold'] ?? '' },
    ...ifGeneration(asked),
  })
