// What surrounds servers: flavors, and what a project may use and does.
//
// Source: contract, sections 8.3 and 10.

import { seesFlavor } from '#kernel/access.ts'
import { ok, type Result } from '#kernel/errors.ts'
import type { Flavor } from '#kernel/catalogue.ts'
import type { Instance } from '#kernel/instance.ts'
import type { Reads } from '#kernel/ports/plane.ts'
import { walk } from '../shared/offset-page.ts'
import type { Call } from './call.ts'
import type { Fault } from './faults.ts'
import { liveStates } from './states.ts'
import { bareMetalTag, flavorObject } from './wire.ts'

/** The catalogue is configuration, a few hundred rows at most, so it is read whole; instances never are. */
export async function flavorsById(read: Reads): Promise<ReadonlyMap<string, Flavor>> {
  const flavors = new Map<string, Flavor>()
  for await (const flavor of walk(read, 'flavors', {}))
    if (flavor.kinds.includes('server')) flavors.set(flavor.id, flavor)
  return flavors
}

/** Its own tags, and one that every bare-metal server carries without anybody having set it. */
export async function tagsOf({
  house,
  servers,
}: Call): Promise<(instance: Instance) => readonly string[]> {
  const flavors = await flavorsById(house.plane.read)
  return (instance) => tagsWith(flavors.get(instance.flavorId ?? ''), servers.saidOf(instance).tags)
}

export const tagsWith = (flavor: Flavor | undefined, tags: readonly string[]): readonly string[] =>
  flavor?.bareMetal ? [...new Set([...tags, bareMetalTag])] : tags

/** Bare metal only; in every zone, so which one is asked for makes no difference. */
export async function listFlavors({
  house,
  exchange,
  caller,
  project,
}: Call): Promise<Result<object, Fault>> {
  const all = [...(await flavorsById(house.plane.read)).values()]
  const metal = all.filter((one) => one.bareMetal && seesFlavor(caller, one))
  return ok({ flavors: metal.map((one) => flavorObject(one, exchange.baseUrl, project)) })
}

const unlimited = -1

/** Nothing is limited; what is used is counted, one count per flavor, and no server is loaded. */
export async function showLimits({ house, project }: Call): Promise<Result<object, Fault>> {
  const { read } = house.plane
  const where = { project, kind: 'server', state: liveStates }
  let [vcpus, memoryMiB] = [0, 0]
  for (const flavor of (await flavorsById(read)).values()) {
    const count = await read.count('instances', { where: { ...where, flavorId: flavor.id } })
    vcpus += count * flavor.vcpus
    memoryMiB += count * flavor.memoryMiB
  }
  return ok({
    absolute: {
      maxTotalInstances: unlimited,
      maxTotalCores: unlimited,
      maxTotalRAMSize: unlimited,
      maxTotalKeypairs: unlimited,
      maxServerMeta: 128,
      maxImageMeta: 128,
      maxPersonality: 5,
      maxPersonalitySize: 1024,
      maxServerGroups: unlimited,
      maxServerGroupMembers: unlimited,
      maxSecurityGroups: unlimited,
      maxSecurityGroupRules: unlimited,
      maxTotalFloatingIps: unlimited,
      totalInstancesUsed: await read.count('instances', { where }),
      totalCoresUsed: vcpus,
      totalRAMUsed: memoryMiB,
      totalServerGroupsUsed: 0,
      totalSecurityGroupsUsed: 0,
      totalFloatingIpsUsed: 0,
    },
  })
}
