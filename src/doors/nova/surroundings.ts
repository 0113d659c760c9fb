// What surrounds servers: limits and availability zones.
// Source: contract, section 8.3.

import { err, ok, type Result } from '#kernel/errors.ts'
import { type Call, type Reply } from './call.ts'
import { catalogueRows } from './catalogue-rows.ts'
import { metadataItemsMax } from './bodies.ts'
import { type NovaFault, policy } from './faults.ts'
import { zonesOf } from './settings.ts'
import { liveSituations } from './states.ts'

type Answered = Promise<Result<Reply, NovaFault>>

const unlimited = -1

/** Nothing is limited but what a request may hold; what is used is counted. */
export async function showLimits(call: Call): Answered {
  const used = await usageOf(call)
  const absolute = {
    maxTotalInstances: unlimited,
    maxTotalCores: unlimited,
    maxTotalRAMSize: unlimited,
    maxServerMeta: metadataItemsMax,
    maxTotalKeypairs: unlimited,
    maxServerGroups: unlimited,
    maxServerGroupMembers: unlimited,
    maxImageMeta: metadataItemsMax,
    maxPersonality: 16,
    maxPersonalitySize: 65_535,
    maxSecurityGroups: unlimited,
    maxSecurityGroupRules: unlimited,
    maxTotalFloatingIps: unlimited,
    totalRAMUsed: used.memoryMiB,
    totalCoresUsed: used.vcpus,
    totalInstancesUsed: used.servers,
    totalSecurityGroupsUsed: 0,
    totalFloatingIpsUsed: 0,
    totalServerGroupsUsed: 0,
  }
  return ok({ status: 200, body: { limits: { rate: [], absolute } } })
}

interface Usage {
  readonly servers: number
  readonly vcpus: number
  readonly memoryMiB: number
}

/** One count per flavor of the catalogue: sizes follow from the flavor, and no server is loaded. */
async function usageOf({ house, project }: Call): Promise<Usage> {
  const { read } = house.plane
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
