// The filters of DescribeInstances. Each says how the store would find its instances, when it can, and always
// how an instance is recognised as the caller sees it. All filters given must hold.
// Source: contracts/volcengine-ecs.md section 7.5.

import { type FacetTest, hasFacet, hasNumber, hasText, labelName, without } from '#kernel/facets.ts'
import type { Charge } from '#kernel/instance.ts'
import type { Query, Where } from '#kernel/ports/store.ts'
import { walk } from '#doors/shared/offset-page.ts'
import type { Call } from './call.ts'
import { factsKey } from './facts.ts'
import type { Reading } from './reading.ts'
import { chargeTypes, statesShownAs, statuses } from './states.ts'
import { type InstanceEntry, projectDefault, systemTag, type TagEntry } from './wire.ts'

export interface Filters {
  /** Empty: all of the account. */
  readonly ids: readonly string[]
  readonly where: Where<'instances'>
  readonly contains: Query<'instances'>['contains']
  readonly facets: Query<'instances'>['facets']
  /** The store's part is all there is to it. */
  readonly isExact: boolean
  readonly fits: (entry: InstanceEntry) => boolean
}

interface Filter {
  readonly where?: Where<'instances'>
  readonly contains?: Query<'instances'>['contains']
  /** One of them must hold. */
  readonly facets?: readonly FacetTest[] | undefined
  /** The store's part finds more than what fits. */
  readonly isCoarse?: boolean
  readonly fits: (entry: InstanceEntry) => boolean
}

const listMax = 100

export async function readFilters(call: Call): Promise<Filters> {
  const { reading } = call
  const ids = reading.list('InstanceIds', { max: listMax })
  const given = [
    ...nameFilter(reading),
    ...(await statusFilter(call)),
    ...(await typeFilters(call)),
    ...textFilters(call),
    ...chargeFilter(reading),
    ...listFilters(reading),
    ...tagFilters(reading),
  ]
  const contains = given.find((filter) => filter.contains !== undefined)?.contains
  return {
    ids,
    where: Object.assign({}, ...given.map((filter) => filter.where ?? {})) as Where<'instances'>, // no two filters name one column
    contains,
    facets: facetsOf(given),
    isExact: given.every(
      (filter) =>
        !filter.isCoarse && (filter.where ?? filter.contains ?? filter.facets) !== undefined,
    ),
    fits: (entry) => given.every((filter) => filter.fits(entry)),
  }
}

function nameFilter(reading: Reading): readonly Filter[] {
  const text = reading.text('InstanceName')
  if (text === undefined) return []
  return [
    { contains: { column: 'name', text }, fits: (entry) => entry.InstanceName.includes(text) },
  ]
}

/** An instance of which an image is taken shows the status it had; only while there is one must rows be looked at. */
async function statusFilter({ reading, plane, principal }: Call): Promise<readonly Filter[]> {
  const status = reading.choice('Status', statuses)
  if (status === undefined) return []
  const states = statesShownAs(status)
  const fits = (entry: InstanceEntry) => entry.Status === status
  if (states.length < 2) return [{ where: { state: states }, fits }]
  const own = { project: principal.account, kind: 'server', state: 'imaging' }
  const imaging = await plane.read.count('instances', { where: own })
  if (imaging > 0) return [{ where: { state: states }, isCoarse: true, fits }]
  return [{ where: { state: states.filter((state) => state !== 'imaging') }, fits }]
}

/** Types by name and by family come to one list of flavors. */
async function typeFilters({ reading, plane }: Call): Promise<readonly Filter[]> {
  const types = [
    ...reading.list('InstanceTypes', { max: listMax }),
    ...reading.list('InstanceTypeIds', { max: listMax }),
  ]
  const families = reading.list('InstanceTypeFamilies', { max: listMax })
  if (types.length === 0 && families.length === 0) return []
  const flavors =
    families.length === 0 ? [] : await Array.fromAsync(walk(plane.read, 'flavors', {}))
  const ofFamily = flavors.filter(({ family }) => families.includes(family)).map(({ id }) => id)
  const wanted =
    families.length === 0
      ? types
      : types.length === 0
        ? ofFamily
        : types.filter((id) => ofFamily.includes(id))
  return [{ where: { flavorId: wanted }, fits: (entry) => wanted.includes(entry.InstanceTypeId) }]
}

interface Text {
  /** Under which it is kept, when instances can be found by it; see kernel/facets.ts. */
  readonly fact?: string
  readonly of: (entry: InstanceEntry) => readonly string[]
}

const textsOf: Readonly<Record<string, Text>> = {
  ZoneId: { fact: 'zoneId', of: (entry) => [entry.ZoneId] },
  VpcId: { fact: 'vpcId', of: (entry) => [entry.VpcId] },
  KeyPairName: { fact: 'keyPairName', of: (entry) => [entry.KeyPairName] },
  ProjectName: { fact: 'projectName', of: (entry) => [entry.ProjectName] },
  HpcClusterId: { fact: 'hpcClusterId', of: (entry) => [entry.HpcClusterId] },
  DedicatedHostId: { fact: 'dedicatedHostId', of: (entry) => [entry.Placement.DedicatedHostId] },
  DedicatedHostClusterId: {
    fact: 'dedicatedHostClusterId',
    of: (entry) => [entry.Placement.DedicatedHostClusterId],
  },
  ScheduledInstanceId: { fact: 'scheduledInstanceId', of: (entry) => [entry.ScheduledInstanceId] },
  PrimaryIpAddress: { of: (entry) => entry.NetworkInterfaces.map((one) => one.PrimaryIpAddress) },
}

/** What is shown of an instance that was told nothing; of all else that is ''. */
const defaultOf = (name: string, { place }: Call): string | undefined =>
  name === 'ZoneId' ? place.zones[0] : name === 'ProjectName' ? projectDefault : undefined

const kept = (fact: string): string => `${factsKey}.${fact}`

function textFilters(call: Call): readonly Filter[] {
  return Object.entries(textsOf).flatMap(([name, { fact, of }]) => {
    const text = call.reading.text(name)
    if (text === undefined) return []
    const fits = (entry: InstanceEntry): boolean => of(entry).includes(text)
    const has = fact === undefined ? undefined : hasFacet(kept(fact), text)
    if (fact === undefined || has === undefined) return [{ fits }]
    const untold = text === defaultOf(name, call) ? [without(hasText(kept(fact)))] : []
    return [{ facets: [has, ...untold], fits }]
  })
}

/** What is free here is shown as paid by use. */
function chargeFilter(reading: Reading): readonly Filter[] {
  const charge = reading.choice('InstanceChargeType', ['PostPaid', 'PrePaid'])
  if (charge === undefined) return []
  const shownSo = (Object.keys(chargeTypes) as readonly Charge[]).filter(
    (one) => chargeTypes[one] === charge,
  ) // keys of a const table
  return [
    {
      facets: shownSo.flatMap((one) => hasFacet('charge', one) ?? []),
      fits: (entry) => entry.InstanceChargeType === charge,
    },
  ]
}

interface Several {
  readonly of: (entry: InstanceEntry) => readonly string[]
  /** Undefined: facets cannot tell. */
  readonly facets: (value: string) => readonly FacetTest[] | undefined
}

const byText =
  (fact: string) =>
  (value: string): readonly FacetTest[] | undefined => {
    const has = hasFacet(kept(fact), value)
    return has && [has]
  }

function byNumber(fact: string): Several['facets'] {
  return (value) => {
    const has = String(Number(value)) === value ? hasFacet(kept(fact), Number(value)) : undefined
    // One that was told none is shown as 0.
    return [has ?? [], value === '0' ? without(hasNumber(kept(fact))) : []].flat()
  }
}

const listsOf: Readonly<Record<string, Several>> = {
  // Nothing here has an address of that kind.
  Ipv6Addresses: {
    of: (entry) => entry.NetworkInterfaces.flatMap((one) => one.Ipv6Addresses),
    facets: () => [],
  },
  EipAddresses: { of: (entry) => [entry.EipAddress.IpAddress], facets: () => undefined },
  DeploymentSetIds: { of: (entry) => [entry.DeploymentSetId], facets: byText('deploymentSetId') },
  DeploymentSetGroupNumbers: {
    of: (entry) => [String(entry.DeploymentSetGroupNumber)],
    facets: byNumber('deploymentSetGroupNumber'),
  },
  AffinityGroupIds: { of: (entry) => [entry.AffinityGroupId], facets: byText('affinityGroupId') },
}

function listFilters(reading: Reading): readonly Filter[] {
  return Object.entries(listsOf).flatMap(([name, { of, facets }]) => {
    const wanted = reading.list(name, { max: listMax, of: 'number' })
    if (wanted.length === 0) return []
    const each = wanted.map(facets)
    const isTold = each.every((tests) => tests !== undefined)
    return [
      {
        facets: isTold ? each.flatMap((tests) => tests ?? []) : undefined,
        fits: (entry: InstanceEntry) => of(entry).some((value) => wanted.includes(value)),
      },
    ]
  })
}

const tagKeysMax = 10
const tagValuesMax = 3

export function tagFilters(
  reading: Reading,
): readonly (Filter & { readonly fitsTags: (tags: readonly TagEntry[]) => boolean })[] {
  return reading.groups('TagFilters', { max: tagKeysMax }).map((group) => {
    const key = group.required('Key')
    const values = group.list('Values', { max: tagValuesMax, emptyCounts: true })
    const fitsTags = (tags: readonly TagEntry[]) =>
      tags.some((tag) => tag.Key === key && (values.length === 0 || values.includes(tag.Value)))
    return { facets: tagFacets(key, values), fits: (entry) => fitsTags(entry.Tags), fitsTags }
  })
}

/** The system's tag is no label: it says which service owns the instance. */
function tagFacets(key: string, values: readonly string[]): readonly FacetTest[] | undefined {
  const names = [labelName(key), ...(key === systemTag ? ['service'] : [])]
  if (values.length === 0) return names.map(hasText)
  const each = names.flatMap((name) => values.map((value) => hasFacet(name, value)))
  return each.every((one) => one !== undefined) ? each : undefined
}

/** What the store can tell; of the others every row is looked at. */
export function facetsOf(filters: readonly Filter[]): Query<'instances'>['facets'] {
  const told = filters.flatMap(({ facets }) => (facets === undefined ? [] : [facets]))
  return told.length === 0 ? undefined : told
}
