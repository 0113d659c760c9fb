// The image service, as small as the compute clients need it: which images there are. They refuse to list or
// create servers without one in the catalogue.
//
// It has no microversions and no projects in its URLs; what is refused is said in its own, plainer shape.
// Source: contract, section 8.2; openstack/glance glance/api/v2/images.py, glance/api/versions.py.

import { type Image, isImageOf } from '#kernel/catalogue.ts'
import { numberIn, objectIn, textIn } from '../shared/json-facts.ts'
import type { Answer, Exchange, House } from '../shared/http.ts'
import { lentHeaders, planOf } from '../shared/lent-headers.ts'
import { prove } from './auth.ts'
import { catalogueRows } from './catalogue-rows.ts'
import { imageNamed, imageUuid } from './image-ids.ts'
import { requestIdOf } from './call.ts'
import { firstOf } from './query-parameters.ts'
import { seconds } from './wire.ts'

export const imagePrefix = '/image'

const limitDefault = 25
const limitMax = 1000

/** What is served without credentials, with 300: "choose one". */
export const listImageVersions = (exchange: Exchange): Answer =>
  answered(exchange, 300, {
    versions: [
      {
        id: 'v2.9',
        status: 'CURRENT',
        links: [{ rel: 'self', href: `${exchange.baseUrl}${imagePrefix}/v2/` }],
      },
    ],
  })

export async function listImages(exchange: Exchange, house: House): Promise<Answer> {
  const caller = await prove(exchange, house, 'nova')
  if (!caller.ok) return caller.error
  const params = new URLSearchParams(exchange.rawQuery)
  const limitText = firstOf(params, 'limit') ?? String(limitDefault)
  if (!/^\d+$/.test(limitText)) {
    return refused(exchange, 400, 'limit param must be an integer')
  }
  const limit = Math.min(Number(limitText), limitMax)
  const rows = await catalogueRows(house.plane.read, 'images')
  const { projectId } = caller.value
  const fitting = rows.filter((row) => isImageOf(row, projectId)).filter(fits(params))
  const marker = firstOf(params, 'marker')
  const start =
    marker === undefined ? 0 : fitting.findIndex(({ id }) => imageUuid(id) === marker) + 1
  if (marker !== undefined && start === 0) {
    return refused(exchange, 404, `No image found with ID ${marker}`)
  }
  const page = fitting.slice(start, start + limit)
  const last = page.at(-1)
  const isMore = last !== undefined && start + limit < fitting.length
  return answered(exchange, 200, {
    images: page.map(imageObject),
    first: '/v2/images',
    schema: '/v2/schemas/images',
    ...(isMore ? { next: nextPath(params, imageUuid(last.id)) } : {}),
  })
}

export async function showImage(exchange: Exchange, house: House): Promise<Answer> {
  const caller = await prove(exchange, house, 'nova')
  if (!caller.ok) return caller.error
  const id = exchange.params['image_id'] ?? ''
  // By either id, never by name: clients ask so before they ask by name, and want 404 then.
  const image = await imageNamed(house.plane.read, id, caller.value.projectId)
  return image
    ? answered(exchange, 200, imageObject(image))
    : refused(exchange, 404, `No image found with ID ${id}`)
}

/** One that was captured here; those of the catalogue are an admin's to remove, and come back if configured. */
export async function deleteImage(exchange: Exchange, house: House): Promise<Answer> {
  const caller = await prove(exchange, house, 'nova')
  if (!caller.ok) return caller.error
  const name = exchange.params['image_id'] ?? ''
  const image = await imageNamed(house.plane.read, name, caller.value.projectId)
  if (!image) return refused(exchange, 404, `Failed to find image ${name} to delete`)
  const lent = lentHeaders(exchange)
  if (!lent.ok)
    return refused(exchange, 400, `${lent.error.field}: expected ${lent.error.expected}`)
  const receipt = await house.plane.submit(
    { verb: 'remove-from-catalogue', table: 'images', id: image.id },
    { caller: caller.value, door: 'nova', requestId: requestIdOf(exchange), ...lent.value },
  )
  if (receipt.ok && lent.value.dryRun) return answered(exchange, 200, planOf(receipt.value))
  if (receipt.ok) return answered(exchange, 204, undefined)
  const { code } = receipt.error
  if (code === 'NotFound') return refused(exchange, 409, `Image ${name} is being saved`)
  if (code === 'Forbidden')
    return refused(exchange, 403, 'You are not permitted to delete this image.')
  if (code === 'TokenReused') return refused(exchange, 409, 'The Idempotency-Key was used before')
  return refused(exchange, 503, 'Nothing was changed')
}

/** `in:` takes several, separated by commas; other parameters choose nothing here. */
function fits(params: URLSearchParams): (image: Image) => boolean {
  const ids = wanted(params, 'id')
  const names = wanted(params, 'name')
  const states = wanted(params, 'status')
  const sights = wanted(params, 'visibility')
  return ({ id, name, project, isSaving }) =>
    (ids === undefined || ids.has(imageUuid(id))) &&
    (names === undefined || names.has(name)) &&
    (states === undefined || states.has(isSaving ? 'saving' : 'active')) &&
    (sights === undefined ||
      sights.has('all') ||
      sights.has(project === undefined ? 'public' : 'private'))
}

function wanted(params: URLSearchParams, name: string): ReadonlySet<string> | undefined {
  const text = firstOf(params, name)
  if (text === undefined) return undefined
  const values = text.startsWith('in:') ? text.slice(3).split(',') : [text]
  return new Set(values.map((value) => value.replace(/^"(.*)"$/s, '$1')))
}

function nextPath(params: URLSearchParams, marker: string): string {
  const next = new URLSearchParams(params)
  next.set('marker', marker)
  return `/v2/images?${next.toString()}`
}

/** The catalogue keeps no times; an image that names none is as old as can be. */
const noTime = '1970-01-01T00:00:00Z'

function imageObject(image: Image): object {
  const { id, name, project, isSaving, attributes } = image
  const uuid = imageUuid(id)
  const capturedAtMs = numberIn(attributes, 'capturedAtMs')
  const createdAt =
    capturedAtMs === undefined
      ? (textIn(attributes, 'created_at') ?? noTime)
      : seconds(capturedAtMs)
  return {
    // Whoever captured it named these; what follows is ours to say.
    ...objectIn(attributes, 'properties'),
    id: uuid,
    name,
    status: isSaving ? 'saving' : 'active',
    visibility: project === undefined ? 'public' : 'private',
    tags: [],
    created_at: createdAt,
    updated_at: (project === undefined ? textIn(attributes, 'updated_at') : undefined) ?? createdAt,
    min_disk: numberIn(attributes, 'min_disk') ?? 0,
    min_ram: numberIn(attributes, 'min_ram') ?? 0,
    protected: false,
    container_format: 'bare',
    disk_format: 'raw',
    size: numberIn(attributes, 'size') ?? 0,
    owner: project ?? null,
    checksum: null,
    file: `/v2/images/${uuid}/file`,
    self: `/v2/images/${uuid}`,
    schema: '/v2/schemas/image',
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  409: 'Conflict',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Request Entity Too Large',
  503: 'Service Unavailable',
}

export const refused = (exchange: Exchange, status: number, message: string): Answer => {
  const title = titles[status] ?? 'Internal Server Error'
  const answer = answered(exchange, status, { message, code: `${status} ${title}`, title })
  return status === 503 ? { ...answer, headers: { ...answer.headers, 'retry-after': '1' } } : answer
}

const answered = (exchange: Exchange, status: number, body: object | undefined): Answer => ({
  status,
  headers: {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    'x-openstack-request-id': requestIdOf(exchange),
  },
  ...(body === undefined ? {} : { body }),
})
