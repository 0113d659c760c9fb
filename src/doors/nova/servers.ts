// Servers: list, show, change of description, removal.
// Source: contract, sections 6.2 to 6.5.

import type { Flavor } from '#kernel/catalogue.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import type { Instance } from '#kernel/instance.ts'
import type { JsonObject } from '#kernel/json.ts'
import type { Reads } from '#kernel/ports/plane.ts'
import { planOf } from '../shared/lent-headers.ts'
import { updateBody } from './bodies.ts'
import type { Call, Reply } from './call.ts'
import { faultOf, type NovaFault } from './faults.ts'
import { doorName } from './kept.ts'
import { nextLink } from './query-parameters.ts'
import { pageOf } from './server-page.ts'
import { readServerQuery } from './server-query.ts'
import { zonesOf } from './settings.ts'
import {
  serverBrief,
  serverDetail,
  serverShown,
  serverUpdated,
  type View,
  wholeFlavorSince,
} from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>

/** Flavors and drivers are read only where the version shows something of them; flavors, those of the instances. */
export async function viewOf(
  { links, caller, house, mount, negotiated }: Call,
  instances: readonly Instance[],
): Promise<View> {
  const { version } = negotiated
  const { read } = house.plane
  const isAdmin = caller.role === 'admin'
  const isHuawei = mount.dialect === 'huawei'
  const rows = version >= wholeFlavorSince || isHuawei ? await flavorsOf(instances, read) : []
  const drivers =
    version >= hostStatusSince && isAdmin ? await read.list('drivers', { limit: 1000 }) : []
  return {
    links,
    caller,
    version,
    zone: zonesOf(house.settings)[0],
    isHostShown: isAdmin || isHuawei,
    flavors: new Map(rows.map((row) => [row.id, row])),
    downHosts: new Set(drivers.filter(({ available }) => !available).map(({ id }) => id)),
    metal: new Set(isHuawei ? rows.filter(({ bareMetal }) => bareMetal).map(({ id }) => id) : []),
  }
}

const hostStatusSince = 16

/** By id, so that a poll of one server parses none. */
async function flavorsOf(instances: readonly Instance[], read: Reads): Promise<readonly Flavor[]> {
  const ids = new Set(instances.map(({ flavorId }) => flavorId).filter((id) => id !== null))
  const rows = await Promise.all([...ids].map((id) => read.get('flavors', id)))
  return rows.filter((row) => row !== undefined)
}

/** The server that the URL names, if the caller may know of it. Text that is no id is not found either. */
export async function serverIn(call: Call): Promise<Result<Instance, NovaFault>> {
  const id = call.exchange.params['server_id'] ?? ''
  const seen = await call.house.plane.see({ kind: 'server', id }, call.caller)
  return seen.ok ? seen : err(faultOf(seen.error, { verb: 'show', rule: call.rule }))
}

/** The server that a change was just accepted for. It may have gone meanwhile; the change was made all the same. */
export async function changedServer(call: Call): Promise<Result<Instance, NovaFault>> {
  const id = call.exchange.params['server_id'] ?? ''
  const row = await call.house.plane.read.get('instances', id)
  return row ? ok(row) : await serverIn(call)
}

export const listServers = (call: Call): Answered => list(call, serverBrief)
export const listServersDetail = (call: Call): Answered => list(call, serverDetail)

async function list(call: Call, show: (instance: Instance, view: View) => object): Answered {
  const query = await readServerQuery(call)
  if (!query.ok) return query
  if (query.value === 'nothing') return ok({ status: 200, body: { servers: [] } })
  const page = await pageOf(call, query.value)
  if (!page.ok) return page
  const view = await viewOf(call, page.value)
  const servers = page.value.map((instance) => show(instance, view))
  const last = page.value.at(-1)
  // A full page may be the last one; only the next, empty one tells.
  const isFull = last !== undefined && page.value.length === query.value.limit
  const links = isFull ? { servers_links: [nextLink(call.exchange, last.id)] } : {}
  return ok({ status: 200, body: { servers, ...links } })
}

export async function showServer(call: Call): Answered {
  const instance = await serverIn(call)
  if (!instance.ok) return instance
  return ok({
    status: 200,
    body: { server: serverShown(instance.value, await viewOf(call, [instance.value])) },
  })
}

const addressFields = {
  accessIPv4: 'accessIPv4',
  accessIPv6: 'accessIPv6',
  'OS-DCF:diskConfig': 'diskConfig',
  hostname: 'hostname',
} as const

/** Allowed in every state, and when locked. */
export async function updateServer(call: Call): Answered {
  const body = updateBody(call.negotiated.version)(call.body)
  if (!body.ok) return body
  const { server } = body.value
  const facts: JsonObject = Object.fromEntries(
    Object.entries(addressFields).flatMap(([name, fact]) => {
      const value = server[name as keyof typeof addressFields] // keys of a const table
      return value === undefined ? [] : [[fact, value ?? '']]
    }),
  )
  const target = { kind: 'server', id: call.exchange.params['server_id'] ?? '' } as const
  const receipt = await call.house.plane.submit(
    {
      verb: 'update',
      target,
      ...(server.name === undefined ? {} : { name: server.name }),
      ...(server.description === undefined ? {} : { description: server.description ?? '' }),
      ...(Object.keys(facts).length === 0
        ? {}
        : { attributes: { door: doorName, value: facts, isMerged: true } }),
    },
    call.submission,
  )
  if (!receipt.ok) return err(faultOf(receipt.error, { verb: 'update', rule: call.rule }))
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  const instance = await changedServer(call)
  if (!instance.ok) return instance
  return ok({
    status: 200,
    body: { server: serverUpdated(instance.value, await viewOf(call, [instance.value])) },
  })
}

/** In any state; one that is being deleted already stays so, and is answered alike. */
export async function deleteServer(call: Call): Answered {
  const target = { kind: 'server', id: call.exchange.params['server_id'] ?? '' } as const
  const receipt = await call.house.plane.submit({ verb: 'delete', target }, call.submission)
  if (!receipt.ok) return err(faultOf(receipt.error, { verb: 'delete', rule: call.rule }))
  if (call.submission.dryRun) return ok({ status: 200, body: planOf(receipt.value) })
  return ok({ status: 204 })
}
