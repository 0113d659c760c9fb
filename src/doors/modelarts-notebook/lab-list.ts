// Lists of notebooks of the second family, one page at a time, and what the tags of a project are.
// Source: notebook contract, section 1.14; for the project's tags the vendor's page "ShowNotebookTags".

import { ok } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import { offsetPage, walk } from '../shared/offset-page.ts'
import type { Asked } from '../shared/project-route.ts'
import { factReader } from './facts.ts'
import type { Answered } from './lab-call.ts'
import { decodeList, type LabQuery } from './lab-decode.ts'
import { billingOf, encodeNotebook, encodePage, featureOf } from './lab-wire.ts'
import { labSituationsShownAs, livingInLab } from './states.ts'
import { isInPool, workspaceOf } from './wire.ts'

/** B6 and B7: whoever may look at a project's notebooks may look at all of them. */
export async function list(asked: Asked): Answered {
  const query = decodeList(asked.query)
  if (!query.ok) return query
  const { total, rows } = await matching(asked, query.value)
  const reader = factReader(asked)
  const data: object[] = []
  for (const instance of rows)
    data.push(encodeNotebook({ instance, facts: await reader.of(instance) }))
  return ok(encodePage(data, { ...query.value, total }))
}

const collection = (asked: Asked) =>
  ({ project: asked.project, kind: 'notebook', schemes: ['lab', 'devenv lab'] }) as const

async function matching(asked: Asked, query: LabQuery) {
  const { name, owner, status, image, by, dir, offset, limit } = query
  // A deleted notebook is listed only when that is asked for.
  const situation = status === undefined ? livingInLab : labSituationsShownAs(status)
  const flavorId = await flavorIds(asked, query)
  if (situation.length === 0 || flavorId?.length === 0) return { total: 0, rows: [] }
  return offsetPage(
    asked.plane.read,
    'instances',
    {
      where: {
        ...collection(asked),
        situation,
        ...(owner === undefined ? {} : { createdBy: owner }),
        ...(image === undefined ? {} : { imageId: image }),
        ...(flavorId === undefined ? {} : { flavorId }),
      },
      ...(name === undefined ? {} : { contains: { column: 'name', text: name } }),
      order: { by, dir },
    },
    { offset, limit, keep: keepOf(query) },
  )
}

/** What the store has no column for. */
function keepOf({
  id,
  pool,
  tags,
  workspace,
}: LabQuery): ((instance: Instance) => boolean) | undefined {
  const named = [id, pool, workspace].some((one) => one !== undefined)
  if (!named && tags.length === 0) return undefined
  return (instance) =>
    (workspace === undefined || workspaceOf(instance) === workspace) &&
    (id === undefined || instance.aliases['lab'] === id) &&
    (pool === undefined || isInPool(instance, pool)) &&
    tags.every(
      ({ key, value }) =>
        Object.hasOwn(instance.labels, key) &&
        (value === undefined || instance.labels[key] === value),
    )
}

/** The flavors that a list is narrowed to; feature and billing are matters of the flavor. Undefined: any. */
async function flavorIds(
  asked: Asked,
  { flavor, feature, billing }: LabQuery,
): Promise<readonly string[] | undefined> {
  if (feature === undefined && billing === undefined)
    return flavor === undefined ? undefined : [flavor]
  const ids: string[] = []
  for await (const row of walk(asked.plane.read, 'flavors', {})) {
    const fits =
      (flavor === undefined || flavor === row.id) &&
      (feature === undefined || featureOf(row) === feature) &&
      (billing === undefined || billingOf(row).includes(billing))
    if (fits) ids.push(row.id)
  }
  return ids
}

/** Every tag of the project's notebooks, those of one key together. */
export async function showTags(asked: Asked): Answered {
  const values = new Map<string, Set<string>>()
  const where = { ...collection(asked), situation: livingInLab }
  for await (const { labels } of walk(asked.plane.read, 'instances', { where }))
    for (const [key, value] of Object.entries(labels))
      values.set(key, (values.get(key) ?? new Set()).add(value))
  const sorted = [...values].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return ok({ tags: sorted.map(([key, all]) => ({ key, values: [...all].toSorted() })) })
}
