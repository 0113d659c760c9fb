// The filters of DescribeInstances. Each says how the store would find its instances, when it can, and always
// how an instance is recognised as the caller sees it. All filters given must hold.
// Source: contracts/volcengine-ecs.md section 7.5.

import { type Query, type Where } from '#kernel/ports/store.ts'
import { type Call } from './call.ts'
import { type Reading } from './reading.ts'
import { statesShownAs, statuses } from './states.ts'
import { type InstanceEntry, type TagEntry } from './wire.ts'

export interface Filters {
  /** Empty: all of the account. */
  readonly ids: readonly string[]
  readonly where: Where<'instances'>
  readonly contains: Query<'instances'>['contains']
  /** The store's part is all there is to it. */
  readonly isExact: boolean
  readonly fits: (entry: InstanceEntry) => boolean
}

interface Filter {
  readonly where?: Where<'instances'>
  readonly contains?: Query<'instances'>['contains']
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
    ...textFilters(reading),
    ...listFilters(reading),
    ...tagFilters(reading),
  ]
  const contains = given.find((filter) => filter.contains !== undefined)?.contains
  return {
    ids,
    where: Object.assign({}, ...given.map((filter) => filter.where ?? {})) as Where<'instances'>, // no two filters name one column
    contains,
    isExact: given.every(
      (filter) => !filter.isCoarse && (filter.where !== undefined || filter.contains !== undefined),
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
    families.length === 0 ? [] : await plane.read.list('flavors', { limit: flavorsMax })
  const ofFamily = flavors.filter(({ family }) => families.includes(family)).map(({ id }) => id)
  const wanted =
    families.length === 0
      ? types
      : types.length === 0
        ? ofFamily
        : types.filter((id) => ofFamily.includes(id))
  return [{ where: { flavorId: wanted }, fits: (entry) => wanted.includes(entry.InstanceTypeId) }]
}

const flavorsMax = 1000

const textsOf: Readonly<Record<string, (entry: InstanceEntry) => readonly string[]>> = {
  ZoneId: (entry) => [entry.ZoneId],
  VpcId: (entry) => [entry.VpcId],
  KeyPairName: (entry) => [entry.KeyPairName],
  ProjectName: (entry) => [entry.ProjectName],
  HpcClusterId: (entry) => [entry.HpcClusterId],
  DedicatedHostId: (entry) => [entry.Placement.DedicatedHostId],
  DedicatedHostClusterId: (entry) => [entry.Placement.DedicatedHostClusterId],
  ScheduledInstanceId: (entry) => [entry.ScheduledInstanceId],
  PrimaryIpAddress: (entry) => entry.NetworkInterfaces.map((one) => one.PrimaryIpAddress),
}

function textFilters(reading: Reading): readonly Filter[] {
  const given = Object.entries(textsOf).flatMap(([name, valuesOf]) => {
    const text = reading.text(name)
    return text === undefined
      ? []
      : [{ fits: (entry: InstanceEntry) => valuesOf(entry).includes(text) }]
  })
  const charge = reading.choice('InstanceChargeType', ['PostPaid', 'PrePaid'])
  if (charge === undefined) return given
  return [...given, { fits: (entry) => entry.InstanceChargeType === charge }]
}

const listsOf: Readonly<Record<string, (entry: InstanceEntry) => readonly string[]>> = {
  Ipv6Addresses: (entry) => entry.NetworkInterfaces.flatMap((one) => one.Ipv6Addresses),
  EipAddresses: (entry) => [entry.EipAddress.IpAddress],
  DeploymentSetIds: (entry) => [entry.DeploymentSetId],
  DeploymentSetGroupNumbers: (entry) => [String(entry.DeploymentSetGroupNumber)],
  AffinityGroupIds: (entry) => [entry.AffinityGroupId],
}

function listFilters(reading: Reading): readonly Filter[] {
  return Object.entries(listsOf).flatMap(([name, valuesOf]) => {
    const wanted = reading.list(name, { max: listMax, of: 'number' })
    if (wanted.length === 0) return []
    return [
      { fits: (entry: InstanceEntry) => valuesOf(entry).some((value) => wanted.includes(value)) },
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
    return { fits: (entry) => fitsTags(entry.Tags), fitsTags }
  })
}
