// `POST /servers`: one server, or several alike, in one request.
// Source: contract, section 6.1; openstack/nova nova/api/openstack/compute/servers.py (create).

import { createHmac } from 'node:crypto'
import { may } from '#kernel/access.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { compact } from '#kernel/ids.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { CreateInstance } from '#kernel/request.ts'
import { planOf } from '../shared/lent-headers.ts'
import {
  createBody,
  filesMax,
  isTrue,
  metadataItemsMax,
  type WantedServer as Wanted,
} from './bodies.ts'
import type { Call, Reply } from './call.ts'
import { badRequest, faultOf, forbidden, type NovaFault, policy, tooManyFiles } from './faults.ts'
import { imageNamed } from './image-ids.ts'
import { doorName, tagFacts } from './kept.ts'
import { keyPairNamed } from './key-pairs.ts'
import { passwordFor } from './password.ts'
import { zonesOf } from './settings.ts'
import { serverLinks } from './wire.ts'

/** Servers that one request may make. */
const countMax = 100

export async function createServer(call: Call): Promise<Result<Reply, NovaFault>> {
  const { version } = call.negotiated
  const body = createBody(version)(call.body)
  if (!body.ok) return body
  if (!may(call.caller, 'create')) return err(policy(call.rule))
  const wanted = body.value.server
  const isPlaced = wanted.host !== undefined || wanted.hypervisor_hostname !== undefined
  if (isPlaced && call.caller.role !== 'admin') return err(policy(`${call.rule}:forced_host`))
  const hints = body.value['os:scheduler_hints'] ?? body.value['OS-SCH-HNT:scheduler_hints']
  const reservationId = reservationOf(call)
  const request = await requestFor(call, wanted, { hints, reservationId })
  if (!request.ok) return request
  const receipt = await call.house.plane.submit(request.value, call.submission)
  if (!receipt.ok) return err(faultOf(receipt.error, { verb: 'create', rule: call.rule }))
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  const [id = ''] = receipt.value.instanceIds
  if (isTrue(wanted.return_reservation_id)) {
    return ok({ status: 202, body: { reservation_id: reservationId } })
  }
  return ok({
    status: 202,
    headers: { location: `${call.links.self}/servers/${id}` },
    body: { server: created(id, wanted, call) },
  })
}

/** The same for a repeated request: made from its key, where it has one. */
function reservationOf({ exchange, submission: { idempotency } }: Call): string {
  const seed =
    idempotency && createHmac('sha256', idempotency.token).update(idempotency.fingerprint)
  return `r-${(seed?.digest('hex') ?? compact(exchange.requestId)).slice(-8)}`
}

/** Closed: clients refuse anything else in here. The password is said once and kept nowhere. */
const created = (id: string, wanted: Wanted, { links }: Call): object => ({
  id,
  links: serverLinks(id, links),
  'OS-DCF:diskConfig': wanted['OS-DCF:diskConfig'] ?? 'MANUAL',
  security_groups: wanted.security_groups ?? [{ name: 'default' }],
  adminPass: wanted.adminPass ?? passwordFor(id),
})

interface Extras {
  readonly hints: object | undefined
  readonly reservationId: string
}

async function requestFor(
  call: Call,
  wanted: Wanted,
  extras: Extras,
): Promise<Result<CreateInstance, NovaFault>> {
  const { metadata = {}, imageRef = '', personality = [] } = wanted
  if (Object.keys(metadata).length > metadataItemsMax) {
    return err(forbidden(`Maximum number of metadata items exceeds ${metadataItemsMax}`))
  }
  if (personality.length > filesMax) return err(tooManyFiles)
  const count = countOf(wanted)
  if (!count.ok) return count
  const zone = wanted.availability_zone
  if (zone !== undefined && !zonesOf(call.house.settings).includes(zone)) {
    return err(badRequest('The requested availability zone is not available'))
  }
  const keyName = wanted.key_name
  if (keyName !== undefined && !(await keyPairNamed(call, keyName)))
    return err(badRequest('Invalid key_name provided.'))
  if (imageRef === '') return err(badRequest('Missing imageRef attribute'))
  const image = await imageNamed(call.house.plane.read, tailOf(imageRef), call.project)
  if (image === undefined) return err(badRequest('Can not find requested image'))
  return ok({
    verb: 'create',
    kind: 'server',
    name: wanted.name,
    // Until there was one, a server's description was its name.
    description: call.negotiated.version < 19 ? wanted.name : (wanted.description ?? ''),
    flavorId: tailOf(String(wanted.flavorRef)),
    imageId: image.id,
    count: count.value.max,
    countMin: count.value.min,
    labels: metadata,
    attributes: { [doorName]: { ...factsOf(wanted, extras), ...tagsIn(wanted) } },
  })
}

/** A reference is an id, or a URL that ends in one. */
const tailOf = (reference: string): string => reference.split('/').at(-1) ?? ''

function countOf(
  wanted: Wanted,
): Result<{ readonly min: number; readonly max: number }, NovaFault> {
  const asked = wanted.max_count ?? wanted.min_count ?? 1
  const min = Number(wanted.min_count ?? 1)
  const max = Number(asked)
  if (min > max) return err(badRequest('min_count must be <= max_count'))
  if (min > countMax) {
    return err(
      forbidden(`Quota exceeded for instances: Requested ${min}, but at most ${countMax} at once`),
    )
  }
  return ok({ min, max: Math.min(max, countMax) })
}

const tagsIn = ({ tags = [] }: Wanted): JsonObject =>
  tagFacts(Object.fromEntries(tags.map((tag) => [tag, true])))

/** What only this API has words for; see kept.ts. Never the password. */
function factsOf(wanted: Wanted, { hints, reservationId }: Extras): JsonObject {
  const facts = {
    diskConfig: wanted['OS-DCF:diskConfig'],
    accessIPv4: wanted.accessIPv4,
    accessIPv6: wanted.accessIPv6,
    availabilityZone: wanted.availability_zone,
    configDrive: wanted.config_drive === undefined ? undefined : isTrue(wanted.config_drive),
    securityGroups: wanted.security_groups?.map(({ name }) => name),
    networks: wanted.networks,
    userData: wanted.user_data,
    personality: wanted.personality,
    blockDevices: wanted.block_device_mapping_v2 ?? wanted.block_device_mapping,
    schedulerHints: hints,
    hostname: wanted.hostname,
    keyName: wanted.key_name,
    reservationId,
  }
  const said = Object.entries(facts).filter(([, fact]) => fact !== undefined)
  return Object.fromEntries(said) as JsonObject // its parts came as JSON
}
