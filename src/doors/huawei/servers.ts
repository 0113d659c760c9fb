// Servers as the two services list and show them, and the one change of a description that they know: a name.
//
// Both show every server, whatever it is made of: one record, two paths. Bare metal carries a tag of its own.
// Source: contract, section 10.

import { may } from '#kernel/access.ts'
import type { Flavor, Image } from '#kernel/catalogue.ts'
import { activeHolds } from '#kernel/decisions/conditions.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import { isObject, parseJson } from '../shared/http.ts'
import { planOf } from '../shared/lent-headers.ts'
import { offsetPage } from '../shared/offset-page.ts'
import type { Call } from './call.ts'
import { type Fault, faultFor, speeches } from './faults.ts'
import { readServerQuery } from './server-query.ts'
import { flavorsById, tagsWith } from './surroundings.ts'
import { serverObject } from './wire.ts'

type Answered = Promise<Result<object, Fault>>

export async function listServers(call: Call): Answered {
  const { read } = call.house.plane
  const query = await readServerQuery(call)
  if (!query.ok) return query
  const { filter, keep, offset, limit } = query.value
  const { rows, total } = await offsetPage(read, 'instances', filter, { offset, limit, keep })
  const flavors = await flavorsById(read)
  const images = new Map<string, Image | undefined>()
  for (const id of new Set(rows.map(({ imageId }) => imageId ?? '')))
    images.set(id, await read.get('images', id))
  const servers = rows.map((row) =>
    shown(call, row, {
      flavor: flavors.get(row.flavorId ?? ''),
      image: images.get(row.imageId ?? ''),
    }),
  )
  return ok({ count: total, servers })
}

interface Made {
  readonly flavor: Flavor | undefined
  readonly image: Image | undefined
}

function shown(call: Call, instance: Instance, { flavor, image }: Made): object {
  const { servers, caller, exchange, project, house } = call
  const { tags, reservationId } = servers.saidOf(instance)
  return serverObject(instance, {
    native: servers.show(instance, { caller, baseUrl: exchange.baseUrl, project }),
    flavor,
    image,
    tags: tagsWith(flavor, tags),
    reservationId,
    isLocked: activeHolds(instance, house.plane.nowMs()).length > 0,
  })
}

export async function showServer(call: Call): Answered {
  const { read } = call.house.plane
  const seen = await serverIn(call)
  if (!seen.ok) return seen
  const flavor = await read.get('flavors', seen.value.flavorId ?? '')
  const image = await read.get('images', seen.value.imageId ?? '')
  return ok({ server: shown(call, seen.value, { flavor, image }) })
}

/** The server that the URL names, if the caller may know of it. Text that is no id is not found either. */
async function serverIn(call: Call): Promise<Result<Instance, Fault>> {
  const id = call.exchange.params['server_id'] ?? ''
  const seen = await call.house.plane.see({ kind: 'server', id }, call.caller)
  return seen.ok ? seen : err(faultFor(call.family, seen.error, 'show'))
}

const nameText = /^[\p{Script=Han}A-Za-z0-9_.-]+$/u
const nameLengthMax = 63

/** Allowed in every state, and when locked. */
export async function renameServer(call: Call): Answered {
  const { caller, family, house, exchange, servers, submission } = call
  const name = nameIn(call)
  if (!name.ok) return name
  if (!may(caller, 'update')) return err(speeches[family].denied('bms:servers:put'))
  const target = { kind: 'server', id: exchange.params['server_id'] ?? '' } as const
  const request = { verb: 'update', target, name: name.value } as const
  const receipt = await house.plane.submit(request, submission)
  if (!receipt.ok) return err(faultFor(family, receipt.error, 'update'))
  if (submission.dryRun) return ok(planOf(receipt.value))
  // It may have gone meanwhile; it was renamed all the same.
  const row = await house.plane.read.get('instances', target.id)
  const seen = row ? ok(row) : await serverIn(call)
  if (!seen.ok) return seen
  const { baseUrl } = exchange
  return ok({ server: servers.show(seen.value, { caller, baseUrl, project: call.project }) })
}

function nameIn({ exchange, family }: Call): Result<string, Fault> {
  const { notJson, invalid, badName } = speeches[family]
  const parsed = parseJson(exchange.body)
  if (!parsed.ok) return err(notJson('the body is not JSON'))
  if (!isObject(parsed.value)) return err(notJson('the body is not an object'))
  const { server } = parsed.value
  const name = isObject(server) ? server['name'] : undefined
  if (typeof name !== 'string') return err(invalid)
  if (name.length < 1 || name.length > nameLengthMax)
    return err(badName(name.slice(0, nameLengthMax), 'not 1 to 63'))
  return nameText.test(name) ? ok(name) : err(invalid)
}
