// Image ids as this API's clients want them: they refuse to look up what is not a UUID.
//
// The catalogue's own ids are words, so each gets a stable UUID made from its word (RFC 9562, version 5); an id
// that is a UUID stays as it is. Both forms are accepted wherever an image is named.

import { createHash } from 'node:crypto'
import { type Image, isImageOf } from '#kernel/catalogue.ts'
import type { ProjectId } from '#kernel/ids.ts'
import type { Reads } from '#kernel/ports/plane.ts'
import { catalogueRows } from './catalogue-rows.ts'

/** A namespace of our own; changing it would change every image id that callers keep. */
const namespace = Buffer.from('6f1c8a5e0f0b4f5d9a3e7d2b1c4e5f60', 'hex')
const uuidText = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const isUuid = (text: string): boolean => uuidText.test(text)

export function imageUuid(id: string): string {
  if (isUuid(id)) return id
  const known = uuids.get(id)
  if (known !== undefined) return known
  const bytes = createHash('sha1').update(namespace).update(id).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  const made = [8, 12, 16, 20, 32].map((end, at, ends) => hex.slice(ends[at - 1] ?? 0, end))
  const uuid = made.join('-')
  uuids.set(id, uuid)
  return uuid
}

/** One entry per image of the catalogue: only ids that rows hold get here. */
const uuids = new Map<string, string>()

/** An image by either of its ids. Servers only: other kinds' images are not for this API. */
export async function imageNamed(
  read: Reads,
  name: string,
  project: ProjectId | null,
): Promise<Image | undefined> {
  const byId = await read.get('images', name)
  const image = byId ?? (isUuid(name) ? await imageOfUuid(read, name) : undefined)
  return image?.kinds.includes('server') && isImageOf(image, project) ? image : undefined
}

const imageOfUuid = async (read: Reads, uuid: string): Promise<Image | undefined> =>
  (await catalogueRows(read, 'images')).find((image) => imageUuid(image.id) === uuid)
