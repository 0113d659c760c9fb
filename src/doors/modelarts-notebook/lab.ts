// The calls of the second family, each from its decoded body or query to its answer. What is allowed when is the
// kernel's; which states this family accepts a call in is states.ts's.
// Source: notebook contract, sections 1.11, 1.13 to 1.17.

import { err, type KernelError, ok, type Result } from '#kernel/errors.ts'
import { type Instance } from '#kernel/instance.ts'
import { type InstanceRef, type Receipt } from '#kernel/request.ts'
import { offsetPage, walk } from '../shared/offset-page.ts'
import { type Asked, change, seeInstance } from '../shared/project-route.ts'
import { type Fault } from '../shared/three-keys.ts'
import { factReader } from './facts.ts'
import { type Asks, labFault } from './faults.ts'
import { wrongFeature } from './codes.ts'
import {
  decodeCreate,
  decodeList,
  decodeNoBody,
  decodePage,
  decodeStart,
  type LabQuery,
  type PageQuery,
} from './lab-decode.ts'
import { encodeFlavor, encodeImage, encodeNotebook, encodePage, featureOf } from './lab-wire.ts'
import {
  labFrom,
  labRows,
  labSituationsShownAs,
  type LabStatus,
  livingInLab,
  type NotebookSituation,
} from './states.ts'
import { doorName, isInPool, keptOf } from './wire.ts'

type Answered = Promise<Result<object, Fault>>

const refOf = (asked: Asked): InstanceRef & { readonly kind: 'notebook' } => ({
  kind: 'notebook',
  scheme: 'lab',
  id: asked.exchange.params['id'] ?? '',
})
const faultsFor = (asks: Asks) => (error: KernelError) => labFault(error, asks)

/** The notebook as it was right after the request. */
const shownAfter =
  (asked: Asked) =>
  async ({ instanceIds, after }: Receipt): Promise<object> => {
    const instance = await asked.plane.read.get('instances', instanceIds[0] ?? '')
    if (!instance) return {}
    const status = after && labRows[after as NotebookSituation].status // a notebook's, as its kind rules the others out
    return encodeOne(asked, instance, status)
  }

async function encodeOne(asked: Asked, instance: Instance, status?: LabStatus): Promise<object> {
  const facts = await factReader(asked).of(instance)
  return encodeNotebook({ instance, facts, ...(status === undefined ? {} : { status }) })
}

/** B1. The run time asked for begins with this start. */
export async function start(asked: Asked): Answered {
  const lease = decodeStart(asked.query, asked.exchange.body)
  if (!lease.ok) return lease
  const seen = await seeInstance(asked, refOf(asked))
  if (!seen.ok) return err(labFault(seen.error, { verb: 'start' }))
  const { autoStop, type } = lease.value
  const value = { ...keptOf(seen.value), lease: { type, sinceMs: asked.plane.nowMs() } }
  return change(
    asked,
    {
      verb: 'start',
      target: refOf(asked),
      from: labFrom('start'),
      autoStop,
      attributes: { door: doorName, value },
    },
    {
      faultOf: faultsFor({ verb: 'start', flavor: seen.value.flavorId ?? '' }),
      show: shownAfter(asked),
    },
  )
}

/** B2. */
export async function stop(asked: Asked): Answered {
  const wrong = decodeNoBody(asked.exchange.body)
  if (wrong) return err(wrong)
  return change(
    asked,
    { verb: 'stop', target: refOf(asked), from: labFrom('stop'), rung: 'soft' },
    { faultOf: faultsFor({ verb: 'stop' }), show: shownAfter(asked) },
  )
}

/** B5. */
export async function create(asked: Asked): Answered {
  const decoded = decodeCreate(asked.exchange.body, asked.plane.nowMs())
  if (!decoded.ok) return decoded
  const { feature, ...request } = decoded.value
  const flavor = await asked.plane.read.get('flavors', request.flavorId)
  if (flavor?.kinds.includes('notebook') && featureOf(flavor) !== feature)
    return err(wrongFeature(flavor.id, feature))
  return change(asked, request, {
    faultOf: faultsFor({ verb: 'create', flavor: request.flavorId }),
    show: shownAfter(asked),
  })
}

/** B8. */
export async function show(asked: Asked): Answered {
  const seen = await seeInstance(asked, refOf(asked))
  return seen.ok
    ? ok(await encodeOne(asked, seen.value))
    : err(labFault(seen.error, { verb: 'read' }))
}

/** B10. */
export async function remove(asked: Asked): Answered {
  return change(
    asked,
    { verb: 'delete', target: refOf(asked), from: labFrom('delete') },
    { faultOf: faultsFor({ verb: 'delete' }), show: shownAfter(asked) },
  )
}

/** B6. */
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

async function matching(asked: Asked, query: LabQuery) {
  const { name, owner, status, image, id, pool, by, dir, offset, limit } = query
  // A deleted notebook is listed only when that is asked for.
  const situation = status === undefined ? livingInLab : labSituationsShownAs(status)
  const flavorId = await flavorIds(asked, query)
  if (!query.mayMatch || situation.length === 0 || flavorId?.length === 0)
    return { total: 0, rows: [] }
  const keep = (instance: Instance): boolean =>
    (id === undefined || instance.aliases['lab'] === id) &&
    (pool === undefined || isInPool(instance, pool))
  return offsetPage(
    asked.plane.read,
    'instances',
    {
      where: {
        project: asked.project,
        kind: 'notebook',
        schemes: ['lab', 'devenv lab'],
        situation,
        ...(owner === undefined ? {} : { createdBy: owner }),
        ...(image === undefined ? {} : { imageId: image }),
        ...(flavorId === undefined ? {} : { flavorId }),
      },
      ...(name === undefined ? {} : { contains: { column: 'name', text: name } }),
      order: { by, dir },
    },
    { offset, limit, keep: id === undefined && pool === undefined ? undefined : keep },
  )
}

/** The flavors that a list is narrowed to; a feature is a matter of the flavor. Undefined: any. */
async function flavorIds(
  asked: Asked,
  { flavor, feature }: Pick<LabQuery, 'flavor' | 'feature'>,
): Promise<readonly string[] | undefined> {
  if (feature === undefined) return flavor === undefined ? undefined : [flavor]
  const ids: string[] = []
  for await (const row of walk(asked.plane.read, 'flavors', {}))
    if (featureOf(row) === feature && (flavor === undefined || flavor === row.id)) ids.push(row.id)
  return ids
}

/** B11. */
export async function listFlavors(asked: Asked): Answered {
  const limits = decodePage(asked.query, Number.MAX_SAFE_INTEGER)
  if (!limits.ok) return limits
  const category = asked.query.get('category')?.toUpperCase()
  const feature = asked.query.get('feature')
  const reader = factReader(asked)
  const data: object[] = []
  for await (const flavor of walk(asked.plane.read, 'flavors', {
    order: { by: 'name', dir: 'asc' },
  })) {
    const fits =
      flavor.kinds.includes('notebook') &&
      (category === undefined || flavor.hardware === category) &&
      (feature === undefined || featureOf(flavor) === feature)
    if (fits) data.push(encodeFlavor(flavor, await reader.saleOf(flavor)))
  }
  return ok(cut(data, limits.value))
}

/** B15. */
export async function listImages(asked: Asked): Answered {
  const limits = decodePage(asked.query, 10)
  if (!limits.ok) return limits
  const name = asked.query.get('name') ?? ''
  const data: object[] = []
  for await (const image of walk(asked.plane.read, 'images', { order: { by: 'name', dir: 'asc' } }))
    if (image.kinds.includes('notebook') && image.name.includes(name)) data.push(encodeImage(image))
  return ok(cut(data, limits.value))
}

/** One page of a catalogue, which is short. An unlimited page is as long as what it holds. */
function cut(data: readonly object[], { offset, limit }: PageQuery): object {
  const isAll = limit === Number.MAX_SAFE_INTEGER
  return encodePage(data.slice(offset, offset + limit), {
    offset,
    limit: isAll ? Math.max(1, data.length) : limit,
    total: data.length,
  })
}
