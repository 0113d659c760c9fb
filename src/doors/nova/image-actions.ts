// The two actions that have to do with images: a server is made anew from one, or one is made of a server.
// Source: contract, sections 4.3 and 5.7; openstack/nova nova/api/openstack/compute/servers.py (_action_rebuild,
// _action_create_image).

import { err, ok, type Result } from '#kernel/errors.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { InstanceRef, InstanceRequest, Receipt } from '#kernel/request.ts'
import { createImageBody, filesMax, metadataItemsMax, rebuildBody } from './bodies.ts'
import type { Call, Reply } from './call.ts'
import { type Asked, badRequest, forbidden, type NovaFault, tooManyFiles } from './faults.ts'
import { imageNamed } from './image-ids.ts'
import { imagePrefix } from './images.ts'
import { doorName } from './kept.ts'
import { keyPairNamed } from './key-pairs.ts'
import { passwordFor } from './password.ts'
import { changedServer, viewOf } from './servers.ts'
import { preconditions, situationsFor } from './states.ts'
import { serverRebuilt } from './wire.ts'

interface Plan {
  readonly request: InstanceRequest
  readonly asked: Asked
}
type Body = Readonly<Record<string, unknown>>

const servers = 'os_compute_api:servers'

export async function rebuild(
  target: InstanceRef,
  body: Body,
  call: Call,
): Promise<Result<Plan, NovaFault>> {
  const checked = rebuildBody(call.negotiated.version)(body)
  if (!checked.ok) return checked
  const wanted = checked.value.rebuild
  if (Object.keys(wanted.metadata ?? {}).length > metadataItemsMax) return err(tooMuchMetadata)
  if ((wanted.personality ?? []).length > filesMax) return err(tooManyFiles)
  const image = await imageNamed(call.house.plane.read, wanted.imageRef, call.project)
  const keyName = wanted.key_name ?? undefined
  if (keyName !== undefined && !(await keyPairNamed(call, keyName)))
    return err(badRequest('Invalid key_name provided.'))
  const facts = {
    diskConfig: wanted['OS-DCF:diskConfig'],
    accessIPv4: wanted.accessIPv4 === null ? '' : wanted.accessIPv4,
    accessIPv6: wanted.accessIPv6 === null ? '' : wanted.accessIPv6,
    hostname: wanted.hostname,
    keyName: wanted.key_name,
    userData: wanted.user_data,
  }
  const said = Object.entries(facts).filter(([, fact]) => fact !== undefined)
  return ok({
    request: {
      verb: 'rebuild',
      target,
      from: situationsFor('rebuild'),
      // One that is not there is refused by the kernel, after it has looked for the server.
      imageId: image?.id ?? wanted.imageRef,
      ...(wanted.name === undefined ? {} : { name: wanted.name }),
      ...(wanted.description === undefined ? {} : { description: wanted.description ?? '' }),
      ...(wanted.metadata === undefined ? {} : { labels: wanted.metadata }),
      attributes: { door: doorName, value: Object.fromEntries(said) as JsonObject }, // its parts came as JSON
    },
    asked: {
      verb: 'rebuild',
      rule: `${servers}:rebuild`,
      precondition: preconditions.rebuild,
    },
  })
}

const tooMuchMetadata = forbidden(`Maximum number of metadata items exceeds ${metadataItemsMax}`)

export async function rebuilt(call: Call): Promise<Result<Partial<Reply>, NovaFault>> {
  const instance = await changedServer(call)
  if (!instance.ok) return instance
  const { id } = instance.value
  const asked = rebuildBody(call.negotiated.version)(call.body)
  const adminPass = (asked.ok ? asked.value.rebuild.adminPass : undefined) ?? passwordFor(id)
  const server = {
    ...serverRebuilt(instance.value, await viewOf(call, [instance.value])),
    adminPass,
  }
  return ok({ headers: { location: `${call.links.self}/servers/${id}` }, body: { server } })
}

export function createImage(target: InstanceRef, body: Body): Result<Plan, NovaFault> {
  const checked = createImageBody(body)
  if (!checked.ok) return checked
  const { name, metadata = {} } = checked.value.createImage
  if (Object.keys(metadata).length > metadataItemsMax) return err(tooMuchMetadata)
  return ok({
    request: {
      verb: 'capture',
      target,
      imageName: name,
      imageAttributes: { properties: metadata },
      from: situationsFor('createImage'),
    },
    asked: {
      verb: 'createImage',
      rule: `${servers}:create_image`,
      precondition: preconditions.createImage,
    },
  })
}

/** At first only the URL of the image said which it is. */
const imageIdSince = 45

export async function imageCreated(
  { negotiated, exchange }: Call,
  { imageId = '' }: Receipt,
): Promise<Result<Partial<Reply>, NovaFault>> {
  return negotiated.version >= imageIdSince
    ? ok({ body: { image_id: imageId } })
    : ok({ headers: { location: `${exchange.baseUrl}${imagePrefix}/v2/images/${imageId}` } })
}
