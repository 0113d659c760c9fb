// What this API lets a caller say of a server, or an admin of a flavor, that nothing else of runstate has a word for. It is kept with the
// instance or the flavor under this door's name, and shown again as it was said; an address in its shortest spelling.
//
// - No password is kept: nothing here could use it, and what is not there cannot leak.
// - An instance made through another door says nothing of all this, so every fact has a default.

import type { Flavor } from '#kernel/catalogue.ts'
import type { Instance } from '#kernel/instance.ts'
import type { JsonObject } from '#kernel/json.ts'
import { flagIn, numberIn, objectIn, textIn, textsIn } from '../shared/json-facts.ts'

export const doorName = 'nova'

export interface Kept {
  readonly diskConfig: string
  readonly accessIPv4: string
  readonly accessIPv6: string
  readonly availabilityZone: string | undefined
  readonly hasConfigDrive: boolean
  readonly keyName: string | null
  readonly securityGroups: readonly string[]
  readonly tags: readonly string[]
  readonly reservationId: string | undefined
  readonly userData: string | undefined
  readonly hostname: string | undefined
}

/** Each tag is a fact of its own, so that two callers who set two tags at once set both. */
const tagPrefix = 'tag:'

/** As facts to merge: null takes a tag away. */
export const tagFacts = (change: Readonly<Record<string, boolean>>): JsonObject =>
  Object.fromEntries(
    Object.entries(change).map(([tag, isSet]) => [`${tagPrefix}${tag}`, isSet ? true : null]),
  )

/** The one spelling of an address of version 6 that Nova shows, whichever was said (RFC 5952). */
const shortest = (address: string): string =>
  address === '' ? '' : (URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address)

const nothing: JsonObject = {}
const everybody = ['default'] as const

export function keptOf(instance: Pick<Instance, 'attributes'>): Kept {
  const facts = instance.attributes[doorName] ?? nothing
  const groups = textsIn(facts, 'securityGroups')
  const tags = Object.keys(facts).filter((name) => name.startsWith(tagPrefix))
  return {
    diskConfig: textIn(facts, 'diskConfig') ?? 'MANUAL',
    accessIPv4: textIn(facts, 'accessIPv4') ?? '',
    accessIPv6: shortest(textIn(facts, 'accessIPv6') ?? ''),
    availabilityZone: textIn(facts, 'availabilityZone'),
    hasConfigDrive: flagIn(facts, 'configDrive') ?? false,
    keyName: textIn(facts, 'keyName') ?? null,
    securityGroups: groups.length === 0 ? everybody : groups,
    tags: tags.map((name) => name.slice(tagPrefix.length)).toSorted(),
    reservationId: textIn(facts, 'reservationId'),
    userData: textIn(facts, 'userData'),
    hostname: textIn(facts, 'hostname'),
  }
}

export interface KeptOfFlavor {
  readonly swapMiB: number
  readonly ephemeralGiB: number
  readonly rxtxFactor: number
  readonly description: string | null
}

export function keptOfFlavor({ attributes }: Pick<Flavor, 'attributes'>): KeptOfFlavor {
  const facts = objectIn(attributes, doorName) ?? nothing
  return {
    swapMiB: numberIn(facts, 'swapMiB') ?? 0,
    ephemeralGiB: numberIn(facts, 'ephemeralGiB') ?? 0,
    rxtxFactor: numberIn(facts, 'rxtxFactor') ?? 1,
    description: textIn(facts, 'description') ?? null,
  }
}
