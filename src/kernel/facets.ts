// What instances are found by beyond their columns: labels, charge, and a few of the attributes that doors keep.
// Many instances share the same facets, so a store can count instances by their whole set of facets, and a set's
// key stands for it in an index (docs/decisions/0009-facets-and-meters.md).
//
// - A fact of one's own (an address, a host name) is no facet: it would make every set one of its own.
// - Of a text longer than `facetMax` it is only told that there is one: a search for it has to look at rows.

import type { Instance } from './instance.ts'
import type { Json, JsonObject } from './json.ts'

const facetMax = 256

/** The attributes by door that are facets. Their meaning is the door's; here they are only found again. */
const shared: Readonly<Record<string, readonly string[]>> = {
  ecs: [
    'zoneId',
    'vpcId',
    'projectName',
    'keyPairName',
    'hpcClusterId',
    'dedicatedHostId',
    'dedicatedHostClusterId',
    'scheduledInstanceId',
    'deploymentSetId',
    'deploymentSetGroupNumber',
    'affinityGroupId',
  ],
}

/** Whether the set has this facet, or with `isAbsent` has it not. */
export interface FacetTest {
  readonly text: string
  readonly isAbsent?: true
}

type Found = Pick<Instance, 'kind' | 'charge' | 'labels' | 'attributes' | 'conditions'> &
  Pick<Instance, 'flavorId' | 'aliases'>

interface Facets {
  readonly of: Found
  readonly text: string
  readonly key: number
}

/** By attributes: they never change, and most changes of an instance leave them and all the rest as it is. */
const known = new WeakMap<Found['attributes'], Facets>()

/** Sorted, each on a line of its own; empty for kinds that nobody searches so. */
export const facetText = (instance: Found): string =>
  instance.kind === 'server' ? facetsOf(instance).text : ''
/** Zero for kinds that nobody searches so. */
export const facetKey = (instance: Found): number =>
  instance.kind === 'server' ? facetsOf(instance).key : 0

function facetsOf(instance: Found): Facets {
  const { kind, charge, labels, attributes, conditions, flavorId, aliases } = instance
  const last = known.get(attributes)
  const isSame =
    last?.of.labels === labels &&
    last.of.conditions === conditions &&
    last.of.aliases === aliases &&
    last.of.flavorId === flavorId &&
    last.of.charge === charge
  if (isSame) return last
  const text = facetTextOf(instance)
  const of = { kind, charge, labels, attributes, conditions, flavorId, aliases }
  const facets = { of, text, key: facetKeyOf(text) }
  known.set(attributes, facets)
  return facets
}

function facetTextOf(instance: Found): string {
  const { charge, labels, attributes, conditions, flavorId, aliases } = instance
  const { createdByService } = conditions
  const lines = [
    `schemes=${Object.keys(aliases).toSorted().join(' ')}`,
    ...(flavorId === null ? [] : line('flavor', flavorId)),
    ...line('charge', charge),
    ...(createdByService === null ? [] : line('service', createdByService)),
    ...Object.entries(labels).flatMap(([key, value]) => line(labelName(key), value)),
    ...Object.entries(shared).flatMap(([door, names]) =>
      names.flatMap((name) => line(`${door}.${name}`, valueIn(attributes[door], name))),
    ),
  ]
  return `\n${lines.toSorted().join('\n')}\n`
}

const valueIn = (kept: JsonObject | undefined, name: string): Json | undefined =>
  kept !== undefined && Object.hasOwn(kept, name) ? kept[name] : undefined

/** A number is no text that looks like one. */
function line(name: string, value: Json | undefined): readonly string[] {
  if (typeof value === 'number') return [`${name}#${value}`]
  if (typeof value !== 'string') return []
  return [`${name}=${value.length <= facetMax ? escaped(value) : tooLong}`]
}

/** No escaped text is this. */
const tooLong = '%'

const escaped = (text: string): string => text.replaceAll(/[%\n]/g, encodeURIComponent)
export const labelName = (key: string): string =>
  `label.${key.replaceAll(/[%\n=#]/g, encodeURIComponent)}`

/** That a facet has this value; undefined when facets cannot tell. */
export function hasFacet(name: string, value: string | number): FacetTest | undefined {
  const isLong = typeof value === 'string' && value.length > facetMax
  return isLong ? undefined : { text: `\n${line(name, value).join('\n')}\n` }
}

/** That there is a text under this name, or with `isAbsent` that there is none. */
export const hasText = (name: string): FacetTest => ({ text: `\n${name}=` })
export const hasNumber = (name: string): FacetTest => ({ text: `\n${name}#` })
export const without = ({ text }: FacetTest): FacetTest => ({ text, isAbsent: true })

export const fitsFacets = (text: string, facets: readonly (readonly FacetTest[])[]): boolean =>
  facets.every((some) => some.some((one) => text.includes(one.text) !== (one.isAbsent ?? false)))

const prime = 0x9e3779b1
const other = 0x85ebca77

/** 53 bits of the text: with a million different sets two share a key once in ten thousand fleets. */
export function facetKeyOf(text: string): number {
  let high = 0x811c9dc5
  let low = 0x01000193
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    high = Math.imul(high ^ code, prime)
    low = Math.imul(low ^ code, other)
  }
  high = Math.imul(high ^ (high >>> 15), other) ^ Math.imul(low ^ (low >>> 13), prime)
  low = Math.imul(low ^ (low >>> 16), prime) ^ Math.imul(high ^ (high >>> 14), other)
  return (high >>> 0) * 0x200000 + ((low >>> 0) & 0x1fffff)
}
