// What a notebook can be made of, as the second family lists it.
// Source: notebook contract, sections 1.16 and 1.17.

import { seesFlavor } from '#kernel/access.ts'
import type { Flavor, Image } from '#kernel/catalogue.ts'
import { ok } from '#kernel/errors.ts'
import { walk } from '../shared/offset-page.ts'
import type { Asked } from '../shared/project-route.ts'
import { factReader } from './facts.ts'
import { type Answered, see } from './lab-call.ts'
import { decodeFlavors, decodePage, type FlavorQuery, type PageQuery } from './lab-decode.ts'
import { encodeFlavor, encodeImage, encodePage, featureOf } from './lab-wire.ts'

/** B11. */
export async function listFlavors(asked: Asked): Answered {
  const query = decodeFlavors(asked.query)
  if (!query.ok) return query
  return ok(cut(await flavorsFor(asked, query.value, () => true), query.value))
}

/** B12: those that an update would accept. Their array is there twice, as clients of both spellings read it. */
export async function listSwitchable(asked: Asked): Answered {
  const query = decodeFlavors(asked.query)
  if (!query.ok) return query
  const seen = await see(asked, { verb: 'read' })
  if (!seen.ok) return seen
  const { flavor, image } = await factReader(asked).of(seen.value)
  const mayBe = (one: Flavor): boolean =>
    one.id !== flavor?.id &&
    one.driver === seen.value.driver &&
    one.hardware === image?.hardware &&
    featureOf(one) === featureOf(flavor)
  const page = cut(await flavorsFor(asked, query.value, mayBe), query.value)
  return ok({ ...page, flavors: page.data })
}

async function flavorsFor(
  asked: Asked,
  { category, feature, dir }: FlavorQuery,
  mayBe: (flavor: Flavor) => boolean,
): Promise<readonly object[]> {
  const reader = factReader(asked)
  const data: object[] = []
  for await (const flavor of walk(asked.plane.read, 'flavors', { order: { by: 'name', dir } })) {
    const fits =
      flavor.kinds.includes('notebook') &&
      seesFlavor(asked.caller, flavor) &&
      (category === undefined || flavor.hardware === category) &&
      (feature === undefined || featureOf(flavor) === feature)
    if (fits && mayBe(flavor)) data.push(encodeFlavor(flavor, await reader.saleOf(flavor)))
  }
  return data
}

/** B15. */
export async function listImages(asked: Asked): Answered {
  const limits = decodePage(asked.query, 10)
  if (!limits.ok) return limits
  const name = asked.query.get('name') ?? ''
  const images: Image[] = []
  for await (const image of walk(asked.plane.read, 'images', { order: { by: 'name', dir: 'asc' } }))
    if (image.kinds.includes('notebook') && image.name.includes(name)) images.push(image)
  return ok(cut(images.toSorted(shapedFirst).map(encodeImage), limits.value))
}

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/
/** Those whose ids look as this family's do come first; the profiles of the other family do as well. */
const shapedFirst = (a: Image, b: Image): number =>
  Number(uuid.test(b.id)) - Number(uuid.test(a.id))

/** B13. Nothing here mounts a second storage. */
export async function listStorages(asked: Asked): Answered {
  const limits = decodePage(asked.query, 10)
  if (!limits.ok) return limits
  const seen = await see(asked, { verb: 'read' })
  return seen.ok ? ok(cut([], limits.value)) : seen
}

/** One page of a catalogue, which is short. An unlimited page is as long as what it holds. */
function cut(data: readonly object[], { offset, limit }: PageQuery) {
  const isAll = limit === Number.MAX_SAFE_INTEGER
  return encodePage(data.slice(offset, offset + limit), {
    offset,
    limit: isAll ? Math.max(1, data.length) : limit,
    total: data.length,
  })
}
