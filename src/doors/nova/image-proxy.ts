// Images as this API itself once showed them, before the image service was to be asked.
// Source: contract, section 8.2; openstack/nova nova/api/openstack/compute/views/images.py.

import { type Image, isImageOf } from '#kernel/catalogue.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { numberIn, objectIn, textIn } from '../shared/json-facts.ts'
import type { Call, Links, Reply } from './call.ts'
import { catalogueRows } from './catalogue-rows.ts'
import type { NovaFault } from './faults.ts'
import { imageNamed, imageUuid } from './image-ids.ts'
import { firstOf, limitOf, nextLink, noSuchMarker } from './query-parameters.ts'
import { seconds } from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>

/** The last version that has them. */
export const imagesUntil = 35

export const listProxyImages = (call: Call): Answered => list(call, brief)
export const listProxyImagesDetail = (call: Call): Answered => list(call, detail)

async function list(call: Call, show: (image: Image, links: Links) => object): Answered {
  const params = new URLSearchParams(call.exchange.rawQuery)
  const limit = limitOf(params, 1000)
  if (!limit.ok) return limit
  const name = firstOf(params, 'name')
  const rows = (await catalogueRows(call.house.plane.read, 'images'))
    .filter((row) => isImageOf(row, call.project))
    .filter((row) => name === undefined || row.name === name)
  const marker = firstOf(params, 'marker')
  const start = marker === undefined ? 0 : rows.findIndex(({ id }) => imageUuid(id) === marker) + 1
  if (marker !== undefined && start === 0) return err(noSuchMarker(marker))
  const page = rows.slice(start, start + limit.value)
  const last = page.at(-1)
  const isFull = last !== undefined && page.length === limit.value
  const links = isFull ? { images_links: [nextLink(call.exchange, imageUuid(last.id))] } : {}
  const images = page.map((image) => show(image, call.links))
  return ok({ status: 200, body: { images, ...links } })
}

export async function showProxyImage(call: Call): Answered {
  const id = call.exchange.params['image_id'] ?? ''
  const image = await imageNamed(call.house.plane.read, id, call.project)
  return image
    ? ok({ status: 200, body: { image: detail(image, call.links) } })
    : err({ status: 404, message: 'Image not found.' })
}

const linksOf = (id: string, { self, bookmark }: Links): readonly object[] => [
  { rel: 'self', href: `${self}/images/${id}` },
  { rel: 'bookmark', href: `${bookmark}/images/${id}` },
]

const brief = ({ id, name }: Image, links: Links): object => ({
  id: imageUuid(id),
  name,
  links: linksOf(imageUuid(id), links),
})

function detail(image: Image, links: Links): object {
  const { attributes, isSaving } = image
  const capturedAtMs = numberIn(attributes, 'capturedAtMs')
  const created =
    capturedAtMs === undefined
      ? (textIn(attributes, 'created_at') ?? '1970-01-01T00:00:00Z')
      : seconds(capturedAtMs)
  return {
    ...brief(image, links),
    minRam: numberIn(attributes, 'min_ram') ?? 0,
    minDisk: numberIn(attributes, 'min_disk') ?? 0,
    metadata: objectIn(attributes, 'properties') ?? {},
    created,
    updated: created,
    status: isSaving ? 'SAVING' : 'ACTIVE',
    progress: isSaving ? 25 : 100,
    'OS-EXT-IMG-SIZE:size': numberIn(attributes, 'size') ?? 0,
  }
}
