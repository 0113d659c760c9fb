// What this cloud is told of an instance and shows again, though nothing here acts on it: zone, subnets, host
// name. Kept in the instance's attributes under `ecs`, where the native door can set them as well, so nothing
// about their shape is believed when they are read.

import type { Instance } from '#kernel/instance.ts'
import type { JsonObject } from '#kernel/json.ts'
import { flagIn, listIn, numberIn, objectIn, textIn, textsIn } from '#doors/shared/json-facts.ts'

export const factsKey = 'ecs'

const texts = [
  'zoneId',
  'vpcId',
  'hostname',
  'projectName',
  'keyPairName',
  'hpcClusterId',
  'deploymentSetId',
  'affinityGroupId',
  'scheduledInstanceId',
  'spotStrategy',
  'userData',
  'eipAddress',
  'httpTokens',
  'topologyType',
  'affinity',
  'dedicatedHostId',
  'dedicatedHostClusterId',
  'tenancy',
] as const
const numbers = [
  'spotPriceLimit',
  'expiredAtMs',
  'deploymentSetGroupNumber',
  'coreCount',
  'threadsPerCore',
] as const
const flags = ['enableJumboFrame'] as const

export interface NetworkInterfaceFacts {
  readonly subnetId: string
  readonly securityGroupIds: readonly string[]
  readonly primaryIpAddress?: string
}

export type Facts = { readonly [Name in (typeof texts)[number]]?: string } & {
  readonly [Name in (typeof numbers)[number]]?: number
} & { readonly [Name in (typeof flags)[number]]?: boolean } & {
  readonly networkInterfaces: readonly NetworkInterfaceFacts[]
}

/** Facts as they were given: what was not is `undefined`, and then not kept. */
export type FactsGiven = { readonly [Name in keyof Facts]: Facts[Name] | undefined }

export function factsOf(instance: Pick<Instance, 'attributes'>): Facts {
  const kept: JsonObject = instance.attributes[factsKey] ?? {}
  const found = [
    ...texts.map((name) => [name, textIn(kept, name)] as const),
    ...numbers.map((name) => [name, numberIn(kept, name)] as const),
    ...flags.map((name) => [name, flagIn(kept, name)] as const),
  ].filter(([, value]) => value !== undefined)
  const facts = Object.fromEntries(found) as Omit<Facts, 'networkInterfaces'> // each name was read as its own type
  return { ...facts, networkInterfaces: networkInterfacesIn(kept) }
}

function networkInterfacesIn(kept: JsonObject): readonly NetworkInterfaceFacts[] {
  const entries = (listIn(kept, 'networkInterfaces') ?? []).map((_, index, all) =>
    objectIn({ entry: all[index] ?? null }, 'entry'),
  )
  return entries.flatMap((entry) => {
    if (entry === undefined) return []
    const primaryIpAddress = textIn(entry, 'primaryIpAddress')
    const given = {
      subnetId: textIn(entry, 'subnetId') ?? '',
      securityGroupIds: textsIn(entry, 'securityGroupIds'),
    }
    return [primaryIpAddress === undefined ? given : { ...given, primaryIpAddress }]
  })
}

/** As kept in a row. */
export function factsKept(given: FactsGiven): JsonObject {
  const { networkInterfaces = [], ...rest } = given
  const said = Object.entries(rest).filter(([, value]) => value !== undefined) as [
    string,
    string | number | boolean,
  ][] // just filtered
  const interfaces = networkInterfaces.map((one) => ({ ...one }))
  return { ...Object.fromEntries(said), networkInterfaces: interfaces }
}
