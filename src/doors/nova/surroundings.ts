// What surrounds servers: limits, quotas, services and availability zones.
// Source: contract, section 8.3.

import { err, ok, type Result } from '#kernel/errors.ts'
import { keyPairsMax } from '#kernel/key-pair.ts'
import type { Reads } from '#kernel/ports/plane.ts'
import type { Call, Reply } from './call.ts'
import { catalogueRows } from './catalogue-rows.ts'
import { filesMax, metadataItemsMax } from './bodies.ts'
import { type NovaFault, policy } from './faults.ts'
import { imageUuid } from './image-ids.ts'
import { firstOf } from './query-parameters.ts'
import { zonesOf } from './settings.ts'
import { liveSituations } from './states.ts'
import { micros } from './wire.ts'

type Answered = Promise<Result<Reply, NovaFault>>

const unlimited = -1

/** What proxies of networks, images and files once were limited by, until they went. */
const networksUntil = 35
const imageMetaUntil = 38
const filesUntil = 56

/** Nothing is limited but what a request may hold; what is used is counted, of another project for an admin. */
export async function showLimits(call: Call): Answered {
  const { caller, exchange, house, rule } = call
  const project = firstOf(new URLSearchParams(exchange.rawQuery), 'tenant_id') ?? call.project
  if (project !== call.project && caller.role !== 'admin')
    return err(policy(`${rule}:other_project`))
  const used = await usageOf(house.plane.read, project)
  const { version } = call.negotiated
  const hasNetworks = version <= networksUntil
  const absolute = {
    maxTotalInstances: unlimited,
    maxTotalCores: unlimited,
    maxTotalRAMSize: unlimited,
    maxServerMeta: metadataItemsMax,
    maxTotalKeypairs: keyPairsMax,
    maxServerGroups: unlimited,
    maxServerGroupMembers: unlimited,
    ...(version <= imageMetaUntil ? { maxImageMeta: metadataItemsMax } : {}),
    ...(version <= filesUntil ? { maxPersonality: filesMax, maxPersonalitySize: 65_535 } : {}),
    ...(hasNetworks
      ? {
          maxSecurityGroups: unlimited,
          maxSecurityGroupRules: unlimited,
          maxTotalFloatingIps: unlimited,
          totalSecurityGroupsUsed: 0,
          totalFloatingIpsUsed: 0,
        }
      : {}),
    totalRAMUsed: used.memoryMiB,
    totalCoresUsed: used.vcpus,
    totalInstancesUsed: used.servers,
    totalServerGroupsUsed: 0,
  }
  return ok({ status: 200, body: { limits: { rate: [], absolute } } })
}

/** The same for everybody, so a set is its defaults. A project's own, and an admin may ask for any. */
export async function showQuotaSet(call: Call): Answered {
  const { caller, negotiated, rule } = call
  const id = call.exchange.params['quota_project'] ?? ''
  if (id !== caller.projectId && caller.role !== 'admin') return err(policy(rule))
  const { version } = negotiated
  const quota = {
    id,
    cores: unlimited,
    instances: unlimited,
    ram: unlimited,
    key_pairs: keyPairsMax,
    metadata_items: metadataItemsMax,
    server_groups: unlimited,
    server_group_members: unlimited,
    ...(version <= networksUntil
      ? {
          fixed_ips: unlimited,
          floating_ips: unlimited,
          security_groups: unlimited,
          security_group_rules: unlimited,
        }
      : {}),
    ...(version <= filesUntil
      ? {
          injected_files: filesMax,
          injected_file_content_bytes: 65_535,
          injected_file_path_bytes: 255,
        }
      : {}),
  }
  return ok({ status: 200, body: { quota_set: quota } })
}

const uuidsSince = 53
const forcedDownSince = 11

/** Each driver is a host on which its servers run. Admins only. */
export async function listServices(call: Call): Answered {
  const { caller, house, negotiated, rule } = call
  if (caller.role !== 'admin') return err(policy(rule))
  const params = new URLSearchParams(call.exchange.rawQuery)
  const host = firstOf(params, 'host')
  const binary = firstOf(params, 'binary')
  const drivers = await house.plane.read.list('drivers', { limit: 1000 })
  const { version } = negotiated
  const services = drivers
    .map(({ id, available, reason }, at) => ({
      id: version >= uuidsSince ? imageUuid(`nova-compute/${id}`) : at + 1,
      binary: 'nova-compute',
      host: id,
      zone: zonesOf(house.settings)[0],
      status: available ? 'enabled' : 'disabled',
      state: available ? 'up' : 'down',
      updated_at: micros(house.plane.nowMs()),
      disabled_reason: reason,
      ...(version >= forcedDownSince ? { forced_down: false } : {}),
    }))
    .filter((one) => host === undefined || one.host === host)
    .filter((one) => binary === undefined || one.binary === binary)
  return ok({ status: 200, body: { services } })
}

interface Usage {
  readonly servers: number
  readonly vcpus: number
  readonly memoryMiB: number
}

/** One count per flavor of the catalogue: sizes follow from the flavor, and no server is loaded. */
async function usageOf(read: Reads, project: string): Promise<Usage> {
  const where = { project, kind: 'server', situation: liveSituations }
  const servers = await read.count('instances', { where })
  let vcpus = 0
  let memoryMiB = 0
  for (const flavor of await catalogueRows(read, 'flavors')) {
    const count = await read.count('instances', { where: { ...where, flavorId: flavor.id } })
    vcpus += count * flavor.vcpus
    memoryMiB += count * flavor.memoryMiB
  }
  return { servers, vcpus, memoryMiB }
}

export const listZones = async ({ house }: Call): Answered => {
  const availabilityZoneInfo = zonesOf(house.settings).map((name) => zone(name, null))
  return ok({ status: 200, body: { availabilityZoneInfo } })
}

/** The same with the hosts in each zone: the drivers, all in the first one. Admins only. */
export async function listZonesDetail({ house, caller, rule }: Call): Answered {
  if (caller.role !== 'admin') return err(policy(rule))
  const drivers = await house.plane.read.list('drivers', { limit: 1000 })
  const hosts = Object.fromEntries(
    drivers.map(({ id, available }) => [
      id,
      { 'nova-compute': { active: true, available, updated_at: null } },
    ]),
  )
  const [first, ...others] = zonesOf(house.settings)
  const availabilityZoneInfo = [zone(first, hosts), ...others.map((name) => zone(name, {}))]
  return ok({ status: 200, body: { availabilityZoneInfo } })
}

const zone = (zoneName: string, hosts: object | null): object => ({
  zoneName,
  zoneState: { available: true },
  hosts,
})
